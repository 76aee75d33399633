import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { fakePorts } from "../support/ports.ts";
import {
  bearing,
  codeOf,
  keySetOf,
  linkJwt,
  makeKey,
  remoteIssuer,
  type SigningKey,
  sign,
  world,
} from "./jwt-support.ts";

const MINUTE = 60_000;

let k1: SigningKey;
let k2: SigningKey;

beforeAll(async () => {
  [k1, k2] = await Promise.all([makeKey("ES256", "k1"), makeKey("ES256", "k2")]);
});
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

describe("the key set of an issuer", () => {
  it("is fetched when it is first needed, without following redirects", async () => {
    const { ask, calls } = world(k1);
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
    const { issuer, calls, askWith, long } = world(k1);
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
    const { policy } = world(k1);
    const exchange = bearing(await sign(k1));
    void policy.authenticate(exchange);
    await vi.advanceTimersByTimeAsync(1);
    expect(exchange.deferred).toHaveLength(1);
  });

  it("wakes those who wait when the fetch never comes back, and lets the next one try", async () => {
    const { issuer, calls, askWith, clock, long } = world(k1);
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

  it("is not waited for without end when the request that fetches is torn down, timers and all", async () => {
    const { issuer, askWith, clock, long } = world(k1);
    const [first, second] = await Promise.all([1, 2].map((jti) => sign(k1, { ...long, jti })));
    issuer.answer = () => new Promise(() => {});
    void askWith(first!);
    await vi.advanceTimersByTimeAsync(1);
    vi.clearAllTimers();
    const verdict = askWith(second!);
    await vi.advanceTimersByTimeAsync(1);
    clock.advance(6000);
    await vi.advanceTimersByTimeAsync(6000);
    expect(await verdict).toMatchObject({ status: 503, retryAfterSeconds: 1 });
  });

  it("is refreshed in the background before it is too old, once", async () => {
    const { ask, calls, clock, issuer, settle } = world(k1);
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
    const { askWith, calls, clock, long, settle } = world(k1);
    const token = await sign(k1, long);
    await askWith(token);
    clock.advance(9 * MINUTE);
    expect(codeOf(await askWith(token))).toBe("passed");
    await settle();
    expect(calls).toHaveLength(2);
  });

  it("is looked at again before it is used, when nobody looked for longer than its age", async () => {
    const { ask, askWith, calls, clock, issuer, long } = world(k1);
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
    const { ask, calls, clock, issuer } = world(k1);
    await ask(k1);
    clock.advance(10_000);
    issuer.answer = () => keySetOf([k1, k2]);
    expect(codeOf(await ask(k2))).toBe("passed");
    expect(codeOf(await ask(k1))).toBe("passed");
    expect(calls).toHaveLength(2);
  });
  it("holds for requests that come while the new key is fetched", async () => {
    const { ask, calls, issuer } = world(k1);
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
    const { ask, askWith, clock, issuer, long, settle } = world(k1);
    const token = await sign(k1, long);
    expect(codeOf(await askWith(token))).toBe("passed");
    issuer.answer = () => keySetOf([k2]);
    clock.advance(9 * MINUTE);
    await ask(k1);
    await settle();
    expect(codeOf(await askWith(token))).toBe("token-signature");
  });
  it("leaves the remembered tokens of a key that stays", async () => {
    const { policy, ask, askWith, clock, issuer, long, settle } = world(k1);
    const token = await sign(k1, long);
    await askWith(token);
    issuer.answer = () => keySetOf([k2, k1]);
    clock.advance(9 * MINUTE);
    await ask(k1);
    await settle();
    expect(policy.authenticate(bearing(token))).toMatchObject({ outcome: "passed" });
  });
});
