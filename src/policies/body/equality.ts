import { decodedText, kindOf } from "../../lib/json-text.ts";
import { childOf, opened, type Value } from "./document.ts";

/**
 * Whether two JSON values are equal as RFC 6902 section 4.6 has it: texts by their characters, numbers by their value
 * (exactly, whatever their size), arrays in order, objects in any. An object with a name twice equals nothing. Goes no
 * deeper than the values have their shape in common.
 */
export const equal = (one: Value, other: Value): boolean => {
  if (typeof one === "string" && typeof other === "string") {
    if (kindOf(one) !== kindOf(other)) return false;
    if (kindOf(one) === "text") return decodedText(one) === decodedText(other);
    if (kindOf(one) === "other") return one === other || sameNumber(one, other);
  }
  const left = opened(one);
  const right = opened(other);
  if (typeof left === "string" || typeof right === "string") return false;
  if ("items" in left)
    return (
      "items" in right &&
      left.items.length === right.items.length &&
      left.items.every((item, index) => equal(item, right.items[index]!))
    );
  if ("items" in right || left.members.size !== right.members.size) return false;
  for (const [name, { value }] of left.members) {
    const twin = childOf(right, name);
    if (twin === undefined || !equal(value, twin)) return false;
  }
  return true;
};

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

const sameNumber = (one: string, other: string): boolean => {
  const left = decimalOf(one);
  return left !== undefined && left === decimalOf(other);
};

/** Sign, digits without zeros at their ends, and the power of ten of the first: `1.50`, `15e-1` and `1.5` alike. */
const decimalOf = (json: string): string | undefined => {
  const found = NUMBER.exec(json);
  if (found === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = found;
  const digits = whole + fraction;
  const significant = digits.replace(/^0+/, "");
  if (significant === "") return "0";
  const power = whole.length - (digits.length - significant.length) + Number(exponent);
  return `${sign}${withoutLastZeros(significant)}e${power}`;
};

/** A loop: a pattern for zeros at the end tries again at every zero that has others before it. */
const withoutLastZeros = (digits: string): string => {
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 0x30) end--;
  return digits.slice(0, end);
};
