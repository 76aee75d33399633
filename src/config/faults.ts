import { distance } from "fastest-levenshtein";
import type { Path } from "../core/policy.ts";

/** The name that was most likely meant, or undefined when none is near. */
export const nearestName = (name: string, names: readonly string[]): string | undefined => {
  let best: string | undefined;
  // Two slips turn any name of three letters into nearly any other.
  let least = (name.length <= 3 ? 1 : Math.max(2, Math.floor(name.length / 3))) + 0.5;
  for (const candidate of names) {
    const apart = candidate.toLowerCase() === name.toLowerCase() ? 0 : distance(name, candidate);
    if (apart < least) {
      least = apart;
      best = candidate;
    }
  }
  return best;
};

/** `Did you mean "x"?` for the nearest of some names, or undefined when none is near. */
export const didYouMean = (name: string, names: readonly string[]): string | undefined => {
  const near = nearestName(name, names);
  return near === undefined ? undefined : `Did you mean "${near}"?`;
};

/** `a, b or c`. */
export const anyOf = (names: readonly string[]): string =>
  names.length < 2
    ? (names[0] ?? "nothing")
    : `${names.slice(0, -1).join(", ")} or ${names[names.length - 1]}`;

/** A path as people write it: `gateway.policies.rateLimit.limits[0].key`. */
export const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  );
