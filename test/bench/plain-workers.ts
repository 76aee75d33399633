import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import workerd from "workerd";
import { COMPATIBILITY_DATE } from "../../src/adapters/node/bundle.ts";
import { BODY, FIELDS } from "./upstream.ts";

/** Workers without a gateway, for comparison: what anybody would write by hand. */

const pathOf = `const url = request.url; const path = url.slice(url.indexOf("/", url.indexOf("://") + 3));`;

/** Does nothing but fetch. */
export const fetching = (upstream: number): string =>
  `export default { fetch(request) { ${pathOf} return fetch("http://127.0.0.1:${upstream}" + path, request); } };`;

/** The same over a binding to an external service, which is how a gateway on plain workerd reaches literal addresses. */
export const fetchingByBinding = (upstream: number): string =>
  `export default { fetch(request, env) { ${pathOf} return env.UPSTREAM.fetch("http://127.0.0.1:${upstream}" + path, request); } };`;

/** Answers what the upstream answers, without asking it. */
export const constant = (): string =>
  `const body = ${JSON.stringify(BODY)}; const init = { headers: ${JSON.stringify(Object.fromEntries(FIELDS))} };
export default { fetch() { return new Response(body, init); } };`;

/** Where a plain Worker runs and what it reaches. */
export interface PlainWorker {
  readonly source: string;
  readonly port: number;
  readonly upstream: number;
  readonly folder: string;
}

/** Starts a plain Worker; whether it answers is for the caller to see. */
export const startPlainWorker = async ({
  source,
  port,
  upstream,
  folder,
}: PlainWorker): Promise<ChildProcess> => {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "worker.js"), source);
  const config = path.join(folder, "workerd.capnp");
  await writeFile(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = "${COMPATIBILITY_DATE}",
      bindings = [(name = "UPSTREAM", service = "upstream")],
      globalOutbound = "private",
    )),
    (name = "private", network = (allow = ["public", "private"])),
    (name = "upstream", external = (address = "127.0.0.1:${upstream}", http = ())),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
);
`,
  );
  return spawn(workerd.default, ["serve", config], { stdio: ["ignore", "inherit", "inherit"] });
};
