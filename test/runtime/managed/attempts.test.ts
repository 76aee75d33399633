import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { balancer as smoothWeightedRoundRobin } from "../../../src/balancers/smooth-weighted-round-robin.ts";
import type { UpstreamPlan } from "../../../src/core/upstream-plan.ts";
import type { RequestExchange } from "../../../src/runtime/exchange.ts";
import { linkManagedUpstream } from "../../../src/runtime/managed/upstream.ts";
import { type FakePorts, fakeExchange, fakePorts } from "../../support/ports.ts";

/** How a scripted target answers one request: with a status or a response, by failing, or never; at once or later. */
type Manner =
  | number
  | "refuses"
  | "stalls"
  | Response
  | { readonly afterMs: number; readonly answer: number };

interface Call {
  readonly target: string;
  readonly atMs: number;
  readonly method: string;
  readonly body: string | null;
}

const RETRY: NonNullable<UpstreamPlan["retry"]> = {
  retries: 2,
  onConnectError: true,
  onTimeout: true,
  statuses: [502, 503, 504],
  maxReplay: 64,
  backoff: { baseMs: 25, maxMs: 250 },
  budget: { share: 0.2, minimum: 3 },
};

const START_MS = Date.parse("2026-01-01T00:00:00Z");

/** An upstream whose targets a, b and c follow a script: each request takes the target's next manner, the last one for good. */
const stage = (plan: Partial<UpstreamPlan>, manners: Readonly<Record<string, readonly Manner[]>>) => {
  const calls: Call[] = [];
  const seen = new Map<string, number>();
  const cancelled: string[] = [];
  const ports: FakePorts = fakePorts({
    clock: { now: () => Date.now() } as never,
    random: { number: () => 0.5, uuid: () => "00000000-0000-4000-8000-000000000001" },
    network: async (url, init) => {
      const target = new URL(url).host;
      const body = init?.body == null ? null : await new Response(init.body).text();
      calls.push({ target, atMs: Date.now() - START_MS, method: init!.method!, body });
      const list = manners[target]!;
      const nth = seen.get(target) ?? 0;
      seen.set(target, nth + 1);
      const manner = list[Math.min(nth, list.length - 1)]!;
      if (manner === "refuses") throw new TypeError("connection refused");
      if (manner === "stalls") return new Promise<never>(() => {});
      if (manner instanceof Response) return manner;
      const { afterMs, answer } = typeof manner === "number" ? { afterMs: 0, answer: manner } : manner;
      if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
      const text = new ReadableStream({
        start: (it) => it.enqueue(new TextEncoder().encode(`${answer} of ${target}`)),
        cancel: () => void cancelled.push(`${answer} of ${target}`),
      });
      return new Response(text, { status: answer });
    },
  });
  const upstream = linkManagedUpstream(
    "orders",
    {
      balancer: { name: "smoothWeightedRoundRobin" },
      targets: Object.keys(manners).map((name) => ({
        name,
        weight: 1,
        origin: `http://${name}`,
        basePath: "",
      })),
      timeoutMs: 1000,
      ...plan,
    },
    { ports, balancers: { smoothWeightedRoundRobin }, parts: {} },
  );
  const send = (
    init: { method?: string; body?: BodyInit; headers?: Record<string, string>; timeoutMs?: number } = {},
  ) => {
    const { method = "GET", body = null, headers = {}, timeoutMs = upstream.timeoutMs } = init;
    const request = new Request("https://api.example.com/x", {
      method,
      body,
      headers,
      duplex: "half",
    } as never);
    const exchange = fakeExchange(request) as unknown as RequestExchange;
    const outgoing = {
      method,
      target: "/x",
      headers: new Headers(headers),
      body: request.body,
      host: undefined,
      timeoutMs,
      upgrade: false,
    };
    let answered: { status: number; atMs: number; code?: string | undefined } | undefined;
    const done = (async () => {
      const response = await upstream.send(exchange, outgoing);
      answered = { status: response.status, atMs: Date.now() - START_MS, code: exchange.problemCode };
      return response;
    })();
    return { done, exchange, answer: () => answered };
  };
  return { calls, cancelled, send };
};

