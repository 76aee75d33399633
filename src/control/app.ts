import type { Context } from "hono";
import { Hono } from "hono/tiny";
import type { Plan } from "../core/plan.ts";
import { sameText } from "./same-text.ts";

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

const CLOSED = { "cache-control": "no-store" };

/**
 * The control plane: read-only, off by default but for the health check, never cached (S29). Whoever has no token learns
 * no more than that nothing is there.
 */
export const controlApp = ({ plan, token, exposition }: ControlSite): Hono => {
  const app = new Hono();
  const open = async (context: Context): Promise<boolean> =>
    token !== undefined && (await sameText(context.req.header("authorization") ?? "", `Bearer ${token}`));
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
