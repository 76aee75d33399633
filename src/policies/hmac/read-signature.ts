import { type BareItem, type Member, parseDictionary } from "../../lib/http/structured-fields.ts";

/** A signature as it was sent, not yet believed. */
export interface Signature {
  /** What it says that it covers, in its order. */
  readonly components: readonly string[];
  readonly parameters: ReadonlyMap<string, BareItem>;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly expires: number | undefined;
  readonly keyId: string | undefined;
  readonly nonce: string | undefined;
  readonly algorithm: string | undefined;
  readonly value: Uint8Array<ArrayBuffer>;
}

const LONGEST_FIELD = 4096;
const LONGEST_NONCE = 128;

const COMPONENT = /^@?[a-z0-9!#$%&'*+.^`|~-]+$/;

/**
 * Reads Signature-Input and Signature (RFC 9421 section 4). Undefined unless they hold exactly one signature, of the same label in
 * both, with the time of its making. Components with parameters (`;sf`, `;key`, `;req`, …) are not understood.
 */
export const readSignature = (input: string, signature: string): Signature | undefined => {
  if (input.length > LONGEST_FIELD || signature.length > LONGEST_FIELD) return undefined;
  const [label, described] = only(parseDictionary(input));
  const [other, { value, parameters: more } = NOTHING] = only(parseDictionary(signature));
  if (described === undefined || label !== other || !(value instanceof Uint8Array) || more.size > 0)
    return undefined;
  const components = componentsOf(described);
  const { parameters } = described;
  const times = [parameters.get("created"), parameters.get("expires") ?? Number.MAX_SAFE_INTEGER];
  const texts = ["keyid", "nonce", "alg"].map((name) => parameters.get(name) ?? "");
  if (components === undefined || !times.every(isTime) || !texts.every((text) => typeof text === "string"))
    return undefined;
  const [keyId, nonce, algorithm] = ["keyid", "nonce", "alg"].map(
    (name) => parameters.get(name) as string | undefined,
  );
  if (nonce !== undefined && (nonce === "" || nonce.length > LONGEST_NONCE)) return undefined;
  const created = parameters.get("created") as number;
  const expires = parameters.get("expires") as number | undefined;
  return { components, parameters, created, expires, keyId, nonce, algorithm, value };
};

const NOTHING: Member = { value: false, parameters: new Map() };

/** The one member of a dictionary; of several, none. */
const only = (
  dictionary: ReadonlyMap<string, Member> | undefined,
): readonly [string, Member] | readonly [undefined, undefined] =>
  dictionary?.size === 1 ? [...dictionary][0]! : [undefined, undefined];

const isTime = (value: unknown): boolean => typeof value === "number" && value >= 0;

const componentsOf = ({ value }: Member): readonly string[] | undefined => {
  if (!Array.isArray(value)) return undefined;
  const names: unknown[] = value.map((item) => (item.parameters.size === 0 ? item.value : undefined));
  return names.every((name): name is string => typeof name === "string" && COMPONENT.test(name)) &&
    new Set(names).size === names.length
    ? names
    : undefined;
};
