import type { Exchange } from "../../core/exchange.ts";
import type { Ports } from "../../core/ports.ts";
import { keepMsOf, type Stored, type StoredResponse, type VariantIndex } from "./entry.ts";
import type { FarTier, Uncacheable } from "./far-tier.ts";
import { amongOthers, betterOf, type Found, IN_VAIN, NOTHING, OTHERS } from "./found.ts";
import { isFresh } from "./freshness.ts";
import type { Invalidations } from "./invalidations.ts";
import type { IsolateTier } from "./isolate-tier.ts";
import { type KeyParts, variantKey, variantOf } from "./key.ts";
import { answers } from "./parts.ts";
import { isPurged, isPurgedSince, type LabelRules, withLabels } from "./purged.ts";
import type { TierName } from "./status.ts";
import { indexWith, keepIndexMs } from "./variant-index.ts";

/**
 * An entry before it is known among which variants it takes its place, and what purges have to know of it. One that freshens
 * another has the labels of that.
 */
export type Unplaced = Omit<StoredResponse, "variant">;

/** A point in time for `put`: what was taken away after it is not stored again by whoever asked before. */
export interface Mark {
  /** Up to where invalidations were known. */
  readonly seen: number;
  /** The last purge that was known. */
  readonly asOf: number;
}

/** What the tiers of one policy must know of it. */
export type TierRules = KeyParts & LabelRules;

/**
 * The tiers of one policy, and how variants lie in them: a target with one variant has its entry under the primary key; one
 * with several, or with a Vary, has an index there, and the entries under keys of their own.
 */
export class Tiers {
  readonly #isolate: IsolateTier | undefined;
  /** From the nearest to the farthest. */
  readonly #far: readonly FarTier[];
  readonly #rules: TierRules;
  readonly #plain: boolean;
  readonly #invalidations: Invalidations;
  readonly #ports: Pick<Ports, "clock" | "random" | "purges">;

  constructor(
    isolate: IsolateTier | undefined,
    far: readonly FarTier[],
    rules: TierRules,
    invalidations: Invalidations,
    ports: Pick<Ports, "clock" | "random" | "purges">,
  ) {
    this.#isolate = isolate;
    this.#far = far;
    this.#rules = rules;
    this.#plain = rules.headers.length + rules.cookies.length + rules.claims.length === 0;
    this.#invalidations = invalidations;
    this.#ports = ports;
  }

  /** Whether there is anything to ask beside the isolate's memory. */
  get hasFarther(): boolean {
    return this.#far.length > 0;
  }

