import type { Diagnostic, Outcome, Place } from "../core/diagnostic.ts";
import { fault, placeAt, plainValue, type Tree } from "./tree.ts";
import { parseYaml, type Source } from "./yaml.ts";

/** What a route needs to know of an operation of an OpenAPI document. */
export interface Operation {
  /** Undefined where the document gives it none. */
  readonly id: string | undefined;
  readonly method: string;
  /** Path template as the document writes it. */
  readonly path: string;
  readonly tags: readonly string[];
  /** `x-internal`: never published. */
  readonly internal: boolean;
  readonly declaredQuery: readonly string[];
  readonly place: Place;
  readonly pathPlace: Place;
}

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/** Documents are read once, for however many apis and environments. */
const remembered = new WeakMap<Source, Outcome<readonly Operation[]>>();

/** Reads the operations of an OpenAPI 3.0 or 3.1 document in YAML or JSON; no value where it cannot be read. */
export const readOperations = (source: Source): Outcome<readonly Operation[]> => {
  const known = remembered.get(source) ?? operationsOf(source);
  remembered.set(source, known);
  return known;
};

const operationsOf = (source: Source): Outcome<readonly Operation[]> => {
  const diagnostics: Diagnostic[] = [];
  const document = parseDocument(source, diagnostics);
  if (document === undefined) return { diagnostics };
  const top = wholeFile(source);
  const { openapi: version, swagger } = record(document.value);
  if (typeof version !== "string" || !/^3\.[01]\.\d+/.test(version)) {
    const key = version === undefined && swagger !== undefined ? "swagger" : "openapi";
    diagnostics.push(
      fault(
        document.tree?.entries?.has(key) === true ? placeAt(document.tree, [key]) : top,
        "openapi-version",
        "This is not an OpenAPI 3.0 or 3.1 document.",
        "Begin it with `openapi: 3.1.0`.",
      ),
    );
    return { diagnostics };
  }
  const reading: Reading = { ...document, top };
  const paths = record(record(document.value)["paths"]);
  return {
    value: Object.keys(paths).flatMap((path) =>
      pathOperations(path, record(resolve(paths[path], reading)), reading),
    ),
    diagnostics,
  };
};

const wholeFile = ({ file }: Source): Place => ({ file, line: 1, column: 1, endLine: 1, endColumn: 1 });

interface Reading {
  readonly value: unknown;
  readonly tree: Tree | undefined;
  readonly top: Place;
}

/** Larger documents in JSON are read without places, which takes a hundredth of the time. */
const MAX_JSON_WITH_PLACES = 512 * 1024;

const parseDocument = (
  source: Source,
  diagnostics: Diagnostic[],
): { value: unknown; tree: Tree | undefined } | undefined => {
  if (source.file.endsWith(".json")) {
    try {
      const value: unknown = JSON.parse(source.text);
      const withPlaces = source.text.length <= MAX_JSON_WITH_PLACES;
      return { value, tree: withPlaces ? parseYaml(source, { anyName: true }).value : undefined };
    } catch (error) {
      diagnostics.push(jsonFault(source, error instanceof Error ? error.message : ""));
      return undefined;
    }
  }
  const parsed = parseYaml(source, { anyName: true });
  diagnostics.push(...parsed.diagnostics);
  return parsed.value === undefined ? undefined : { value: plainValue(parsed.value), tree: parsed.value };
};

const jsonFault = (source: Source, said: string): Diagnostic => {
  const [, line = "1", column = "1"] = /\(line (\d+) column (\d+)\)/.exec(said) ?? [];
  const what = /^(.*?) in JSON at position/.exec(said)?.[1] ?? said;
  const at = { line: Number(line), column: Number(column) };
  return fault(
    { file: source.file, ...at, endLine: at.line, endColumn: at.column + 1 },
    "json-syntax",
    `This is not JSON: ${what.slice(0, 1).toLowerCase()}${what.slice(1)}.`,
    "Correct the document, or write it in YAML.",
  );
};

const pathOperations = (
  path: string,
  item: Readonly<Record<string, unknown>>,
  reading: Reading,
): Operation[] =>
  METHODS.filter((method) => item[method] !== undefined).map((method) => {
    const operation = record(item[method]);
    const { operationId: id } = operation;
    const parameters = [...list(item["parameters"]), ...list(operation["parameters"])].map((parameter) =>
      record(resolve(parameter, reading)),
    );
    const query = parameters.filter((parameter) => parameter["in"] === "query");
    return {
      id: typeof id === "string" && id !== "" ? id : undefined,
      method: method.toUpperCase(),
      path,
      tags: list(operation["tags"]).map(String),
      internal: operation["x-internal"] === true || item["x-internal"] === true,
      declaredQuery: [...new Set(query.map((parameter) => String(parameter["name"])))].sort(),
      place: placeOf(reading, path, method),
      pathPlace: placeOf(reading, path),
    };
  });

const placeOf = ({ tree, top }: Reading, path: string, method = ""): Place => {
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
    found = reference.slice(2).split("/").reduce<unknown>(stepInto, reading.value);
  }
  return {};
};

const stepInto = (value: unknown, step: string): unknown => {
  const name = unescaped(step).replaceAll("~1", "/").replaceAll("~0", "~");
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
};

const unescaped = (step: string): string => {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
};

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
