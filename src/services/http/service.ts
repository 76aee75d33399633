import type { D1Database } from "@cloudflare/workers-types";
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { matchedRoutes } from "hono/route";
import { problemAnswer, unexpectedFailure } from "./answers.ts";
import { type GatewayProof, onlyFromGateway } from "./gateway.ts";
import { failure, problem } from "./problem.ts";
import { refuseInvalid } from "./validation.ts";

/** What a service finds in its environment; see its wrangler.toml. */
export interface ServiceBindings {
  readonly DB: D1Database;
  /** Names this copy of the service in `x-served-by`, so that two copies behind one name can be told apart. */
  readonly SERVED_BY?: string;
  /** What the gateway proves itself with to each service, and what it did before; see gateway.ts. */
  readonly USERS_KEY?: string;
  readonly USERS_KEY_OLD?: string;
  readonly ORDERS_KEY?: string;
  readonly ORDERS_KEY_OLD?: string;
}

/** A service, as Hono types it. */
export interface Service {
  Bindings: ServiceBindings;
}

const Health = z.object({ status: z.literal("ok") }).openapi("Health");

const health = createRoute({
  method: "get",
  path: "/healthz",
  operationId: "health",
  tags: ["internal"],
  summary: "Tell whether the service can work",
  description: "Asks the database for an answer. For the gateway's health checks; never published.",
  "x-internal": true,
  responses: {
    200: { description: "It can.", content: { "application/json": { schema: Health } } },
    500: unexpectedFailure,
    503: problemAnswer("It cannot: the database does not answer."),
  },
});

/**
 * A new service with what all of them share: problems in place of plain text (RFC 9457), `x-served-by`, /healthz, and no
 * answer to anybody but the gateway. Its operations are to be registered on it, and then `refuseOtherMethods` called.
 */
export const createService = (proof: GatewayProof): OpenAPIHono<Service> => {
  const app = new OpenAPIHono<Service>({ defaultHook: refuseInvalid });
  app.use(async (c, next) => {
    await next();
    if (c.env.SERVED_BY) c.header("x-served-by", c.env.SERVED_BY);
  });
  app.use(onlyFromGateway(proof, (c) => operationOf(app, c)));
  app.notFound((c) => problem(c, 404, "not-found", "There is nothing at this path."));
  app.onError((error, c) => {
    // The only exception of the library that reaches this point: its JSON parser gave up.
    const malformed = error instanceof HTTPException && error.status === 400;
    return malformed
      ? problem(c, 400, "malformed-body", "The body is not well-formed JSON.")
      : failure(c, 500, error);
  });
  app.openapi(health, async (c) => {
    try {
      await c.env.DB.prepare("SELECT 1").run();
      return c.json({ status: "ok" as const }, 200);
    } catch (cause) {
      return failure(c, 503, cause);
    }
  });
  return app;
};

/** A path of the documents as Hono writes it. */
const honoPath = (path: string): string => path.replaceAll(/\{(.+?)\}/g, ":$1");

/** The `operationId` of what a request was routed to; undefined where that is none of the operations. */
const operationOf = (app: OpenAPIHono<Service>, c: Context<Service>): string | undefined => {
  const matched = matchedRoutes(c).map(({ method, path }) => `${method} ${path}`);
  return app.openAPIRegistry.definitions
    .flatMap((definition) => (definition.type === "route" ? [definition.route] : []))
    .find(({ method, path }) => matched.includes(`${method.toUpperCase()} ${honoPath(path)}`))?.operationId;
};

/**
 * Answers 405 with `Allow` (RFC 9110 section 15.5.6) for the methods that the paths of this service do not have. To be
 * called when all operations are registered: Hono asks in that order.
 */
export const refuseOtherMethods = (app: OpenAPIHono<Service>): void => {
  const methodsOf = new Map<string, string[]>();
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== "route") continue;
    const { method, path } = definition.route;
    // Hono answers HEAD wherever it answers GET.
    const methods = method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()];
    methodsOf.set(path, [...(methodsOf.get(path) ?? []), ...methods]);
  }
  for (const [path, methods] of methodsOf) {
    const allow = methods.join(", ");
    app.all(honoPath(path), (c) =>
      problem(c, 405, "method-not-allowed", `This path has only ${allow}.`, { headers: { allow } }),
    );
  }
};

const CONVENTIONS =
  "Every failure is answered with application/problem+json (RFC 9457): a path that is unknown with 404, a method that " +
  "a path does not have with 405. Where copies of the service have names, `x-served-by` tells which one answered.";

interface About {
  readonly title: string;
  readonly description: string;
  /** Of the operations that are published. */
  readonly tag: { readonly name: string; readonly description: string };
}

/** The OpenAPI 3.1 document of a service, made from the schemas of its operations. */
export const documentOf = (app: OpenAPIHono<Service>, { title, description, tag }: About) =>
  app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title, version: "1.0.0", description: `${description} ${CONVENTIONS}` },
    tags: [tag, { name: "internal", description: "For the gateway only; never published." }],
  });
