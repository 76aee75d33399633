import type { Documents } from "../config/load.ts";
import { fault, placeAt, treeAt } from "../config/tree.ts";
import { isBroken } from "../config/typing.ts";
import type { GatewayPlan } from "../core/plan.ts";
import type { RedisPlan, RedisPort } from "../core/redis.ts";
import { policyOrder } from "../policies/index.ts";
import type { Report } from "./ir.ts";
import { writtenLevels } from "./levels.ts";

/** Where Redis is, and what policies need of it. */
export interface RedisUse {
  readonly plan: RedisPlan | undefined;
  /** What is written of it cannot be read, which is told already. */
  readonly isBroken: boolean;
  readonly ports: Set<RedisPort>;
}

/** What the gateway says of Redis; no policy has asked yet. */
export const redisUse = ({ gateway, broken }: Documents): RedisUse => {
  const redis = gateway?.value.stores?.redis;
  return {
    plan: redis && { url: redis.url.env, token: redis.token.env },
    isBroken: gateway === undefined || isBroken(broken, ["gateway", "stores", "redis"]),
    ports: new Set(),
  };
};

/** What the plan says of the ports to Redis. */
export const redisPortsPlan = ({ plan, ports }: RedisUse): Partial<GatewayPlan> =>
  plan !== undefined && ports.size > 0 ? { redis: plan, redisPorts: [...ports].sort() } : {};

/** Only a warning where Redis is named for nothing: it costs nothing, and its secrets are not asked for. */
export const checkRedis = (documents: Documents, { ports }: RedisUse, report: Report): void => {
  const { tree } = documents;
  const path = ["gateway", "stores", "redis"];
  const holdsKeys = treeAt(tree, ["gateway", "stores", "consumers"])?.scalar === "redis";
  if (ports.size > 0 || holdsKeys || treeAt(tree, path) === undefined || mayMeanIt(documents)) return;
  report(
    fault(
      placeAt(tree, path, true),
      "unused-name",
      "Nothing is kept in Redis.",
      "Remove it, or say what is kept there: `stores: { consumers: redis }`, or a policy that has a place in Redis.",
      { severity: "warning" },
    ),
  );
};

/** Whether what cannot be read may be what keeps something there. */
const mayMeanIt = (documents: Documents): boolean =>
  isBroken(documents.broken, ["gateway", "control"]) ||
  writtenLevels(documents)
    .flat()
    .some(
      ({ broken, tree }) => broken || [...(tree?.entries?.keys() ?? [])].some((name) => !names.has(name)),
    );

const names: ReadonlySet<string> = new Set(policyOrder.map(({ type }) => type.name));
