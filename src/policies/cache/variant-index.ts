import type { Stored, VariantIndex } from "./entry.ts";

const DAY_MS = 86_400_000;

/**
 * For how long an index is kept that leads to an entry: for as long as that, and not less than a day, for there may be others. It
 * is kept anew with each of them.
 */
export const keepIndexMs = (entryMs: number): number => Math.max(entryMs, DAY_MS);

/** An index for entries that vary by these names too; the same one where it knows them. */
export const indexWith = (
  known: Stored | undefined,
  names: readonly string[],
  uuid: () => string,
): VariantIndex => {
  if (known?.kind !== "variants") return { kind: "variants", names, generation: uuid() };
  if (names.every((name) => known.names.includes(name))) return known;
  return { ...known, names: [...new Set([...known.names, ...names])].sort() };
};
