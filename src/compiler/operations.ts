import { isRefusedMethod } from "../config/documents/shapes.ts";
import { anyOf, didYouMean } from "../config/faults.ts";
import type { TypedApi } from "../config/load.ts";
import { isOperationId, type Operation, readOperations } from "../config/openapi/operations.ts";
import { fault, placeAt } from "../config/tree.ts";
import { isBroken } from "../config/typing.ts";
import type { Place } from "../core/diagnostic.ts";
import type { Report, RouteSources } from "./ir.ts";

/** An operation that a route can be named after. */
export type NamedOperation = Operation & { readonly id: string };

/** What an api publishes of its OpenAPI document. */
export interface Published {
  readonly operations: readonly NamedOperation[];
  /** Operations that the document has and the api does not publish. */
  readonly withheld: readonly Operation[];
  /** Whether these are all: where something is at fault, what is missing among them is no fault of its own. */
  readonly certain: boolean;
}

const NOTHING: Published = { operations: [], withheld: [], certain: true };
const UNKNOWN: Published = { ...NOTHING, certain: false };

/** Reads an api's document and chooses the operations that it publishes. */
export const publishedOperations = (api: TypedApi, sources: RouteSources): Published => {
  const wanted = api.value.openapi;
  if (isBroken(sources.documents.broken, [...api.path, "openapi"])) return UNKNOWN;
  if (wanted === undefined) return NOTHING;
  const source = sources.openapi(wanted.file);
  if (source === undefined) {
    sources.report(unknownFile(wanted.file, placeAt(api.tree, ["openapi", "file"]), documentsOf(sources)));
    return UNKNOWN;
  }
  const read = readOperations(wanted.file, source, { find: sources.openapi, names: sources.openapiFiles });
  read.diagnostics.forEach(sources.report);
  if (read.value === undefined) return UNKNOWN;
  const { list } = read.value;
  const chosen = wanted.operations;
  const tags = chosen === "all" ? [] : "tags" in chosen ? chosen.tags : chosen.except.tags;
  const tagged = (operation: Operation): boolean => operation.tags.some((tag) => tags.includes(tag));
  const isPublished = (operation: Operation): boolean =>
    !operation.internal && (chosen === "all" || tagged(operation) === "tags" in chosen);
  const published = list.filter(isPublished);
  read.value.faultsOf(published).forEach(sources.report);
  const operations = fitOperations(published, sources.report);
  return {
    operations,
    withheld: list.filter((operation) => !isPublished(operation)),
    certain:
      checkTags(api, tags, list, sources.report) &&
      operations.length === published.length &&
      !read.diagnostics.some(({ severity }) => severity === "error"),
  };
};

/** Files that are documents by themselves, not parts of such or schemas for other uses. */
const documentsOf = ({ openapi, openapiFiles }: RouteSources): readonly string[] =>
  openapiFiles.filter((file) => /^\s*["']?(openapi|swagger)["']?\s*:/m.test(openapi(file)?.text ?? ""));

const unknownFile = (file: string, place: Place, files: readonly string[]) =>
  fault(
    place,
    "unknown-file",
    `There is no OpenAPI document "${file}".`,
    didYouMean(file, files) ??
      (files.length > 0
        ? `Name one of ${anyOf(files)}.`
        : "Put the document into the folder of OpenAPI documents."),
  );

const checkTags = (
  api: TypedApi,
  tags: readonly string[],
  operations: readonly Operation[],
  report: Report,
): boolean => {
  const known = [...new Set(operations.flatMap((operation) => operation.tags))].sort();
  const chosen = api.value.openapi!.operations;
  const path = [
    "openapi",
    "operations",
    ...(typeof chosen === "object" && "except" in chosen ? ["except"] : []),
    "tags",
  ];
  for (const [index, tag] of tags.entries()) {
    if (known.includes(tag)) continue;
    report(
      fault(
        placeAt(api.tree, [...path, index]),
        "unknown-name",
        `No operation of "${api.value.openapi!.file}" has the tag "${tag}".`,
        didYouMean(tag, known) ??
          (known.length > 0
            ? `Write one of its tags: ${known.join(", ")}.`
            : "None of its operations has a tag: write `operations: all`."),
      ),
    );
  }
  return tags.every((tag) => known.includes(tag));
};

/** The operations that can become routes; the others are told. */
const fitOperations = (operations: readonly Operation[], report: Report): readonly NamedOperation[] => {
  const seen = new Map<string, Place>();
  return operations.flatMap((operation) => {
    const { id } = operation;
    const wrong = unfit(operation, id === undefined ? undefined : seen.get(id));
    if (wrong !== undefined || id === undefined) {
      if (wrong !== undefined) report(wrong);
      return [];
    }
    seen.set(id, operation.place);
    return [{ ...operation, id }];
  });
};

const unfit = ({ id, method, path, place, pathPlace }: Operation, first: Place | undefined) => {
  if (isRefusedMethod(method))
    return fault(
      place,
      "bad-method",
      `The gateway never answers ${method}.`,
      "Remove the operation, or keep it inside with `x-internal: true`.",
    );
  if (id === undefined)
    return fault(
      place,
      "operation-without-id",
      `${method} ${path} has no operationId.`,
      "Give it one: the route is named after it.",
    );
  if (!isOperationId(id))
    return fault(
      place,
      "bad-name",
      `The operationId ${JSON.stringify(id)} cannot name a route.`,
      "Write up to 128 letters, digits and signs, without white space and quotes.",
    );
  if (!path.startsWith("/"))
    return fault(pathPlace, "bad-path", `"${path}" does not begin with a slash.`, `Write it as /${path}.`);
  if (first === undefined) return undefined;
  return fault(
    place,
    "duplicate-name",
    `The operationId "${id}" stands twice.`,
    "Give each operation an id of its own.",
    { related: [{ message: "It stands here first.", place: first }] },
  );
};
