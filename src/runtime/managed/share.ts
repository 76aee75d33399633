/** Shares from percentages are not exact in binary: 7 % of 100 come to a little more than 7, 29 % to a little less than 29. */
const ROUNDING = 1e-9;

/** Whether `count` comes to this share of all. */
export const isShare = (count: number, share: number, all: number): boolean =>
  count + ROUNDING >= share * all;

/** How many whole ones this share of all is. */
export const wholeShare = (share: number, all: number): number => Math.floor(share * all + ROUNDING);
