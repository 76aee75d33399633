import type { Identity } from "../core/identity.ts";
import { splitJwt } from "../policies/jwt/jws.ts";
import type { Rehearsal, Spoken } from "./rehearsal.ts";

/** Who calls, as far as it can be said without the keys of issuers and without asking anybody. */
export interface ExplainedCaller {
  /** What the token claims; its signature is not looked at. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** `open` where a service would have to be asked. */
  readonly verdict: "passes" | "refused" | "open";
  /** Who it is where it passes. */
  readonly identity?: Pick<Identity, "kind" | "id">;
  /** Status and code of the refusal. */
  readonly refusal?: { readonly status: number; readonly code: string; readonly why: string };
  /** What cannot be known here and may change the verdict. */
  readonly doubts: readonly string[];
}

/** What of a request is not known to somebody who only types it. */
const UNKNOWN = /\bclient\s*\.\s*(ip|country|certificate)\b|\bnow\b/g;

/**
 * Lets the identity policies and `authorize` of a route judge a request, by their own code. Undefined where the route has neither.
 */
export const explainCaller = async (
  rehearsal: Rehearsal,
  spoken: Spoken,
  policies: readonly { readonly policy: string; readonly config?: unknown }[],
  token: string | undefined,
): Promise<ExplainedCaller | undefined> => {
  const names = new Set(policies.map(({ policy }) => policy));
  if (!names.has("identity") && !names.has("authorize")) return undefined;
  const claims = token === undefined ? undefined : splitJwt(token)?.claims;
  let passed = false;
  const { response, exchange } = await rehearsal.play(spoken, ["identity", "authorize"], () => {
    passed = true;
    return new Response(null, { status: 204 });
  });
  const common = { ...(claims && { claims }), doubts: doubtsOf(policies) };
  if (passed) {
    const { kind = "anonymous", id = "" } = exchange?.identity ?? {};
    return { ...common, verdict: "passes", identity: { kind, id } };
  }
  if (response.status === 503 && policies.some(({ policy }) => ASKED.has(policy)))
    return { ...common, verdict: "open" };
  const { code = "", detail = "" } = (await response.json().catch(() => ({}))) as Record<string, string>;
  const why = exchange?.refusal ?? detail;
  return { ...common, verdict: "refused", refusal: { status: response.status, code, why } };
};

const ASKED = new Set(["introspection", "forwardAuth"]);
const SIGNED = new Set(["hmac", "clientCertificate"]);

const doubtsOf = (
  policies: readonly { readonly policy: string; readonly config?: unknown }[],
): readonly string[] =>
  policies.flatMap(({ policy, config }) => {
    if (ASKED.has(policy)) return [`${policy} asks a service, which is not asked here`];
    if (SIGNED.has(policy)) return [`${policy} proves what a request that is typed cannot show`];
    if (policy !== "authorize") return [];
    const used = [...new Set(JSON.stringify(config ?? {}).match(UNKNOWN) ?? [])];
    return used.length === 0
      ? []
      : [`authorize looks at ${used.join(" and ")}, which is another in production`];
  });
