import { comprehend } from "./comprehension.ts";
import { BINARY, DECLARED, UNARY } from "./operations.ts";
import type { BinaryOp, Comprehension, Tree } from "./tree.ts";
import { instant, isMap, own, Span } from "./values.ts";

/** Where a name of the context gets its value. `get` reads one key, so that the whole need not be made for it. */
export interface Source<Scope> {
  read(scope: Scope): unknown;
  readonly get?: (scope: Scope, key: string) => unknown;
}
export type Sources<Scope> = Readonly<Record<string, Source<Scope>>>;

/** An expression when linked. `undefined` is CEL's error. */
export type Linked<Scope> = (scope: Scope) => unknown;

/**
 * Links a tree to a function of the scope, once. The function never throws: it answers the value, or undefined for an
 * error. An unknown name or operation throws here, when linked: the tree is of another version.
 */
export const linkExpression = <Scope>(tree: unknown, sources: Sources<Scope>): Linked<Scope> => {
  const evaluate = link(tree as Tree, { sources, slots: [] });
  return (scope) => {
    try {
      return evaluate(scope);
    } catch {
      // What the platform's objects throw, such as Headers.get for a key that is no field name; values nested too deep.
      return undefined;
    }
  };
};

interface Linking<Scope> {
  readonly sources: Sources<Scope>;
  /** Values of comprehension variables. Evaluation is synchronous, so one set for the whole expression is enough. */
  readonly slots: unknown[];
}

type Node = Extract<Tree, readonly unknown[]>;

const link = <Scope>(tree: Tree, linking: Linking<Scope>): Linked<Scope> => {
  if (!Array.isArray(tree)) return always(tree);
  const node = tree as Node;
  switch (node[0]) {
    case "int":
      return always(BigInt(node[1]));
    case "instant":
      return always(instant(node[1]));
    case "span":
      return always(new Span(node[1]));
    case "list":
      // A list of texts and the like is made once.
      return node[1].some(Array.isArray) ? list(linkAll(node[1], linking)) : always(node[1]);
    case "map":
      return map(node[1], linking);
    case "name": {
      const source = named(linking.sources, node[1]);
      return (scope) => source.read(scope);
    }
    case "var": {
      const { slots } = linking;
      const slot = node[1];
      return () => slots[slot];
    }
    case "as":
      return unary(DECLARED[node[1]], link(node[2], linking));
    case "given":
      return unary((value) => value !== undefined, link(node[1], linking));
    case "has":
      return has(node[1], node[2], linking);
    case "&&":
      return logical(false, linkAll(node[1], linking));
    case "||":
      return logical(true, linkAll(node[1], linking));
    case "?:":
      return choice(link(node[1], linking), link(node[2], linking), link(node[3], linking));
    case "utc": {
      const get = `getUTC${node[1]}` as const;
      const field = (value: unknown) => (value instanceof Date ? BigInt(value[get]()) : undefined);
      return unary(field, link(node[2], linking));
    }
    default:
      return node.length === 2
        ? unary(named(UNARY, node[0]), link(node[1], linking))
        : node.length === 3
          ? binary(node[0], node[1], node[2], linking)
          : macro(node, linking);
  }
};

const linkAll = <Scope>(trees: readonly Tree[], linking: Linking<Scope>): Linked<Scope>[] =>
  trees.map((tree) => link(tree, linking));

const named = <T>(table: Readonly<Record<string, T>>, name: string): T => {
  if (Object.hasOwn(table, name)) return table[name] as T;
  throw new Error(`No part of an expression is called "${name}" here.`);
};

const always =
  <Scope>(value: unknown): Linked<Scope> =>
  () =>
    value;

const unary =
  <Scope>(on: (value: unknown) => unknown, operand: Linked<Scope>): Linked<Scope> =>
  (scope) =>
    on(operand(scope));

const list =
  <Scope>(items: readonly Linked<Scope>[]): Linked<Scope> =>
  (scope) => {
    const made: unknown[] = [];
    for (const item of items) {
      const value = item(scope);
      if (value === undefined) return undefined;
      made.push(value);
    }
    return made;
  };

const map = <Scope>(
  entries: readonly (readonly [string, Tree])[],
  linking: Linking<Scope>,
): Linked<Scope> => {
  const values = list(
    linkAll(
      entries.map((entry) => entry[1]),
      linking,
    ),
  );
  return (scope) => {
    const made = values(scope) as unknown[] | undefined;
    return made && Object.fromEntries(entries.map(([key], index) => [key, made[index]]));
  };
};

/** `&&` (decisive: false) and `||` (decisive: true): a decisive operand settles it, whatever errors the others give. */
const logical =
  <Scope>(decisive: boolean, parts: readonly Linked<Scope>[]): Linked<Scope> =>
  (scope) => {
    let answer: boolean | undefined = !decisive;
    for (const part of parts) {
      const value = part(scope);
      if (value === decisive) return decisive;
      if (value !== !decisive) answer = undefined;
    }
    return answer;
  };

const choice =
  <Scope>(condition: Linked<Scope>, yes: Linked<Scope>, no: Linked<Scope>): Linked<Scope> =>
  (scope) => {
    const which = condition(scope);
    return which === true ? yes(scope) : which === false ? no(scope) : undefined;
  };

const keyOf = <Scope>(container: Tree, linking: Linking<Scope>): Source<Scope>["get"] => {
  const node = container as Node;
  return Array.isArray(node) && node[0] === "name" ? named(linking.sources, node[1]).get : undefined;
};

/** Two operands. An index and `in` go straight to the source where it can read one key. */
const binary = <Scope>(op: BinaryOp, a: Tree, b: Tree, linking: Linking<Scope>): Linked<Scope> => {
  const on = named(BINARY, op);
  const get = op === "at" ? keyOf(a, linking) : op === "in" ? keyOf(b, linking) : undefined;
  if (get === undefined) {
    const left = link(a, linking);
    const right = link(b, linking);
    return (scope) => on(left(scope), right(scope));
  }
  if (op === "at" && typeof b === "string") return (scope) => get(scope, b);
  const key = link(op === "at" ? b : a, linking);
  return (scope) => {
    const name = key(scope);
    const value = typeof name === "string" ? get(scope, name) : undefined;
    return op === "at" || name === undefined ? value : value !== undefined;
  };
};

/** `has()` of a field. */
const has = <Scope>(container: Tree, key: string, linking: Linking<Scope>): Linked<Scope> => {
  const get = keyOf(container, linking);
  if (get !== undefined) return (scope) => get(scope, key) !== undefined;
  const holds = (value: unknown) => (isMap(value) ? own(value, key) !== undefined : undefined);
  return unary(holds, link(container, linking));
};

const macro = <Scope>(
  [name, slot, range, body]: readonly [Comprehension, number, Tree, Tree],
  linking: Linking<Scope>,
): Linked<Scope> => {
  const { slots } = linking;
  const over = link(range, linking);
  const each = link(body, linking);
  return (scope) => {
    const answer = comprehend(name, over(scope), (item) => {
      slots[slot] = item;
      return each(scope);
    });
    // Nothing of one request stays behind in the isolate.
    slots[slot] = undefined;
    return answer;
  };
};
