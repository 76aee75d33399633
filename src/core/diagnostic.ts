/** A range in a file that a person wrote; lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** A fault in policy files. Every one says what is wrong and what to write instead. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  /** Stable, kebab-case: part of the product's interface. */
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly place: Place;
  /** Other places that belong to it, such as the first definition of a name. */
  readonly related?: readonly { readonly message: string; readonly place: Place }[];
  /** A request that shows the fault. */
  readonly example?: string;
}

/** What each stage of the pipeline answers: a value as far as there is one, and every fault that it found. */
export interface Outcome<T> {
  readonly value?: T;
  readonly diagnostics: readonly Diagnostic[];
}
