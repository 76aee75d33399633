import type { Diagnostic, Outcome, Place } from "../../core/diagnostic.ts";
import type { OperationInfo } from "../../core/operation.ts";
import type { Source } from "../yaml.ts";
import { type ReadDocument, readDocument, stepsOfReference } from "./document.ts";
import { METHODS } from "./grammar.ts";
import { isObject, operationInfo } from "./operation-info.ts";
import { stepInto } from "./pointer.ts";
import { pathFaults, shapeFaults, wrongFields, wrongMap } from "./shape-faults.ts";
import type { Folder } from "./targets.ts";

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
  /** Everything that the document says of it. */
  readonly info: OperationInfo;
}

/** Whether an operationId can name a route. */
export const isOperationId = (id: string): boolean => /^[!#-~]{1,128}$/.test(id);

/** The operations of a document. */
export interface Operations {
  readonly list: readonly Operation[];
  readonly read: ReadDocument;
  /** What is wrong with some of them and with all that these refer to. */
  faultsOf(published: readonly Operation[]): readonly Diagnostic[];
}

const remembered = new WeakMap<ReadDocument, Outcome<Operations>>();

/**
 * Reads the operations of an OpenAPI 3.0 or 3.1 document in YAML or JSON, with the files of its folder that it refers to;
 * no value where it cannot be read.
 */
export const readOperations = (name: string, source: Source, folder: Folder): Outcome<Operations> => {
  const { value: read, diagnostics } = readDocument(name, source, folder);
  if (read === undefined) return { diagnostics };
  const known = remembered.get(read) ?? operationsOf(read, diagnostics);
  remembered.set(read, known);
  return known;
};

const operationsOf = (read: ReadDocument, earlier: readonly Diagnostic[]): Outcome<Operations> => {
  const { document } = read;
  const paths = document.json["paths"];
  const items = isObject(paths) ? Object.entries(paths) : [];
  const list = items.flatMap(([path, item]): Operation[] => {
    if (!isObject(item) || path.startsWith("x-")) return [];
    const pathPlace = read.keyPlaceOf(["paths", path]);
    return METHODS.flatMap((method): Operation[] => {
      const json = item[method];
      if (!isObject(json)) return [];
      const info = operationInfo(document, path, method, item);
      const query = info.parameters.filter((parameter) => parameter.in === "query");
      return [
        {
          id: info.id === "" ? undefined : info.id,
          method: info.method,
          path,
          tags: Array.isArray(json["tags"]) ? json["tags"].map(String) : [],
          internal: json["x-internal"] === true || item["x-internal"] === true,
          declaredQuery: query.map(({ name }) => name).sort(),
          place: read.keyPlaceOf(["paths", path, method]),
          pathPlace,
          info,
        },
      ];
    });
  });
  return {
    value: {
      list,
      read,
      faultsOf: (published) => [
        ...published.flatMap((operation) => shapeFaults(operation, read)),
        ...pathFaults(published),
        ...referenceFaults(published, read),
      ],
    },
    diagnostics: [...earlier, ...faultsOfPaths(read)],
  };
};

/** What keeps operations from being seen at all: told whichever of them are published. */
const faultsOfPaths = ({ document, faults, keyPlaceOf }: ReadDocument): readonly Diagnostic[] => {
  const { paths } = document.json;
  if (paths === undefined) return [];
  if (!isObject(paths)) return [wrongMap(keyPlaceOf(["paths"]), "`paths` takes a map of paths.")];
  const told = [...(faults.get(paths) ?? [])];
  for (const [path, item] of Object.entries(paths)) {
    if (path.startsWith("x-") || path === "$ref") continue;
    if (!isObject(item))
      told.push(wrongMap(keyPlaceOf(["paths", path]), `"${path}" takes a map of operations.`));
    else told.push(...(faults.get(item) ?? []), ...wrongFields(path, item, keyPlaceOf));
  }
  return told;
};

/** Faults of references in operations, their paths' parameters, and all that these lead to; each object is seen once. */
const referenceFaults = (
  published: readonly Operation[],
  { document, faults }: ReadDocument,
): readonly Diagnostic[] => {
  if (faults.size === 0) return [];
  const paths = document.json["paths"];
  const waiting: unknown[] = published.flatMap(({ path, info }) => [
    info.json,
    stepInto(stepInto(paths, path), "parameters"),
  ]);
  const seen = new Set<unknown>();
  const told: Diagnostic[] = [];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    told.push(...(faults.get(value) ?? []));
    for (const inner of Object.values(value)) waiting.push(inner);
    const reference = stepInto(value, "$ref");
    if (typeof reference === "string")
      waiting.push(stepsOfReference(reference)?.reduce<unknown>(stepInto, document.json));
  }
  return told;
};
