import { isMap, Pair, parseDocument, Scalar } from "yaml";
import { isRefusedMethod } from "../config/documents/shapes.ts";
import { isOperationId, type Operations } from "../config/openapi/operations.ts";
import type { Steps } from "../config/openapi/pointer.ts";

/** An id for an operation that has none, or one that cannot name a route, and where it belongs. */
export interface ProposedId {
  readonly id: string;
  /** What it takes the place of. */
  readonly before: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly file: string;
  readonly steps: Steps;
}

/**
 * Ids for all operations without one: `getUsersById` for GET /users/{id}; for one of several words `findPetById`. Numbered
 * where that is taken.
 */
export const proposeIds = ({ list, read }: Operations): readonly ProposedId[] => {
  const taken = new Set(list.flatMap(({ id }) => id ?? []));
  const proposed = new Map<string, ProposedId>();
  // In the order of their paths, whatever the order in the document: the same ids come of it each time.
  const ordered = [...list].sort((one, other) =>
    one.path < other.path ? -1 : one.path > other.path ? 1 : 0,
  );
  for (const { id, method, path } of ordered) {
    if ((id !== undefined && isOperationId(id)) || isRefusedMethod(method)) continue;
    const origin = read.originOf(["paths", path, method.toLowerCase()]);
    // Two paths may share an operation of another file.
    const key = JSON.stringify(origin);
    if (proposed.has(key)) continue;
    const free = freeId(idOfWords(id ?? "") ?? proposedId(method, path), taken);
    taken.add(free);
    proposed.set(key, { id: free, before: id, method, path, ...origin });
  }
  return [...proposed.values()];
};

const freeId = (wanted: string, taken: ReadonlySet<string>): string => {
  let id = wanted;
  for (let number = 2; taken.has(id); number++) id = `${wanted}${number}`;
  return id;
};

/** `findPetById` for "find pet by id"; undefined where there are no words. */
const idOfWords = (text: string): string | undefined => {
  const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const [first, ...others] = words;
  if (first === undefined) return undefined;
  const rest = others.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return [first.slice(0, 1).toLowerCase() + first.slice(1), ...rest].join("").slice(0, 120);
};

/** The method, the words of the path, and its parameters behind `By`, in camel case. */
export const proposedId = (method: string, path: string): string => {
  const words = path
    .replaceAll(/\{([^{}]*)\}/g, " by $1 ")
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "");
  const all = words.length === 0 ? ["root"] : words;
  const name = all.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join("");
  return (method.toLowerCase() + name).slice(0, 120);
};

/** A file's text with ids written into its operations; undefined where it cannot be edited, as below an alias. */
export const withIds = (
  file: string,
  text: string,
  ids: readonly Pick<ProposedId, "id" | "steps">[],
): string | undefined => (file.endsWith(".json") ? inJson(text, ids) : inYaml(text, ids));

const inJson = (text: string, ids: readonly Pick<ProposedId, "id" | "steps">[]): string => {
  const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
  for (const { id, steps } of ids) {
    const [holder, last] = [steps.slice(0, -1), steps.at(-1)!];
    const item = holder.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], value);
    const operations = item as Record<string, object>;
    const operation = operations[last]!;
    operations[last] =
      "operationId" in operation ? { ...operation, operationId: id } : { operationId: id, ...operation };
  }
  return `${JSON.stringify(value, undefined, 2)}\n`;
};

const inYaml = (text: string, ids: readonly Pick<ProposedId, "id" | "steps">[]): string | undefined => {
  const document = parseDocument(text, { merge: true, uniqueKeys: false });
  for (const { id, steps } of ids) {
    const operation = document.getIn(steps, true);
    if (!isMap(operation)) return undefined;
    if (operation.has("operationId")) operation.set("operationId", id);
    else operation.items.unshift(new Pair(new Scalar("operationId"), new Scalar(id)));
  }
  return document.toString({ lineWidth: 0 });
};
