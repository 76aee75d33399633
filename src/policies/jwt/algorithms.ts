/** The signature algorithms of RFC 7518 section 3.1 and RFC 8037 section 3.1 that may be allowed. `none` is not among them. */
export const ALGORITHM_NAMES = [
  "HS256",
  "HS384",
  "HS512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;

export type AlgorithmName = (typeof ALGORITHM_NAMES)[number];

/** What an algorithm asks of its key, and how WebCrypto knows it. */
export interface Algorithm {
  /** The only type of key that it takes (RFC 8725 section 3.1): no key serves two families. */
  readonly kty: "oct" | "RSA" | "EC" | "OKP";
  readonly crv?: string;
  /** Bytes of a signature, where they are fixed. */
  readonly signatureBytes?: number;
  /** HMAC only: a key shorter than the hash weakens it (RFC 7518 section 3.2). */
  readonly leastKeyBytes?: number;
  /** Parameters for `importKey` and `verify` alike; each reads the members that it knows. */
  readonly parameters: { readonly name: string } & Readonly<Record<string, unknown>>;
}

const ECDSA_BYTES: Readonly<Record<string, number>> = { "256": 64, "384": 96, "512": 132 };

const describe = (name: AlgorithmName): Algorithm => {
  const bits = name.slice(2);
  const hash = "SHA-" + bits;
  switch (name.slice(0, 2)) {
    case "HS":
      return { kty: "oct", leastKeyBytes: Number(bits) / 8, parameters: { name: "HMAC", hash } };
    case "RS":
      return { kty: "RSA", parameters: { name: "RSASSA-PKCS1-v1_5", hash } };
    case "PS":
      return { kty: "RSA", parameters: { name: "RSA-PSS", hash, saltLength: Number(bits) / 8 } };
    case "ES": {
      const crv = "P-" + (bits === "512" ? "521" : bits);
      return {
        kty: "EC",
        crv,
        signatureBytes: ECDSA_BYTES[bits]!,
        parameters: { name: "ECDSA", hash, namedCurve: crv },
      };
    }
    default:
      return { kty: "OKP", crv: "Ed25519", signatureBytes: 64, parameters: { name: "Ed25519" } };
  }
};

/** A Map, because names come from tokens, and an object would know `constructor`. */
export const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map(
  ALGORITHM_NAMES.map((name) => [name, describe(name)]),
);

/** Whether an algorithm uses one secret for signing and verifying. */
export const isSymmetric = (name: string): boolean => name.startsWith("HS");
