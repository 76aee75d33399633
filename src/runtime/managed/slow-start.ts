/** A target is never so new that it gets less than this part of its weight: else it would never be tried. */
const LEAST_PART = 0.1;

/** The part of its weight that a target takes which came, or was found well again, so long ago: `max(10 %, t / window)`. */
export const warmPart = (sinceMs: number, windowMs: number): number =>
  Math.min(1, Math.max(LEAST_PART, sinceMs / windowMs));
