import {
  type ArrayValue,
  addChild,
  type Container,
  childOf,
  removeChild,
  replaceChild,
  textOf,
  type Value,
} from "./document.ts";
import { equal } from "./equality.ts";
import { type Reason, type Token, type Visit, walk } from "./walk.ts";

/** An operation of RFC 6902, with pointers that may stand for several places. */
export interface Operation {
  readonly op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  readonly path: readonly Token[];
  /** Of move and copy; up to its last null the same as `path`, which has none behind that. */
  readonly from?: readonly Token[];
  /** The operation may come to nothing where its place does not exist, or its value. */
  readonly optional?: boolean;
}

/** Why operations cannot be applied. */
export interface Failure {
  readonly reason: Reason;
  /** Index of the operation. */
  readonly operation: number;
  /** Where, as an RFC 6901 pointer into the document. */
  readonly pointer: string;
}

/**
 * Applies operations, all or none, to JSON text that JSON.parse accepts, and answers the edited text. `valueFor` gives the
 * JSON text of the value that an operation writes or compares with; undefined where there is none.
 */
export const applyOperations = <One extends Operation>(
  json: string,
  operations: readonly One[],
  valueFor: (operation: One) => string | undefined,
): string | Failure => {
  // The document is the only element of a list, so that its root has a place like every other value.
  const top: ArrayValue = { items: [json] };
  const trail: string[] = [];
  for (const [index, operation] of operations.entries()) {
    const value = WRITING.has(operation.op) ? valueFor(operation) : undefined;
    const reason = apply(operation, value, { top, trail });
    if (reason !== undefined) return { reason, operation: index, pointer: pointerOf(trail) };
  }
  return textOf(top.items[0]!);
};

const WRITING: ReadonlySet<string> = new Set(["add", "replace", "test"]);

const pointerOf = (trail: readonly string[]): string =>
  trail
    .slice(1)
    .map((token) => "/" + token.replaceAll("~", "~0").replaceAll("/", "~1"))
    .join("");

interface Editing {
  readonly top: ArrayValue;
  readonly trail: string[];
}

const ROOT = "0";

const apply = (operation: Operation, value: string | undefined, editing: Editing): Reason | undefined => {
  const { path, from, optional = false } = operation;
  const { top, trail } = editing;
  const shared = from === undefined ? path.length : from.lastIndexOf(null) + 1;
  const visit =
    from === undefined
      ? visitOf(operation, value, top)
      : transfer(operation.op === "move", from.slice(shared), path.slice(shared), editing);
  return walk(top, { tokens: [ROOT, ...path.slice(0, shared)], visit, optional, trail, base: 0 });
};

const visitOf = ({ op, optional }: Operation, value: string | undefined, top: ArrayValue): Visit => {
  if (op === "remove") return take;
  if (value === undefined) return optional && op !== "test" ? withoutValue(op, top) : () => "no-value";
  if (op === "test") return compare(value);
  return op === "add" ? add(value, top) : replace(value);
};

const take: Visit = (container, token) => {
  if (childOf(container, token) === undefined) return "missing";
  removeChild(container, token);
  return undefined;
};

/** To add a whole document is to replace the one that is there (RFC 6902 section 4.1). */
const add =
  (value: Value, top: ArrayValue): Visit =>
  (container, token) => {
    if (container === top) replaceChild(container, token, value);
    else if (!addChild(container, token, value)) return "missing";
    return undefined;
  };

const replace =
  (value: Value): Visit =>
  (container, token) => {
    if (childOf(container, token) === undefined) return "missing";
    replaceChild(container, token, value);
    return undefined;
  };

const compare =
  (wanted: string): Visit =>
  (container, token) => {
    const found = childOf(container, token);
    if (found === undefined) return "missing";
    return equal(found, wanted) ? undefined : "different";
  };

/**
 * There is nothing to write: what somebody else wrote at the place must not stand in for it, and goes. An element that
 * would only have been inserted is not.
 */
const withoutValue =
  (op: Operation["op"], top: ArrayValue): Visit =>
  (container, token) => {
    if (container === top) return "no-value";
    return op === "add" && "items" in container ? undefined : take(container, token);
  };

/**
 * Moves or copies from one place to another, both seen from a value that they share. What cannot arrive stays where it was.
 */
const transfer =
  (moves: boolean, source: readonly Token[], target: readonly Token[], { top, trail }: Editing): Visit =>
  (container, token) => {
    // Nothing can be moved into itself (RFC 6902 section 4.4).
    if (moves && source.length === 0 && target.length > 0) return "missing";
    const base = trail.length - 1;
    const way = { optional: false, trail, base };
    let taken: { readonly value: Value; readonly from: Container; readonly token: string } | undefined;
    const lift: Visit = (holder, last) => {
      const value = childOf(holder, last);
      if (value === undefined) return "missing";
      taken = { value: moves ? value : textOf(value), from: holder, token: last };
      if (moves && holder !== top) removeChild(holder, last);
      return undefined;
    };
    const reason = walk(container, { ...way, tokens: [token, ...source], visit: lift });
    if (reason !== undefined || taken === undefined) return reason;
    const put = add(taken.value, top);
    const failed = walk(container, { ...way, tokens: [token, ...target], visit: put });
    if (failed !== undefined && moves) addChild(taken.from, taken.token, taken.value);
    return failed;
  };
