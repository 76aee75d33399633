import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** An issuer of the benchmark: signs with RS256, its public key stands in the policies. */
export interface BenchIssuer {
  readonly publicJwk: Readonly<Record<string, unknown>>;
  /** Makes tokens that differ in their subject. */
  tokens(count: number, name: string): Promise<string[]>;
}

export const ISSUER = "https://login.example.com/";
export const AUDIENCE = "shop-api";

export const makeIssuer = (): BenchIssuer => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const publicJwk = { ...publicKey.export({ format: "jwk" }), kid: "bench", alg: "RS256", use: "sig" };
  return {
    publicJwk,
    tokens: (count, name) =>
      Promise.all(Array.from({ length: count }, (_, index) => tokenOf(privateKey, `${name}-${index}`))),
  };
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

const tokenOf = (key: KeyObject, subject: string): Promise<string> => {
  const now = Math.floor(Date.now() / 1000);
  const input = `${encode({ alg: "RS256", typ: "JWT", kid: "bench" })}.${encode({
    iss: ISSUER,
    aud: AUDIENCE,
    sub: subject,
    iat: now,
    exp: now + 3600,
    scope: "items.read items.write",
    roles: ["customer"],
  })}`;
  return new Promise((resolve, reject) => {
    sign("sha256", Buffer.from(input), key, (error, signature) =>
      error === null ? resolve(`${input}.${signature.toString("base64url")}`) : reject(error),
    );
  });
};
