import type { WranglerConfig } from "../adapters/node/wrangler-config.ts";
import { HEALTH_OBJECTS, hasHealthChecks } from "../core/health.ts";
import type { Plan } from "../core/plan.ts";
import { CommandFailed } from "./failure.ts";

/**
 * Compares the Durable Objects that wrangler.toml binds with those that the bundle has. Refuses a binding whose class the
 * bundle does not export: the platform would, once everything else is deployed, and a dry run would not notice. Answers a
 * note where a class that nothing binds is only not used.
 */
export const compareObjects = (
  plan: Plan,
  { objects }: Pick<WranglerConfig, "objects">,
): string | undefined => {
  const { binding, className } = HEALTH_OBJECTS;
  const bound = objects.filter((object) => object.className === className);
  if (!hasHealthChecks(plan)) {
    if (bound.length === 0) return undefined;
    throw new CommandFailed(
      2,
      `wrangler.toml binds the class ${className}, which the bundle does not export: no upstream has a healthCheck.`,
      `Remove the binding. Where it was deployed before, add [[migrations]] with a new tag and deleted_classes = ["${className}"].`,
    );
  }
  if (bound.some((object) => object.binding === binding)) return undefined;
  return `wrangler.toml binds no Durable Objects as ${binding} here: each isolate will make the health checks by itself.`;
};
