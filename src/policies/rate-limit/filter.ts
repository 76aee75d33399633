import type { Exchange } from "../../core/exchange.ts";
import type { HeaderEdit } from "../../core/header-edits.ts";
import type { Filter, FilterFactory } from "../../core/policy.ts";
import type { Limit, LimitState, Ports } from "../../core/ports.ts";
import { problem } from "../../core/problem.ts";
import { after } from "../../lib/after.ts";
import { bucketKey, type KeyStep } from "./key.ts";

export type LimitStep = {
  readonly name: string;
  /** The node where the limit is written, and its name: whose buckets they are. */
  readonly bucket: string;
  readonly key: KeyStep;
  /** Counted in requests: what a request costs has been divided out. */
  readonly limit: {
    readonly algorithm: Limit["algorithm"];
    readonly quantity: number;
    readonly windowMs: number;
    readonly burst?: number;
  };
  /** Units that a request costs, for the fields. */
  readonly cost: number;
  /** As RateLimit-Policy says it: `"per-ip";q=600;w=60`. */
  readonly policy: string;
};

/** Limits that are decided together: all of them pass and are charged, or none is. */
export type GroupStep = {
  readonly count: "requests" | "auth-failures";
  readonly dryRun: boolean;
  readonly limits: readonly LimitStep[];
};

export type Step = {
  /** Outermost first. */
  readonly groups: readonly GroupStep[];
  /** `add` where an earlier stage has spoken of its limits in the answer; an upstream's own fields are replaced. */
  readonly fields: "set" | "add";
};

/** Holds requests to their limits; one that is over gets 429 and, as all do, the fields of draft-ietf-httpapi-ratelimit-headers. */
export const filter: FilterFactory<Step> = ({ groups, fields }, ports) => {
  const filters = groups.map((group) =>
    (group.count === "requests" ? limitRequests : limitFailures)(linkGroup(group, fields), ports),
  );
  return (next) => filters.reduceRight((inner, outer) => outer(inner), next);
};

interface Group {
  readonly limits: readonly Limit[];
  readonly keysOf: (exchange: Exchange) => string[];
  readonly dryRun: boolean;
  /** Tells the client where it stands. */
  readonly tell: (exchange: Exchange, states: readonly LimitState[]) => void;
  readonly nameAt: (index: number) => string;
}

const linkGroup = ({ limits, dryRun }: GroupStep, op: "set" | "add"): Group => {
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

/** Charges every request before it goes on. */
const limitRequests =
  (group: Group, ports: Ports): Filter =>
  (next) =>
  (exchange) =>
    after(ports.isolateCounter.take(group.keysOf(exchange), group.limits, 1), (states) => {
      if (!group.dryRun) group.tell(exchange, states);
      if (states.every(isAllowed)) return next(exchange);
      return exceeded(exchange, group, states, ports) ?? next(exchange);
    });

/**
 * Asks before a request goes on, and charges when it is answered with 401. Requests that are under way at the same time have
 * all been let through before the first of them is charged.
 */
const limitFailures =
  (group: Group, ports: Ports): Filter =>
  (next) =>
  (exchange) => {
    const keys = group.keysOf(exchange);
    const charge = (response: Response): Response => {
      if (response.status !== 401) return response;
      const charged = ports.isolateCounter.take(keys, group.limits, 1);
      if (charged instanceof Promise) exchange.defer.waitUntil(charged);
      return response;
    };
    return after(ports.isolateCounter.take(keys, group.limits, 0), (states) => {
      if (!states.every(isAllowed)) {
        if (!group.dryRun) group.tell(exchange, states);
        const refusal = exceeded(exchange, group, states, ports);
        if (refusal !== undefined) return refusal;
      }
      return after(next(exchange), charge);
    });
  };

const isAllowed = ({ allowed }: LimitState): boolean => allowed;

/** Counts what is over its limit; answers the refusal, or undefined in a dry run. */
const exceeded = (
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
