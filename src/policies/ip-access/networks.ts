import type { AddressSet } from "../../lib/address-set.ts";
import type { Network } from "../network.ts";

/** Where a set of numbers begins and, in turn, is left again, in ascending order; what is left no more goes on to the end. */
type Boundaries = readonly bigint[];

/** A set of addresses while it is put together. */
export interface NetworkSet {
  readonly v4: Boundaries;
  readonly v6: Boundaries;
}

/** Every address of both versions. */
export const EVERYBODY: NetworkSet = { v4: [0n], v6: [0n] };

/** The addresses of networks. */
export const setOf = (networks: readonly Network[]): NetworkSet => ({
  v4: union(networks, 4),
  v6: union(networks, 6),
});

/** The addresses of one set that are not in another. */
export const difference = (one: NetworkSet, other: NetworkSet): NetworkSet =>
  joined(one, other, (inOne, inOther) => inOne && !inOther);

/** The addresses that are in both. */
export const intersection = (one: NetworkSet, other: NetworkSet): NetworkSet =>
  joined(one, other, (inOne, inOther) => inOne && inOther);

export const isEmpty = ({ v4, v6 }: NetworkSet): boolean => v4.length === 0 && v6.length === 0;

/** Whether every address of a network is in a set. */
export const holds = (set: NetworkSet, { version, first, last }: Network): boolean => {
  const boundaries = version === 4 ? set.v4 : set.v6;
  let low = 0;
  let high = boundaries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (boundaries[middle]! <= first) low = middle + 1;
    else high = middle;
  }
  const end = boundaries[low];
  return low % 2 === 1 && (end === undefined || end > last);
};

/** Networks that add nothing, by their index, each with one that holds all of it. */
export const covered = (networks: readonly Network[]): ReadonlyMap<number, Network> => {
  const order = networks.map((network, index) => ({ network, index })).sort(byStart);
  const found = new Map<number, Network>();
  let outer: Network | undefined;
  for (const { network, index } of order) {
    // Networks lie inside of each other, or apart.
    if (outer?.version === network.version && network.last <= outer.last) found.set(index, outer);
    else outer = network;
  }
  return found;
};

/** The form in which the run side searches. */
export const addressSet = ({ v4, v6 }: NetworkSet): AddressSet => ({
  v4: v4.map((number) => digits(number, 8)),
  v6: v6.map((number) => digits(number, 32)),
});

const digits = (number: bigint, width: number): string =>
  number.toString(16).padStart(width, "0").replace(/0+$/, "");

interface Placed {
  readonly network: Network;
  readonly index: number;
}

/** By version and start, the wider first; of equal ones the one that was written first. */
const byStart = (one: Placed, other: Placed): number =>
  one.network.version - other.network.version ||
  compare(one.network.first, other.network.first) ||
  compare(other.network.last, one.network.last) ||
  one.index - other.index;

const compare = (one: bigint, other: bigint): number => (one < other ? -1 : one > other ? 1 : 0);

const union = (networks: readonly Network[], version: Network["version"]): Boundaries => {
  const end = 1n << (version === 4 ? 32n : 128n);
  const boundaries: bigint[] = [];
  const sorted = networks
    .filter((network) => network.version === version)
    .sort((one, other) => compare(one.first, other.first));
  for (const { first, last } of sorted) {
    const left = boundaries.at(-1);
    if (left === undefined || left < first) boundaries.push(first, last + 1n);
    else if (left <= last) boundaries[boundaries.length - 1] = last + 1n;
  }
  return boundaries.at(-1) === end ? boundaries.slice(0, -1) : boundaries;
};

type Choice = (inOne: boolean, inOther: boolean) => boolean;

const joined = (one: NetworkSet, other: NetworkSet, isIn: Choice): NetworkSet => ({
  v4: sweep(one.v4, other.v4, isIn),
  v6: sweep(one.v6, other.v6, isIn),
});

/** Goes over the boundaries of both in order, and keeps those at which the answer changes. */
const sweep = (one: Boundaries, other: Boundaries, isIn: Choice): Boundaries => {
  const kept: bigint[] = [];
  let [i, j] = [0, 0];
  while (i < one.length || j < other.length) {
    const at = j >= other.length || (i < one.length && one[i]! <= other[j]!) ? one[i]! : other[j]!;
    if (one[i] === at) i++;
    if (other[j] === at) j++;
    if (isIn(i % 2 === 1, j % 2 === 1) !== (kept.length % 2 === 1)) kept.push(at);
  }
  return kept;
};
