import { z } from "zod";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { explain, headerName, oneOf, rate } from "../shapes.ts";
import type { GroupStep, LimitStep, Step } from "./filter.ts";

const limit = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
        explain(
          "This is not the name of a limit.",
          "Write up to 64 letters, digits, hyphens, dots and underscores: per-ip.",
        ),
      )
      .describe("The name that answers, logs and metrics call the limit by; no two on a route are equal."),
    rate: rate().describe("How many units in which time, such as 600/1m."),
    burst: z
      .int()
      .min(1)
      .optional()
      .describe("Token bucket only: how many units may be taken at once; default: those of the rate."),
    key: z
      .union([
        oneOf("ip", "host", "identity"),
        z.strictObject({ header: headerName().describe("The field whose value is the key.") }),
      ])
      .describe(
        "What has a bucket of its own: a client's address (IPv6: its /64), a host, an identity (callers without one: their address), or a value of a header field. Identity is counted after it is proved, all others before.",
      ),
    algorithm: oneOf("slidingWindow", "tokenBucket", "fixedWindow")
      .default("slidingWindow")
      .describe(
        "slidingWindow: never more than the rate in any window; tokenBucket: a steady rate with bursts; fixedWindow: cheapest, twice the rate around an edge.",
      ),
    store: oneOf("isolate")
      .default("isolate")
      .describe(
        "Where is counted. isolate: in the memory of each running copy of the gateway, so approximate in total, and forgotten when it ends.",
      ),
    count: oneOf("requests", "auth-failures")
      .default("requests")
      .describe(
        "What is charged: every request, or only those that end in 401; who has used these up is refused whatever they send.",
      ),
    cost: z.int().min(1).default(1).describe("How many units a request takes."),
  })
  .superRefine((it, context) => {
    const report = (path: string, code: string, wrong: string, remedy: string): void =>
      context.addIssue({ code: "custom", path: [path], message: explain(wrong, remedy), params: { code } });
    if (it.burst !== undefined && it.algorithm !== "tokenBucket") {
      report(
        "burst",
        "burst-without-bucket",
        `A ${it.algorithm} has no burst.`,
        "Write `algorithm: tokenBucket`, or remove `burst`.",
      );
    }
    if (it.cost > Math.min(it.rate.quantity, it.burst ?? Infinity)) {
      report(
        "cost",
        "cost-over-rate",
        "One request costs more than there ever is.",
        "Lower `cost`, or raise the rate.",
      );
    }
    if (it.count === "auth-failures" && it.key === "identity") {
      report("key", "failures-by-identity", "Who failed to prove an identity has none.", "Write `key: ip`.");
    }
    // The token bucket multiplies them; RFC 9651 allows integers of 15 digits in the fields.
    if (Math.max(it.rate.quantity, it.burst ?? 0) * it.rate.windowMs * it.cost > 1e15) {
      report(
        "rate",
        "rate-too-large",
        "This rate is too large to be counted.",
        "Lower the quantity, or shorten the time.",
      );
    }
  });

const schema = z.strictObject({
  limits: z
    .array(limit)
    .min(1, explain("No limit is listed.", "List at least one, or remove the policy."))
    .superRefine((limits, context) => {
      for (const [index, { name }] of limits.entries()) {
        if (limits.findIndex((other) => other.name === name) === index) continue;
        context.addIssue({
          code: "custom",
          path: [index, "name"],
          message: explain(`There is another limit "${name}" above.`, "Give each limit a name of its own."),
          params: { code: "duplicate-limit" },
        });
      }
    })
    .describe(
      "The limits; a request has to be within all of them and of those of the levels above, and one that is refused is charged to none.",
    ),
  dryRun: z.boolean().default(false).describe("Whether to count and log only, without refusing anybody."),
});

type Config = z.output<typeof schema>;
type LimitConfig = Config["limits"][number];
/** A limit with the place where it stands. */
interface Placed {
  readonly config: LimitConfig;
  readonly instance: Instance<Config>;
  readonly index: number;
}

