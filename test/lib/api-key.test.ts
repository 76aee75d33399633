import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { composeKey, isKeyLabel, isPossibleKey } from "../../src/lib/api-key.ts";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** As the reference gives it to secret scanners. */
const SCANNER = /\bpostern_[a-z][a-z0-9]{0,15}_[0-9A-Za-z]{49}\b/g;

const random = fc.uint8Array({ minLength: 32, maxLength: 32 });
const label = fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/);

/** The number that digits of base 62 stand for. */
const numberOf = (digits: string): bigint =>
  [...digits].reduce((sum, digit) => sum * 62n + BigInt(DIGITS.indexOf(digit)), 0n);

describe("a key", () => {
  it("is the label, 256 bits and their checksum", () => {
    fc.assert(
      fc.property(label, random, (name, bytes) => {
        const key = composeKey(name, bytes);
        expect(key.startsWith(`postern_${name}_`)).toBe(true);
        const [secret, checksum] = [key.slice(-49, -6), key.slice(-6)];
        expect(numberOf(secret)).toBe(BigInt(`0x${Buffer.from(bytes).toString("hex")}`));
        // Judged by another's CRC-32.
        expect(numberOf(checksum)).toBe(BigInt(crc32(key.slice(0, -6))));
        expect(isPossibleKey(key)).toBe(true);
      }),
    );
  });

  it("is as long for all zeros as for all ones", () => {
    const lengths = [0, 255].map((byte) => composeKey("live", new Uint8Array(32).fill(byte)).length);
    expect(lengths).toEqual([62, 62]);
  });

  it("is found by the pattern for scanners, alone and in a text", () => {
    fc.assert(
      fc.property(label, random, (name, bytes) => {
        const key = composeKey(name, bytes);
        expect(`curl -H 'x-api-key: ${key}' https://a/?api_key=${key}&b`.match(SCANNER)).toEqual([key, key]);
      }),
    );
  });

  it("with any single character changed is none", () => {
    fc.assert(
      fc.property(
        label,
        random,
        fc.nat(),
        fc.constantFrom(...DIGITS, "_", "-", "/"),
        (name, bytes, at, digit) => {
          const key = composeKey(name, bytes);
          // What does not begin as our keys do may be a key of another system.
          const index = "postern_".length + (at % (key.length - "postern_".length));
          fc.pre(key[index] !== digit);
          expect(isPossibleKey(key.slice(0, index) + digit + key.slice(index + 1))).toBe(false);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("with a character more, less, or two swapped is none", () => {
    fc.assert(
      fc.property(random, fc.nat(), fc.constantFrom(...DIGITS), (bytes, at, digit) => {
        const key = composeKey("live", bytes);
        const index = "postern_".length + (at % (key.length - "postern_".length - 1));
        const [one, two] = [key[index]!, key[index + 1]!];
        expect(isPossibleKey(key.slice(0, index) + digit + key.slice(index))).toBe(false);
        expect(isPossibleKey(key.slice(0, index) + key.slice(index + 1))).toBe(false);
        if (one !== two)
          expect(isPossibleKey(key.slice(0, index) + two + one + key.slice(index + 2))).toBe(false);
      }),
    );
  });
});

describe("a text that does not begin as our keys do", () => {
  it.each<[string, string, boolean]>([
    ["a key of another system", "sk-0123456789abcdef", true],
    ["256 characters", "k".repeat(256), true],
    ["257 characters", "k".repeat(257), false],
    ["nothing", "", false],
    ["a blank", "a b", false],
    ["two values", "a, b", false],
    ["a comma", "a,b", false],
    ["a tab", "a\tb", false],
    ["a control character", "a\u0001b", false],
    ["beyond ASCII", "ké", false],
    ["the beginning alone", "postern_", false],
    ["an upper-case beginning", `Postern_live_${"0".repeat(49)}`, true],
  ])("%s", (_, text, possible) => expect(isPossibleKey(text)).toBe(possible));
});

it.each<[string, boolean]>([
  ["live", true],
  ["shop2", true],
  ["a234567890123456", true],
  ["a2345678901234567", false],
  ["Live", false],
  ["2shop", false],
  ["my_shop", false],
  ["", false],
])("the label %j", (text, good) => expect(isKeyLabel(text)).toBe(good));
