/**
 * Scatters the bits of a 32-bit integer, so that numbers which differ in one bit share nothing afterwards (the last step
 * of MurmurHash3). One to one: two numbers never meet.
 */
export const mix32 = (value: number): number => {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
};

/**
 * A hash of a text, from 0 to 2^32 − 1: MurmurHash3 x86_32 over its UTF-16 code units in little-endian order, two of them
 * a step, so that nothing is encoded or allocated. The same in every isolate. It spreads, and protects nothing: whoever
 * chooses the text can choose the hash.
 */
export const hash32 = (text: string, seed = 0): number => {
  const length = text.length;
  let hash = seed;
  let at = 0;
  for (; at + 1 < length; at += 2) {
    hash ^= scramble(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  if (at < length) hash ^= scramble(text.charCodeAt(at));
  return mix32(hash ^ (length * 2));
};

const scramble = (block: number): number => {
  const product = Math.imul(block, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
};
