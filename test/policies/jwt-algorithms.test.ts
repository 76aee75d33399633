import { beforeAll, describe, expect, it } from "vitest";
import { fakePorts } from "../support/ports.ts";
import {
  codeOf,
  goodClaims,
  hmac,
  issuerWith,
  judge,
  linkJwt,
  makeKey,
  part,
  type SigningKey,
  secretIssuer,
  sign,
  withSecret,
} from "./jwt-support.ts";

let es: SigningKey;
let rs: SigningKey;
let ps: SigningKey;
beforeAll(async () => {
  [es, rs, ps] = await Promise.all([
    makeKey("ES256", "ES256"),
    makeKey("RS256", "RS256"),
    makeKey("PS256", "PS256"),
  ]);
});

/** DER of a public key, and the same as PEM: what an attacker can get hold of, used as a secret. */
const derOf = async (key: SigningKey): Promise<Buffer> => {
  const imported = await crypto.subtle.importKey(
    "jwk",
    key.jwk as JsonWebKey,
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    true,
    ["verify"],
  );
  return Buffer.from(await crypto.subtle.exportKey("spki", imported));
};
const pem = (der: Buffer): string =>
  `-----BEGIN PUBLIC KEY-----\n${der.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END PUBLIC KEY-----\n`;
const signWith = (secret: Uint8Array, header: object): Promise<string> =>
  sign({ alg: "HS256", sign: secret, jwk: { kty: "oct" } }, goodClaims, header as Record<string, unknown>);

describe("S11: the token does not choose how it is checked", () => {
  const kid = { kid: "RS256" };
  it.each<[string, () => Promise<string>]>([
    [
      "HS256 with the PEM of the public key as secret",
      async () => signWith(Buffer.from(pem(await derOf(rs))), kid),
    ],
    ["HS256 with its DER as secret", async () => signWith(await derOf(rs), kid)],
    [
      "HS256 with its modulus as secret",
      async () => signWith(Buffer.from(rs.jwk["n"] as string, "base64url"), kid),
    ],
    ["alg none", async () => `${part({ alg: "none" })}.${part(goodClaims)}.`],
    ["alg None with a signature", async () => `${part({ alg: "None", ...kid })}.${part(goodClaims)}.AAAA`],
    ["no alg", async () => `${part(kid)}.${part(goodClaims)}.AAAA`],
    [
      "alg of another type than text",
      async () => `${part({ alg: ["RS256"], ...kid })}.${part(goodClaims)}.AAAA`,
    ],
    ["alg constructor", async () => `${part({ alg: "constructor", ...kid })}.${part(goodClaims)}.AAAA`],
    [
      "an algorithm that the key's type has, and the issuer does not allow",
      async () => sign({ ...ps, jwk: rs.jwk }, goodClaims, kid),
    ],
    ["a key of another issuer under a kid of this one", async () => sign(await makeKey("RS256", "RS256"))],
    ["a kid of another issuer", async () => sign(rs, goodClaims, { kid: "other" })],
    ["a kid that is no text", async () => sign(rs, goodClaims, { kid: 1 })],
    ["a kid of a JavaScript property", async () => sign(rs, goodClaims, { kid: "__proto__" })],
  ])("refuses %s", async (_, make) => {
    const verdict = await judge(linkJwt([issuerWith([rs, es])]), await make());
    expect(verdict).toMatchObject({ outcome: "refused", status: 401 });
  });

  it.each(["jwk", "jku", "x5u", "x5c"])("never uses a key from the %s of a token", async (name) => {
    const other = await makeKey("RS256", "RS256");
    const value = {
      jwk: other.jwk,
      jku: "https://evil.example/jwks",
      x5u: "https://evil.example/x5u",
      x5c: ["MIIB"],
    }[name];
    const network = () => {
      throw new Error("the network was used");
    };
    const policy = linkJwt([issuerWith([rs])], {}, fakePorts({ network }));
    const token = await sign(other, goodClaims, { [name]: value });
    expect(codeOf(await judge(policy, token))).toBe("token-signature");
  });

  it.each<[string, Record<string, unknown>]>([
    ["an extension that is unknown", { crit: ["exp"], exp: 1 }],
    ["an empty list of extensions", { crit: [] }],
    ["an unencoded payload", { b64: false, crit: ["b64"] }],
    ["an unencoded payload that is not called critical", { b64: false }],
    ["a kid that is no text", { kid: 1 }],
    ["a typ that is no text", { typ: ["JWT"] }],
  ])("refuses %s", async (_, header) => {
    const [, payload, signature] = (await sign(es)).split(".");
    const token = `${part({ alg: "ES256", kid: "ES256", ...header })}.${payload}.${signature}`;
    expect(codeOf(await judge(linkJwt([issuerWith([es])]), token))).toBe("token-malformed");
  });

  it.each<[string, (key: SigningKey) => Record<string, unknown>]>([
    ["for another algorithm", () => ({ alg: "RS384" })],
    ["for encryption", () => ({ use: "enc" })],
    ["for signing only", () => ({ key_ops: ["sign"] })],
    ["with its private part", () => ({ d: "AQAB" })],
    ["with the exponent 1", () => ({ e: "AQ" })],
    [
      "of 1024 bits",
      ({ jwk }) => ({
        n: Buffer.from(jwk["n"] as string, "base64url")
          .subarray(0, 128)
          .toString("base64url"),
      }),
    ],
    ["of another curve", () => ({ kty: "EC", crv: "P-384" })],
  ])("never uses a key %s", async (_, change) => {
    const weak = { ...rs, jwk: { ...rs.jwk, ...change(rs) } as SigningKey["jwk"] };
    expect(codeOf(await judge(linkJwt([issuerWith([weak])]), await sign(rs)))).toBe("token-signature");
  });

  it("uses a key without alg for every algorithm of its type that the issuer allows", async () => {
    const plan = issuerWith([rs], { algorithms: ["RS256", "PS512"] });
    const imported = await crypto.subtle.importKey(
      "jwk",
      { ...(await crypto.subtle.exportKey("jwk", rs.sign as CryptoKey)), alg: "PS512" },
      { name: "RSA-PSS", hash: "SHA-512" },
      false,
      ["sign"],
    );
    const token = await sign({ alg: "PS512", sign: imported, jwk: rs.jwk });
    expect(codeOf(await judge(linkJwt([plan]), token))).toBe("passed");
    expect(codeOf(await judge(linkJwt([issuerWith([rs])]), token))).toBe("token-signature");
  });

  it("tries the keys of the type for a token without kid", async () => {
    const second = await makeKey("ES256", "second");
    const policy = linkJwt([issuerWith([es, second])]);
    expect(codeOf(await judge(policy, await sign(second, goodClaims, { kid: undefined })))).toBe("passed");
  });

  it.each(["", "short", "thirty-one bytes, one too few !"])(
    "lets nobody in with the secret %j",
    async (value) => {
      const ports = withSecret(value);
      const policy = linkJwt([secretIssuer("HS256")], {}, ports);
      const verdict = await judge(policy, await sign(hmac("HS256"), goodClaims, { kid: undefined }));
      expect(verdict).toMatchObject({ outcome: "refused", status: 503, code: "issuer-unavailable" });
      expect(JSON.stringify(ports.records)).toContain("missing or unfit");
    },
  );
});
