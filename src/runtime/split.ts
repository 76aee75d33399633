import type { LanePlan, StickyPlan } from "../core/plan.ts";
import type { Ports, Random } from "../core/ports.ts";
import { cookieValue } from "../lib/cookies.ts";
import { hash32, mix32 } from "../lib/hash.ts";
import { addressKey } from "../lib/ip.ts";
import type { RequestExchange } from "./exchange.ts";
import type { LaneChooser, SplitFactory } from "./parts.ts";

/** Links the choice among a split's lanes; those with a share of nothing are never chosen. */
export const linkSplit: SplitFactory = ({ lanes, sticky }, ports) => {
  const deal = linkDeal(lanes, ports.random);
  if (sticky === undefined) return deal;
  const keyOf = linkKey(sticky, ports);
  const laneOf = linkRendezvous(lanes);
  return (exchange) => {
    const key = keyOf(exchange);
    return key === "" ? deal(exchange) : laneOf(key);
  };
};

/** Lanes that take anything, each with its index in the plan. */
const takersOf = (lanes: readonly LanePlan[]) =>
  lanes.map(({ upstream, share }, index) => ({ upstream, share, index })).filter(({ share }) => share > 0);

/**
 * Deals requests out one by one: the largest lane takes its share of all, the next its share of what remains, and so on,
 * each evenly spaced. So counts are exact to a request or two, whatever the shares. Each spacing begins at random, for an
 * isolate may be asked a few times only, and many begin at once: every single request has exactly the odds of the shares.
 */
const linkDeal = (lanes: readonly LanePlan[], { number }: Random): LaneChooser => {
  const takers = takersOf(lanes).sort((one, other) => other.share - one.share);
  let rest = takers.reduce((sum, { share }) => sum + share, 0);
  const parts = takers.map(({ share }) => {
    const part = share / rest;
    rest -= share;
    return part;
  });
  const last = takers.length - 1;
  // Not begun when linked: Workers draw no random numbers before the first request.
  let due: number[] | undefined;
  return () => {
    due ??= parts.map(number);
    for (let at = 0; at < last; at++) {
      const now = due[at]! + parts[at]!;
      due[at] = now < 1 ? now : now - 1;
      if (now >= 1) return takers[at]!.index;
    }
    return takers[last]!.index;
  };
};

/** Keeps the choice of a lane apart from that of a target, which may hash the same key. */
const SEED = 0x6c616e65;

const RANGE = 2 ** 32;

/**
 * The same key to the same lane, by weighted rendezvous: of each lane's number for the key, raised by its share, the highest
 * wins. Only a change of shares moves a key, and only to a lane that grew more, by factor, than the one it leaves. Neither
 * isolate nor order of the lanes matters.
 */
const linkRendezvous = (lanes: readonly LanePlan[]): ((key: string) => number) => {
  const takers = takersOf(lanes).map((lane) => ({ ...lane, seed: hash32(lane.upstream, SEED) }));
  return (key) => {
    const hash = hash32(key, SEED);
    let best = -1;
    let highest = Number.NEGATIVE_INFINITY;
    for (const { index, share, seed } of takers) {
      // ln(u) / share with u in (0, 1) is highest in proportion to the shares.
      const score = Math.log((mix32(hash ^ seed) + 0.5) / RANGE) / share;
      if (score > highest) {
        best = index;
        highest = score;
      }
    }
    return best;
  };
};

/** Links what tells callers apart; empty where a request has nothing that does. */
const linkKey = (sticky: StickyPlan, ports: Ports): ((exchange: RequestExchange) => string) => {
  switch (sticky.by) {
    case "identity":
      // Those who are nobody have one id between them, and would all go down one lane.
      return ({ identity, clientIp }) =>
        identity === undefined || identity.kind === "anonymous" ? addressKey(clientIp) : identity.id;
    case "ip":
      return ({ clientIp }) => addressKey(clientIp);
    case "header": {
      const { name } = sticky;
      return ({ request }) => request.headers.get(name) ?? "";
    }
    case "cookie":
      return linkCookie(sticky, ports.random);
  }
};

/**
 * A cookie with a random value, given to whoever has none: a caller keeps its lane from its first answer on, which may be one
 * from a cache. The value is no secret: whoever tries others may choose a lane, and nothing more. It stays in what goes to the
 * upstream. A cache on the way may keep the answer, but not hand on the cookie (RFC 9111 section 5.2.2.4).
 */
const linkCookie = (
  { name, maxAgeSeconds }: Extract<StickyPlan, { by: "cookie" }>,
  { number }: Random,
): ((exchange: RequestExchange) => string) => {
  const attributes = `; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax`;
  return ({ request, answerEdits, scheme }) => {
    const value = cookieValue(request.headers.get("cookie"), name);
    if (value) return value;
    const made = Math.floor(number() * RANGE).toString(36);
    const cookie = `${name}=${made}${attributes}${scheme === "https" ? "; Secure" : ""}`;
    answerEdits.push(
      { op: "add", name: "set-cookie", value: cookie },
      { op: "merge", name: "cache-control", value: 'no-cache="set-cookie"' },
    );
    return made;
  };
};
