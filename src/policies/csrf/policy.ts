import { z } from "zod";
import { type CompileContext, definePolicy } from "../../core/policy.ts";
import type { TokenSource } from "../../core/token-source.ts";
import { explain } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";

const SHAPE = /^([a-z][a-z0-9+.-]*):\/\/(?:\[[0-9a-f:.]+\]|[^\s/?#@\\:[\]*]+)(?::\d{1,5})?$/i;

/** An origin in the form in which browsers write it (RFC 6454 section 6.2), or undefined for other text. */
const originOf = (text: string): string | undefined => {
  const scheme = SHAPE.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  // Only http and https have hosts that browsers rewrite; an app's scheme keeps what it was given.
  return scheme === "http" || scheme === "https" ? URL.parse(text)?.origin : text.toLowerCase();
};

const origin = () =>
  z.string().transform((text, context): string => {
    const known = originOf(text);
    if (known !== undefined) return known;
    context.addIssue({
      code: "custom",
      message: explain(
        text === "null"
          ? '"null" is the origin of a frame that any page can make.'
          : `"${text}" is not one origin.`,
        "Write scheme, host and port, without a path or a wildcard: https://shop.example.com.",
      ),
      params: { code: "bad-origin" },
    });
    return z.NEVER;
  });

const schema = z.strictObject({
  origins: z
    .array(origin())
    .default([])
    .describe(
      "Origins of pages that may send such requests beside the gateway's own, such as https://shop.example.com; pages of sister domains have to be listed too.",
    ),
});

export const csrf = definePolicy({
  name: "csrf",
  summary:
    "Refuses what pages of other origins make browsers send in the name of their visitors, where these add the credential by themselves (a cookie): methods that change something, and WebSockets; on a route without identity, whatever the cookies.",
  attachment: "replaced",
  schema,
  compile: ([instance], context): Step | undefined => {
    if (instance === undefined || context.route.id === NO_ROUTE) return undefined;
    const { origins } = instance.config;
    const rides = ridesOf(context);
    if (rides !== "nothing")
      return { origins: [...new Set(origins)].sort(), cookiesOnly: rides === "cookie" };
    // Written above, it holds for the routes that need it.
    if (instance.level === "route")
      context.report(instance, [], {
        code: "csrf-without-effect",
        severity: "warning",
        message: "No browser adds the credentials of this route by itself, so no other page can use them.",
        remedy: "Remove it, or read the credential from a cookie.",
        onKey: true,
      });
    return undefined;
  },
  describe,
  filter: () => import("./filter.ts"),
});

/** The fallback changes nothing: it answers 404 and 405. */
const NO_ROUTE = "-";

/** On what the identity of callers may ride: a cookie, anything that a browser adds by itself, or nothing of the kind. */
type Ride = "cookie" | "any" | "nothing";

const ridesOf = ({ identity }: CompileContext): Ride => {
  // Nothing is known of how the service knows its callers.
  if (identity.policies.length === 0) return "any";
  const rides = identity.policies.map((policy) => {
    const step = identity.steps.find((one) => one.policy === policy)?.step;
    return policy === "hmac"
      ? "nothing"
      : rideOf((step as { readonly from?: TokenSource } | undefined)?.from);
  });
  return rides.includes("any") ? "any" : rides.includes("cookie") ? "cookie" : "nothing";
};

/** Schemes of the Authorization field that browsers speak by themselves. */
const BROWSERS = new Set(["basic", "digest", "negotiate", "ntlm"]);

/**
 * What a policy reads that says where from. Of the others nothing is known: a name and a password, a certificate, whatever a
 * service of one's own looks at, browsers add as they do cookies.
 */
const rideOf = (from: TokenSource | undefined): Ride => {
  if (from === undefined || (from.in === "scheme" && BROWSERS.has(from.name.toLowerCase()))) return "any";
  return from.in === "cookie" || (from.in === "header" && from.name === "cookie") ? "cookie" : "nothing";
};
