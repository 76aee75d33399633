import type { Place } from "../../core/diagnostic.ts";

/** What a change means to those who call: it fails them, it may fail some, or it does not. */
export type Severity = "breaking" | "risky" | "compatible";

/** One difference between two contracts. */
export interface ContractChange {
  /** Stable name of the kind of change: part of the product's interface. */
  readonly id: string;
  readonly severity: Severity;
  /** Whom it concerns: `GET /users/{userId}`; the gateway as a whole where it is no single operation. */
  readonly subject: string;
  /** What callers notice, in one sentence. */
  readonly message: string;
  /** Where it was written, and where it is now. */
  readonly base: Place | undefined;
  readonly head: Place | undefined;
}

/** A difference before it is known where it stands: with JSON Pointers into the two documents. */
export interface Difference {
  readonly id: string;
  readonly severity: Severity;
  readonly message: string;
  readonly base?: string | undefined;
  readonly head?: string | undefined;
}

export type ReportDifference = (difference: Difference) => void;
