import { bucketKey } from "../../core/bucket-key.ts";
import type { Exchange } from "../../core/exchange.ts";
import type { HeaderEdit } from "../../core/header-edits.ts";
import type { Limit, LimitState, Ports } from "../../core/ports.ts";
import { problem } from "../../core/problem.ts";
import type { FixedGroupStep } from "./filter.ts";

/** `add` where others have spoken of their limits in the answer before; `set` replaces an upstream's own fields. */
export type TellOp = "set" | "add";

/** Limits that are decided together, linked. */
export interface Group {
  readonly limits: readonly Limit[];
  readonly keysOf: (exchange: Exchange) => string[];
  readonly dryRun: boolean;
  /** Tells the client where it stands. */
  readonly tell: (exchange: Exchange, states: readonly LimitState[]) => void;
  readonly nameAt: (index: number) => string;
}

/** Links a group; its fields in answers are made as far as they can be. */
export const linkGroup = ({ limits, dryRun }: FixedGroupStep, op: TellOp): Group => {
  const keys = limits.map(({ bucket, key }) => bucketKey(bucket, key));
  const policies: HeaderEdit = {
    op,
    name: "ratelimit-policy",
    value: limits.map(({ policy }) => policy).join(", "),
  };
  const stateText = ({ remaining, resetSeconds }: LimitState, index: number): string =>
    `"${limits[index]!.name}";r=${remaining * limits[index]!.cost};t=${resetSeconds}`;
  return {
    limits: limits.map(({ limit }) => limit),
    keysOf: (exchange) => keys.map((keyOf) => keyOf(exchange)),
    dryRun,
    tell: (exchange, states) => {
      exchange.answerEdits.push(policies, { op, name: "ratelimit", value: states.map(stateText).join(", ") });
    },
    nameAt: (index) => limits[index]!.name,
  };
};

/** Whether a request is within a limit. */
export const isAllowed = ({ allowed }: LimitState): boolean => allowed;

/** Counts what is over its limit; answers the refusal, or undefined in a dry run. */
export const exceeded = (
  exchange: Exchange,
  group: Group,
  states: readonly LimitState[],
  ports: Ports,
): Response | undefined => {
  const { api, id: route } = exchange.route;
  const names: string[] = [];
  let retryAfter = 1;
  for (const [index, state] of states.entries()) {
    if (state.allowed) continue;
    names.push(group.nameAt(index));
    retryAfter = Math.max(retryAfter, state.resetSeconds);
    ports.metrics?.count("postern_rate_limited_total", [
      api,
      route,
      group.nameAt(index),
      group.dryRun ? "dry-run" : "enforced",
    ]);
  }
  if (group.dryRun) {
    const time = new Date(ports.clock.now()).toISOString();
    ports.log.write({
      time,
      event: "rate-limit-dry-run",
      requestId: exchange.requestId,
      route,
      limits: names,
    });
    return undefined;
  }
  return problem(exchange, {
    status: 429,
    code: "rate-limited",
    title: "Too many requests",
    detail: `Used up: ${names.join(", ")}. Try again in ${retryAfter} s.`,
    headers: { "retry-after": String(retryAfter) },
    // As the draft's problem type quota-exceeded names it.
    extensions: { "violated-policies": names },
  });
};
