import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { VerifiedTokens } from "../../src/policies/jwt/verified-tokens.ts";
import { readKey, type VerifyKey } from "../../src/policies/jwt/verify-key.ts";
import { fakePorts, fakeSite } from "../support/ports.ts";
import {
  bearing,
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
let key: VerifyKey;

beforeAll(async () => {
  es = await makeKey("ES256");
  key = readKey(es.jwk)!;
});

const verified = (expiresAtMs = 1000, under = key) => ({
  caller: { subject: "42", audiences: [], claims: {}, expiresAtMs },
  key: under,
  verdicts: new Map(),
});

describe("the table of verified tokens", () => {
  it.each([
    [999, true],
    [1000, false],
    [1001, false],
  ])("an entry that ends at 1000 is there at %d: %s", (nowMs, there) => {
    const tokens = new VerifiedTokens(10_000);
    tokens.add("a", verified());
    expect(tokens.get("a", nowMs) !== undefined).toBe(there);
    expect(tokens.bytes > 0).toBe(there);
  });
  it("an entry ends with its key", () => {
    const tokens = new VerifiedTokens(10_000);
    const other = readKey({ ...es.jwk, kid: "other" })!;
    tokens.add("a", verified(1000, other));
    tokens.add("b", verified());
    other.alive = false;
    expect(tokens.get("a", 0)).toBeUndefined();
    expect(tokens.get("b", 0)).toBeDefined();
  });
  it.each([
    ["a prefix", "abc", "ab"],
    ["a longer one", "abc", "abcd"],
    ["one with the same end", "a.b.c", "x.b.c"],
    ["another case", "abc", "abC"],
    ["the name of a property", "abc", "constructor"],
  ])("a token is never taken for %s", (_, one, other) => {
    const tokens = new VerifiedTokens(10_000);
    tokens.add(one, verified());
    expect(tokens.get(other, 0)).toBeUndefined();
  });
  it("the oldest goes first, but one that was used gets a second chance", () => {
    const tokens = new VerifiedTokens(4 * (512 + 4));
    for (const token of ["a", "b", "c", "d"]) tokens.add(token, verified());
    tokens.get("a", 0);
    tokens.add("e", verified());
    expect(["a", "b", "c", "d", "e"].filter((token) => tokens.get(token, 0))).toEqual(["a", "c", "d", "e"]);
  });
  it("what is larger than the table is not kept", () => {
    const tokens = new VerifiedTokens(1000);
    tokens.add("x".repeat(1000), verified());
    expect(tokens.bytes).toBe(0);
  });
  it("verdicts take room too", () => {
    const tokens = new VerifiedTokens(2000);
    tokens.add("a", verified());
    for (let route = 0; route < 10; route++) tokens.addVerdict("a", {}, { outcome: "absent" });
    expect(tokens.bytes).toBeLessThanOrEqual(2000);
  });
  it("never holds more bytes than it may, and counts them right", () => {
    const operation = fc.record({
      token: fc.string({ maxLength: 200 }),
      verdict: fc.boolean(),
      nowMs: fc.nat(2000),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const tokens = new VerifiedTokens(5000);
        for (const { token, verdict, nowMs } of operations) {
          if (verdict) tokens.addVerdict(token, {}, { outcome: "absent" });
          else if (nowMs > 500 || tokens.get(token, nowMs) === undefined) tokens.add(token, verified());
          expect(tokens.bytes).toBeLessThanOrEqual(5000);
        }
        for (const { token } of operations) tokens.get(token, 1000);
        expect(tokens.bytes).toBe(0);
      }),
    );
  });
});

describe("S15: remembered tokens", () => {
  it("a token is verified once, and judged for each route by itself", async () => {
    const verify = vi.spyOn(crypto.subtle, "verify");
    const plan = issuerWith([es]);
    const site = fakeSite({ main: plan });
    const ports = fakePorts();
    const open = linkJwt([plan], {}, ports, site);
    const scoped = linkJwt([plan], { scopes: { any: ["a"], all: [] } }, ports, site);
    const forwarding = linkJwt([plan], { forward: { "x-user-id": "sub" } }, ports, site);
    const token = await sign(es);
    for (let round = 0; round < 3; round++) {
      expect(await judge(open, token)).toMatchObject({ outcome: "passed", edits: [] });
      expect(codeOf(await judge(scoped, token))).toBe("insufficient-scope");
      expect(await judge(forwarding, token)).toMatchObject({
        edits: [{ op: "set", name: "x-user-id", value: "42" }],
      });
    }
    expect(verify).toHaveBeenCalledTimes(1);
    verify.mockRestore();
  });
  it("tokens with the same claims and different signatures do not share an entry", async () => {
    const policy = linkJwt([issuerWith([es])]);
    const token = await sign(es);
    await judge(policy, token);
    const [head, payload] = token.split(".");
    const forged = `${head}.${payload}.${"A".repeat(86)}`;
    expect(codeOf(await judge(policy, forged))).toBe("token-signature");
  });
  it("tokens with the same signature and different claims do not share an entry", async () => {
    const policy = linkJwt([issuerWith([es])]);
    const token = await sign(es);
    await judge(policy, token);
    const [head, , signature] = token.split(".");
    const other = Buffer.from(JSON.stringify({ ...goodClaims, sub: "admin" })).toString("base64url");
    expect(codeOf(await judge(policy, `${head}.${other}.${signature}`))).toBe("token-signature");
  });
  it("a token that one issuer verified means nothing to another of the same iss", async () => {
    const other = await makeKey("ES256", "other");
    const first = issuerWith([es]);
    const second = issuerWith([other], { name: "second" });
    const site = fakeSite({ main: first, second });
    const ports = fakePorts();
    const token = await sign(es);
    expect(codeOf(await judge(linkJwt([first], {}, ports, site), token))).toBe("passed");
    expect(codeOf(await judge(linkJwt([second], {}, ports, site), token))).toBe("token-signature");
  });
  it("a remembered token ends when it expires, the clock skew included", async () => {
    const ports = fakePorts();
    const policy = linkJwt([issuerWith([es], { clockSkewMs: 5000 })], {}, ports);
    const token = await sign(es, { ...goodClaims, exp: NOW + 10 });
    expect(codeOf(await judge(policy, token))).toBe("passed");
    ports.clock.advance(14_999);
    expect(policy.authenticate(bearing(token))).toMatchObject({ outcome: "passed" });
    ports.clock.advance(1);
    expect(codeOf(await judge(policy, token))).toBe("token-expired");
  });
  it("a refused token is not remembered", async () => {
    const verify = vi.spyOn(crypto.subtle, "verify");
    const policy = linkJwt([issuerWith([es])]);
    const token = await sign(es, { ...goodClaims, exp: 1 });
    await judge(policy, token);
    await judge(policy, token);
    expect(verify).toHaveBeenCalledTimes(2);
    verify.mockRestore();
  });
});
