import { isPossibleKey } from "../lib/api-key.ts";
import type { Identity } from "./identity.ts";
import type { Json } from "./json.ts";
import type { Site } from "./policy.ts";
import type { Clock, ConsumerKeyStore, Defer, Ports } from "./ports.ts";

/** The consumers in the plan, by their names; every policy that takes their keys names this. */
export const CONSUMERS = "consumers";

export type ConsumersPlan = { readonly [name: string]: ConsumerPlan };

export type ConsumerPlan = {
  readonly plan?: string;
  readonly attributes: { readonly [name: string]: Json };
  readonly keys: readonly ConsumerKeyPlan[];
};

export type ConsumerKeyPlan = {
  readonly id: string;
  /** Lower-case hexadecimal digest of the key. */
  readonly sha256: string;
  /** The first instant at which it is no longer good. */
  readonly expiresMs?: number;
};

export type Consumer = NonNullable<Identity["consumer"]>;

/** A key that is known, and whose it is. */
export interface KnownKey {
  readonly consumer: Consumer;
  /** The first instant at which it is no longer good; infinite for one without an end. */
  readonly expiresAtMs: number;
}

/** Why a key is refused; the codes are part of the product's interface. */
export type KeyRefusal = "key-malformed" | "key-unknown" | "key-expired" | "consumers-unavailable";

/** For how long a key that was looked up need not be looked up again. */
const REMEMBERED_MS = 60_000;
/** Room for the keys that are remembered: some two thousand. */
const TABLE_BYTES = 512 * 1024;
/** About what an entry takes beside its text. */
const ENTRY_BYTES = 200;

interface Remembered {
  readonly key: KnownKey;
  readonly untilMs: number;
}

/**
 * The keys of all consumers, one for the whole isolate. A key is looked up by its digest: how long that takes says something of
 * the digest, which nobody can aim, and nothing of any key (S18). Keys that are good are remembered by their text for a minute,
 * so that a caller who comes again costs no digest; an expiry counts at once.
 */
export class ConsumerKeys {
  readonly #clock: Clock;
  readonly #store: ConsumerKeyStore | undefined;
  readonly #consumers = new Map<string, Consumer>();
  readonly #byDigest = new Map<string, KnownKey>();
  /** In the order in which they were added, which is that in which they end. */
  readonly #remembered = new Map<string, Remembered>();
  #bytes = 0;

  constructor(plan: ConsumersPlan, { clock, consumerKeys }: Pick<Ports, "clock" | "consumerKeys">) {
    this.#clock = clock;
    this.#store = consumerKeys;
    for (const [name, { keys, plan: callerPlan, attributes }] of Object.entries(plan)) {
      const consumer: Consumer = {
        name,
        attributes,
        ...(callerPlan === undefined ? {} : { plan: callerPlan }),
      };
      this.#consumers.set(name, consumer);
      for (const { sha256, expiresMs = Number.POSITIVE_INFINITY } of keys)
        this.#byDigest.set(sha256, { consumer, expiresAtMs: expiresMs });
    }
  }

  /** Whose key a text is; at once where it is remembered, or cannot be one. */
  find(text: string, defer: Defer): KnownKey | KeyRefusal | Promise<KnownKey | KeyRefusal> {
    const known = this.#remembered.get(text);
    if (known !== undefined) {
      const nowMs = this.#clock.now();
      if (nowMs < known.untilMs) return goodAt(known.key, nowMs);
      this.#forget(text);
    }
    return isPossibleKey(text) ? this.#lookUp(text, defer) : "key-malformed";
  }

  async #lookUp(text: string, defer: Defer): Promise<KnownKey | KeyRefusal> {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    const sha256 = hexOf(new Uint8Array(digest));
    const key = this.#byDigest.get(sha256) ?? (await this.#stored(sha256, defer));
    if (typeof key === "string") return key;
    const nowMs = this.#clock.now();
    const found = goodAt(key, nowMs);
    if (typeof found !== "string") this.#remember(text, { key, untilMs: nowMs + REMEMBERED_MS });
    return found;
  }

  /** A key that the store holds for a consumer of the plan. While the store is away, nobody can say. */
  async #stored(sha256: string, defer: Defer): Promise<KnownKey | KeyRefusal> {
    try {
      const stored = await this.#store?.find(sha256, defer);
      const consumer = stored && this.#consumers.get(stored.consumer);
      if (consumer === undefined) return "key-unknown";
      return { consumer, expiresAtMs: stored!.expiresMs ?? Number.POSITIVE_INFINITY };
    } catch {
      return "consumers-unavailable";
    }
  }

  #remember(text: string, entry: Remembered): void {
    this.#forget(text);
    this.#remembered.set(text, entry);
    this.#bytes += text.length + ENTRY_BYTES;
    for (const oldest of this.#remembered.keys()) {
      if (this.#bytes <= TABLE_BYTES) return;
      this.#forget(oldest);
    }
  }

  #forget(text: string): void {
    if (this.#remembered.delete(text)) this.#bytes -= text.length + ENTRY_BYTES;
  }
}

const goodAt = (key: KnownKey, nowMs: number): KnownKey | KeyRefusal =>
  nowMs < key.expiresAtMs ? key : "key-expired";

const hexOf = (bytes: Uint8Array): string => {
  let text = "";
  for (const byte of bytes) text += (byte < 16 ? "0" : "") + byte.toString(16);
  return text;
};

/** The keys of the gateway's consumers, linked once however many policies take them. */
export const consumerKeysOf = (site: Site, ports: Ports): ConsumerKeys =>
  site.once(CONSUMERS, () => new ConsumerKeys(site.shared<ConsumersPlan>(CONSUMERS), ports));
