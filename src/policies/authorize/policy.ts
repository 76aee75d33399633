import { z } from "zod";
import { type CompileContext, definePolicy } from "../../core/policy.ts";
import { explain } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";

const schema = z.strictObject({
  allow: z
    .string({
      error: () =>
        explain(
          "`allow` takes a CEL expression, as a text.",
          'Write a condition in quotes: "claims.tenant == params.tenant".',
        ),
    })
    .describe("A CEL expression; a request for which it is anything but true is refused."),
});

export const authorize = definePolicy({
  name: "authorize",
  summary: "Decides by a CEL expression who may do what; the expressions of all levels must be true.",
  attachment: "guard",
  schema,
  compile: (instances, context): Step | undefined => {
    const allow = instances
      // An expression at fault refuses: nothing can come of it, whatever happens to the diagnostics.
      .map((instance): Step["allow"][number] => ({
        node: instance.node,
        expression: context.expression(instance.config.allow, instance, ["allow"]) ?? false,
      }))
      .filter(({ expression }) => expression !== true);
    return allow.length === 0 ? undefined : { allow, challenge: challengeOf(context) };
  },
  describe,
  filter: () => import("./filter.ts"),
});

/** Schemes of the identity policies that a caller answers with an Authorization field. */
const SCHEMES: Readonly<Record<string, string>> = {
  jwt: "Bearer",
  apiKey: "ApiKey",
  introspection: "Bearer",
  basicAuth: "Basic",
};

/**
 * The challenges for a caller who is nobody yet: one for each scheme of the route's identity policies. A 401 must carry
 * one (RFC 9110 section 15.5.2), and Bearer must have a parameter (RFC 6750 section 3).
 */
const challengeOf = ({ identity, gateway }: CompileContext): string => {
  const schemes = new Set(identity.policies.flatMap((policy) => SCHEMES[policy] ?? []));
  if (schemes.size === 0) schemes.add("Bearer");
  return [...schemes]
    .map((scheme) => `${scheme} realm="${gateway.name.replace(/["\\]/g, "\\$&")}"`)
    .join(", ");
};
