import type { Json } from "../../core/json.ts";
import type { CompileContext, Instance } from "../../core/policy.ts";
import type { CacheConfig } from "./cache-shape.ts";

type Report = (
  at: readonly (string | number)[],
  code: string,
  message: string,
  remedy: string,
  severity?: "warning",
) => void;

/** Reports what is wrong with a cache policy where it is attached. */
export const reportFaults = (instance: Instance<CacheConfig>, context: CompileContext): void => {
  const { config, level } = instance;
  const { identity } = context;
  const report: Report = (at, code, message, remedy, severity) =>
    context.report(instance, at, { code, message, remedy, ...(severity && { severity }) });
  if (config.override && config.ttl === undefined) {
    report(
      ["override"],
      "cache-override-without-ttl",
      "`override` has no lifetime to put in place of the origin's.",
      "Add `ttl`, or remove `override`.",
    );
  }
  if (config.key.claims.length > 0 && identity.policies.length === 0) {
    report(
      ["key", "claims"],
      "cache-claims-without-identity",
      "The key names claims, but the route identifies nobody.",
      "Remove `claims`, or attach an identity policy such as jwt.",
    );
  }
  const telling = config.shared ? identity.steps.find(({ step }) => tellsUpstream(step)) : undefined;
  if (telling !== undefined) {
    report(
      ["shared"],
      "cache-shared-caller",
      `Entries are shared by all callers, but ${telling.policy} tells the upstream who calls.`,
      `Remove \`shared\`, or what ${telling.policy} has under \`forward\` and \`forwardCredential\`.`,
    );
  }
  if (config.shared) reportTelling(config, context, report);
  checkQueryNames(config, context, report);
  if (level === "route") checkRoute(config, context, report);
};

/** Identity policies name what of the caller they send on under these two keys. */
const tellsUpstream = (step: Json): boolean => {
  const { forward, forwardCredential } = step as {
    readonly forward?: Json;
    readonly forwardCredential?: Json;
  };
  return forwardCredential === true || Object.keys(forward ?? {}).length > 0;
};

/**
 * What templates say of the caller to the upstream, or in an answer of the route's own, is in what all others get too, unless
 * it tells entries apart. Bodies are not looked at: what is stored was asked for without one.
 */
const reportTelling = ({ key }: CacheConfig, { route }: CompileContext, report: Report): void => {
  const told = route.callerTold?.find(({ from, name }) => from === "identity" || !key.claims.includes(name));
  if (told === undefined) return;
  const { where, from, name } = told;
  report(
    ["shared"],
    "cache-shared-caller",
    `Entries are shared by all callers, but \`${where}\` names the one who calls: {${from}.${name}}.`,
    `Remove \`shared\`, or the reference${from === "claims" ? `, or write \`key: { claims: [${name}] }\` for an entry a value` : ""}.`,
  );
};

const checkQueryNames = (
  { key: { query } }: CacheConfig,
  { route }: CompileContext,
  report: Report,
): void => {
  if (!Array.isArray(query) || route.declaredQuery === undefined) return;
  for (const [index, parameter] of query.entries()) {
    if (route.declaredQuery.includes(parameter)) continue;
    report(
      ["key", "query", index],
      "cache-unknown-query",
      `The operation of ${route.id} declares no query parameter "${parameter}".`,
      "Declare it in the OpenAPI document, or remove it here.",
    );
  }
};

/** Attached further out, a cache meets routes of every kind, and these are no mistakes. */
const checkRoute = (config: CacheConfig, { route, identity }: CompileContext, report: Report): void => {
  if (config.key.query === "declared" && route.declaredQuery === undefined) {
    report(
      ["key", "query"],
      "cache-nothing-declared",
      `${route.id} comes from no OpenAPI operation, so no query parameter is declared.`,
      "Write `all`, or a list of names.",
    );
  }
  if (config.shared && identity.policies.length === 0) {
    report(
      ["shared"],
      "cache-shared-anyway",
      "The route identifies nobody, so its entries are shared as it is.",
      "Remove `shared`.",
      "warning",
    );
  }
  if (route.methods.length > 0 && !route.methods.some((method) => method === "GET" || method === "HEAD")) {
    report(
      [],
      "cache-without-get",
      `${route.id} answers neither GET nor HEAD, so nothing is stored; the cache only forgets what its requests change.`,
      "Attach the cache to the route that reads.",
      "warning",
    );
  }
};
