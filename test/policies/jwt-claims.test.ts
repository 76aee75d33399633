import { beforeAll, describe, expect, it } from "vitest";
import {
  codeOf,
  goodClaims,
  issuerWith,
  judge,
  linkJwt,
  makeKey,
  NOW,
  type SigningKey,
  sign,
} from "./jwt-support.ts";

let es: SigningKey;
beforeAll(async () => {
  es = await makeKey("ES256");
});

describe("S12: claims", () => {
  const inExactly = (seconds: number) => NOW + seconds;
  it.each<[string, Record<string, unknown>, string]>([
    ["exp missing", { exp: undefined }, "token-claims"],
    ["exp as text", { exp: "9999999999" }, "token-claims"],
    ["exp true", { exp: true }, "token-claims"],
    ["exp null", { exp: null }, "token-claims"],
    ["exp in a list", { exp: [9999999999] }, "token-claims"],
    ["exp 0", { exp: 0 }, "token-expired"],
    ["exp negative", { exp: -1 }, "token-expired"],
    ["exp now", { exp: inExactly(0) }, "token-expired"],
    ["exp a second ago", { exp: inExactly(-1) }, "token-expired"],
    ["exp in a second", { exp: inExactly(1) }, "passed"],
    ["exp with a fraction", { exp: inExactly(0.5) }, "passed"],
    ["nbf in a second", { nbf: inExactly(1) }, "token-not-yet-valid"],
    ["nbf now", { nbf: inExactly(0) }, "passed"],
    ["nbf as text", { nbf: "0" }, "token-claims"],
    ["nbf null", { nbf: null }, "token-claims"],
    ["iat as text", { iat: "0" }, "token-claims"],
    ["iat missing", { iat: undefined }, "passed"],
    ["iss with one slash less", { iss: "https://login.example.com" }, "token-issuer"],
    ["iss in capitals", { iss: "https://LOGIN.example.com/" }, "token-issuer"],
    ["iss missing", { iss: undefined }, "token-issuer"],
    ["iss in a list", { iss: ["https://login.example.com/"] }, "token-issuer"],
    ["aud missing", { aud: undefined }, "token-audience"],
    ["aud of another", { aud: "other-api" }, "token-audience"],
    ["aud empty", { aud: [] }, "token-audience"],
    ["aud the second of the issuer's", { aud: "staff-api" }, "passed"],
    ["aud a list with one of ours", { aud: ["other-api", "staff-api"] }, "passed"],
    ["aud a list with a number", { aud: ["shop-api", 1] }, "token-audience"],
    ["aud a prefix", { aud: "shop" }, "token-audience"],
    ["aud a map", { aud: { "shop-api": true } }, "token-audience"],
    ["sub missing", { sub: undefined }, "token-claims"],
    ["sub empty", { sub: "" }, "token-claims"],
    ["sub a number", { sub: 42 }, "token-claims"],
  ])("%s → %s", async (_, change, wanted) => {
    const token = await sign(es, { ...goodClaims, ...change });
    expect(codeOf(await judge(linkJwt([issuerWith([es])]), token))).toBe(wanted);
  });

  it.each<[string, string, string]>([
    ["exp 1e400, which JSON reads as infinity", `{"exp":1e400}`, "token-claims"],
    ["two exp, of which the last counts", `{"exp":9999999999,"exp":1}`, "token-expired"],
    ["claims behind __proto__", `{"__proto__":{"exp":9999999999}}`, "token-claims"],
  ])("%s → %s", async (_, members, wanted) => {
    const rest = JSON.stringify({ ...goodClaims, exp: undefined }).slice(1);
    const token = await sign(es, `${members.slice(0, -1)},${rest}`);
    expect(codeOf(await judge(linkJwt([issuerWith([es])]), token))).toBe(wanted);
  });

  it.each<[string, string]>([
    ["a list", "[]"],
    ["null", "null"],
    ["text", '"x"'],
    ["no JSON", "{"],
    ["a byte order mark", `\uFEFF${JSON.stringify(goodClaims)}`],
  ])("refuses a payload that is %s", async (_, payload) => {
    expect(codeOf(await judge(linkJwt([issuerWith([es])]), await sign(es, payload)))).toBe("token-malformed");
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["exp 29 s ago", { exp: NOW - 29 }, "passed"],
    ["exp 30 s ago", { exp: NOW - 30 }, "token-expired"],
    ["nbf in 30 s", { nbf: NOW + 30 }, "passed"],
    ["nbf in 31 s", { nbf: NOW + 31 }, "token-not-yet-valid"],
  ])("with a clock skew of 30 s: %s → %s", async (_, change, wanted) => {
    const policy = linkJwt([issuerWith([es], { clockSkewMs: 30_000 })]);
    expect(codeOf(await judge(policy, await sign(es, { ...goodClaims, ...change })))).toBe(wanted);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["just as long", { exp: NOW + 3600 }, "passed"],
    ["a second longer", { exp: NOW + 3601 }, "token-claims"],
    ["without iat", { iat: undefined }, "token-claims"],
    ["from the future", { iat: NOW + 1, exp: NOW + 2 }, "token-not-yet-valid"],
  ])("with a longest life of 1 h: %s → %s", async (_, change, wanted) => {
    const policy = linkJwt([issuerWith([es], { maxLifetimeMs: 3_600_000 })]);
    expect(codeOf(await judge(policy, await sign(es, { ...goodClaims, ...change })))).toBe(wanted);
  });

  it.each([
    ["at+jwt", "passed"],
    ["application/at+jwt", "passed"],
    ["AT+JWT", "passed"],
    ["JWT", "token-type"],
    [undefined, "token-type"],
  ])("with type at+jwt: %s → %s", async (typ, wanted) => {
    const policy = linkJwt([issuerWith([es], { type: "at+jwt" })]);
    expect(codeOf(await judge(policy, await sign(es, goodClaims, { typ })))).toBe(wanted);
  });
});
