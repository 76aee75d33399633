import type { Answer } from "dns-packet";
import { TRUNCATED_RESPONSE } from "dns-packet";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Network } from "../../../src/core/ports.ts";
import type { DiscoveryPlan } from "../../../src/core/upstream-plan.ts";
import { linkDiscovery } from "../../../src/runtime/managed/discovery.ts";
import { address, dnsMessage, dnsResponse, service } from "../../support/dns.ts";
import { type FakePorts, fakePorts } from "../../support/ports.ts";

const NAME = "search.example";
const A: DiscoveryPlan = {
  url: "https://dns.example/dns-query?dns=AAAB",
  name: NAME,
  type: "A",
  scheme: "http",
  port: 8080,
  basePath: "/v1",
  refreshMs: 30_000,
};

/** What the resolver does when it is asked. */
type Manner = Response | "refuses" | "stalls" | "stalls in the body" | (() => Response);

const says = (
  addresses: readonly string[],
  ttl = 60,
  headers: Record<string, string> = {},
): (() => Response) => {
  const answers = addresses.map((text) => address(NAME, text, ttl));
  return () => dnsResponse({ name: NAME, type: "A", answers }, { headers });
};
const speaks = (said: Partial<Parameters<typeof dnsResponse>[0]>) => (): Response =>
  dnsResponse({ name: NAME, type: "A", ...said });
const bytes =
  (length: number, headers: Record<string, string> = { "content-type": "application/dns-message" }) =>
  (): Response =>
    new Response(new Uint8Array(length), { headers });

interface Stage {
  readonly ports: FakePorts;
  /** What the resolver does from now on. */
  manner: Manner;
  readonly asked: { url: string; init: RequestInit | undefined }[];
  readonly opened: (Network | undefined)[];
  readonly deferred: Promise<unknown>[];
  /** Hosts and ports of the targets as they are now; looking begins a look-up that is due, and waits for it. */
  targets(): Promise<string[]>;
  readonly source: ReturnType<typeof linkDiscovery>;
  readonly defer: { waitUntil(work: Promise<unknown>): void };
}

const stage = (manner: Manner, plan: Partial<DiscoveryPlan> = {}, random = 1): Stage => {
  const asked: Stage["asked"] = [];
  const opened: Stage["opened"] = [];
  const deferred: Promise<unknown>[] = [];
  const fetcher = {
    fetch: async (url: string, init?: RequestInit): Promise<Response> => {
      asked.push({ url, init });
      const { manner: now } = it;
      if (now === "refuses") throw new TypeError("connection refused");
      if (now === "stalls") return new Promise(() => {});
      if (now === "stalls in the body")
        return new Response(new ReadableStream(), { headers: { "content-type": "application/dns-message" } });
      return typeof now === "function" ? now() : now;
    },
  };
  const ports = fakePorts({
    random: { number: () => random, uuid: () => "" },
    fetch: {
      open: ({ network, ...rest }) => {
        // Nothing of an answer, and no name, picks the way out.
        expect(rest).toEqual({});
        opened.push(network);
        return fetcher;
      },
    },
  });
  const source = linkDiscovery("search", { ...A, ...plan }, ports);
  const defer = { waitUntil: (work: Promise<unknown>): void => void deferred.push(work) };
  const it: Stage = {
    ports,
    manner,
    asked,
    opened,
    deferred,
    source,
    defer,
    targets: async () => {
      source.current(defer);
      await Promise.all(deferred.splice(0));
      return source.current(defer).map(({ name }) => name);
    },
  };
  return it;
};

const ready = async ({ source, defer }: Stage): Promise<readonly string[]> => {
  await source.ready?.(defer);
  return source.current(defer).map(({ name }) => name);
};

const ONE = ["198.20.0.1:8080"];
const TWO = ["198.20.0.1:8080", "198.20.0.2:8080"];

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

