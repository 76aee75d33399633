import type { Ports } from "../../core/ports.ts";
import type { CredentialPlan } from "../../core/upstream-plan.ts";
import { secretOf } from "./credential-secret.ts";

/** How a signature is made: with which key, and by which algorithm of Web Cryptography. */
interface Kind {
  readonly name: "HMAC" | "ECDSA" | "Ed25519";
  readonly key: AlgorithmIdentifier | EcKeyImportParams | HmacImportParams;
  readonly sign: AlgorithmIdentifier | EcdsaParams;
}

const HMAC: Kind = { name: "HMAC", key: { name: "HMAC", hash: "SHA-256" }, sign: "HMAC" };
const ECDSA: Kind = {
  name: "ECDSA",
  key: { name: "ECDSA", namedCurve: "P-256" },
  sign: { name: "ECDSA", hash: "SHA-256" },
};
const ED25519: Kind = { name: "Ed25519", key: { name: "Ed25519" }, sign: "Ed25519" };

/** The algorithms by the names that RFC 7518, RFC 8037 and RFC 9421 give them; ECDSA's signatures are r and s in all of them. */
const KINDS = {
  HS256: HMAC,
  "hmac-sha256": HMAC,
  ES256: ECDSA,
  "ecdsa-p256-sha256": ECDSA,
  EdDSA: ED25519,
  ed25519: ED25519,
} as const;

type SigningPlan = Extract<CredentialPlan, { algorithm: string }>;

/** Signs bytes. Rejects where the key turns out to be none, after saying so in the log. */
export type Sign = (data: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;

/**
 * Links the signing with the secret of an upstream's credential: for HMAC the text itself, else a private key as JWK. Throws
 * where the secret cannot be such a key. It is imported with the first signature.
 */
export const linkSigner = (plan: SigningPlan, upstream: string, ports: Ports): Sign => {
  const kind = KINDS[plan.algorithm];
  const secret = secretOf(plan, upstream, ports.secrets);
  const importKey = kind.name === "HMAC" ? sharedKey(secret) : privateKey(secret, kind, plan.algorithm);
  let key: CryptoKey | undefined;
  const imported = async (): Promise<CryptoKey> => {
    try {
      // Whoever comes meanwhile imports it too: a promise of another request may never settle on workerd.
      return (key = await importKey());
    } catch {
      const { message } = secret.unfit("holds a key that cannot be used: its parts do not belong together");
      ports.log.write({ level: "error", message });
      throw new Error(message);
    }
  };
  return async (data) => new Uint8Array(await crypto.subtle.sign(kind.sign, key ?? (await imported()), data));
};

type Secret = ReturnType<typeof secretOf>;
type ImportKey = () => Promise<CryptoKey>;

/** RFC 7518 section 3.2: a key as long as the hash, at least; a shorter one could be found out from what it signed. */
const FEWEST_BYTES = 32;

const sharedKey = (secret: Secret): ImportKey => {
  const bytes = new TextEncoder().encode(secret.text);
  if (bytes.byteLength < FEWEST_BYTES)
    throw secret.unfit(`has ${bytes.byteLength} bytes, and needs at least ${FEWEST_BYTES} to sign by HMAC`);
  return () => crypto.subtle.importKey("raw", bytes, HMAC.key, false, ["sign"]);
};

const privateKey = (secret: Secret, kind: Kind, algorithm: string): ImportKey => {
  const wanted = kind === ECDSA ? { kty: "EC", crv: "P-256" } : { kty: "OKP", crv: "Ed25519" };
  const parts = kind === ECDSA ? ["x", "y", "d"] : ["x", "d"];
  const written = jsonObject(secret.text);
  if (
    written?.["kty"] !== wanted.kty ||
    written["crv"] !== wanted.crv ||
    !parts.every((part) => isCoordinate(written[part]))
  )
    throw secret.unfit(
      `is no private key for ${algorithm}: it needs a JWK of kty "${wanted.kty}" and crv "${wanted.crv}" with ${parts.join(", ")}`,
    );
  // What else the JWK says (use, key_ops, alg) was said for other programs.
  const jwk = { ...wanted, ...Object.fromEntries(parts.map((part) => [part, written[part]])) } as JsonWebKey;
  return () => crypto.subtle.importKey("jwk", jwk, kind.key, false, ["sign"]);
};

/** 32 bytes in base64url (RFC 7518 section 6.2, RFC 8037 section 2). */
const isCoordinate = (value: unknown): boolean =>
  typeof value === "string" && /^[A-Za-z0-9_-]{43}$/.test(value);

const jsonObject = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
};
