import { directives } from "./directives.ts";
import { fields } from "./fields.ts";
import { cacheStatus, staleContent, targeted } from "./neighbors.ts";
import type { Requirement } from "./requirement.ts";
import { semantics } from "./semantics.ts";
import { storing } from "./storing.ts";
import { using } from "./using.ts";
import { validating } from "./validating.ts";

/** What is asked of a cache, by document. */
export const REQUIREMENTS: Readonly<Record<string, readonly Requirement[]>> = {
  "RFC 9111": [...storing, ...using, ...validating, ...fields, ...directives],
  "RFC 9110": semantics,
  "RFC 5861": staleContent,
  "RFC 9211": cacheStatus,
  "RFC 9213": targeted,
};
