import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Verdict } from "../../src/core/identity.ts";
import type { Step } from "../../src/policies/jwt/filter.ts";
import type { IssuerPlan } from "../../src/policies/jwt/issuer-plan.ts";
import { fakePorts } from "../support/ports.ts";
import {
  bearing,
  codeOf,
  goodClaims,
  keySetOf,
  linkJwt,
  makeKey,
  remoteIssuer,
  type SigningKey,
  sign,
} from "./jwt-support.ts";

const MINUTE = 60_000;

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

/** An issuer whose answers a test sets, in front of a policy. */
const world = (plan: IssuerPlan = remoteIssuer(), step: Partial<Step> = {}) => {
  const calls: { url: string; init: RequestInit | undefined }[] = [];
  const issuer = { answer: (): Response | Promise<Response> => keySetOf([k1]) };
  const ports = fakePorts({
    network: (url, init) => {
      calls.push({ url, init });
      return issuer.answer();
    },
  });
  const policy = linkJwt([plan], step, ports);
  const deferred: Promise<unknown>[] = [];
  const long = { ...goodClaims, exp: goodClaims.exp + 1_000_000 };
  /** A fresh token each time, so that no remembered one hides the key set. */
  const ask = async (key: SigningKey, header = {}): Promise<Verdict> => {
    const token = await sign(key, { ...long, jti: String(Math.random()) }, header);
    return askWith(token);
  };
  const askWith = async (token: string): Promise<Verdict> => {
    const exchange = bearing(token);
    const verdict = await policy.authenticate(exchange);
    deferred.push(...exchange.deferred);
    return verdict;
  };
  const settle = () => Promise.all(deferred.splice(0));
  return { ports, policy, issuer, calls, ask, askWith, settle, long, clock: ports.clock };
};

const down = (): Response => new Response("down", { status: 503 });

describe("the key set of an issuer", () => {
  it("is fetched when it is first needed, without following redirects", async () => {
    const { ask, calls } = world();
    expect(calls).toEqual([]);
    expect(codeOf(await ask(k1))).toBe("passed");
    expect(codeOf(await ask(k1))).toBe("passed");
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({ url: "https://login.example.com/jwks", init: { redirect: "manual" } });
  });

  it("is asked for on the network that the plan names", async () => {
    const opened: unknown[] = [];
    const fetcher = { fetch: async () => keySetOf([k1]) };
    const ports = fakePorts({
      fetch: {
        open: (address) => {
          opened.push(address);
          return fetcher;
        },
      },
    });
    const plan = remoteIssuer({
      jwks: { url: "http://10.0.0.1/jwks", network: "private", maxAgeMs: 1, cooldownMs: 1 },
    });
    await linkJwt([plan], {}, ports).authenticate(bearing(await sign(k1)));
    expect(opened).toEqual([{ network: "private" }]);
  });

  it("is fetched once for any number of requests that need it at the same time", async () => {
    const { issuer, calls, askWith, long } = world();
    let deliver = (_: Response): void => {};
    issuer.answer = () => new Promise((resolve) => (deliver = resolve));
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, jti) => sign(k1, { ...long, jti })));
    const verdicts = tokens.map(askWith);
    await vi.advanceTimersByTimeAsync(1);
    deliver(keySetOf([k1]));
    expect((await Promise.all(verdicts)).map(codeOf)).toEqual(Array(20).fill("passed"));
    expect(calls).toHaveLength(1);
  });

  it("keeps its fetch alive when the request that began it is gone", async () => {
    const { policy } = world();
    const exchange = bearing(await sign(k1));
    void policy.authenticate(exchange);
    await vi.advanceTimersByTimeAsync(1);
    expect(exchange.deferred).toHaveLength(1);
  });

  it("wakes those who wait when the fetch never comes back, and lets the next one try", async () => {
    const { issuer, calls, askWith, clock, long } = world();
    issuer.answer = () => new Promise(() => {});
    const [first, second, third] = await Promise.all([1, 2, 3].map((jti) => sign(k1, { ...long, jti })));
    const verdicts = [askWith(first!), askWith(second!)];
    await vi.advanceTimersByTimeAsync(1);
    clock.advance(5000);
    await vi.advanceTimersByTimeAsync(6000);
    expect((await Promise.all(verdicts)).map(codeOf)).toEqual(["issuer-unavailable", "issuer-unavailable"]);
    expect(calls[0]!.init!.signal!.aborted).toBe(true);
    clock.advance(30_000);
    issuer.answer = () => keySetOf([k1]);
    expect(codeOf(await askWith(third!))).toBe("passed");
  });

  it("is refreshed in the background before it is too old, once", async () => {
    const { ask, calls, clock, issuer, settle } = world();
    await ask(k1);
    clock.advance(7.9 * MINUTE);
    await ask(k1);
    expect(calls).toHaveLength(1);
    clock.advance(0.2 * MINUTE);
    let deliver = (_: Response): void => {};
    issuer.answer = () => new Promise((resolve) => (deliver = resolve));
    expect(codeOf(await ask(k1))).toBe("passed");
    expect(codeOf(await ask(k1))).toBe("passed");
    expect(calls).toHaveLength(2);
    deliver(keySetOf([k1, k2]));
    await settle();
    expect(codeOf(await ask(k2))).toBe("passed");
    expect(calls).toHaveLength(2);
  });

  it("is refreshed in the background by remembered tokens too", async () => {
    const { askWith, calls, clock, long, settle } = world();
    const token = await sign(k1, long);
    await askWith(token);
    clock.advance(9 * MINUTE);
    expect(codeOf(await askWith(token))).toBe("passed");
    await settle();
    expect(calls).toHaveLength(2);
  });

  it("is looked at again before it is used, when nobody looked for longer than its age", async () => {
    const { ask, askWith, calls, clock, issuer, long } = world();
    const remembered = await sign(k1, long);
    await askWith(remembered);
    issuer.answer = () => keySetOf([k2]);
    clock.advance(60 * MINUTE);
    expect(codeOf(await askWith(remembered))).toBe("token-signature");
    expect(codeOf(await ask(k2))).toBe("passed");
    expect(calls).toHaveLength(2);
  });
});