  /** Looks into the isolate's memory, without waiting. */
  find(primary: string, exchange: Exchange): Found {
    const stored = this.#isolate?.get(primary);
    if (stored?.kind !== "variants") return this.#matching(stored, exchange, "isolate");
    const variant = this.#isolate?.get(this.#keyIn(stored, primary, exchange));
    return amongOthers(this.#matching(variant, exchange, "isolate"));
  }

  /**
   * Looks into the tiers outside of the isolate, one after the other until one has what answers, and brings it into those that
   * are nearer: into the isolate's memory at once, into the others when nobody waits any more. Redis is not asked from
   * `patienceMs` on.
   */
  async findFarther(
    primary: string,
    exchange: Exchange,
    patienceMs = Number.POSITIVE_INFINITY,
  ): Promise<Found> {
    const mark = this.mark();
    let index: VariantIndex | undefined;
    let best = NOTHING;
    for (const tier of this.#far) {
      if (tier.name === "redis" && this.#ports.clock.now() >= patienceMs) break;
      const looked = await this.#lookInto(tier, primary, exchange);
      // The farthest index is everybody's.
      index = looked.index ?? index;
      best = betterOf(best, looked.found);
      if (looked.found.entry !== undefined && this.#suffices(looked.found.entry, exchange)) break;
    }
    if (this.#invalidations.since(primary, mark.seen)) return NOTHING;
    this.#bringNear(primary, index, best, exchange);
    return index === undefined ? best : amongOthers(best);
  }

  async #lookInto(
    tier: FarTier,
    primary: string,
    exchange: Exchange,
  ): Promise<{ index: VariantIndex | undefined; found: Found }> {
    const stored = await tier.get(primary);
    if (stored?.kind !== "variants")
      return { index: undefined, found: this.#matching(stored, exchange, tier.name) };
    const variant = await tier.get(this.#keyIn(stored, primary, exchange));
    return { index: stored, found: this.#matching(variant, exchange, tier.name) };
  }

  #suffices(entry: StoredResponse, exchange: Exchange): boolean {
    const nowMs = this.#ports.clock.now();
    return isFresh(entry, nowMs) && answers(entry, exchange, nowMs);
  }

  /** What the isolate has from later stays. */
  #bringNear(
    primary: string,
    found: VariantIndex | undefined,
    { entry, tier }: Found,
    exchange: Exchange,
  ): void {
    const known = this.#isolate?.get(primary);
    const index = found ?? (known?.kind === "variants" ? known : undefined);
    if (found !== undefined) this.#isolate?.put(primary, found);
    if (entry === undefined) return;
    const key = index === undefined ? primary : this.#keyIn(index, primary, exchange);
    const near = this.#isolate?.get(key);
    if (near?.kind !== "response" || near.receivedMs < entry.receivedMs) this.#isolate?.put(key, entry);
    const keepMs = this.#leftToKeepMs(entry);
    for (const nearer of this.#far) {
      if (nearer.name === tier) break;
      if (index !== undefined) exchange.defer.waitUntil(nearer.put(primary, index, keepIndexMs(keepMs)));
      exchange.defer.waitUntil(nearer.put(key, entry, keepMs));
    }
  }

  /** By which fields variants of a key are told apart, as far as the isolate's memory knows. */
  namesOf(primary: string): readonly string[] {
    return this.#isolate?.get(primary)?.names ?? [];
  }

  /** Whether what a request asks for was taken away since a mark: what was asked for then is not for who asks now. */
  isOutdated(primary: string, exchange: Exchange, { seen, asOf }: Mark): boolean {
    return (
      this.#invalidations.since(primary, seen) ||
      isPurgedSince(exchange, this.#rules, this.#ports.purges, asOf)
    );
  }

  mark(): Mark {
    return { seen: this.#invalidations.mark(), asOf: this.#ports.purges?.last ?? 0 };
  }

  /**
   * Keeps an entry in all tiers, unless it was invalidated or purged since the mark. The promise is that of the tiers outside of
   * the isolate.
   */
  put(primary: string, entry: Unplaced, exchange: Exchange, mark: Mark): Promise<unknown> | undefined {
    if (this.#invalidations.since(primary, mark.seen) || this.#isGone(entry)) return undefined;
    const labelled = withLabels(entry, exchange, this.#rules, this.#ports.purges, mark.asOf);
    if (this.#isGone(labelled)) return undefined;
    const place = (known: Stored | Uncacheable | undefined): Promise<unknown> | undefined =>
      this.#place(primary, known?.kind === "uncacheable" ? undefined : known, labelled, exchange, mark);
    return this.#isolate ? place(this.#isolate.get(primary)) : this.#far[0]?.get(primary).then(place);
  }

  /** Whether a purge took away what an entry freshens, or the entry itself while it was on its way. */
  #isGone(entry: Unplaced): boolean {
    return entry.labels !== undefined && isPurged(this.#ports.purges, entry);
  }

  /** Takes one variant away: what came in its place cannot be stored. */
  async drop(primary: string, exchange: Exchange): Promise<void> {
    const near = this.#isolate?.get(primary);
    if (near !== undefined) this.#isolate?.delete(this.#keyUnder(near, primary, exchange));
    await Promise.all(
      this.#far.map(async (tier) => {
        const known = near ?? (await tier.get(primary));
        await tier.delete(this.#keyUnder(known, primary, exchange), exchange.defer);
      }),
    );
  }

  /** Forgets every variant of a key, and those that are on their way. */
  async forget(primary: string, { defer }: Exchange): Promise<void> {
    this.#invalidations.add(primary);
    this.#isolate?.delete(primary);
    await Promise.all(this.#far.map((tier) => tier.delete(primary, defer)));
  }

  #place(
    primary: string,
    known: Stored | undefined,
    unplaced: Unplaced,
    exchange: Exchange,
    mark: Mark,
  ): Promise<unknown> | undefined {
    const write = (key: string, stored: Stored, keepMs: number): Promise<unknown> | undefined =>
      this.#write(primary, key, stored, keepMs, exchange, mark);
    const variant = variantOf(exchange, this.#rules, unplaced.names);
    const alone = this.#plain && unplaced.names.length === 0;
    if (alone && (known === undefined || (known.kind === "response" && known.variant === variant))) {
      const entry = { ...unplaced, variant };
      return write(primary, entry, keepMsOf(entry));
    }
    const index = indexWith(known, unplaced.names, this.#ports.random.uuid);
    const entry = { ...unplaced, names: index.names, variant: variantOf(exchange, this.#rules, index.names) };
    const keyOf = (it: StoredResponse): string => variantKey(primary, index.generation, it.variant);
    const writes = [write(primary, index, keepIndexMs(keepMsOf(entry)))];
    // What was alone until now stays, where it can be told which variant it is.
    if (known?.kind === "response" && index.names.length === 0 && known.variant !== entry.variant)
      writes.push(write(keyOf(known), known, this.#leftToKeepMs(known)));
    writes.push(write(keyOf(entry), entry, keepMsOf(entry)));
    return this.hasFarther ? Promise.all(writes) : undefined;
  }

  /** Into all tiers; what comes there after its target was invalidated is taken away again. */
  #write(
    primary: string,
    key: string,
    stored: Stored,
    keepMs: number,
    { defer }: Exchange,
    { seen }: Mark,
  ): Promise<unknown> | undefined {
    this.#isolate?.put(key, stored);
    if (this.#far.length === 0) return undefined;
    const into = async (tier: FarTier): Promise<void> => {
      await tier.put(key, stored, keepMs);
      if (this.#invalidations.since(primary, seen)) await tier.delete(key, defer);
    };
    return Promise.all(this.#far.map(into));
  }

  #leftToKeepMs(entry: StoredResponse): number {
    return keepMsOf(entry) - Math.max(0, this.#ports.clock.now() - entry.receivedMs);
  }

  #keyIn(index: VariantIndex, primary: string, exchange: Exchange): string {
    return variantKey(primary, index.generation, variantOf(exchange, this.#rules, index.names));
  }

  #keyUnder(known: Stored | Uncacheable | undefined, primary: string, exchange: Exchange): string {
    return known?.kind === "variants" ? this.#keyIn(known, primary, exchange) : primary;
  }

  /** What lies under a key, where it is the entry that a request selects. */
  #matching(stored: Stored | Uncacheable | undefined, exchange: Exchange, tier: TierName): Found {
    if (stored === undefined) return NOTHING;
    if (stored.kind === "uncacheable") return IN_VAIN;
    if (stored.kind === "variants" || variantOf(exchange, this.#rules, stored.names) !== stored.variant)
      return OTHERS;
    // The isolate's memory has looked for purges itself.
    if (tier !== "isolate" && isPurged(this.#ports.purges, stored)) return NOTHING;
    return { entry: stored, others: false, tier };
  }
}
