import { env } from "cloudflare:workers";
import { type Bindings, cloudflarePorts } from "./adapters/cloudflare/ports.ts";
import { MemoryMetrics } from "./adapters/memory/metrics.ts";
import { CONTROL_PREFIX, type ControlRoute, controlApp } from "./control/app.ts";
import type { Plan } from "./core/plan.ts";
import type { Defer, Ports } from "./core/ports.ts";
import { link, type Registry } from "./runtime/link.ts";

/** What the platform calls. */
interface Entry {
  fetch(request: Request, env: unknown, context: Defer): Response | Promise<Response>;
}

/**
 * The Worker: a Hono app that mounts the control routes and hands everything else to the gateway. The gateway comes first
 * for all paths but theirs: a pass through a router that cannot match anything costs more than the gateway's own. The emitted
 * entry hands over the ports and the control routes that only some plans need.
 */
export const createWorker = (
  plan: Plan,
  registry: Registry,
  more?: (bindings: Bindings, ports: Ports) => Partial<Ports>,
  controls: readonly ControlRoute[] = [],
): Entry => {
  const { token: tokenName } = plan.gateway.control ?? {};
  const metrics = tokenName === undefined ? undefined : new MemoryMetrics();
  const all = cloudflarePorts(env, metrics);
  const ports: Ports = Object.assign(all, more?.(env, all));
  const gateway = link(plan, registry, ports);
  const token = tokenName && ports.secrets.get(tokenName);
  const app = controlApp({ plan, token, exposition: () => metrics?.exposition() ?? "" });
  for (const add of controls) add(app, { plan, ports });
  app.notFound(
    ({ req, executionCtx }) => gateway(withoutCredential(req.raw), executionCtx) as Promise<Response>,
  );
  return {
    fetch(request, bindings, context) {
      const { url } = request;
      return url.startsWith(CONTROL_PREFIX, url.indexOf("/", url.indexOf("://") + 3))
        ? app.fetch(request, bindings as object, context as never)
        : gateway(request, context);
    },
  };
};

/**
 * A request for a control route that is not there, or not open to it. A route of a user that answers all paths answers this one
 * too, and its upstream must not learn a credential that was meant for the gateway.
 */
const withoutCredential = (request: Request): Request => {
  if (!request.headers.has("authorization")) return request;
  const headers = new Headers(request.headers);
  headers.delete("authorization");
  return new Request(request, { headers });
};
