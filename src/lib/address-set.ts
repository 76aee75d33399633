/**
 * A set of addresses: for each family the digits (`addressDigits`) at which it begins and, in turn, is left again, in ascending
 * order. Zeros at the end of a boundary are not written, which keeps plans small and leaves the order of texts as it is.
 */
export type AddressSet = { readonly v4: readonly string[]; readonly v6: readonly string[] };

const IPV4_DIGITS = 8;

/** Whether the address with these digits is in a set, by one binary search. */
export const hasAddress = ({ v4, v6 }: AddressSet, digits: string): boolean => {
  const boundaries = digits.length === IPV4_DIGITS ? v4 : v6;
  let low = 0;
  let high = boundaries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (boundaries[middle]! <= digits) low = middle + 1;
    else high = middle;
  }
  // Behind an odd number of boundaries one is inside.
  return (low & 1) === 1;
};
