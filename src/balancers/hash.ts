import type { BalancerFactory } from "../core/balancer.ts";
import type { Exchange } from "../core/exchange.ts";
import type { Random } from "../core/ports.ts";
import { cookieValue } from "../lib/cookies.ts";
import { hash32, mix32 } from "../lib/hash.ts";
import { withoutChoice } from "./draw.ts";

/** What stands in for an absent key: the client's address, or chance, weights honored. */
export type HashFallback = "ip" | "random";

/** The consistent hash in the plan. `field` is the name of the header (lower case), the cookie or the parameter. */
export type HashPlan =
  | {
      readonly name: "hash";
      readonly by: "header" | "cookie" | "param";
      readonly field: string;
      readonly fallback: HashFallback;
    }
  | { readonly name: "hash"; readonly by: "identity"; readonly fallback: HashFallback }
  | { readonly name: "hash"; readonly by: "ip"; readonly fallback: "random" };

const RANGE = 2 ** 32;

/**
 * The same key to the same target, by weighted rendezvous: each target has a number for the key, from the key and its own
 * name, raised by its weight, and the highest takes it. A target that comes takes its share of every other's keys and moves
 * none between them; when one goes, or may not be used, only its own keys move. That is exact, which a ring or a Maglev
 * table is not, holds in every isolate whatever the order of the targets, and needs no table. It costs some 3 ns a target,
 * 13 where weights differ; reading a header costs 100 to 200. A target that starts slowly takes its keys a part at a time:
 * as its weight rises each of them moves to it once, and none goes back.
 */
export const balancer: BalancerFactory = (targets, given, { random }) => {
  const sole = withoutChoice(targets);
  if (sole !== undefined) return sole;
  const plan = given as HashPlan;
  const takers = targets
    .map(({ name, weight }, index) => ({ name, weight, index }))
    .filter(({ weight }) => weight > 0);
  const seeds = takers.map(({ name }) => hash32(name));
  const weights = takers.map(({ weight }) => weight);
  const even = weights.every((weight) => weight === weights[0]);

  return {
    pick: (exchange, usable, part) => {
      const key = keyHash(plan, exchange, random);
      let best = -1;
      let highest = Number.NEGATIVE_INFINITY;
      for (let at = 0; at < seeds.length; at++) {
        const number = mix32(key ^ seeds[at]!);
        const { index } = takers[at]!;
        // ln(u) / weight with u in (0, 1) is highest in proportion to the weights; among even ones u says the same.
        const score =
          even && part === undefined
            ? number
            : Math.log((number + 0.5) / RANGE) / (weights[at]! * (part === undefined ? 1 : part(index)));
        if (score > highest && (usable === undefined || usable(index))) {
          best = index;
          highest = score;
        }
      }
      return best;
    },
  };
};

const keyHash = (plan: HashPlan, exchange: Exchange, random: Random): number => {
  const key = keyOf(plan, exchange);
  if (key) return hash32(key);
  if (plan.fallback === "ip" && exchange.clientIp !== "") return hash32(exchange.clientIp);
  return Math.floor(random.number() * RANGE);
};

/** The text that decides; absent or empty means that there is none. */
const keyOf = (plan: HashPlan, exchange: Exchange): string | null | undefined => {
  switch (plan.by) {
    case "header":
      return exchange.request.headers.get(plan.field);
    case "cookie":
      return cookieValue(exchange.request.headers.get("cookie"), plan.field);
    case "param":
      return Object.hasOwn(exchange.params, plan.field) ? exchange.params[plan.field] : undefined;
    case "identity":
      // Anonymous callers have one id between them, and would all go to one target.
      return exchange.identity?.kind === "anonymous" ? undefined : exchange.identity?.id;
    case "ip":
      return exchange.clientIp;
  }
};
