import type { Context } from "hono";
import type { ZodError } from "zod";
import { type Fault, problem } from "./problem.ts";

/** A body of many thousand unknown properties must not be answered with a page ten times its size. */
const MAX_FAULTS = 100;

/** How the check of one part of a request ended. */
type Checked = { readonly target: string } & (
  | { readonly success: true }
  | { readonly success: false; readonly error: ZodError }
);

type Path = readonly PropertyKey[];

/** One segment of a JSON Pointer in a URI fragment: RFC 6901 section 3 (`~`, `/`), then section 6 (percent-encoding). */
const segment = (key: PropertyKey): string =>
  "/" + encodeURIComponent(String(key).replaceAll("~", "~0").replaceAll("/", "~1").toWellFormed());

/** The place of a value in a body, as a URI fragment; `#` is the body itself. */
export const pointer = (path: Path): string => "#" + path.map(segment).join("");

/** Where and what: the faults of a zod error, one for each unknown property, at most a hundred. */
const faultsOf = (error: ZodError, inBody: boolean): Fault[] =>
  error.issues
    .flatMap((issue): { path: Path; detail: string }[] =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => ({ path: [...issue.path, key], detail: "Unknown property" }))
        : [{ path: issue.path, detail: issue.message }],
    )
    .slice(0, MAX_FAULTS)
    .map(({ path, detail }) =>
      inBody ? { pointer: pointer(path), detail } : { parameter: String(path[0] ?? ""), detail },
    );

/**
 * Answers for a request that its schema refuses: 422 where the body is at fault, being well-formed JSON which says
 * something that cannot be done (RFC 9110 section 15.5.21), 400 where a parameter is. The library checks one part of a
 * request after the other, so the faults listed are all those of the first faulty part.
 */
export const refuseInvalid = (result: Checked, c: Context) => {
  if (result.success) return undefined;
  const inBody = result.target === "json";
  const errors = faultsOf(result.error, inBody);
  return inBody
    ? problem(c, 422, "invalid-body", "The body does not fit its schema.", { errors })
    : problem(c, 400, "invalid-parameter", "A parameter does not fit its schema.", { errors });
};
