import type { Purges } from "./purge.ts";

/** The time. Milliseconds since the epoch; on Workers it stands still between two I/O operations. */
export interface Clock {
  now(): number;
}

/** Randomness: `number` in [0, 1) for choices that need no secrecy, `uuid` from the platform's secure source. */
export interface Random {
  number(): number;
  uuid(): string;
}

/** Something that answers an HTTP request: the network, or a service binding. */
export interface Fetcher {
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

/** Which network may be reached: `public` refuses private addresses wherever the platform can. */
export type Network = "public" | "private";

/** Where a target lives: a service binding by name, or a URL on a network, optionally with a binding of its own. */
export interface TargetAddress {
  /** `upstream.target`, for targets of upstreams. */
  readonly name?: string;
  readonly binding?: string;
  /** Binding of the client certificate that is shown there. */
  readonly certificate?: string;
  readonly network?: Network;
}

/** Gives the fetcher for an address; `undefined` when the named binding does not exist here. */
export interface Fetch {
  open(address: TargetAddress): Fetcher | undefined;
}

/** A place to put bytes under a text key with a lifetime. Never fails: a store that is away has nothing. */
export interface Cache {
  get(key: string): Promise<Response | undefined>;
  /** Takes the response's body. `ttlMs` is how long the entry may be kept at all. */
  put(key: string, response: Response, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
}

/**
 * Bytes under text keys that isolates everywhere share, each with a lifetime. Never rejects, and keeps nobody waiting: what is
 * not there in time is as if it were absent, and a store that is away is not asked for a while. Who writes waits only to keep
 * the work alive (`waitUntil`).
 */
export interface Store {
  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Replaces what is there. `ttlMs` is how long it may be kept; less than a millisecond, or for ever, stores nothing. */
  put(key: string, bytes: Uint8Array, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  /**
   * Takes a lease: of all who ask for one key, one gets `true` until the time is over or the key is deleted. Everybody does where
   * the store is away: a lease may save work, and never decides whether it may be done. `holder` is a text that nobody else has,
   * by which the lease can be given back: `get` then finds nothing. Without it, it finds no bytes.
   */
  claim(key: string, ttlMs: number, holder?: string): Promise<boolean>;
  /** Gives a lease back, if it is still the holder's: who was slower than its time has lost it to somebody else. */
  release(key: string, holder: string): Promise<void>;
}

/** One window of a rate limit as the counter needs it. */
export interface Limit {
  readonly algorithm: "slidingWindow" | "tokenBucket" | "fixedWindow";
  /** How many units a window holds. */
  readonly quantity: number;
  readonly windowMs: number;
  /** Token bucket only: how many units may be taken at once; defaults to `quantity`. */
  readonly burst?: number;
}

/** The state of one limit after a decision. */
export interface LimitState {
  readonly remaining: number;
  /** Seconds (rounded up) until the limit has its full quantity, or when refused, until one unit is there again. */
  readonly resetSeconds: number;
  readonly allowed: boolean;
}

/**
 * Counts against limits, atomically and with the store's clock: all of them pass and are charged, or none is charged. Rejects
 * where the store is away.
 */
export interface Counter {
  take(
    keys: readonly string[],
    limits: readonly Limit[],
    cost: number,
  ): readonly LimitState[] | Promise<readonly LimitState[]>;
}

/** Secrets by name. `get` answers `undefined` for a name that is not set; values are never logged. */
export interface Secrets {
  get(name: string): string | undefined;
}

/** Counters and histograms with bounded labels, in the order in which the metric declares them. */
export interface Metrics {
  count(name: string, labels: readonly string[], by?: number): void;
  /** Observes a duration in seconds. */
  observe(name: string, labels: readonly string[], seconds: number): void;
  gauge(name: string, labels: readonly string[], value: number): void;
}

/** One JSON object a line. */
export interface Log {
  write(record: Readonly<Record<string, unknown>>): void;
}

/** What active health checks found that are made for all isolates. */
export interface HealthBoard {
  /**
   * Which targets of an upstream are healthy, by their names; one that is not named was not checked yet. To ask keeps the
   * checks going. Rejects where the board is away.
   */
  read(upstream: string): Promise<Readonly<Record<string, boolean>>>;
}

/** Whose key one is that is kept outside of the plan. */
export interface StoredKey {
  /** Name of the consumer. */
  readonly consumer: string;
  /** The first instant at which it is no longer good. */
  readonly expiresMs?: number;
}

/** Keys of consumers that are kept outside of the plan, so that they come and go without a deployment. */
export interface ConsumerKeyStore {
  /**
   * Whose key has a digest (SHA-256 in lower-case hexadecimal); undefined where nobody's has. Rejects where the store is away.
   */
  find(sha256: string, defer: Defer): Promise<StoredKey | undefined>;
}

/** Keeps work alive after the answer was sent (`waitUntil`). */
export interface Defer {
  waitUntil(work: Promise<unknown>): void;
}

/** What the core asks of the world; one set lives as long as the isolate. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: Fetch;
  readonly secrets: Secrets;
  readonly log: Log;
  /** Absent unless the gateway's control routes are open: nobody could read them. */
  readonly metrics: Metrics | undefined;
  /** The data centre's cache; absent where the platform has none. */
  readonly edgeCache: Cache | undefined;
  /** Counters in this isolate's memory: approximate across isolates. */
  readonly isolateCounter: Counter;
  /** Absent where each isolate has to check targets for itself. */
  readonly health?: HealthBoard | undefined;
  /** Absent where the policies hold all keys. */
  readonly consumerKeys?: ConsumerKeyStore | undefined;
  /** Redis as a place for bytes; absent unless a policy asks for it when compiled. */
  readonly store?: Store | undefined;
  /** What was purged; absent where nothing can be. */
  readonly purges?: Purges | undefined;
  /** Counters in Redis; absent likewise. */
  readonly storeCounter?: Counter | undefined;
}
