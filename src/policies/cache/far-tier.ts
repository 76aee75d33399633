import type { Defer } from "../../core/ports.ts";
import type { Stored } from "./entry.ts";
import type { TierName } from "./status.ts";

/** Stands under a key whose answers turned out to be such as cannot be stored. */
export interface Uncacheable {
  readonly kind: "uncacheable";
}

/** A tier outside of the isolate: to be waited for, and shared with other isolates. Never rejects. */
export interface FarTier {
  readonly name: Exclude<TierName, "isolate">;
  get(key: string): Promise<Stored | Uncacheable | undefined>;
  /** Keeps an entry for so long, unless it is more than the tier takes. */
  put(key: string, stored: Stored, keepMs: number): Promise<void>;
  /** A client may wait for it, which is no longer than a look-up may take; the work goes on then under `defer`. */
  delete(key: string, defer: Defer): Promise<void>;
}
