import { canonicalJson } from "../../lib/canonical-json.ts";
import { ALGORITHMS } from "./algorithms.ts";
import { decodeBase64url, isObject, type SignedBytes } from "./jws.ts";

/** The public members that a key is made of, by its type (RFC 7518 section 6, RFC 8037 section 2). */
const MEMBERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["oct", ["k"]],
  ["RSA", ["n", "e"]],
  ["EC", ["crv", "x", "y"]],
  ["OKP", ["crv", "x"]],
]);

const LEAST_RSA_BITS = 2048;
/** A check with a larger key costs more than a request should. */
const MOST_RSA_BITS = 8192;

type Material = Readonly<Record<string, string>> & { readonly kty: string };

/** A key that verifies signatures, and nothing else. */
export class VerifyKey {
  readonly kid: string | undefined;
  /** False once the key has left its set: tokens remembered under it are forgotten. */
  alive = true;
  readonly #material: Material;
  readonly #onlyFor: string | undefined;
  readonly #bytes: number;
  /** Imported on first use, one for each algorithm. A CryptoKey, unlike a promise of one, may pass from request to request. */
  readonly #imported = new Map<string, CryptoKey>();

  constructor(material: Material, kid: string | undefined, onlyFor: string | undefined) {
    this.kid = kid;
    this.#material = material;
    this.#onlyFor = onlyFor;
    this.#bytes = material["k"] === undefined ? 0 : decodeBase64url(material["k"])!.length;
  }

  /** Equal for equal keys, so that a key which a refreshed set still holds stays the same object. */
  get fingerprint(): string {
    return canonicalJson({ material: this.#material, kid: this.kid, onlyFor: this.#onlyFor });
  }

  /** Whether the key is of the algorithm's type and curve, strong enough for it, and not published for another one. */
  fits(name: string): boolean {
    const algorithm = ALGORITHMS.get(name);
    return (
      algorithm !== undefined &&
      algorithm.kty === this.#material.kty &&
      (algorithm.crv === undefined || algorithm.crv === this.#material["crv"]) &&
      (this.#onlyFor === undefined || this.#onlyFor === name) &&
      this.#bytes >= (algorithm.leastKeyBytes ?? 0)
    );
  }

  /** Whether a signature is this key's. Never rejects: a key that cannot be imported, such as a point off its curve, has signed nothing. */
  async hasSigned(name: string, { input, signature }: SignedBytes): Promise<boolean> {
    const { parameters, signatureBytes = signature.length } = ALGORITHMS.get(name)!;
    if (!this.fits(name) || signature.length !== signatureBytes) return false;
    try {
      let key = this.#imported.get(name);
      if (key === undefined) {
        key = await crypto.subtle.importKey("jwk", this.#material, parameters, false, ["verify"]);
        this.#imported.set(name, key);
      }
      return await crypto.subtle.verify(parameters, key, signature, input);
    } catch {
      return false;
    }
  }
}

/**
 * Reads one JSON Web Key (RFC 7517 section 4). Undefined when nothing may be verified with it: not for signatures, too
 * weak, known to be broken, or with its private part published.
 */
export const readKey = (jwk: unknown): VerifyKey | undefined => {
  if (!isObject(jwk)) return undefined;
  const { kty, kid, alg, use, key_ops: operations } = jwk;
  const members = typeof kty === "string" ? MEMBERS.get(kty) : undefined;
  if (members === undefined || !(use === undefined || use === "sig")) return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify")))
    return undefined;
  if (Object.hasOwn(jwk, "d")) return undefined;
  const material: Record<string, string> & { kty: string } = { kty: kty as string };
  for (const name of members) {
    const value = jwk[name];
    if (typeof value !== "string") return undefined;
    if (name !== "crv" && !decodeBase64url(value)?.length) return undefined;
    material[name] = value;
  }
  if (kty === "RSA" && !isSoundRsa(material["n"]!, material["e"]!)) return undefined;
  if (kid !== undefined && typeof kid !== "string") return undefined;
  if (alg !== undefined && typeof alg !== "string") return undefined;
  return new VerifyKey(material, kid, alg);
};

/**
 * Reads a JSON Web Key Set (RFC 7517 section 5), without the keys that we cannot use. Undefined when it is none, or when
 * it mixes secrets with public keys: nobody can tell what such a set means.
 */
export const readKeySet = (value: unknown): readonly VerifyKey[] | undefined => {
  const list = isObject(value) ? value["keys"] : undefined;
  if (!Array.isArray(list)) return undefined;
  const secrets = list.filter((jwk) => isObject(jwk) && jwk["kty"] === "oct").length;
  if (secrets !== 0 && secrets !== list.length) return undefined;
  const keys = new Map<string, VerifyKey>();
  for (const jwk of list) {
    const key = readKey(jwk);
    if (key !== undefined) keys.set(key.fingerprint, key);
  }
  return [...keys.values()];
};

/** The key of an HMAC issuer: the secret's text in UTF-8. */
export const secretKey = (secret: string): VerifyKey => {
  let binary = "";
  for (const byte of new TextEncoder().encode(secret)) binary += String.fromCharCode(byte);
  const k = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return new VerifyKey({ kty: "oct", k }, undefined, undefined);
};

/** How many keys are tried for a token that does not say which one. */
const MOST_TRIES = 4;

/**
 * The keys that may have signed a token. A `kid` names one: two keys of that name and type are ambiguous, and none is
 * used; keys without a name may be meant by any token.
 */
export const candidates = (
  keys: readonly VerifyKey[],
  algorithm: string,
  kid: string | undefined,
): readonly VerifyKey[] => {
  const fitting = keys.filter((key) => key.fits(algorithm));
  if (kid === undefined) return fitting.slice(0, MOST_TRIES);
  const named = fitting.filter((key) => key.kid === kid);
  if (named.length > 0) return named.length === 1 ? named : [];
  return fitting.filter((key) => key.kid === undefined).slice(0, MOST_TRIES);
};

/** Size and exponent of an RSA key, and the fingerprint of ROCA. */
const isSoundRsa = (n: string, e: string): boolean => {
  const modulus = integer(n);
  const exponent = integer(e);
  const bits = modulus.toString(2).length;
  return (
    bits >= LEAST_RSA_BITS &&
    bits <= MOST_RSA_BITS &&
    exponent >= 3n &&
    exponent % 2n === 1n &&
    !isRoca(modulus)
  );
};

const integer = (text: string): bigint => {
  let hex = "0x0";
  for (const byte of decodeBase64url(text)!) hex += byte.toString(16).padStart(2, "0");
  return BigInt(hex);
};

const ROCA_PRIMES = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/**
 * Whether a modulus was made by the faulty generator of CVE-2017-15361, whose keys can be factored: modulo each of these
 * primes it is a power of 65537. A sound key passes for one with a chance of about 2^-28.
 */
const isRoca = (modulus: bigint): boolean =>
  ROCA_PRIMES.every((prime) => {
    const rest = Number(modulus % BigInt(prime));
    let power = 1;
    do {
      if (power === rest) return true;
      power = (power * 65537) % prime;
    } while (power !== 1);
    return false;
  });
