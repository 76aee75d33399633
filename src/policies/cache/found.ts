import type { StoredResponse } from "./entry.ts";
import type { TierName } from "./status.ts";

/** What a look-up came to: the entry and where it was, and whether there were others under the key. */
export interface Found {
  readonly entry: StoredResponse | undefined;
  readonly others: boolean;
  /** Absent where there is no entry. */
  readonly tier?: TierName;
  /** It turned out a short while ago that what the upstream answers cannot be stored. */
  readonly uncacheable?: true;
}

export const NOTHING: Found = { entry: undefined, others: false };
export const OTHERS: Found = { entry: undefined, others: true };
export const IN_VAIN: Found = { entry: undefined, others: false, uncacheable: true };

/** The same entry where others are known, or the others alone. */
export const amongOthers = ({ entry, tier }: Found): Found =>
  entry === undefined ? OTHERS : { entry, others: true, ...(tier && { tier }) };

/** Of two entries the one that was received later, the nearer where they are the same age; else what there is to know. */
export const betterOf = (nearer: Found, farther: Found): Found => {
  if (nearer.entry !== undefined)
    return farther.entry !== undefined && farther.entry.receivedMs > nearer.entry.receivedMs
      ? farther
      : nearer;
  const saysMore = farther.entry !== undefined || farther.uncacheable === true || !nearer.others;
  return saysMore ? farther : nearer;
};