describe("rotation", () => {
  it("costs no request: a token under a new key is good at once", async () => {
    const { ask, calls, clock, issuer } = world();
    await ask(k1);
    clock.advance(10_000);
    issuer.answer = () => keySetOf([k1, k2]);
    expect(codeOf(await ask(k2))).toBe("passed");
    expect(codeOf(await ask(k1))).toBe("passed");
    expect(calls).toHaveLength(2);
  });
  it("holds for requests that come while the new key is fetched", async () => {
    const { ask, calls, issuer } = world();
    await ask(k1);
    let deliver = (_: Response): void => {};
    issuer.answer = () => new Promise((resolve) => (deliver = resolve));
    const verdicts = [ask(k2), ask(k2), ask(k2)];
    await vi.advanceTimersByTimeAsync(1);
    while (calls.length < 2) await vi.advanceTimersByTimeAsync(1);
    deliver(keySetOf([k2]));
    expect((await Promise.all(verdicts)).map(codeOf)).toEqual(["passed", "passed", "passed"]);
    expect(calls).toHaveLength(2);
  });
  it("ends the tokens of a key that is gone, remembered ones too", async () => {
    const { ask, askWith, clock, issuer, long, settle } = world();
    const token = await sign(k1, long);
    expect(codeOf(await askWith(token))).toBe("passed");
    issuer.answer = () => keySetOf([k2]);
    clock.advance(9 * MINUTE);
    await ask(k1);
    await settle();
    expect(codeOf(await askWith(token))).toBe("token-signature");
  });
  it("leaves the remembered tokens of a key that stays", async () => {
    const { policy, ask, askWith, clock, issuer, long, settle } = world();
    const token = await sign(k1, long);
    await askWith(token);
    issuer.answer = () => keySetOf([k2, k1]);
    clock.advance(9 * MINUTE);
    await ask(k1);
    await settle();
    expect(policy.authenticate(bearing(token))).toMatchObject({ outcome: "passed" });
  });
});

describe("S14: floods and outages", () => {
  it("10,000 unknown kids cause one fetch in a cooldown, and the known key goes on", async () => {
    const { ask, askWith, calls, clock, long } = world();
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
    const { askWith, calls, long } = world();
    const tokens = await Promise.all(
      Array.from({ length: 200 }, (_, at) => sign(stranger, long, { kid: `u${at}` })),
    );
    const codes = await Promise.all(tokens.map(async (token) => codeOf(await askWith(token))));
    expect(new Set(codes)).toEqual(new Set(["token-signature"]));
    await askWith(tokens[0]!);
    expect(calls).toHaveLength(1);
  });
  it("an issuer that is away for an hour: known keys hold, unknown ones are 503, one try in a cooldown", async () => {
    const { ask, calls, clock, issuer, settle } = world();
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
    const { ask, calls, clock, issuer, ports } = world();
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
    const { ask, issuer, ports } = world();
    issuer.answer = answer;
    expect(await ask(k1)).toMatchObject({ status: 503, code: "issuer-unavailable" });
    expect(ports.records[0]).toMatchObject({ reason });
  });
  it("gives up an endless body", async () => {
    const { ask, issuer, ports } = world();
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
    const { ask, issuer } = world();
    issuer.answer = () => Response.json({ keys: [...others(), k1.jwk] });
    expect(codeOf(await ask(k1))).toBe("passed");
  });
  it("uses none of two different keys of one name", async () => {
    const { ask, issuer } = world();
    issuer.answer = () => Response.json({ keys: [k1.jwk, { ...k2.jwk, kid: "k1" }] });
    expect(codeOf(await ask(k1))).toBe("token-signature");
  });
});
