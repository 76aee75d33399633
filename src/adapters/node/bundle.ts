import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { balancerFiles } from "../../balancers/index.ts";
import { emit } from "../../compiler/emit.ts";
import type { Json } from "../../core/json.ts";
import type { Plan } from "../../core/plan.ts";

/** The newest behavior of the runtime that the gateway is tested with. */
export const COMPATIBILITY_DATE = "2026-10-20";

const SOURCE = fileURLToPath(new URL("../..", import.meta.url));

/** What callers are offered, as an OpenAPI document; asked for only where a plan publishes it. */
export type Describe = () => Promise<Json>;

/**
 * Writes plan, entry and bundle into a folder: `plan.json`, `gateway.ts`, `worker.js`. The bundle is the production bundle:
 * the very file that is served, measured and deployed. The page and the description that a plan publishes lie beside it.
 */
export const writeBundle = async (
  compiled: Plan,
  folder: string,
  describe?: Describe,
): Promise<{ readonly worker: string; readonly plan: Plan }> => {
  await mkdir(folder, { recursive: true });
  const plan = await withDocs(compiled, folder, describe);
  const relative = path.relative(folder, SOURCE).split(path.sep).join("/");
  const source = relative.startsWith(".") ? relative : `./${relative}`;
  const emitted = emit(plan, { source: source.replace(/\/$/, ""), balancerFiles });
  for (const [name, text] of Object.entries(emitted)) await writeFile(path.join(folder, name), text);
  const worker = path.join(folder, "worker.js");
  await bundleWorker(path.join(folder, "gateway.ts"), worker);
  return { worker, plan };
};

const withDocs = async (plan: Plan, folder: string, describe: Describe | undefined): Promise<Plan> => {
  if (plan.gateway.docs === undefined) return plan;
  if (describe === undefined) throw new Error("nothing says what the description of this plan is");
  // What makes them takes a while to load: no other plan waits for that.
  const { writeDocs } = await import("./docs-files.ts");
  return writeDocs(plan, await describe(), folder);
};

/** Bundles one Worker to a single module, as it runs on Workers and on plain workerd. */
export const bundleWorker = async (entry: string, outfile: string): Promise<void> => {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2024",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "browser", "import"],
    external: ["cloudflare:*", "node:*"],
    loader: { ".json": "text" },
    minify: true,
    legalComments: "none",
    logLevel: "error",
  });
};
