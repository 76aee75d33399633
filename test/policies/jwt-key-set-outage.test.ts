import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { codeOf, keySetOf, makeKey, type SigningKey, sign, world } from "./jwt-support.ts";

let k1: SigningKey;
let k2: SigningKey;
let stranger: SigningKey;

beforeAll(async () => {
  [k1, k2, stranger] = await Promise.all([
    makeKey("ES256", "k1"),
    makeKey("ES256", "k2"),
    makeKey("ES256", "unknown"),
  ]);
});
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const down = (): Response => new Response("down", { status: 503 });

describe("S14: floods and outages", () => {
  it("10,000 unknown kids cause one fetch in a cooldown, and the known key goes on", async () => {
    const { ask, askWith, calls, clock, long } = world(k1);
    await ask(k1);
    const [head, ...rest] = (await sign(stranger, long)).split(".");
    const header = JSON.parse(Buffer.from(head!, "base64url").toString());
    const flood = (kid: string) =>
      askWith([Buffer.from(JSON.stringify({ ...header, kid })).toString("base64url"), ...rest].join("."));
    for (let round = 1; round <= 3; round++) {
      const codes = new Set<string>();
      for (let at = 0; at < 3334; at++) codes.add(codeOf(await flood(`${round}-${at}`)));
      expect([...codes]).toEqual(["token-signature"]);
      expect(calls).toHaveLength(1 + round);
      expect(codeOf(await ask(k1))).toBe("passed");
      clock.advance(30_000);
    }
  });
  it("from the cold too, and all at once", async () => {
    const { askWith, calls, long } = world(k1);
    const tokens = await Promise.all(
      Array.from({ length: 200 }, (_, at) => sign(stranger, long, { kid: `u${at}` })),
    );
    const codes = await Promise.all(tokens.map(async (token) => codeOf(await askWith(token))));
    expect(new Set(codes)).toEqual(new Set(["token-signature"]));
    await askWith(tokens[0]!);
    expect(calls).toHaveLength(1);
  });
  it("an issuer that is away for an hour: known keys hold, unknown ones are 503, one try in a cooldown", async () => {
    const { ask, calls, clock, issuer, settle } = world(k1);
    await ask(k1);
    issuer.answer = down;
    for (let second = 0; second < 3600; second += 10) {
      clock.advance(10_000);
      expect(codeOf(await ask(k1))).toBe("passed");
      await settle();
    }
    expect(await ask(stranger)).toMatchObject({ status: 503, code: "issuer-unavailable" });
    expect(calls.length).toBeGreaterThan(90);
    expect(calls.length).toBeLessThanOrEqual(1 + 3600 / 30);
    issuer.answer = () => keySetOf([k2]);
    clock.advance(30_000);
    await ask(k1);
    await settle();
    expect(codeOf(await ask(k1))).toBe("token-signature");
    expect(codeOf(await ask(k2))).toBe("passed");
  });
  it("an issuer that was never there: nobody passes, 503 with the time to come back", async () => {
    const { ask, calls, clock, issuer, ports } = world(k1);
    issuer.answer = down;
    expect(await ask(k1)).toMatchObject({ status: 503, code: "issuer-unavailable", retryAfterSeconds: 30 });
    clock.advance(20_000);
    expect(await ask(k1)).toMatchObject({ status: 503, retryAfterSeconds: 10 });
    expect(calls).toHaveLength(1);
    expect(ports.records).toEqual([
      expect.objectContaining({ level: "warn", issuer: "main", reason: "status 503" }),
    ]);
    clock.advance(10_000);
    issuer.answer = () => keySetOf([k1]);
    expect(codeOf(await ask(k1))).toBe("passed");
  });
  it.each<[string, () => Response | Promise<Response>, string]>([
    [
      "a redirect",
      () => new Response(null, { status: 302, headers: { location: "https://evil.example/" } }),
      "status 302",
    ],
    ["204", () => new Response(null, { status: 204 }), "status 204"],
    ["a page", () => new Response("<html>"), "not a key set"],
    ["a list", () => Response.json([]), "not a key set"],
    ["null", () => Response.json(null), "not a key set"],
    ["keys that are no list", () => Response.json({ keys: {} }), "not a key set"],
    [
      "secrets beside public keys",
      () => Response.json({ keys: [k1.jwk, { kty: "oct", k: "AAAA" }] }),
      "not a key set",
    ],
    ["no body", () => new Response(null), "not a key set"],
    [
      "more than 64 KiB",
      () => Response.json({ keys: [k1.jwk], pad: "x".repeat(65_536) }),
      "longer than 64 KiB",
    ],
    [
      "more than 64 KiB under a wrong Content-Length",
      () => new Response(`{"keys":[]}${" ".repeat(65_536)}`, { headers: { "content-length": "11" } }),
      "longer than 64 KiB",
    ],
    ["no connection", () => Promise.reject(new TypeError("refused")), "refused"],
  ])("%s is no key set", async (_, answer, reason) => {
    const { ask, issuer, ports } = world(k1);
    issuer.answer = answer;
    expect(await ask(k1)).toMatchObject({ status: 503, code: "issuer-unavailable" });
    expect(ports.records[0]).toMatchObject({ reason });
  });
  it("gives up an endless body", async () => {
    const { ask, issuer, ports } = world(k1);
    const cancelled = vi.fn();
    const endless = () =>
      new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(16_384)), cancel: cancelled });
    issuer.answer = () => new Response(endless());
    expect(codeOf(await ask(k1))).toBe("issuer-unavailable");
    expect(cancelled).toHaveBeenCalled();
    expect(ports.records[0]).toMatchObject({ reason: "longer than 64 KiB" });
  });
  it.each<[string, () => object[]]>([
    ["keys of unknown types", () => [{ kty: "AKP" }, { kty: "X" }, null, 1] as object[]],
    ["keys without members", () => [{ kty: "EC", crv: "P-256" }, { kty: "RSA" }]],
    ["points off their curve", () => [{ ...k1.jwk, kid: "bad", y: k1.jwk["x"] }]],
    ["weak keys", () => [{ kty: "RSA", n: "rJBI", e: "AQAB", kid: "weak" }]],
  ])("passes over %s beside a good one", async (_, others) => {
    const { ask, issuer } = world(k1);
    issuer.answer = () => Response.json({ keys: [...others(), k1.jwk] });
    expect(codeOf(await ask(k1))).toBe("passed");
  });
  it("uses none of two different keys of one name", async () => {
    const { ask, issuer } = world(k1);
    issuer.answer = () => Response.json({ keys: [k1.jwk, { ...k2.jwk, kid: "k1" }] });
    expect(codeOf(await ask(k1))).toBe("token-signature");
  });
});
