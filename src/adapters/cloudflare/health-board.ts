import { HEALTH_OBJECTS } from "../../core/health.ts";
import type { HealthBoard, Ports } from "../../core/ports.ts";
import type { Bindings } from "./ports.ts";

/** A Durable Object namespace as far as it is used; `health-checks.ts` is what answers. */
interface Namespace {
  getByName(name: string): { read(upstream: string): Promise<Readonly<Record<string, boolean>>> };
}

/**
 * The board where Durable Objects write what their checks found, one for each upstream. Without the binding there is none, and
 * each isolate checks for itself.
 */
export const healthPort = (env: Bindings): Pick<Ports, "health"> => {
  const namespace = env[HEALTH_OBJECTS.binding] as Partial<Namespace> | undefined;
  if (typeof namespace?.getByName !== "function") return {};
  const board: HealthBoard = {
    read: async (upstream) => (namespace as Namespace).getByName(upstream).read(upstream),
  };
  return { health: board };
};
