import type { Context, MiddlewareHandler } from "hono";
import { failure, problem } from "./problem.ts";
import type { Service, ServiceBindings } from "./service.ts";

/** What of a request proves that it came through the gateway, and did not go around it. */
export interface GatewayProof {
  /** The secret that the gateway and this service share, as both name it. */
  readonly secret: "USERS_KEY" | "ORDERS_KEY";
  /** Whether a request was made with a key. `operation` is the one that it asks for, where there is such. */
  readonly holds: (request: Request, key: string, operation: string | undefined) => Promise<boolean>;
}

/** How much the clocks of two machines may differ, in seconds. */
export const CLOCK_SKEW_SECONDS = 5;

/** As much as the gateway asks of a key: a shorter one could be found out from what was made with it (RFC 7518 section 3.2). */
const FEWEST_BYTES = 32;

/** The keys that count now: while a secret is replaced, `…_OLD` holds the one that the gateway may still use. */
const keysOf = (bindings: ServiceBindings, secret: GatewayProof["secret"]): readonly string[] =>
  [bindings[secret], bindings[`${secret}_OLD`]].filter(
    (key) => key !== undefined && new TextEncoder().encode(key).byteLength >= FEWEST_BYTES,
  ) as string[];

/**
 * Lets through what came through the gateway. Anything else is 401 (RFC 9110 section 15.5.2), whatever it asks for, and is
 * not told what it lacks; without a key nobody can prove anything, and all is 503. /healthz is open: it shows nothing.
 */
export const onlyFromGateway =
  (
    { secret, holds }: GatewayProof,
    operationOf: (c: Context<Service>) => string | undefined,
  ): MiddlewareHandler<Service> =>
  async (c, next) => {
    if (c.req.path === "/healthz") return next();
    const keys = keysOf(c.env, secret);
    if (keys.length === 0)
      return failure(c, 503, new Error(`${secret} is not set, or has less than 32 bytes`));
    const operation = operationOf(c);
    for (const key of keys) if (await holds(c.req.raw, key, operation)) return next();
    const headers = { "www-authenticate": "Gateway" };
    return problem(c, 401, "not-authenticated", "Only the gateway may ask this service.", { headers });
  };
