import { twice } from "../case.ts";

/**
 * What the public suite asks of caches that serve one user, and which it does not run against others: the entries of a caller
 * whom the gateway knows live by the same rules.
 */
export const PRIVATE = [
  twice(
    "freshness-max-age-s-maxage-private",
    "required",
    [["Cache-Control", "s-maxage=3600, max-age=1"]],
    "origin",
  ),
  twice(
    "freshness-max-age-s-maxage-private-multiple",
    "required",
    [
      ["Cache-Control", "s-maxage=3600"],
      ["Cache-Control", "max-age=1"],
    ],
    "origin",
  ),
  twice("cc-resp-private-private", "optimal", [["Cache-Control", "private, max-age=3600"]], "cache"),
];
