import { healthChecks } from "../../../src/adapters/cloudflare/health-checks.ts";
import type { UpstreamPlan } from "../../../src/core/upstream-plan.ts";
import { linkHealthRounds } from "../../../src/runtime/managed/health-rounds.ts";

/** What the tests change of the world in which the objects live. They run in the same isolate. */
export const world: {
  /** The plan's upstreams: to change them is to deploy. */
  upstreams: Record<string, UpstreamPlan>;
  /** Answers by host; a host that is not here refuses. */
  statuses: Record<string, number>;
  /** Hosts that were asked. */
  asked: string[];
} = { upstreams: {}, statuses: {}, asked: [] };

const fetcher = {
  fetch: async (url: string): Promise<Response> => {
    const { host } = new URL(url);
    world.asked.push(host);
    const status = world.statuses[host];
    if (status === undefined) throw new TypeError("connection refused");
    return new Response(null, { status });
  },
};

/** The class as an emitted entry exports it, but for the network. */
export const HealthChecks = healthChecks((upstream, ports) =>
  linkHealthRounds(world, {})(upstream, {
    ...ports,
    fetch: { open: () => fetcher },
    log: { write: () => {} },
  }),
);

export default { fetch: () => new Response(null, { status: 404 }) };