describe("the first request", () => {
  it("waits for the resolver, and no other does", async () => {
    const it = stage(says(["198.20.0.1"]));
    expect(it.asked).toEqual([]);
    expect(await ready(it)).toEqual(ONE);
    expect(it.source.ready?.(it.defer)).toBeUndefined();
    expect(it.asked).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("asks under waitUntil, by GET, for a DNS message, and follows no redirect", async () => {
    const it = stage(says(["198.20.0.1"]));
    await ready(it);
    expect(it.deferred).toHaveLength(1);
    const [{ url, init } = { url: "", init: undefined }] = it.asked;
    expect({ url, method: init?.method ?? "GET", redirect: init?.redirect, headers: init?.headers }).toEqual({
      url: A.url,
      method: "GET",
      redirect: "manual",
      headers: { accept: "application/dns-message" },
    });
  });

  it.each([[undefined], ["public"], ["private"]] as const)(
    "asks and calls over the network %s",
    async (network) => {
      const it = stage(says(["198.20.0.1"]), network === undefined ? {} : { network });
      await ready(it);
      expect(it.opened).toEqual([network]);
    },
  );

  it("gives targets that can be called", async () => {
    const it = stage(says(["198.20.0.1"]));
    await ready(it);
    expect(it.source.current(it.defer)).toEqual([
      {
        name: "198.20.0.1:8080",
        weight: 1,
        priority: 0,
        origin: "http://198.20.0.1:8080",
        scheme: "http",
        basePath: "/v1",
        fetcher: expect.anything(),
      },
    ]);
  });

  it("is not alone: all who come meanwhile wait for one look-up", async () => {
    let answer: (response: Response) => void = () => {};
    const it = stage("stalls");
    it.manner = (() => new Promise<Response>((resolve) => (answer = resolve))) as never;
    const waiting = [ready(it), ready(it), ready(it)];
    await vi.advanceTimersByTimeAsync(0);
    answer(says(["198.20.0.1"])());
    expect(await Promise.all(waiting)).toEqual([ONE, ONE, ONE]);
    expect({ asked: it.asked.length, timers: vi.getTimerCount() }).toEqual({ asked: 1, timers: 0 });
  });

  it.each(["stalls", "stalls in the body"] as const)(
    "waits for three seconds where the resolver %s",
    async (manner) => {
      const it = stage(manner);
      let done: readonly string[] | undefined;
      void ready(it).then((targets) => (done = targets));
      await vi.advanceTimersByTimeAsync(2999);
      expect(done).toBeUndefined();
      await vi.advanceTimersByTimeAsync(1);
      expect(done).toEqual([]);
      expect(it.ports.records).toMatchObject([
        { reason: "no answer in time", upstream: "search", keptTargets: 0 },
      ]);
      expect(it.asked[0]?.init?.signal?.aborted).toBe(true);
    },
  );

  it("may end before its look-up does: who waits goes on after four seconds, and the next asks again", async () => {
    const it = stage("stalls");
    // The request that asked is gone: its timers are too, and its promise never settles.
    void it.source.ready?.(it.defer);
    vi.clearAllTimers();
    let done = false;
    void ready(it).then(() => (done = true));
    await vi.advanceTimersByTimeAsync(3999);
    expect(done).toBe(false);
    it.ports.clock.advance(4000);
    it.manner = says(["198.20.0.1"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toBe(true);
    expect(await ready(it)).toEqual(ONE);
    expect(it.asked).toHaveLength(2);
  });

  it("finds nothing where the resolver fails, and the next does not wait until it is time to ask again", async () => {
    const it = stage("refuses");
    expect(await ready(it)).toEqual([]);
    it.ports.clock.advance(999);
    expect(it.source.ready?.(it.defer)).toBeUndefined();
    expect(it.asked).toHaveLength(1);
    it.ports.clock.advance(1);
    it.manner = says(["198.20.0.1"]);
    expect(await ready(it)).toEqual(ONE);
  });
});

describe("a later request", () => {
  it.each([
    ["after `refresh`", 300, 30_000],
    ["after the records' time, where it is less", 20, 20_000],
    ["after five seconds, where the records' time is less", 0, 5000],
  ])("begins a look-up %s, and does not wait for it", async (_, ttl, dueMs) => {
    const it = stage(says(["198.20.0.1"], ttl));
    await ready(it);
    it.manner = says(["198.20.0.1", "198.20.0.2"]);
    it.ports.clock.advance(dueMs - 1);
    it.source.current(it.defer);
    expect(it.asked).toHaveLength(1);
    it.ports.clock.advance(1);
    expect(it.source.ready?.(it.defer)).toBeUndefined();
    expect(it.source.current(it.defer).map(({ name }) => name)).toEqual(ONE);
    expect(it.source.current(it.defer).map(({ name }) => name)).toEqual(ONE);
    expect(it.asked).toHaveLength(2);
    expect(await it.targets()).toEqual(TWO);
  });

  it("counts how long a cache held the answer (RFC 8484 section 5.1)", async () => {
    const it = stage(says(["198.20.0.1"], 25, { age: "10" }));
    await ready(it);
    it.ports.clock.advance(14_999);
    it.source.current(it.defer);
    expect(it.asked).toHaveLength(1);
    it.ports.clock.advance(1);
    it.source.current(it.defer);
    expect(it.asked).toHaveLength(2);
  });

  it("begins it up to a fifth earlier, so that isolates do not ask together", async () => {
    const it = stage(says(["198.20.0.1"]), {}, 0);
    await ready(it);
    it.ports.clock.advance(24_000);
    it.source.current(it.defer);
    expect(it.asked).toHaveLength(2);
  });

  it("has a `refresh` that is shorter than five seconds obeyed", async () => {
    const it = stage(says(["198.20.0.1"], 60), { refreshMs: 1000 });
    await ready(it);
    it.ports.clock.advance(1000);
    it.source.current(it.defer);
    expect(it.asked).toHaveLength(2);
  });

  it("sees the same list while nothing changes, whatever the order of the records", async () => {
    const it = stage(says(["198.20.0.1", "198.20.0.2"]));
    await ready(it);
    const before = it.source.current(it.defer);
    it.manner = says(["198.20.0.2", "198.20.0.1"]);
    it.ports.clock.advance(30_000);
    await it.targets();
    expect(it.asked).toHaveLength(2);
    expect(it.source.current(it.defer)).toBe(before);
  });

  it("sees the same target where another comes or goes", async () => {
    const it = stage(says(["198.20.0.2"]));
    await ready(it);
    const [kept] = it.source.current(it.defer);
    it.manner = says(["198.20.0.1", "198.20.0.2"]);
    it.ports.clock.advance(30_000);
    expect(await it.targets()).toEqual(TWO);
    expect(it.source.current(it.defer)[1]).toBe(kept);
    it.manner = says(["198.20.0.2", "198.20.0.3"]);
    it.ports.clock.advance(30_000);
    expect(await it.targets()).toEqual(["198.20.0.2:8080", "198.20.0.3:8080"]);
    expect(it.source.current(it.defer)[0]).toBe(kept);
  });

  it.each([
    ["weight", { weight: 9 }],
    ["priority", { priority: 9 }],
  ])("sees another target where its %s changed", async (_, change) => {
    const name = "_http._tcp.s.example";
    const record = (more: object): Answer =>
      service(name, "a.example", 80, { weight: 1, priority: 1, ...more });
    const it = stage(() => dnsResponse({ name, type: "SRV", answers: [record({})] }), { name, type: "SRV" });
    await ready(it);
    const [before] = it.source.current(it.defer);
    it.manner = () => dnsResponse({ name, type: "SRV", answers: [record(change)] });
    it.ports.clock.advance(30_000);
    await it.targets();
    const [after] = it.source.current(it.defer);
    expect(after).not.toBe(before);
    expect(after?.name).toBe(before?.name);
  });
});

describe("the last good answer", () => {
  const message = (said: Partial<Parameters<typeof dnsMessage>[0]> = {}): BodyInit =>
    dnsMessage({
      name: NAME,
      type: "A",
      answers: [address(NAME, "198.20.0.9")],
      ...said,
    }) as Uint8Array<ArrayBuffer>;
  const TYPE = { "content-type": "application/dns-message" };

  it.each([
    ["cannot be reached", "refuses", "connection refused"],
    ["answers 500", () => new Response(message(), { status: 500, headers: TYPE }), "status 500"],
    [
      "redirects",
      () => new Response(null, { status: 302, headers: { location: "https://evil.example/" } }),
      "status 302",
    ],
    ["answers without a type", () => new Response(message()), "not of the type application/dns-message"],
    ["answers JSON", () => Response.json({}), "not of the type application/dns-message"],
    ["answers nothing", () => new Response(null, { headers: TYPE }), "not a DNS message"],
    ["answers rubbish", bytes(400), "not a DNS message"],
    ["answers too much", bytes(65_536), "longer than 64 KiB"],
    ["answers another name", speaks({ name: "other.example" }), "an answer to another question"],
    ["answers another type", speaks({ type: "AAAA" }), "an answer to another question"],
    [
      "cuts its answer short",
      speaks({ flags: TRUNCATED_RESPONSE, answers: [address(NAME, "198.20.0.9")] }),
      "a truncated answer",
    ],
    ["fails", speaks({ rcode: 2 }), "DNS error 2"],
    ["refuses", speaks({ rcode: 5 }), "DNS error 5"],
    [
      "has aliases that lead in a circle",
      speaks({ answers: [{ name: NAME, type: "CNAME", ttl: 1, data: NAME }] }),
      "aliases that lead in a circle",
    ],
  ] as [string, Manner, string][])(
    "is kept without limit while the resolver %s",
    async (_, manner, reason) => {
      const it = stage(says(["198.20.0.1"]));
      await ready(it);
      const before = it.source.current(it.defer);
      it.manner = manner;
      for (let minutes = 0; minutes < 30; minutes++) {
        it.ports.clock.advance(60_000);
        expect(await it.targets()).toEqual(ONE);
      }
      expect(it.asked).toHaveLength(31);
      expect(it.source.current(it.defer)).toBe(before);
      expect(it.source.ready?.(it.defer)).toBeUndefined();
      expect(it.ports.records[0]).toEqual({
        level: "warn",
        message: "The targets of an upstream could not be looked up.",
        upstream: "search",
        reason,
        keptTargets: 1,
      });
    },
  );

  it.each([
    ["no such name", speaks({ rcode: 3 }), "no such name"],
    ["no such record", speaks({}), "no such records"],
    [
      "nothing that may be called",
      says(["10.0.0.1", "169.254.169.254"]),
      "no target that may be called: 10.0.0.1, 169.254.169.254",
    ],
  ])("is kept for ten minutes where the resolver knows %s", async (_, manner, reason) => {
    const it = stage(says(["198.20.0.1"]));
    await ready(it);
    it.manner = manner;
    it.ports.clock.advance(30_000);
    expect(await it.targets()).toEqual(ONE);
    expect(it.ports.records).toMatchObject([{ reason, keptTargets: 1 }]);
    it.ports.clock.advance(599_999);
    expect(await it.targets()).toEqual(ONE);
    it.ports.clock.advance(60_000);
    expect(await it.targets()).toEqual([]);
    // It is known that there is nothing: nobody waits.
    expect(it.source.ready?.(it.defer)).toBeUndefined();
    it.manner = says(["198.20.0.2"]);
    it.ports.clock.advance(60_000);
    expect(await it.targets()).toEqual(["198.20.0.2:8080"]);
  });

  it("is kept for another ten minutes where the name came back in between", async () => {
    const it = stage(says(["198.20.0.1"]));
    const none = speaks({ rcode: 3 });
    await ready(it);
    for (const manner of [none, says(["198.20.0.1"]), none]) {
      it.manner = manner;
      it.ports.clock.advance(599_999);
      expect(await it.targets()).toEqual(ONE);
    }
  });

  it("is not kept where an SRV record for the root says that the service is withdrawn (RFC 2782)", async () => {
    const name = "_http._tcp.s.example";
    const record =
      (target: string): (() => Response) =>
      () =>
        dnsResponse({ name, type: "SRV", answers: [service(name, target, 80)] });
    const it = stage(record("a.example"), { name, type: "SRV" });
    expect(await ready(it)).toEqual(["a.example:80"]);
    it.manner = record(".");
    it.ports.clock.advance(30_000);
    expect(await it.targets()).toEqual([]);
    expect({ records: it.ports.records, ready: it.source.ready?.(it.defer) }).toEqual({
      records: [],
      ready: undefined,
    });
  });

  it("is asked for again after a second, two, four and so on, up to `refresh`", async () => {
    const it = stage(says(["198.20.0.1"]), { refreshMs: 10_000 });
    await ready(it);
    it.manner = "refuses";
    it.ports.clock.advance(10_000);
    await it.targets();
    for (const waitMs of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
      const before = it.asked.length;
      it.ports.clock.advance(waitMs - 1);
      await it.targets();
      expect(it.asked).toHaveLength(before);
      it.ports.clock.advance(1);
      await it.targets();
      expect(it.asked).toHaveLength(before + 1);
    }
    it.manner = says(["198.20.0.1"]);
    it.ports.clock.advance(10_000);
    await it.targets();
    it.manner = "refuses";
    it.ports.clock.advance(10_000);
    await it.targets();
    it.ports.clock.advance(1000);
    const before = it.asked.length;
    await it.targets();
    expect(it.asked).toHaveLength(before + 1);
  });

  it("is asked for again after a minute at most, and half a wait at the least", async () => {
    const it = stage("refuses", { refreshMs: 3_600_000 }, 0);
    for (let times = 0; times < 10; times++) {
      await it.targets();
      it.ports.clock.advance(60_000);
    }
    const before = it.asked.length;
    it.ports.clock.advance(-60_000 + 29_999);
    await it.targets();
    expect(it.asked).toHaveLength(before);
    it.ports.clock.advance(1);
    await it.targets();
    expect(it.asked).toHaveLength(before + 1);
  });
});

describe("the log", () => {
  it("tells once which targets were left out", async () => {
    const it = stage(says(["198.20.0.1", "10.0.0.2", "10.0.0.1"]));
    await ready(it);
    it.manner = says(["10.0.0.1", "10.0.0.2", "198.20.0.1"]);
    it.ports.clock.advance(30_000);
    await it.targets();
    expect(it.ports.records).toEqual([
      {
        level: "warn",
        message: "Targets that a resolver named were left out.",
        upstream: "search",
        count: 2,
        targets: "10.0.0.1, 10.0.0.2",
      },
    ]);
  });

  it("says nothing where all is well", async () => {
    const it = stage(says(["198.20.0.1"]));
    await ready(it);
    expect(it.ports.records).toEqual([]);
  });
});
