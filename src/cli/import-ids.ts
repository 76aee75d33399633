import { isMap, Pair, parseDocument, Scalar } from "yaml";
import { isRefusedMethod } from "../config/documents/shapes.ts";
import type { Operations } from "../config/openapi/operations.ts";
import type { Steps } from "../config/openapi/pointer.ts";

/** An id for an operation that has none, and where it belongs. */
export interface ProposedId {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly file: string;
  readonly steps: Steps;
}

/** Ids for all operations without one: `getUsersById` for GET /users/{id}; numbered where that is taken. */
export const proposeIds = ({ list, read }: Operations): readonly ProposedId[] => {
  const taken = new Set(list.flatMap(({ id }) => id ?? []));
  const proposed = new Map<string, ProposedId>();
  // In the order of their paths, whatever the order in the document: the same ids come of it each time.
  const ordered = [...list].sort((one, other) =>
    one.path < other.path ? -1 : one.path > other.path ? 1 : 0,
  );
  for (const { id, method, path } of ordered) {
    if (id !== undefined || isRefusedMethod(method)) continue;
    const origin = read.originOf(["paths", path, method.toLowerCase()]);
    // Two paths may share an operation of another file.
    const key = JSON.stringify(origin);
    if (proposed.has(key)) continue;
    const free = freeId(proposedId(method, path), taken);
    taken.add(free);
    proposed.set(key, { id: free, method, path, ...origin });
  }
  return [...proposed.values()];
};

const freeId = (wanted: string, taken: ReadonlySet<string>): string => {
  let id = wanted;
  for (let number = 2; taken.has(id); number++) id = `${wanted}${number}`;
  return id;
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
  const value: unknown = JSON.parse(text);
  for (const { id, steps } of ids) {
    const [holder, last] = [steps.slice(0, -1), steps.at(-1)!];
    const item = holder.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], value);
    const operations = item as Record<string, object>;
    operations[last] = { operationId: id, ...operations[last] };
  }
  return `${JSON.stringify(value, undefined, 2)}\n`;
};

const inYaml = (text: string, ids: readonly Pick<ProposedId, "id" | "steps">[]): string | undefined => {
  const document = parseDocument(text, { merge: true, uniqueKeys: false });
  for (const { id, steps } of ids) {
    const operation = document.getIn(steps, true);
    if (!isMap(operation)) return undefined;
    operation.items.unshift(new Pair(new Scalar("operationId"), new Scalar(id)));
  }
  return document.toString({ lineWidth: 0 });
};
