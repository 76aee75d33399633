import { anyOf, didYouMean } from "../../config/faults.ts";
import { fault } from "../../config/tree.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Json } from "../../core/json.ts";
import type { BundledDocument } from "../../core/operation.ts";
import { valueAt } from "../../lib/json-pointer-path.ts";

/** What is wrong with a schema, as the schema of all schemas says it. */
export interface WrongSchema {
  /** JSON Pointer into the schema. */
  readonly pointer: string;
  /** The keyword by which it is wrong. */
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const KINDS: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
  object: "a map",
  string: "a text",
};

const WHERE = {
  "3.0": "OpenAPI 3.0 section 4.7.24 says what it may be.",
  "3.1": "JSON Schema 2020-12 says what it may be.",
} as const;

/** Tells of a schema that values cannot be judged by. */
export const unusableSchema = (
  document: BundledDocument,
  pointer: string,
  wrong?: WrongSchema,
): Diagnostic => {
  const place = document.placeOf(pointer + (wrong?.pointer ?? ""));
  const name = wrong?.pointer.split("/").findLast((step) => !/^\d*$/.test(step));
  return fault(
    place,
    "unusable-schema",
    name === undefined
      ? "This is not a schema that values can be judged by."
      : `A schema cannot have this as its "${name}".`,
    (wrong && remedyOf(wrong, valueAt(document.json, pointer + wrong.pointer))) ?? WHERE[document.dialect],
  );
};

const remedyOf = ({ keyword, params }: WrongSchema, value: unknown): string | undefined => {
  switch (keyword) {
    case "enum": {
      const allowed = (params["allowedValues"] as readonly Json[]).map(String);
      return (
        (typeof value === "string" ? didYouMean(value, allowed) : undefined) ?? `Write ${anyOf(allowed)}.`
      );
    }
    case "type": {
      const kinds = [params["type"]].flat().map((kind) => KINDS[String(kind)] ?? String(kind));
      return `Write ${anyOf(kinds)}.`;
    }
    case "minimum":
    case "exclusiveMinimum":
      return `Write a number ${keyword === "minimum" ? "from" : "above"} ${String(params["limit"])}.`;
    case "minItems":
      return "List at least one, or remove it.";
    case "uniqueItems":
      return "List each once.";
    default:
      return undefined;
  }
};
