import { z } from "@hono/zod-openapi";
import type { Context, Next } from "hono";
import { problem } from "../http/problem.ts";

/** Visible ASCII without white space: what a verified token's subject looks like when it travels in a field. */
const CALLER = /^[!-~]{1,255}$/;

/** The request header field that names the caller, as the document shows it. */
export const CallerHeader = z
  .string()
  .regex(CALLER)
  .openapi({
    param: {
      description:
        "The customer. The gateway sets it from the verified token, and deletes what the client sent under this name.",
    },
    examples: ["42"],
  });

/**
 * Runs before every operation on orders: without a caller the answer is 401 (RFC 9110 section 15.5.2), whatever else
 * is wrong with the request. No two callers share an answer, and `Vary` tells caches so (RFC 9110 section 12.5.5).
 */
export const requireCaller = async (c: Context, next: Next) => {
  c.header("vary", "x-user-id");
  if (!CALLER.test(c.req.header("x-user-id") ?? "")) {
    const headers = { "www-authenticate": 'Bearer realm="orders"' };
    return problem(c, 401, "not-authenticated", "The request names no customer.", { headers });
  }
  return next();
};
