import type { Exchange } from "../../src/core/exchange.ts";
import type { Site } from "../../src/core/policy.ts";
import type { Fetch, Fetcher, Ports } from "../../src/core/ports.ts";

/** A clock that stands still until it is told to move. */
export class FakeClock {
  ms = Date.parse("2026-01-01T00:00:00Z");
  now(): number {
    return this.ms;
  }
  advance(ms: number): void {
    this.ms += ms;
  }
}

/** Random numbers from a fixed seed (mulberry32), so that a test that fails fails again. */
export const seededRandom = (seed = 1): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
};

export interface FakePorts extends Ports {
  readonly clock: FakeClock;
  readonly records: Readonly<Record<string, unknown>>[];
}

/** Ports of a test: nothing of the world gets in. `fetch` answers what `network` says. */
export const fakePorts = (
  over: Partial<Ports> & {
    network?: (url: string, init?: RequestInit) => Promise<Response> | Response;
    secretValues?: Record<string, string>;
  } = {},
): FakePorts => {
  const clock = new FakeClock();
  const random = seededRandom();
  const records: Readonly<Record<string, unknown>>[] = [];
  let uuids = 0;
  const fetcher: Fetcher = {
    fetch: async (url, init) => {
      if (over.network === undefined) throw new TypeError("no network in this test");
      return over.network(url, init);
    },
  };
  const fetch: Fetch = { open: () => fetcher };
  const { network: _network, secretValues, ...ports } = over;
  return {
    clock,
    records,
    random: { number: random, uuid: () => `00000000-0000-4000-8000-${String(++uuids).padStart(12, "0")}` },
    fetch,
    secrets: { get: (name) => secretValues?.[name] },
    log: { write: (record) => void records.push(record) },
    metrics: undefined,
    edgeCache: undefined,
    isolateCounter: {
      take: () => {
        throw new Error("no counter in this test");
      },
    },
    ...ports,
  } as FakePorts;
};

/** A site for linking one filter in a test. */
export const fakeSite = (shared: Readonly<Record<string, unknown>> = {}, over: Partial<Site> = {}): Site => {
  const made = new Map<string, unknown>();
  return {
    shared: <T>(name: string) => shared[name] as T,
    once: <T>(name: string, make: () => T) => {
      if (!made.has(name)) made.set(name, make());
      return made.get(name) as T;
    },
    authenticator: () => {
      throw new Error("no authenticator in this test");
    },
    validator: () => {
      throw new Error("no validator in this test");
    },
    gatewayName: "shop",
    development: false,
    ...over,
  };
};

/** An exchange of a test, from a request. */
export const fakeExchange = (
  request: Request,
  over: Partial<Exchange> = {},
): Exchange & { deferred: Promise<unknown>[] } => {
  const url = new URL(request.url);
  const deferred: Promise<unknown>[] = [];
  const exchange: Exchange & { deferred: Promise<unknown>[] } = {
    request,
    method: request.method,
    scheme: url.protocol.slice(0, -1),
    host: url.hostname,
    authority: url.host,
    path: url.pathname,
    query: url.search,
    defer: { waitUntil: (work) => void deferred.push(work) },
    deferred,
    startedAtMs: 0,
    lane: undefined,
    route: { id: "shop.route", api: "shop" },
    params: {},
    identity: undefined,
    clientIp: "192.0.2.1",
    clientCountry: "",
    requestId: "00000000-0000-4000-8000-000000000000",
    preflightMethod: undefined,
    opensWebSocket: false,
    requestEdits: [],
    answerEdits: [],
    requestBody: undefined,
    problemCode: undefined,
    refusal: undefined,
    target: undefined,
    upstreamMs: 0,
    cacheResult: undefined,
    ...over,
    fork: (): Exchange => ({
      ...exchange,
      requestEdits: [...exchange.requestEdits],
      answerEdits: [],
      problemCode: undefined,
      target: undefined,
      upstreamMs: 0,
      cacheResult: undefined,
    }),
  };
  return exchange;
};