beforeEach(() => {
  vi.useFakeTimers({ now: START_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

const targetsOf = (calls: readonly Call[]): string => calls.map(({ target }) => target).join("");

describe("what is tried again", () => {
  it.each<[string, Partial<UpstreamPlan>, readonly Manner[], string, number]>([
    ["nothing, without a word about it", {}, [503], "a", 503],
    ["a listed status, on another target", { retry: RETRY }, [503], "ab", 200],
    ["a connect error", { retry: RETRY }, ["refuses"], "ab", 200],
    ["a try over its time", { retry: { ...RETRY, perTryTimeoutMs: 100 } }, ["stalls"], "ab", 200],
    ["no status that is not listed", { retry: RETRY }, [500], "a", 500],
    ["no answer of a client's fault", { retry: RETRY }, [404], "a", 404],
    [
      "no connect error that is not listed",
      { retry: { ...RETRY, onConnectError: false } },
      ["refuses"],
      "a",
      502,
    ],
    [
      "no timeout that is not listed",
      { retry: { ...RETRY, onTimeout: false, perTryTimeoutMs: 100 } },
      ["stalls"],
      "a",
      504,
    ],
    [
      "no answer that is no answer, without connect-error",
      { retry: { ...RETRY, onConnectError: false } },
      [new Response(null, { status: 200 })],
      "a",
      200,
    ],
  ])("%s", async (_, plan, manners, targets, status) => {
    const { send, calls } = stage(plan, { a: manners, b: [200], c: [200] });
    const { answer } = send();
    await vi.advanceTimersByTimeAsync(900);
    expect(targetsOf(calls)).toBe(targets);
    expect(answer()?.status).toBe(status);
  });

  it.each<[string, number, string]>([
    ["`retries: 1` means two tries", 1, "ab"],
    ["`retries: 2` means three tries", 2, "abc"],
    ["with more retries than targets, those tried are tried again", 4, "abc.."],
  ])("%s", async (_, retries, targets) => {
    const { send, calls } = stage(
      { retry: { ...RETRY, retries, budget: { share: 1, minimum: 10 } } },
      { a: [503], b: [503], c: [503] },
    );
    const { answer } = send();
    await vi.advanceTimersByTimeAsync(990);
    expect(targetsOf(calls)).toMatch(new RegExp(`^${targets}$`));
    expect(answer()?.status).toBe(503);
  });

  it("answers with what the last one that answered said, when a later try is not answered at all", async () => {
    const { send, calls } = stage({ retry: { ...RETRY, retries: 1 } }, { a: [503], b: ["refuses"] });
    const { answer } = send();
    await vi.advanceTimersByTimeAsync(900);
    expect(targetsOf(calls)).toBe("ab");
    expect(answer()?.status).toBe(503);
  });

  it.each<[string, Partial<UpstreamPlan>, number, string]>([
    ["one broken connection is a bad gateway", {}, 502, "upstream-failed"],
    ["several are a service that is not available", { retry: RETRY }, 503, "upstream-unavailable"],
  ])("%s", async (_, plan, status, code) => {
    const { send } = stage(plan, { a: ["refuses"] });
    const { answer } = send();
    await vi.advanceTimersByTimeAsync(900);
    expect(answer()).toMatchObject({ status, code });
  });

  it("lets go of the answers that nobody gets", async () => {
    const { send, cancelled } = stage({ retry: RETRY }, { a: [503], b: [502], c: [200] });
    const { done } = send();
    await vi.advanceTimersByTimeAsync(900);
    expect((await done).status).toBe(200);
    expect(cancelled).toEqual(["503 of a", "502 of b"]);
  });

  it("tells which target answered", async () => {
    const { send } = stage({ retry: RETRY }, { a: [503], b: [200] });
    const { exchange } = send();
    await vi.advanceTimersByTimeAsync(900);
    expect(exchange.target).toBe("b");
  });
});

describe("methods and bodies", () => {
  const KEY = { "idempotency-key": "k" };
  it.each<[string, string, Record<string, string>, Partial<UpstreamPlan>, string]>([
    ["PUT is tried again with its body", "PUT", {}, {}, "ab"],
    ["DELETE is tried again", "DELETE", {}, {}, "ab"],
    ["POST is not", "POST", {}, {}, "a"],
    ["PATCH is not", "PATCH", {}, {}, "a"],
    ["a method that nobody knows is not", "LOCK", {}, {}, "a"],
    ["POST with a key is not, where the upstream says nothing of it", "POST", KEY, {}, "a"],
    [
      "POST with a key is, where the upstream honors it",
      "POST",
      KEY,
      { idempotentBy: "idempotency-key" },
      "ab",
    ],
    ["POST without the key is not", "POST", {}, { idempotentBy: "idempotency-key" }, "a"],
  ])("%s", async (_, method, headers, plan, targets) => {
    const { send, calls } = stage({ retry: RETRY, ...plan }, { a: ["refuses"], b: [200] });
    send({ method, headers, body: "hello" });
    await vi.advanceTimersByTimeAsync(900);
    expect(targetsOf(calls)).toBe(targets);
    expect(calls.map(({ body }) => body)).toEqual(calls.map(() => "hello"));
  });

  const chunked = (...texts: readonly string[]): ReadableStream<Uint8Array> =>
    new ReadableStream({
      start: (controller) => {
        for (const text of texts) controller.enqueue(new TextEncoder().encode(text));
        controller.close();
      },
    });

  it.each<[string, string[], string]>([
    ["a body of the size that is kept is sent again", ["x".repeat(40), "y".repeat(24)], "ab"],
    ["a body of one byte more is streamed, and sent once", ["x".repeat(40), "y".repeat(25)], "a"],
    ["a body that goes on long after that is sent whole", ["x".repeat(65), ..."abcdefghij"], "a"],
  ])("%s", async (_, texts, targets) => {
    const { send, calls } = stage({ retry: RETRY }, { a: [503], b: [200] });
    send({ method: "PUT", body: chunked(...texts) });
    await vi.advanceTimersByTimeAsync(900);
    expect(targetsOf(calls)).toBe(targets);
    expect(calls.map(({ body }) => body)).toEqual(calls.map(() => texts.join("")));
  });

  it("a body that says how long it is and is too long is not read into memory", async () => {
    const { send, calls } = stage({ retry: RETRY }, { a: [503], b: [200] });
    send({ method: "PUT", body: chunked("x".repeat(65)), headers: { "content-length": "65" } });
    await vi.advanceTimersByTimeAsync(900);
    expect(targetsOf(calls)).toBe("a");
  });

  it("a body that does not come in time is answered 408", async () => {
    const { send, calls } = stage({ retry: RETRY }, { a: [200] });
    const { answer } = send({ method: "PUT", body: new ReadableStream() });
    await vi.advanceTimersByTimeAsync(999);
    expect(answer()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(answer()).toMatchObject({ status: 408, code: "body-timeout" });
    expect(calls).toEqual([]);
  });
});

describe("time", () => {
  it("ends all tries together at the timeout, with 504", async () => {
    const { send, calls } = stage(
      { retry: { ...RETRY, perTryTimeoutMs: 400 } },
      { a: ["stalls"], b: ["stalls"], c: ["stalls"] },
    );
    const { answer } = send();
    await vi.advanceTimersByTimeAsync(999);
    expect(targetsOf(calls)).toBe("abc");
    expect(answer()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(answer()).toMatchObject({ status: 504, code: "upstream-timeout", atMs: 1000 });
  });

  it("takes a route's timeout in place of the upstream's", async () => {
    const { send } = stage({ retry: RETRY }, { a: ["stalls"] });
    const { answer } = send({ timeoutMs: 300 });
    await vi.advanceTimersByTimeAsync(300);
    expect(answer()).toMatchObject({ status: 504, atMs: 300 });
  });

  it("waits between tries: half of 25 ms, then of 50, 100, 200, and of 250 for ever", async () => {
    const { send, calls } = stage(
      { retry: { ...RETRY, retries: 6, budget: { share: 1, minimum: 10 } } },
      { a: [503] },
    );
    send();
    await vi.advanceTimersByTimeAsync(999);
    const waits = calls.map(({ atMs }, index) => atMs - (calls[index - 1]?.atMs ?? 0));
    // Timers keep whole milliseconds.
    expect(waits.map(Math.floor)).toEqual([0, 12, 25, 50, 100, 125, 125]);
  });

  it("is not spent on waiting: another try begins while there is time for it", async () => {
    const { send, calls } = stage(
      { retry: { ...RETRY, backoff: { baseMs: 4000, maxMs: 4000 } } },
      { a: [503], b: [200] },
    );
    const { answer } = send();
    await vi.advanceTimersByTimeAsync(1000);
    expect(calls.map(({ atMs }) => atMs)).toEqual([0, 500]);
    expect(answer()).toMatchObject({ status: 200, atMs: 500 });
  });

  it("is up for a try under way, whatever one before it was answered with", async () => {
    const { send, calls } = stage({ retry: RETRY }, { a: [503], b: ["stalls"] });
    const { answer } = send();
    await vi.advanceTimersByTimeAsync(1000);
    expect(targetsOf(calls)).toBe("ab");
    expect(answer()).toMatchObject({ status: 504, code: "upstream-timeout", atMs: 1000 });
  });
});

describe("the retry budget", () => {
  const failing = (share: number, minimum: number) =>
    stage({ retry: { ...RETRY, retries: 1, budget: { share, minimum } } }, { a: [503], b: [503] });

  it("always allows its minimum", async () => {
    const { send, calls } = failing(0, 3);
    for (let index = 0; index < 10; index++) send();
    await vi.advanceTimersByTimeAsync(900);
    expect(calls.length).toBe(10 + 3);
  });

  it("allows a part of the requests of the last ten seconds", async () => {
    const { send, calls } = failing(0.2, 0);
    for (let index = 0; index < 100; index++) send();
    await vi.advanceTimersByTimeAsync(900);
    expect(calls.length).toBe(100 + 20);
  });

  it("forgets retries after ten seconds", async () => {
    const { send, calls } = failing(0, 3);
    for (let index = 0; index < 10; index++) send();
    await vi.advanceTimersByTimeAsync(9_999);
    send();
    await vi.advanceTimersByTimeAsync(1);
    expect(calls.length).toBe(13 + 1);
    send();
    await vi.advanceTimersByTimeAsync(900);
    expect(calls.length).toBe(14 + 2);
  });
});

describe("hedging", () => {
  const HEDGE = { hedge: { afterMs: 200 } };
  it.each<[string, readonly Manner[], readonly Manner[], string, number, string]>([
    [
      "asks nobody else when the first answers in time",
      [{ afterMs: 199, answer: 200 }],
      [201],
      "a",
      199,
      "a",
    ],
    ["asks a second target when the first is slow, and takes its answer", ["stalls"], [201], "ab", 200, "b"],
    [
      "takes the first's answer when it comes before the second's",
      [{ afterMs: 300, answer: 200 }],
      [{ afterMs: 200, answer: 201 }],
      "ab",
      300,
      "a",
    ],
    [
      "waits for the first when the second fails",
      [{ afterMs: 300, answer: 200 }],
      ["refuses"],
      "ab",
      300,
      "a",
    ],
  ])("%s", async (_, first, second, targets, atMs, winner) => {
    const { send, calls } = stage(HEDGE, { a: first, b: second });
    const { answer, exchange } = send();
    await vi.advanceTimersByTimeAsync(900);
    expect(targetsOf(calls)).toBe(targets);
    expect(answer()?.atMs).toBe(atMs);
    expect(exchange.target).toBe(winner);
  });

  it.each(["POST", "PUT", "DELETE"])("never sends %s twice", async (method) => {
    const { send, calls } = stage(HEDGE, { a: ["stalls"], b: [200] });
    send({ method });
    await vi.advanceTimersByTimeAsync(900);
    expect(targetsOf(calls)).toBe("a");
  });

  it("lets go of the answer that comes too late", async () => {
    const { send, cancelled } = stage(HEDGE, { a: [{ afterMs: 500, answer: 200 }], b: [201] });
    send();
    await vi.advanceTimersByTimeAsync(900);
    expect(cancelled).toEqual(["200 of a"]);
  });

  it("stays within the budget", async () => {
    const { send, calls } = stage(HEDGE, { a: ["stalls"], b: ["stalls"] });
    for (let index = 0; index < 10; index++) send();
    await vi.advanceTimersByTimeAsync(900);
    expect(calls.length).toBe(10 + 3);
  });

  it("retries when both fail", async () => {
    const { send, calls } = stage(
      { ...HEDGE, retry: { ...RETRY, perTryTimeoutMs: 250 } },
      { a: ["stalls"], b: ["refuses"], c: [200] },
    );
    const { answer } = send();
    await vi.advanceTimersByTimeAsync(900);
    expect(targetsOf(calls)).toBe("abc");
    expect(answer()?.status).toBe(200);
  });
});
