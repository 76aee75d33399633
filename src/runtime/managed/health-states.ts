import type { HealthStates, TargetState } from "../../core/health.ts";
import type { HealthCheckPlan } from "../../core/upstream-plan.ts";
import type { LinkedTarget } from "../upstream.ts";

/**
 * The state after one more check: `unhealthyAfter` failures in a row take a target out, `healthyAfter` passes in a row take it
 * back in. Checks in a row may be any time apart: where few requests come an isolate checks rarely, and a target that never
 * passed in between is no better for it.
 */
export const afterCheck = (
  state: TargetState,
  passed: boolean,
  { unhealthyAfter, healthyAfter }: Pick<HealthCheckPlan, "unhealthyAfter" | "healthyAfter">,
): TargetState => {
  if (passed === state.isHealthy) return state.contrary === 0 ? state : { ...state, contrary: 0 };
  const contrary = state.contrary + 1;
  const isOver = contrary >= (passed ? healthyAfter : unhealthyAfter);
  return isOver ? { ...state, isHealthy: passed, contrary: 0 } : { ...state, contrary };
};

/**
 * The states of these targets and no others. What is known does not age: a target that was out stays out until it passes,
 * however long ago that was. One of which nothing is known begins as `assume` says.
 */
export const statesOf = (
  targets: readonly LinkedTarget[],
  known: HealthStates,
  assume: (name: string) => boolean = () => true,
): Record<string, TargetState> =>
  Object.fromEntries(
    targets.map((target) => {
      const { name } = target;
      const address = addressOf(target);
      const state = known[name];
      const fresh = { address, isHealthy: assume(name), contrary: 0 };
      return [name, state?.address === address ? state : fresh];
    }),
  );

export const addressOf = ({ origin, basePath }: LinkedTarget): string => origin + basePath;
