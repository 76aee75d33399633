import type { Diagnostic } from "../core/diagnostic.ts";

/** Whether a diagnostic keeps the policies from being used. */
export const isError = (diagnostic: Diagnostic): boolean => diagnostic.severity === "error";

/** Codes that speak of one place only, in whatever words. */
const BY_PLACE = new Set(["no-identity", "unknown-key"]);

/** Collects faults; the same fault at the same place, found by way of several routes, counts once. */
export class Diagnostics {
  readonly #found = new Map<string, Diagnostic>();

  constructor(earlier: readonly Diagnostic[] = []) {
    earlier.forEach(this.report);
  }

  readonly report = (diagnostic: Diagnostic): void => {
    const { file, line, column } = diagnostic.place;
    const key = [
      file,
      line,
      column,
      diagnostic.code,
      ...(BY_PLACE.has(diagnostic.code) ? [] : [diagnostic.message]),
    ].join("\0");
    if (!this.#found.has(key)) this.#found.set(key, diagnostic);
  };

  /** All faults in the order in which a reader meets them. */
  list(): readonly Diagnostic[] {
    return [...this.#found.values()].sort(
      (one, other) =>
        compareText(one.place.file, other.place.file) ||
        one.place.line - other.place.line ||
        one.place.column - other.place.column ||
        compareText(one.code, other.code),
    );
  }
}

const compareText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
