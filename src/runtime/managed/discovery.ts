import type { Defer, Fetcher, Ports } from "../../core/ports.ts";
import type { DiscoveryPlan } from "../../core/upstream-plan.ts";
import { SingleFlight } from "../../lib/single-flight.ts";
import type { DiscoveryFactory, TargetSource } from "../parts.ts";
import type { LinkedTarget } from "../upstream.ts";
import { type Answer, askResolver, PATIENCE_MS } from "./ask-resolver.ts";
import { type FoundTarget, type FoundTargets, foundTargets } from "./found-targets.ts";

/** A record may be gone as soon as it was given; we do not ask more often than this for it. */
const LEAST_TTL_MS = 5000;
/** The first wait after a failure; it doubles with each further one. */
const BACKOFF_MS = 1000;
const MOST_BACKOFF_MS = 60_000;
/** How long targets are kept that the resolver says are not there any more: a zone that was broken by mistake is mended by then. */
const DOUBT_MS = 600_000;
/** After this a look-up counts as lost: its request ended, and took its I/O along. */
const LEASE_MS = PATIENCE_MS + 1000;

/** Links the discovery of targets by DNS over HTTPS. */
export const linkDiscovery: DiscoveryFactory = (upstream, plan, ports) => {
  const discovery = new Discovery(upstream, plan, ports);
  return {
    current: (defer) => discovery.current(defer),
    ready: (defer) => discovery.ready(defer),
  };
};

/** What a look-up came to: targets, or why there are none. `empty` tells that the resolver answered so. */
type Result =
  | { readonly found: FoundTargets; readonly ageSeconds: number }
  | { readonly reason: string; readonly empty: boolean };

/**
 * Targets that a resolver names. Nobody waits for it but who comes while nothing is known; after that each look-up runs
 * beside a request that did not ask for it, when the records' time or `refresh` is over, whichever is less. Where the resolver
 * fails, the last good answer is kept without limit; where it answers that there is nothing, for ten minutes, in case that is
 * a mistake; and not at all where the answer says so on purpose.
 */
class Discovery implements TargetSource {
  readonly #upstream: string;
  readonly #plan: DiscoveryPlan;
  readonly #ports: Ports;
  /** One way out for all targets: nothing of an answer decides which. */
  readonly #fetcher: Fetcher | undefined;
  readonly #flight = new SingleFlight(LEASE_MS);
  #targets: readonly LinkedTarget[] = [];
  /** Whether an answer was ever believed. */
  #known = false;
  #dueAtMs = Number.NEGATIVE_INFINITY;
  /** Failed look-ups in a row. */
  #failures = 0;
  /** Since when the resolver says that there is nothing. */
  #emptySinceMs: number | undefined;
  /** What was left out last, so that the log tells it once. */
  #leftOut = "";

  constructor(upstream: string, plan: DiscoveryPlan, ports: Ports) {
    this.#upstream = upstream;
    this.#plan = plan;
    this.#ports = ports;
    this.#fetcher = ports.fetch.open(plan.network === undefined ? {} : { network: plan.network });
  }

  current(defer: Defer): readonly LinkedTarget[] {
    const nowMs = this.#ports.clock.now();
    if (nowMs >= this.#dueAtMs && !this.#flight.isUnderWay(nowMs)) this.#lookUp(defer, nowMs);
    return this.#targets;
  }

  ready(defer: Defer): Promise<void> | undefined {
    if (this.#known) return undefined;
    const nowMs = this.#ports.clock.now();
    if (this.#flight.isUnderWay(nowMs)) return this.#flight.wait();
    // A resolver that failed a moment ago is not waited for by everyone who comes.
    return nowMs < this.#dueAtMs ? undefined : this.#lookUp(defer, nowMs);
  }

  #lookUp(defer: Defer, nowMs: number): Promise<void> {
    const work = this.#flight.begin(
      nowMs,
      () => this.#ask(),
      (result) => this.#take(result),
    );
    defer.waitUntil(work);
    return work;
  }

  async #ask(): Promise<Result> {
    if (this.#fetcher === undefined) return { reason: "there is no network", empty: false };
    return askResolver(this.#plan, this.#fetcher).then(
      (answer) => this.#read(answer),
      (error: unknown) => ({ reason: error instanceof Error ? error.message : String(error), empty: false }),
    );
  }

  #read({ message, ageSeconds }: Answer): Result {
    const found = foundTargets(message, this.#plan);
    if (found === undefined) return { reason: "aliases that lead in a circle", empty: false };
    if (found.targets.length > 0 || found.withdrawn) return { found, ageSeconds };
    const reason =
      found.leftOut.length > 0
        ? "no target that may be called: " + found.leftOut.slice(0, 5).join(", ")
        : message.rcode === 0
          ? "no such records"
          : "no such name";
    return { reason, empty: true };
  }

  #take(result: Result): void {
    const nowMs = this.#ports.clock.now();
    if ("found" in result) this.#succeed(result, nowMs);
    else this.#fail(result, nowMs);
  }

  #succeed({ found, ageSeconds }: Extract<Result, { readonly found: FoundTargets }>, nowMs: number): void {
    this.#failures = 0;
    this.#emptySinceMs = undefined;
    this.#setTargets(found.targets);
    this.#tellLeftOut(found.leftOut);
    const ttlMs = Math.max(LEAST_TTL_MS, (found.ttlSeconds - ageSeconds) * 1000);
    // Isolates that began together do not ask together for good.
    const part = 0.8 + 0.2 * this.#ports.random.number();
    this.#dueAtMs = nowMs + Math.min(this.#plan.refreshMs, ttlMs) * part;
  }

  #fail({ reason, empty }: { readonly reason: string; readonly empty: boolean }, nowMs: number): void {
    if (empty) {
      this.#emptySinceMs ??= nowMs;
      if (nowMs - this.#emptySinceMs >= DOUBT_MS) this.#setTargets([]);
    }
    const most = Math.min(this.#plan.refreshMs, MOST_BACKOFF_MS);
    const waitMs = Math.min(most, BACKOFF_MS * 2 ** Math.min(this.#failures++, 16));
    this.#dueAtMs = nowMs + waitMs * (0.5 + 0.5 * this.#ports.random.number());
    this.#ports.log.write({
      level: "warn",
      message: "The targets of an upstream could not be looked up.",
      upstream: this.#upstream,
      reason,
      keptTargets: this.#targets.length,
    });
  }

  /** Takes targets; one that is as it was stays the same object, and with it what is known of its health. */
  #setTargets(found: readonly FoundTarget[]): void {
    const before = new Map(this.#targets.map((target) => [target.name, target]));
    const targets = found.map((it) => {
      const known = before.get(it.name);
      return known?.weight === it.weight && known.priority === it.priority ? known : this.#link(it);
    });
    this.#known = true;
    // Both are in one order, so that the same targets are at the same places.
    if (targets.length !== this.#targets.length || targets.some((it, index) => it !== this.#targets[index]))
      this.#targets = targets;
  }

  #link({ name, origin, priority, weight }: FoundTarget): LinkedTarget {
    const { scheme, basePath } = this.#plan;
    return { name, weight, priority, origin, scheme, basePath, fetcher: this.#fetcher };
  }

  #tellLeftOut(leftOut: readonly string[]): void {
    const text = leftOut.toSorted().slice(0, 5).join(", ");
    if (text !== this.#leftOut && text !== "")
      this.#ports.log.write({
        level: "warn",
        message: "Targets that a resolver named were left out.",
        upstream: this.#upstream,
        count: leftOut.length,
        targets: text,
      });
    this.#leftOut = text;
  }
}
