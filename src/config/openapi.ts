import type { Diagnostic, Outcome, Place } from "../core/diagnostic.ts";
import { fault, plainValue, type Tree } from "./tree.ts";
import { parseYaml, type Source } from "./yaml.ts";

/** What a route needs to know of an operation of an OpenAPI document. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  /** Path template as the document writes it. */
  readonly path: string;
  readonly tags: readonly string[];
  /** `x-internal`: never published. */
  readonly internal: boolean;
  readonly declaredQuery: readonly string[];
  readonly place: Place;
}

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/** Reads the operations of an OpenAPI 3.0 or 3.1 document in YAML or JSON. */
export const readOperations = (source: Source): Outcome<readonly Operation[]> => {
  const diagnostics: Diagnostic[] = [];
  const document = parseDocument(source, diagnostics);
  if (document === undefined) return { diagnostics };
  const top: Place = { file: source.file, line: 1, column: 1, endLine: 1, endColumn: 1 };
  const version = record(document.value)["openapi"];
  if (typeof version !== "string" || !/^3\.[01]\.\d+/.test(version)) {
    diagnostics.push(
      fault(
        top,
        "openapi-version",
        "This is not an OpenAPI 3.0 or 3.1 document.",
        "Begin it with `openapi: 3.1.0`.",
      ),
    );
    return { diagnostics };
  }
  const reading: Reading = { ...document, diagnostics, top, seen: new Map() };
  const operations = Object.entries(record(record(document.value)["paths"])).flatMap(([path, item]) =>
    pathOperations(path, record(resolve(item, reading)), reading),
  );
  return { value: operations, diagnostics };
};

interface Reading {
  readonly value: unknown;
  readonly tree: Tree | undefined;
  readonly diagnostics: Diagnostic[];
  readonly top: Place;
  readonly seen: Map<string, Place>;
}

const parseDocument = (
  source: Source,
  diagnostics: Diagnostic[],
): { value: unknown; tree: Tree | undefined } | undefined => {
  if (source.file.endsWith(".json")) {
    // A large description in JSON is parsed a hundred times faster this way; its places are then those of the file.
    try {
      return { value: JSON.parse(source.text), tree: undefined };
    } catch (error) {
      const place = { file: source.file, line: 1, column: 1, endLine: 1, endColumn: 1 };
      diagnostics.push(
        fault(
          place,
          "json-syntax",
          `This is not JSON: ${error instanceof Error ? error.message : "it cannot be parsed"}.`,
          "Correct the document.",
        ),
      );
      return undefined;
    }
  }
  const parsed = parseYaml(source);
  diagnostics.push(...parsed.diagnostics);
  return parsed.value === undefined ? undefined : { value: plainValue(parsed.value), tree: parsed.value };
};

const pathOperations = (
  path: string,
  item: Readonly<Record<string, unknown>>,
  reading: Reading,
): Operation[] =>
  METHODS.filter((method) => item[method] !== undefined).flatMap((method) => {
    const operation = record(item[method]);
    const place = placeOf(reading, path, method);
    const id = operation["operationId"];
    const internal = operation["x-internal"] === true || item["x-internal"] === true;
    if (typeof id !== "string" || id === "") {
      if (!internal) {
        reading.diagnostics.push(
          fault(
            place,
            "operation-without-id",
            `${method.toUpperCase()} ${path} has no operationId.`,
            "Give it one: the route is named after it.",
          ),
        );
      }
      return [];
    }
    const first = reading.seen.get(id);
    if (first !== undefined) {
      reading.diagnostics.push(
        fault(
          place,
          "duplicate-name",
          `The operationId "${id}" stands twice.`,
          "Give each operation an id of its own.",
          { related: [{ message: "It stands here first.", place: first }] },
        ),
      );
      return [];
    }
    reading.seen.set(id, place);
    const parameters = [...list(item["parameters"]), ...list(operation["parameters"])].map((parameter) =>
      record(resolve(parameter, reading)),
    );
    const declaredQuery = [
      ...new Set(
        parameters
          .filter((parameter) => parameter["in"] === "query")
          .map((parameter) => String(parameter["name"])),
      ),
    ].sort();
    const tags = list(operation["tags"]).map(String);
    return [{ id, method: method.toUpperCase(), path, tags, internal, declaredQuery, place }];
  });

const placeOf = ({ tree, top }: Reading, path: string, method: string): Place => {
  const found = tree?.entries?.get("paths")?.entries?.get(path);
  const operation = found?.entries?.get(method) ?? found;
  return operation?.keyPlace ?? operation?.place ?? top;
};

/** Follows a `$ref` inside the document (JSON Pointer, RFC 6901), as far as it leads. */
const resolve = (value: unknown, reading: Reading): unknown => {
  let found = value;
  for (let hops = 0; hops < 32; hops++) {
    const reference = record(found)["$ref"];
    if (typeof reference !== "string") return found;
    if (!reference.startsWith("#/")) return {};
    found = reference
      .slice(2)
      .split("/")
      .reduce<unknown>(
        (at, step) =>
          (at as Record<string, unknown> | undefined)?.[
            decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")
          ],
        reading.value,
      );
  }
  return {};
};

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
