import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import workerd from "workerd";
import { writeBundle } from "../../src/adapters/node/bundle.ts";
import { configText } from "../../src/adapters/node/workerd.ts";
import type { Plan } from "../../src/core/plan.ts";
import { freePort } from "../support/served.ts";
import { median } from "./measure.ts";
import { startPlainWorker } from "./plain-workers.ts";
import { requestBytes } from "./policies.ts";
import { end, firstAnswer } from "./processes.ts";

/** Milliseconds from the start of the process to the first answer of a route, upstream included: median of several starts. */
export const startMs = async (plan: Plan, folder: string, times: number): Promise<number> => {
  const { worker } = await writeBundle(plan, folder);
  const config = path.join(folder, "workerd.capnp");
  return medianOf(times, async (port) => {
    // The product's own start looks every ten milliseconds, which is too coarse here.
    await writeFile(config, configText({ plan, worker, host: "127.0.0.1", port, secrets: {}, bindings: {} }));
    return spawn(workerd.default, ["serve", config], { stdio: ["ignore", "inherit", "inherit"] });
  });
};

/** The same of a plain Worker. */
export const plainStartMs = (
  source: string,
  folder: string,
  upstream: number,
  times: number,
): Promise<number> => medianOf(times, (port) => startPlainWorker({ source, port, upstream, folder }));

const medianOf = async (
  times: number,
  begin: (port: number) => Promise<ReturnType<typeof spawn>>,
): Promise<number> => {
  const measured: number[] = [];
  for (let time = 0; time < times; time++) {
    const port = await freePort();
    const begunMs = performance.now();
    const child = await begin(port);
    const status = await firstAnswer(port, requestBytes("-"));
    measured.push(performance.now() - begunMs);
    await end(child);
    if (!status.includes(" 200 ")) throw new Error(`the first answer is ${status}`);
  }
  return median(measured);
};
