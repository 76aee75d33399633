import type { Plan } from "./plan.ts";
import type { Defer } from "./ports.ts";

/** The class of the Durable Objects that check targets, as a bundle exports it, and the binding by which they are asked. */
export const HEALTH_OBJECTS = { className: "HealthChecks", binding: "POSTERN_HEALTH" } as const;

/** Whether a plan checks targets: only then its bundle exports that class. */
export const hasHealthChecks = ({ upstreams }: Pick<Plan, "upstreams">): boolean =>
  Object.values(upstreams).some(({ healthCheck }) => healthCheck !== undefined);

/** What the checks of one target came to so far; plain JSON, so that it can be stored. */
export interface TargetState {
  /** The address that was checked: a name may come to stand for another target. */
  readonly address: string;
  readonly isHealthy: boolean;
  /** So many checks in a row, up to the last one, said the contrary of `isHealthy`. */
  readonly contrary: number;
}

/** States of an upstream's targets by their names. */
export type HealthStates = Readonly<Record<string, TargetState>>;

/** The checks of one upstream's targets, for whoever keeps the time. */
export interface HealthRounds {
  readonly intervalMs: number;
  /**
   * Asks each target once. Answers what is known then, given what was known before; targets that are gone are left out, and
   * where no target is known, nothing changes. Never rejects.
   */
  run(known: HealthStates, defer: Defer): Promise<HealthStates>;
}
