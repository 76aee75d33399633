import { mkdir } from "node:fs/promises";
import path from "node:path";
import { HEALTH_OBJECTS, hasHealthChecks } from "../../core/health.ts";
import type { Plan } from "../../core/plan.ts";

/** What workerd's configuration says of the Durable Objects of a bundle, in Cap'n Proto's text form. */
export interface DurableObjectsText {
  /** Services beside the gateway. */
  readonly services: readonly string[];
  readonly bindings: readonly string[];
  /** Fields of the gateway's own worker. */
  readonly fields: readonly string[];
}

/** Where the Durable Objects of a bundle are stored: beside it, and gone with it. */
const storageOf = (worker: string): string => path.resolve(path.dirname(worker), "storage");

/** Makes the folder that the objects of a bundle are stored in, where it has any. */
export const prepareStorage = async (plan: Plan, worker: string): Promise<void> => {
  if (hasHealthChecks(plan)) await mkdir(storageOf(worker), { recursive: true });
};

/**
 * The Durable Objects whose classes the bundle of a plan exports. They are kept on disk. Tried on workerd 1.20261023.1: with
 * `inMemory` an object that was evicted, as all are after ten seconds without a call, has lost its store, and its alarm never
 * comes; on disk it is woken for it.
 */
export const durableObjectsText = (plan: Plan, worker: string): DurableObjectsText => {
  const classes = hasHealthChecks(plan) ? [HEALTH_OBJECTS] : [];
  if (classes.length === 0) return { services: [], bindings: [], fields: [] };
  const namespaces = classes.map(
    ({ className }) => `(className = "${className}", uniqueKey = "postern-${className}", enableSql = true)`,
  );
  const folder = JSON.stringify(storageOf(worker));
  return {
    services: [`(name = "storage", disk = (path = ${folder}, writable = true))`],
    bindings: classes.map(
      ({ binding, className }) => `(name = "${binding}", durableObjectNamespace = "${className}")`,
    ),
    fields: [
      `durableObjectNamespaces = [${namespaces.join(", ")}]`,
      'durableObjectStorage = (localDisk = "storage")',
    ],
  };
};
