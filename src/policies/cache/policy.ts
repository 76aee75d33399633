import { z } from "zod";
import type { Json } from "../../core/json.ts";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { duration, explain, headerName, oneOf, size } from "../shapes.ts";
import type { Step } from "./filter.ts";

const MEBIBYTE = 1024 * 1024;

const name = (what: string) =>
  z.string().regex(/^[^\s;,="]+$/, explain(`This is not the name of ${what}.`, "Write the bare name."));

const key = z.strictObject({
  query: z
    .union([oneOf("declared", "all"), z.array(z.string().min(1))])
    .optional()
    .describe(
      "Query parameters that are part of the key; the others are not forwarded either. `declared` are those of the OpenAPI operation, and the default where there is one; else `all`.",
    ),
  headers: z
    .array(headerName())
    .default([])
    .describe("Request headers that are part of the key, beside what Vary names."),
  cookies: z.array(name("a cookie")).default([]).describe("Cookies that are part of the key."),
  claims: z.array(name("a claim")).default([]).describe("Claims of the caller that are part of the key."),
});

const schema = z.strictObject({
  ttl: duration()
    .optional()
    .describe(
      "For how long a response is fresh where the origin does not say; without it, a tenth of its age counts.",
    ),
  override: z
    .boolean()
    .default(false)
    .describe("The ttl beats the origin's max-age and Expires, but never no-store, private or Set-Cookie."),
  staleWhileRevalidate: duration()
    .optional()
    .describe("For how long a stale response is still answered with while it is revalidated (RFC 5861)."),
  staleIfError: duration()
    .optional()
    .describe("For how long a stale response is still answered with when the upstream fails (RFC 5861)."),
  shared: z
    .boolean()
    .default(false)
    .describe(
      "One entry for all callers, although the route identifies them; otherwise each has entries of its own.",
    ),
  key: key.prefault({}).describe("What beside scheme, host, path and caller tells entries apart."),
  tiers: z
    .array(oneOf("isolate", "edge"))
    .min(1, explain("No tier is left.", "Name isolate, edge or both, or attach no cache."))
    .default(["isolate", "edge"])
    .describe("Where entries are kept: the isolate's memory, the data centre's cache."),
  maxBody: size()
    .default(MEBIBYTE)
    .describe("The largest body that is stored; a larger one is passed on and not stored."),
  clientDirectives: z
    .boolean()
    .default(false)
    .describe("Heed a client's own Cache-Control, such as no-cache and only-if-cached."),
});

type Config = z.output<typeof schema>;

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** The cache policy. */
export const cache = definePolicy({
  name: "cache",
  summary: "Stores answers and uses them again, by the book of HTTP caching (RFC 9111).",
  attachment: "replaced",
  schema,
  compile: (instances, context): Step | undefined => {
    const instance = instances[0]!;
    if (context.route.id === "-") return undefined;
    const { config } = instance;
    check(instance, context);
    const identified = context.identity.policies.length > 0;
    return {
      forgetOnly: false,
      ttlMs: config.ttl ?? null,
      override: config.override && config.ttl !== undefined,
      staleWhileRevalidateMs: config.staleWhileRevalidate ?? null,
      staleIfErrorMs: config.staleIfError ?? null,
      perCaller: identified && !config.shared,
      query: queryNames(config.key.query, context),
      headers: sorted(config.key.headers),
      cookies: sorted(config.key.cookies),
      claims: sorted(config.key.claims),
      tiers: sorted(config.tiers),
      maxBody: config.maxBody,
      clientDirectives: config.clientDirectives,
      behindProxy: typeof context.gateway.clientIp === "object",
    };
  },
  /** Whatever route changes a resource, what others stored of it is forgotten (RFC 9111 section 4.4). */
  elsewhere: ({ route, identity, gateway }): Step | undefined =>
    route.methods.length > 0 && route.methods.every((method) => SAFE.has(method))
      ? undefined
      : {
          forgetOnly: true,
          ttlMs: null,
          override: false,
          staleWhileRevalidateMs: null,
          staleIfErrorMs: null,
          perCaller: identity.policies.length > 0,
          query: null,
          headers: [],
          cookies: [],
          claims: [],
          tiers: ["edge", "isolate"],
          maxBody: 0,
          clientDirectives: false,
          behindProxy: typeof gateway.clientIp === "object",
        },
  filter: () => import("./filter.ts"),
});

const sorted = <T extends string>(names: readonly T[]): readonly T[] => [...new Set(names)].sort();

const queryNames = (
  query: Config["key"]["query"],
  { route: { declaredQuery } }: CompileContext,
): readonly string[] | null => {
  if (Array.isArray(query)) return sorted(query);
  return query === "all" || declaredQuery === undefined ? null : sorted(declaredQuery);
};

type Report = (
  at: readonly (string | number)[],
  code: string,
  message: string,
  remedy: string,
  severity?: "warning",
) => void;

/** Faults that hold wherever the policy is attached. */
const check = (instance: Instance<Config>, context: CompileContext): void => {
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

const checkQueryNames = ({ key: { query } }: Config, { route }: CompileContext, report: Report): void => {
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
const checkRoute = (config: Config, { route, identity }: CompileContext, report: Report): void => {
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
