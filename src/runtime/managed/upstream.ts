import type { UpstreamPlan } from "../../core/upstream-plan.ts";
import type { RequestExchange } from "../exchange.ts";
import { circuitOpen, tooManyPending } from "../failures.ts";
import { type HealthSource, type ManagedFactory, partOf, type TargetSource } from "../parts.ts";
import { linkTarget, type Send } from "../upstream.ts";
import { linkAttempts } from "./attempts.ts";
import { linkCircuitBreaker } from "./circuit-breaker.ts";
import { linkOutlierDetection } from "./outlier-detection.ts";
import { linkPool } from "./pool.ts";

/**
 * Links an upstream whose targets are watched, or whose requests are tried again, let through in measure, or carry a credential.
 * A breaker stands around all tries of a request; below it each try asks the pool for a target that is well.
 */
export const linkManagedUpstream: ManagedFactory = (name, plan, site) => {
  const { ports, parts } = site;
  const { credential } = plan;
  const attempt = linkAttempts({
    name,
    plan,
    ports,
    pool: linkPool(name, plan, targetsOf(name, plan, site), healthSources(name, plan, site), site),
    credential: credential && partOf(parts, `${credential.kind}Credential`)(credential, name, ports),
  });
  return { name, timeoutMs: plan.timeoutMs, send: behindBreaker(plan, attempt, site) };
};

type Site = Parameters<ManagedFactory>[2];

/** Where the targets of an upstream come from: its list, or its discovery. */
export const targetsOf = (
  name: string,
  { targets, discovery }: UpstreamPlan,
  site: Pick<Site, "ports" | "parts">,
): TargetSource => {
  if (discovery !== undefined) return partOf(site.parts, "discovery")(name, discovery, site.ports);
  const list = targets.map((target) => linkTarget(name, target, site.ports));
  return { current: () => list };
};

const healthSources = (name: string, plan: UpstreamPlan, { ports, parts }: Site): readonly HealthSource[] => {
  const checks = plan.healthCheck ? [partOf(parts, "activeHealth")(name, plan.healthCheck, ports)] : [];
  return plan.outlierDetection
    ? [linkOutlierDetection(plan.outlierDetection, ports.clock, checks), ...checks]
    : checks;
};

/** A request that the breaker does not let through is answered at once. */
const behindBreaker = ({ circuitBreaker }: UpstreamPlan, attempt: Send, { ports }: Site): Send => {
  if (circuitBreaker === undefined) return attempt;
  const breaker = linkCircuitBreaker(circuitBreaker, ports.clock);
  return async (exchange, outgoing) => {
    const entry = breaker.enter(outgoing.timeoutMs);
    if (entry.outcome === "busy") return tooManyPending(exchange);
    if (entry.outcome === "open") return circuitOpen(exchange, entry.seconds);
    const response = await attempt(exchange, outgoing);
    entry.leave(succeeded(exchange, response));
    return response;
  };
};

/** Undefined where the gateway answered because of the client, as one whose body did not come in time. */
const succeeded = (exchange: RequestExchange, response: Response): boolean | undefined =>
  response.status >= 500 ? false : response === exchange.upstreamResponse ? true : undefined;
