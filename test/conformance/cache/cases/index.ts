import type { Case } from "../case.ts";
import { fields } from "./fields.ts";
import { freshness } from "./freshness.ts";
import { selecting } from "./selecting.ts";
import { storing } from "./storing.ts";
import { using } from "./using.ts";
import { validating } from "./validating.ts";

/**
 * The behaviors that the public HTTP caching test suite asks for (github.com/http-tests/cache-tests), written anew: the
 * names are its names, nothing of its files is copied.
 */
export const CASES: readonly Case[] = [
  ...freshness,
  ...storing,
  ...fields,
  ...selecting,
  ...validating,
  ...using,
];
