import { z } from "zod";
import { NOT_FORWARDED } from "../../core/forwarded-fields.ts";
import { type CompileContext, definePolicy, type Instance, type IssuerInfo } from "../../core/policy.ts";
import { tokenSourceOf } from "../../core/token-source.ts";
import { forwardedClaims, forwardToken, named, tokenPlace, tokenScopes } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";
import type { IssuerPlan } from "./issuer-plan.ts";

const scalar = () => z.union([z.string(), z.number(), z.boolean()]);

const schema = z.strictObject({
  issuers: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("Who may have signed the token, by their names under `issuers:`; all of them by default."),
  audiences: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Narrows the issuers' audiences: a token must be meant for one of these."),
  from: tokenPlace().default({ header: "authorization" }).describe("Where the token stands in a request."),
  scopes: tokenScopes()
    .optional()
    .describe("Scopes that a token must have, in its `scope` or `scp`; without them the answer is 403."),
  claims: named(z.union([scalar(), z.array(scalar()).min(1)]))
    .default({})
    .describe(
      "Values that claims must have: one value, or a list of which one will do; else the answer is 403.",
    ),
  forward: forwardedClaims(),
  forwardCredential: forwardToken(),
});

type Config = z.output<typeof schema>;

const compile = (instances: readonly Instance<Config>[], context: CompileContext): Step | undefined => {
  const instance = instances[0];
  if (instance === undefined) return undefined;
  const { config } = instance;
  const issuers = issuersOf(instance, context);
  checkAudiences(instance, issuers, context);
  checkForward(instance, context);
  checkCookie(instance, context);
  return {
    issuers: issuers.map((issuer) => share(issuer, context)),
    audiences: config.audiences ?? null,
    from: tokenSourceOf(config.from),
    scopes: { any: config.scopes?.any ?? [], all: config.scopes?.all ?? [] },
    claims: Object.fromEntries(
      Object.entries(config.claims).map(([name, value]) => [name, Array.isArray(value) ? value : [value]]),
    ),
    forward: config.forward,
    forwardCredential: config.forwardCredential,
  };
};

/** Methods that change nothing (RFC 9110 section 9.2.1). */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** A browser sends a cookie along with whatever any page makes it ask for. */
const checkCookie = (instance: Instance<Config>, { route, report }: CompileContext): void => {
  const changes = route.methods.length === 0 || route.methods.some((method) => !SAFE.has(method));
  if (instance.config.from.cookie === undefined || !changes || route.policies.has("csrf")) return;
  report(instance, ["from", "cookie"], {
    code: "csrf-missing",
    severity: "warning",
    message: `Pages of other origins can call ${route.id} in the name of its visitors: browsers add the cookie by themselves.`,
    remedy: "Attach `csrf: {}` to the route, its api or the gateway.",
  });
};

const issuersOf = (instance: Instance<Config>, context: CompileContext): readonly IssuerInfo[] => {
  const names = instance.config.issuers;
  if (context.issuerNames.length === 0) {
    context.report(instance, [], {
      code: "no-issuers",
      onKey: true,
      message: "No issuer is known, so no token can be accepted.",
      remedy: "Write who signs the tokens under `issuers:`.",
    });
    return [];
  }
  return (names ?? context.issuerNames).flatMap((name, index) => {
    const issuer = context.issuer(name);
    if (issuer !== undefined) {
      checkSubjects(instance, issuer, context);
      return [issuer];
    }
    context.report(instance, ["issuers", index], {
      code: "unknown-name",
      message: `There is no issuer "${name}".`,
      remedy: `Write one of ${context.issuerNames.join(", ")}, or add it under \`issuers:\`.`,
    });
    return [];
  });
};

/** Joined issuers name one that speaks for itself: else the same person would have two identities again. */
const checkSubjects = (instance: Instance<Config>, issuer: IssuerInfo, context: CompileContext): void => {
  const { subjects } = issuer.plan as IssuerPlan;
  if (subjects === issuer.name) return;
  const joined = context.issuerNames.includes(subjects) ? context.issuer(subjects) : undefined;
  if (joined === undefined || (joined.plan as IssuerPlan).subjects !== subjects)
    context.report(instance, [], {
      code: "unknown-name",
      onKey: true,
      message: `The issuer "${issuer.name}" has the subjects of "${subjects}", which is no issuer with subjects of its own.`,
      remedy: `Write the name of another issuer in \`issuers.${issuer.name}.subjects\`.`,
    });
};

const checkAudiences = (
  instance: Instance<Config>,
  issuers: readonly IssuerInfo[],
  context: CompileContext,
): void => {
  const { audiences } = instance.config;
  if (audiences === undefined || issuers.length === 0) return;
  const known = new Set(issuers.flatMap((issuer) => issuer.audiences));
  for (const [index, audience] of audiences.entries()) {
    if (known.has(audience)) continue;
    context.report(instance, ["audiences", index], {
      code: "unknown-name",
      message: `No issuer of this policy gives out tokens for "${audience}".`,
      remedy: `Write one of ${[...known].join(", ")}, or add it to the issuer's \`audiences\`.`,
    });
  }
  for (const issuer of issuers) {
    if (issuer.audiences.some((audience) => audiences.includes(audience))) continue;
    context.report(instance, ["audiences"], {
      code: "issuer-excluded",
      severity: "warning",
      message: `No token of the issuer "${issuer.name}" is meant for these audiences.`,
      remedy: "Add one of its audiences, or name the other issuers under `issuers`.",
    });
  }
};

const checkForward = (instance: Instance<Config>, context: CompileContext): void => {
  for (const name of Object.keys(instance.config.forward)) {
    if (!NOT_FORWARDED.has(name)) continue;
    context.report(instance, ["forward"], {
      code: "bad-name",
      message: `The header "${name}" belongs to the connection, and cannot carry a claim.`,
      remedy: "Write a header of your own: x-user-id.",
    });
  }
};

/** Puts the issuer into the plan, and says which secret it needs; the keys of the local issuer come from `postern serve`. */
const share = (issuer: IssuerInfo, context: CompileContext): string => {
  const { secret } = issuer.plan as IssuerPlan;
  if (secret !== undefined) context.secret({ env: secret });
  return context.share(`issuers.${issuer.name}`, issuer.plan);
};

/** Proves who calls by a signed token of an issuer. */
export const jwt = definePolicy({
  name: "jwt",
  summary: "Proves who calls by a JSON Web Token of one of the issuers.",
  attachment: "identity",
  schema,
  compile,
  describe,
  filter: () => import("./filter.ts"),
});
