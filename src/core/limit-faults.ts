import type { KeyStep } from "./bucket-key.ts";
import type { CallerPlans } from "./caller-plan.ts";
import type { CompileContext, Fault, Level } from "./policy.ts";

// What all policies ask, when they are compiled, that count callers: whether a key is there, and whose plan is which.

/** The plan of callers without identity. */
const ANONYMOUS = "anonymous";

/** Policies whose callers are no consumers and come from none of the issuers, and so have no plan. */
const WITHOUT_PLANS = ["introspection", "forwardAuth"];

/**
 * Whether there is a key to count by on a route: `none` where a level above it means other routes, a fault where it was meant
 * to be there and is not.
 */
export const checkKey = (
  key: KeyStep | "route",
  level: Level,
  { identity, gateway }: Pick<CompileContext, "identity" | "gateway">,
): "there" | "none" | Fault => {
  if (key === "identity" && identity.policies.length === 0)
    // Written above, it holds for the routes that ask who is calling, and not for the public ones among them.
    return level === "route" ? NO_IDENTITY : "none";
  const usesAddress = key === "ip" || (key === "identity" && identity.anonymous);
  if (!usesAddress || gateway.clientIp !== undefined) return "there";
  return {
    code: "client-ip-unknown",
    message:
      key === "ip"
        ? "The gateway does not know the addresses of its clients."
        : "Callers without an identity are counted by address, which the gateway does not know.",
    remedy: "Write `clientIp:` under `gateway:`, with cloudflare, connection or forwardedFor.",
  };
};

const NO_IDENTITY: Fault = {
  code: "identity-key-on-public-route",
  message: "This route does not ask who is calling, so there is no identity to count by.",
  remedy: "Attach an identity policy such as jwt, or write `key: ip`.",
};

/**
 * Whose plan is which on a route, and the callers among whom some have none: who has none would be refused every time. `what`
 * is what is taken from plans: a rate.
 */
export const callerPlansOf = (
  context: CompileContext,
  what: string,
): { readonly callers: CallerPlans; readonly faults: readonly Fault[] } => {
  const { callers, identity } = context;
  const issuers: Record<string, string> = {};
  const missing: string[] = [];
  for (const name of [...callers.issuers].sort()) {
    const plan = context.issuer(name)?.callerPlan;
    if (plan === undefined) missing.push(`issuers.${name}`);
    else issuers[name] = plan;
  }
  for (const name of [...callers.consumers].sort())
    if (context.consumers.get(name)?.plan === undefined) missing.push(`consumers.${name}`);
  const hasAnonymous = context.plans.has(ANONYMOUS);
  const faults = [
    ...(missing.length > 0 ? [withoutPlan(missing)] : []),
    ...identity.policies.filter((name) => WITHOUT_PLANS.includes(name)).map((name) => hasNone(name, what)),
    ...(identity.anonymous && !hasAnonymous ? [WITHOUT_ANONYMOUS] : []),
  ].map((fault) => ({ ...fault, aboutCallers: true }));
  return { callers: { issuers, anonymous: identity.anonymous && hasAnonymous }, faults };
};

const withoutPlan = (missing: readonly string[]): Fault => {
  const some = missing.slice(0, 3).join(", ");
  const rest = missing.length - 3;
  return {
    code: "caller-without-plan",
    message: `${rest > 0 ? `${some} and ${rest} more` : some} may call here and ${missing.length > 1 ? "have" : "has"} no plan.`,
    remedy: `Write \`plan\` for ${missing.length > 1 ? "each of them" : "it"}, with the name of one under \`plans:\`.`,
  };
};

const hasNone = (policy: string, what: string): Fault => ({
  code: "caller-without-plan",
  message: `Callers whom \`${policy}\` identifies have no plan.`,
  remedy: `Write a ${what} here in place of \`plan\`, or identify them by jwt, apiKey or basicAuth.`,
});

const WITHOUT_ANONYMOUS: Fault = {
  code: "caller-without-plan",
  message: "Callers without identity may call here, and have no plan.",
  remedy: "Write their rate under `plans:`: anonymous: { rate: 60/1h }.",
};
