import type { CallerPlan } from "../../core/caller.ts";
import type { Ports } from "../../core/ports.ts";

/** The algorithms by their names in RFC 9421 section 3.3; the senders of webhooks use the first. */
export type AlgorithmName = "hmac-sha256" | "ed25519" | "ecdsa-p256-sha256";

/** A key that may have signed, as it stands in the plan: the name of a secret, or a public key as JWK. */
export type KeyPlan = {
  /** The `keyid` by which signatures name it. */
  readonly id: string | null;
  readonly caller: CallerPlan;
  readonly secret?: string;
  readonly jwk?: { readonly [member: string]: string };
};

/** Fewer bytes could be found out from what they signed (RFC 7518 section 3.2); senders of webhooks make up shorter ones. */
const FEWEST_BYTES = { rfc9421: 32, github: 16, stripe: 16 } as const;

const HMAC = { name: "HMAC", hash: "SHA-256" };
const ECDSA = { name: "ECDSA", hash: "SHA-256", namedCurve: "P-256" };
const ED25519 = { name: "Ed25519" };

/** A key when linked. */
export class SigningKey {
  readonly id: string | undefined;
  readonly algorithm: AlgorithmName;
  readonly caller: CallerPlan;
  /** Names the key among all of the gateway's. */
  readonly tag: string;
  readonly #parameters: typeof HMAC | typeof ECDSA | typeof ED25519;
  readonly #import: () => Promise<CryptoKey>;
  /** A CryptoKey, unlike a promise of one, may pass from request to request. */
  #imported: CryptoKey | undefined;

  constructor(plan: KeyPlan, material: Uint8Array<ArrayBuffer> | JsonWebKey) {
    this.id = plan.id ?? undefined;
    this.caller = plan.caller;
    this.tag = plan.secret ?? plan.jwk!["x"]!;
    const raw = material instanceof Uint8Array ? material : undefined;
    const isCurve = plan.jwk?.["kty"] === "EC";
    this.algorithm = raw !== undefined ? "hmac-sha256" : isCurve ? "ecdsa-p256-sha256" : "ed25519";
    this.#parameters = raw !== undefined ? HMAC : isCurve ? ECDSA : ED25519;
    this.#import = () =>
      raw === undefined
        ? crypto.subtle.importKey("jwk", material as JsonWebKey, this.#parameters, false, ["verify"])
        : crypto.subtle.importKey("raw", raw, this.#parameters, false, ["verify"]);
  }

  /** Whether a signature is this key's, compared in constant time. Never rejects: a key that is none has signed nothing. */
  async hasSigned(data: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>): Promise<boolean> {
    try {
      this.#imported ??= await this.#import();
      return await crypto.subtle.verify(this.#parameters, this.#imported, signature, data);
    } catch {
      return false;
    }
  }
}

/** The first of some keys that made a signature. */
export const signerOf = async (
  keys: readonly SigningKey[],
  data: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<SigningKey | undefined> => {
  for (const key of keys) if (await key.hasSigned(data, signature)) return key;
  return undefined;
};

/** Links keys. A secret that will not do is left out, and the log says why without quoting it. */
export const linkKeys = (
  scheme: keyof typeof FEWEST_BYTES,
  plans: readonly KeyPlan[],
  ports: Ports,
): readonly SigningKey[] =>
  plans.flatMap((plan) => {
    if (plan.jwk !== undefined) return [new SigningKey(plan, plan.jwk)];
    const bytes = new TextEncoder().encode(ports.secrets.get(plan.secret!));
    if (bytes.byteLength >= FEWEST_BYTES[scheme]) return [new SigningKey(plan, bytes)];
    ports.log.write({
      level: "error",
      message: `The secret ${plan.secret} signs requests, has ${bytes.byteLength} bytes, and needs at least ${FEWEST_BYTES[scheme]}.`,
    });
    return [];
  });
