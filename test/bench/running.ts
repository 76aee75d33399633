import type { ChildProcess } from "node:child_process";
import path from "node:path";
import { writeBundle } from "../../src/adapters/node/bundle.ts";
import { startWorkerd } from "../../src/adapters/node/workerd.ts";
import { freePort } from "../support/served.ts";
import { startPlainWorker } from "./plain-workers.ts";
import { requestBytes } from "./policies.ts";
import { firstAnswer } from "./processes.ts";
import type { Scenario } from "./scenarios.ts";

/** A scenario that runs. */
export interface Running {
  readonly scenario: Scenario;
  readonly port: number;
  readonly process: ChildProcess;
}

/** Values of secrets that every plan of the benchmark may name. */
const CONTROL = { CONTROL_TOKEN: "bench-control-token" };

/** What gateways reach beside their upstream. */
export interface Stores {
  /** Address of what stands behind the Cache API. */
  readonly edgeCache: string;
  readonly redis: { readonly url: string; readonly token: string } | undefined;
}

/** Starts a scenario in a process of its own: gateways as the product does it, from the production bundle. */
export const start = async (
  scenario: Scenario,
  folder: string,
  upstream: number,
  { edgeCache, redis }: Stores,
): Promise<Running> => {
  const port = await freePort();
  const own = path.join(folder, scenario.name);
  if ("plan" in scenario.runs) {
    const { plan } = scenario.runs;
    const { worker } = await writeBundle(plan, own);
    const secrets = { ...CONTROL, ...(redis && { REDIS_URL: redis.url, REDIS_TOKEN: redis.token }) };
    const host = "127.0.0.1";
    const running = await startWorkerd({ plan, worker, host, port, secrets, bindings: {}, edgeCache });
    return { scenario, port, process: running.process };
  }
  const { source } = scenario.runs;
  const process = await startPlainWorker({ source, port, upstream, folder: own });
  await firstAnswer(port, requestBytes("-"));
  return { scenario, port, process };
};
