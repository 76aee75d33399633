import type { Diagnostic, Place } from "../../core/diagnostic.ts";
import { anyOf, didYouMean } from "../faults.ts";
import { fault } from "../tree.ts";

/** A `$ref` to another server. */
export const remoteReference = (place: Place, text: string): Diagnostic =>
  fault(
    place,
    "remote-reference",
    `"${text}" is not in the folder of OpenAPI documents, and nothing is fetched.`,
    "Put a copy into the folder, and refer to it by its relative name.",
  );

/** A `$ref` out of the folder. */
export const outsideReference = (place: Place, text: string): Diagnostic =>
  fault(
    place,
    "reference-outside",
    `"${text}" leads out of the folder of OpenAPI documents.`,
    "Put the file into the folder, and refer to it by its relative name.",
  );

/** A `$ref` to a file that the folder does not have. */
export const unknownFile = (place: Place, file: string, files: readonly string[]): Diagnostic =>
  fault(
    place,
    "unknown-file",
    `The folder of OpenAPI documents has no file "${file}".`,
    didYouMean(file, files) ?? "Refer to a file in YAML or JSON that is there.",
  );

/** A `$ref` that leads nowhere. `names` are those that stand where it loses its way. */
export const danglingReference = (
  place: Place,
  text: string,
  missing: string,
  names: readonly string[],
): Diagnostic =>
  fault(
    place,
    "unknown-reference",
    `"${text}" leads nowhere: there is no "${missing}".`,
    didYouMean(missing, names) ??
      (names.length > 0 && names.length <= 12
        ? `Write one of ${anyOf([...names].sort())}.`
        : "Describe it there, or refer to something that is described."),
  );

/** A `$ref` to something of another sort, such as a text. */
export const unfitReference = (place: Place, text: string): Diagnostic =>
  fault(
    place,
    "bad-reference",
    `"${text}" leads to something that cannot stand here.`,
    "Refer to a component of the sort that this place takes.",
  );

/** References that lead only to each other. */
export const referenceCycle = (place: Place, text: string): Diagnostic =>
  fault(
    place,
    "reference-cycle",
    `"${text}" leads only to other references, and never to a value.`,
    "Let the last of them hold the value itself.",
  );

/** A `$ref` that is none: something other than a text. */
export const wrongReference = (place: Place): Diagnostic =>
  fault(place, "wrong-type", "A `$ref` is a text.", 'Write where it leads: "#/components/schemas/Name".');

/** A `$ref` where OpenAPI knows none. */
export const misplacedReference = (place: Place): Diagnostic =>
  fault(
    place,
    "misplaced-reference",
    "A `$ref` cannot stand for all of this.",
    "Write the names here, each with a `$ref` of its own.",
  );

/** Keys beside a `$ref` that count for nothing. */
export const ignoredSiblings = (place: Place, keys: readonly string[], dialect: "3.0" | "3.1"): Diagnostic =>
  fault(
    place,
    "ignored-beside-reference",
    `Beside a \`$ref\`, ${anyOf(keys.map((key) => `\`${key}\``)).replace(/ or /, " and ")} ${keys.length === 1 ? "counts" : "count"} for nothing.`,
    dialect === "3.0"
      ? "Put the reference into `allOf`, or write `openapi: 3.1.0`, whose schemas keep both."
      : "Remove what stands beside it, or describe the thing here.",
    { severity: "warning" },
  );

/** Operations of a path that stand here and where its `$ref` leads. */
export const twiceInPath = (place: Place, keys: readonly string[]): Diagnostic =>
  fault(
    place,
    "conflicting-keys",
    `${anyOf(keys.map((key) => `\`${key}\``)).replace(/ or /, " and ")} of this path also stand${keys.length === 1 ? "s" : ""} where its \`$ref\` leads.`,
    "Keep one of the two.",
  );

const REFUSED = new Set(["$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"]);

/** Keywords of JSON Schema that are not honoured here; those that would change what is judged are errors. */
export const unhonoredKeyword = (place: Place, keyword: string): Diagnostic =>
  REFUSED.has(keyword)
    ? fault(
        place,
        "unsupported-keyword",
        `\`${keyword}\` is not supported.`,
        "Refer to the schema with `$ref`.",
      )
    : fault(
        place,
        "unsupported-keyword",
        keyword === "$id"
          ? "`$id` counts for nothing here: references are relative to the file in which they stand."
          : `\`${keyword}\` counts for nothing here: schemas are judged by draft 2020-12.`,
        `Remove \`${keyword}\`.`,
        { severity: "warning" },
      );

/** What is nested so deeply that nobody can have meant it. */
export const tooDeep = (place: Place, most: number): Diagnostic =>
  fault(
    place,
    "nested-too-deep",
    `This document is nested deeper than ${most} levels.`,
    "Name its inner parts under `components`, and refer to them.",
  );
