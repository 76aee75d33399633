import type { Case, Field, Turn } from "../case.ts";

/** Fields of answers, and a body. */
export const TAG: Field = ["ETag", '"a"'];
export const MODIFIED: Field = ["Last-Modified", -5000];
export const BRIEF: Field = ["Cache-Control", "max-age=2"];
export const DIGITS = "0123456789";

/** A case that every cache must pass. */
export const must = (id: string, ...turns: readonly Turn[]): Case => ({ id, kind: "required", turns });
/** A case about what clients wish, for a cache that heeds them. */
export const wish = (id: string, ...turns: readonly Turn[]): Case => ({
  id,
  kind: "required",
  heeds: true,
  turns,
});

/** A request that changes its target. */
export const CHANGE: Turn = { method: "POST", body: "x" };
/** A request with fields. */
export const asking = (...ask: readonly Field[]): Turn => ({ ask });
/** An answer with a Cache-Control. */
export const stored = (control: string, ...more: readonly Field[]): Turn => ({
  answer: [["Cache-Control", control], ["Date", 0], ...more],
});
