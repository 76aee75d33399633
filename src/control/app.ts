import type { Context } from "hono";
import { Hono } from "hono/tiny";
import type { Plan } from "../core/plan.ts";
import type { Ports } from "../core/ports.ts";
import { isBearer } from "./bearer.ts";

/** Where the gateway's own routes stand; no route of a user can. */
export const CONTROL_PREFIX = "/__postern/";

/** What control routes show. */
export interface ControlSite {
  readonly plan: Plan;
  /** The bearer token that opens everything but the health check; undefined keeps it closed. */
  readonly token: string | undefined;
  /** Metrics in the Prometheus text format. */
  readonly exposition: () => string;
}

/** Adds a route that only some plans have. */
export type ControlRoute = (app: Hono, site: { readonly plan: Plan; readonly ports: Ports }) => void;

const CLOSED = { "cache-control": "no-store" };

/**
 * The control plane: off by default but for the health check, never cached, and read-only but for routes that are added with
 * credentials of their own (S29). Whoever has no token learns no more than that nothing is there.
 */
export const controlApp = ({ plan, token, exposition }: ControlSite): Hono => {
  const app = new Hono();
  const open = (context: Context): Promise<boolean> => isBearer(context.req.header("authorization"), token);
  app.get(`${CONTROL_PREFIX}health`, (context) =>
    context.json({ status: "ok", gateway: plan.gateway.name, plan: plan.hash }, 200, CLOSED),
  );
  app.get(`${CONTROL_PREFIX}metrics`, async (context) =>
    (await open(context))
      ? context.text(exposition(), 200, {
          ...CLOSED,
          "content-type": "text/plain; version=0.0.4; charset=utf-8",
        })
      : context.notFound(),
  );
  app.get(`${CONTROL_PREFIX}plan`, async (context) =>
    (await open(context)) ? context.json(plan, 200, CLOSED) : context.notFound(),
  );
  return app;
};
