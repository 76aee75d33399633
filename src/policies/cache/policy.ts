import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import type { Template } from "../../core/template.ts";
import { type CacheConfig, cacheShape } from "./cache-shape.ts";
import { describe } from "./describe.ts";
import { reportFaults } from "./faults.ts";
import type { Step } from "./filter.ts";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** The cache policy. */
export const cache = definePolicy({
  name: "cache",
  summary: "Stores answers and uses them again, by the book of HTTP caching (RFC 9111).",
  attachment: "replaced",
  schema: cacheShape,
  compile: (instances, context): Step | undefined => {
    const instance = instances[0]!;
    if (context.route.id === "-") return undefined;
    const { config } = instance;
    reportFaults(instance, context);
    const identified = context.identity.policies.length > 0;
    const redisAt = config.tiers.indexOf("redis");
    if (redisAt >= 0) context.redis("store", instance, ["tiers", redisAt]);
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
      tags: tagsOf(instance, context),
      maxBody: config.maxBody,
      clientDirectives: config.clientDirectives,
      coalesce: config.coalesce,
      jitter: config.jitter ?? 0,
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
          tiers: ["edge", "isolate", "redis"],
          tags: [],
          maxBody: 0,
          clientDirectives: false,
          coalesce: false,
          jitter: 0,
          behindProxy: typeof gateway.clientIp === "object",
        },
  describe,
  filter: () => import("./filter.ts"),
});

const sorted = <T extends string>(names: readonly T[]): readonly T[] => [...new Set(names)].sort();

const tagsOf = (instance: Instance<CacheConfig>, context: CompileContext): readonly Template[] =>
  instance.config.tags.map((tag, index) => context.template(tag, instance, ["tags", index], "kept"));

const queryNames = (
  query: CacheConfig["key"]["query"],
  { route: { declaredQuery } }: CompileContext,
): readonly string[] | null => {
  if (Array.isArray(query)) return sorted(query);
  return query === "all" || declaredQuery === undefined ? null : sorted(declaredQuery);
};
