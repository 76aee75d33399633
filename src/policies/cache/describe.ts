import type { ContributedAnswer, Contribution } from "../../core/contribution.ts";
import { RETRY_AFTER } from "../../core/described-fields.ts";
import type { CompileContext, Instance } from "../../core/policy.ts";

interface Config {
  readonly ttl?: number | undefined;
  readonly shared: boolean;
  readonly clientDirectives: boolean;
  readonly coalesce: boolean;
}

const FIELDS = {
  "Cache-Status": {
    description: "Whether the answer was stored, and why not (RFC 9211).",
    schema: { type: "string" },
  },
  Age: {
    description: "Seconds since the service was asked, of a stored answer (RFC 9111 section 5.1).",
    schema: { type: "integer", minimum: 0 },
  },
};

const NOT_REVALIDATED: ContributedAnswer = {
  status: 504,
  description: "What is stored is too old, and the service could not be asked about it.",
  codes: ["not-revalidated"],
};

/** Of who waited for another's answer. */
const FAILING: readonly ContributedAnswer[] = [503, 504].map((status) => ({
  status,
  description: "The service failed others who asked for the same.",
  codes: ["upstream-failing"],
  fields: RETRY_AFTER,
}));

/** What callers see of stored answers. Parts are not described: they come to whom asks for a range. */
export const describe = (
  [instance]: readonly Instance<Config>[],
  { route, identity }: CompileContext,
): Contribution => {
  const reads = route.methods.length === 0 || route.methods.includes("GET");
  if (instance === undefined || !reads) return {};
  const { ttl, shared, clientDirectives, coalesce } = instance.config;
  const isOwn = identity.policies.length > 0 && !shared;
  return {
    answers: [
      { status: 304, description: "What the caller holds is current.", fields: FIELDS },
      { status: 502, description: "The service's answer broke off.", codes: ["upstream-incomplete"] },
      NOT_REVALIDATED,
      ...(coalesce ? FAILING : []),
      ...(clientDirectives
        ? [{ status: 504, description: "Nothing is stored that could answer.", codes: ["not-cached"] }]
        : []),
    ],
    fields: FIELDS,
    cache: { scope: isOwn ? "caller" : "shared", ...(ttl !== undefined && { ttlMs: ttl }) },
  };
};
