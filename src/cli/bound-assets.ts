import path from "node:path";
import type { WranglerConfig } from "../adapters/node/wrangler-config.ts";
import { ASSETS } from "../core/asset-plan.ts";
import type { Plan } from "../core/plan.ts";
import { CommandFailed } from "./failure.ts";

/**
 * Compares the files that wrangler.toml deploys with those that a plan answers with. Refuses a plan whose page nothing would
 * bring along, and one whose policies files could go past.
 */
export const compareAssets = (
  { gateway }: Pick<Plan, "gateway">,
  { file, main, assets }: Pick<WranglerConfig, "file" | "main" | "assets">,
): void => {
  if (gateway.docs === undefined) return;
  const wanted = path.relative(path.dirname(file), path.join(path.dirname(main), ASSETS.folder));
  const lines = `assets = { directory = "${wanted}", binding = "${ASSETS.binding}", run_worker_first = true }`;
  const refusal = (what: string): CommandFailed =>
    new CommandFailed(2, `${what}, and the gateway publishes its documentation.`, `Write: ${lines}`);
  if (assets === undefined || assets.binding !== ASSETS.binding)
    throw refusal(`wrangler.toml binds no files as ${ASSETS.binding}`);
  if (path.normalize(assets.directory) !== wanted)
    throw refusal(`wrangler.toml deploys the files of another folder, "${assets.directory}"`);
  if (!assets.isWorkerFirst)
    throw refusal("wrangler.toml has files answered without the Worker, and so without its policies");
};