export const rateLimit = definePolicy({
  name: "rateLimit",
  summary:
    "Limits how often a caller may ask, by address, host, header or identity; what is over is answered with 429.",
  attachment: "guard",
  schema,
  compile: (instances, context, stage): Step | undefined => {
    const all = instances.flatMap((instance) =>
      instance.config.limits.map((config, index): Placed => ({ config, instance, index })),
    );
    const early = all.filter(({ config }) => config.key !== "identity");
    if (stage === "before-identity") reportDuplicates(all, context);
    const here = (
      stage === "before-identity" ? early : all.filter(({ config }) => config.key === "identity")
    ).filter((one) => applies(one, context));
    if (here.length === 0) return undefined;
    const spokenBefore = stage !== "before-identity" && early.some(isTold);
    return { groups: groupsOf(here), fields: spokenBefore ? "add" : "set" };
  },
  filter: () => import("./filter.ts"),
});

/** Whether answers speak of the limit to every caller. */
const isTold = ({ config, instance }: Placed): boolean =>
  config.count === "requests" && !instance.config.dryRun;

/** Who is locked out for guessing uses up no other limit, so these are asked first; a dry run stands alone. */
const GROUPS = [
  { count: "auth-failures", dryRun: false },
  { count: "auth-failures", dryRun: true },
  { count: "requests", dryRun: true },
  { count: "requests", dryRun: false },
] as const;

const groupsOf = (limits: readonly Placed[]): GroupStep[] =>
  GROUPS.flatMap(({ count, dryRun }) => {
    const members = limits.filter(
      ({ config, instance }) => config.count === count && instance.config.dryRun === dryRun,
    );
    return members.length === 0 ? [] : [{ count, dryRun, limits: members.map(limitStep) }];
  });

const limitStep = ({ config, instance }: Placed): LimitStep => {
  const { name, algorithm, burst, cost, key } = config;
  const { quantity, windowMs } = config.rate;
  return {
    name,
    bucket: `${instance.node} ${name}`,
    key,
    // A store charges one unit a request: so limits of different cost are decided together, in whole numbers.
    limit:
      algorithm === "tokenBucket"
        ? { algorithm, quantity, windowMs: windowMs * cost, burst: Math.floor((burst ?? quantity) / cost) }
        : { algorithm, quantity: Math.floor(quantity / cost), windowMs },
    cost,
    policy: `"${name}";q=${quantity};w=${Math.ceil(windowMs / 1000)}`,
  };
};

/** Whether the limit has a key on this route; reports where it was meant to and has none. */
const applies = ({ config, instance, index }: Placed, context: CompileContext): boolean => {
  const { identity, gateway } = context;
  const at = ["limits", index, "key"];
  if (config.key === "identity" && identity.policies.length === 0) {
    // Written above, it holds for the routes that ask who is calling, and not for the public ones among them.
    if (instance.level !== "route") return false;
    context.report(instance, at, {
      code: "identity-key-on-public-route",
      message: "This route does not ask who is calling, so there is no identity to count by.",
      remedy: "Attach an identity policy such as jwt, or write `key: ip`.",
    });
    return false;
  }
  const usesAddress = config.key === "ip" || (config.key === "identity" && identity.anonymous);
  if (!usesAddress || gateway.clientIp !== undefined) return true;
  context.report(instance, at, {
    code: "client-ip-unknown",
    message:
      config.key === "ip"
        ? "The gateway does not know the addresses of its clients."
        : "Callers without an identity are counted by address, which the gateway does not know.",
    remedy: "Write `clientIp:` under `gateway:`, with cloudflare, connection or forwardedFor.",
  });
  return false;
};

const reportDuplicates = (limits: readonly Placed[], context: CompileContext): void => {
  const first = new Map<string, Instance<Config>>();
  for (const { config, instance, index } of limits) {
    const other = first.get(config.name) ?? instance;
    first.set(config.name, other);
    if (other === instance) continue;
    context.report(instance, ["limits", index, "name"], {
      code: "duplicate-limit",
      message: `A level above has a limit "${config.name}" too, and both hold.`,
      remedy: "Give this limit another name, so that answers and logs tell the two apart.",
    });
  }
};
