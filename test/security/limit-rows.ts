import { fields, guard, type Row } from "./setting-rows.ts";

// Rows of what counts callers; Redis is away where they are asked.

const limits = (text: string): string =>
  `rateLimit: { limits: [{ name: all, key: host, store: isolate, ${text} }] }`;
/** A bound of two by host, whose settings a row replaces; asked so often. */
const bounded =
  (kind: "rateLimit" | "quota", bound: string) =>
  (
    of: string,
    settings: readonly [bare: string, set: string],
    outcomes: Row["outcomes"],
    {
      times = 3,
      request = fields(),
      tells = "",
    }: { times?: number; request?: Row["request"]; tells?: string } = {},
  ): Row => {
    const usual = ["name: all", bound, "key: host"];
    const policy = (setting: string): string => {
      const others = usual.filter((one) => !setting.includes(one.slice(0, one.indexOf(":") + 1)));
      return `${kind}: { limits: [{ ${[setting, ...others].join(", ")} }] }`;
    };
    return {
      of: `${kind}.${of}`,
      without: policy(settings[0]),
      with: policy(settings[1]),
      request,
      outcomes,
      times,
      ...(tells !== "" && { tells }),
    };
  };
const rateLimit = bounded("rateLimit", "rate: 2/1h");
const quota = bounded("quota", "quota: 2/week");

/** Of two limits one is counted in Redis, which is away here. */
const WITH_REDIS = "{ name: far, rate: 1000/1h, key: host, store: redis }";
const OVER = "429 rate-limited";
let callers = 0;

export const rateLimits: readonly Row[] = [
  guard("rateLimit.limits.rate", limits("rate: 2/1h"), fields(), ["200", OVER], 3),
  guard("rateLimit.limits.cost", limits("rate: 100/1h, cost: 50"), fields(), ["200", OVER], 3),
  rateLimit("limits.name", ["name: all", "name: mine"], [`200 "all";q=2;w=3600`, `200 "mine";q=2;w=3600`], {
    times: 1,
    tells: "ratelimit-policy",
  }),
  rateLimit("limits.burst", ["algorithm: tokenBucket", "algorithm: tokenBucket, burst: 1"], ["200", OVER], {
    times: 2,
  }),
  rateLimit(
    "limits.algorithm",
    ["algorithm: slidingWindow", "algorithm: tokenBucket"],
    [`200 "all";r=1;t=3600`, `200 "all";r=1;t=1800`],
    { times: 1, tells: "ratelimit" },
  ),
  rateLimit("limits.key.header", ["key: host", "key: { header: x-caller }"], [OVER, "200"], {
    request: () => ({ fields: [`X-Caller: ${callers++}`] }),
  }),
  rateLimit("limits.count", ["count: requests", "count: auth-failures"], [OVER, "200"]),
  {
    ...rateLimit("limits.store", ["", ""], [OVER, "200"]),
    without: `rateLimit: { limits: [{ name: all, rate: 2/1h, key: host, store: isolate }, ${WITH_REDIS}], onStoreFailure: allow }`,
    with: `rateLimit: { limits: [{ name: all, rate: 2/1h, key: host, store: redis }, ${WITH_REDIS}], onStoreFailure: allow }`,
  },
  {
    ...rateLimit("onStoreFailure", ["", ""], ["200", "503 limits-unavailable"]),
    without: `rateLimit: { limits: [${WITH_REDIS}] }`,
    with: `rateLimit: { limits: [${WITH_REDIS}], onStoreFailure: refuse }`,
  },
  {
    ...rateLimit("dryRun", ["", ""], [OVER, "200"]),
    without: limits("rate: 2/1h").replace(/ }$/, ", dryRun: false }"),
    with: limits("rate: 2/1h").replace(/ }$/, ", dryRun: true }"),
  },
];

const SPENT = "429 quota-exceeded";
const FAR_QUOTA = "{ name: far, quota: 1000/week, key: host, store: redis }";
export const quotas: readonly Row[] = [
  quota("limits.name", ["name: all", "name: mine"], [`200 "all";q=2;w=604800`, `200 "mine";q=2;w=604800`], {
    times: 1,
    tells: "ratelimit-policy",
  }),
  quota("limits.quota", ["quota: 3/week", "quota: 2/week"], ["200", SPENT]),
  quota("limits.cost", ["quota: 100/week", "quota: 100/week, cost: 50"], ["200", SPENT]),
  quota("limits.key.header", ["key: host", "key: { header: x-caller }"], [SPENT, "200"], {
    request: () => ({ fields: [`X-Caller: ${callers++}`] }),
  }),
  {
    ...quota("limits.store", ["", ""], [SPENT, "200"]),
    without: `quota: { limits: [{ name: all, quota: 2/week, key: host, store: isolate }, ${FAR_QUOTA}], onStoreFailure: allow }`,
    with: `quota: { limits: [{ name: all, quota: 2/week, key: host, store: redis }, ${FAR_QUOTA}], onStoreFailure: allow }`,
  },
  {
    ...quota("onStoreFailure", ["", ""], ["200", "503 limits-unavailable"]),
    without: `quota: { limits: [${FAR_QUOTA}] }`,
    with: `quota: { limits: [${FAR_QUOTA}], onStoreFailure: refuse }`,
  },
];
