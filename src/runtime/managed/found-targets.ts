import type { DiscoveryPlan } from "../../core/upstream-plan.ts";
import { addressScope } from "../../lib/address-scope.ts";
import type { DnsMessage } from "../../lib/dns/message.ts";
import { recordsOf } from "../../lib/dns/records.ts";

/** A target as its records describe it. */
export interface FoundTarget {
  /** Host and port: the same in every isolate, and whatever the order of the records. */
  readonly name: string;
  readonly origin: string;
  readonly priority: number;
  readonly weight: number;
}

/** What an answer says. */
export interface FoundTargets {
  /** By priority, then by name. */
  readonly targets: readonly FoundTarget[];
  /** Hosts that were named and may not be called, or are too many. */
  readonly leftOut: readonly string[];
  /** Said on purpose that there is no such service: an SRV record for the root (RFC 2782). */
  readonly withdrawn: boolean;
  readonly ttlSeconds: number;
}

/** The most targets that a pool takes from an answer. */
export const MOST_TARGETS = 100;

/** Reads targets out of a message; undefined where its aliases lead in a circle. */
export const foundTargets = (message: DnsMessage, plan: DiscoveryPlan): FoundTargets | undefined => {
  const set = recordsOf(message.answers, plan.name, plan.type);
  if (set === undefined) return undefined;
  const { records, ttlSeconds } = set;
  const leftOut: string[] = [];
  const byName = new Map<string, FoundTarget>();
  const take = (host: string, port: number, rank: Rank, isAllowed: boolean): void => {
    const target = isAllowed ? targetAt(host, port, rank, plan) : undefined;
    if (target === undefined) leftOut.push(host);
    // Of two records for one place the more preferred one counts.
    else if (target.priority < (byName.get(target.name)?.priority ?? Number.POSITIVE_INFINITY))
      byName.set(target.name, target);
  };
  for (const record of records) {
    if (record.type !== "SRV")
      take(addressText(record.octets), plan.port!, ALIKE, mayCall(record.octets, plan));
    else if (record.target !== "")
      take(record.target, record.port, rankOf(record), isHost(record.target, plan));
  }
  const targets = [...byName.values()].sort(inOrder);
  for (const { name } of targets.splice(MOST_TARGETS)) leftOut.push(name);
  const withdrawn = records.length > 0 && records.every((it) => it.type === "SRV" && it.target === "");
  return { targets, leftOut, withdrawn, ttlSeconds };
};

interface Rank {
  readonly priority: number;
  readonly weight: number;
}

/** Addresses of a name have no order among them. */
const ALIKE: Rank = { priority: 0, weight: 1 };

/**
 * A record of weight 0 is to have "a very small chance" beside others, and the same one among its like (RFC 2782); to our
 * balancers 0 is none at all. So it counts a hundredth of what the least other weight does.
 */
const rankOf = ({ priority, weight }: Rank): Rank => ({ priority, weight: weight === 0 ? 1 : weight * 100 });

const inOrder = (one: FoundTarget, other: FoundTarget): number =>
  one.priority - other.priority || (one.name < other.name ? -1 : 1);

const targetAt = (
  host: string,
  port: number,
  rank: Rank,
  { scheme }: DiscoveryPlan,
): FoundTarget | undefined => {
  const url = port === 0 ? null : URL.parse(`${scheme}://${host}:${port}`);
  if (url === null) return undefined;
  return {
    name: `${url.hostname}:${port}`,
    origin: url.origin,
    priority: rank.priority,
    weight: rank.weight,
  };
};

/** S28: an answer of DNS does not get to say that the gateway shall call its own network. */
const mayCall = (octets: Uint8Array, { network }: DiscoveryPlan): boolean => {
  const scope = addressScope(octets);
  return scope === "public" || (scope === "private" && network === "private");
};

const HOST = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** A last label that makes URL read the whole as an IPv4 address: 127.0.0.1, 2130706433 and 0x7f.1 alike. */
const NUMBER_LAST = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/** Names are resolved when they are called, by a network that refuses private addresses unless they are allowed. */
const isHost = (name: string, { network }: DiscoveryPlan): boolean =>
  HOST.test(name) &&
  !NUMBER_LAST.test(name) &&
  (network === "private" || !(name === "localhost" || name.endsWith(".localhost")));

const addressText = (octets: Uint8Array): string => {
  if (octets.length === 4) return octets.join(".");
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) groups.push((octets[at]! * 256 + octets[at + 1]!).toString(16));
  return `[${groups.join(":")}]`;
};
