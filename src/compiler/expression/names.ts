import { didYouMean } from "../../config/faults.ts";
import type { Tree } from "../../lib/cel/tree.ts";
import { type Ast, type AstOf, literalText } from "./ast.ts";
import { type At, compared, faultAt, NOTHING, plain } from "./at.ts";
import { fold } from "./constants.ts";
import type { Spot } from "./context.ts";
import { lower } from "./lower.ts";

type Member = AstOf<"."> | AstOf<"[]">;
type Keyed = Extract<Spot, { readonly kind: "keyed" }>;

/** A node that stands for a spot of the context: where it is, and its dotted name. Null after a fault. */
interface Found {
  readonly spot: Spot;
  readonly path: string;
}

/** What of the context a node names as it stands: `request`, `request.headers`, `identity.kind`. */
const resolve = (node: Ast, at: At): Found | null | undefined => {
  if (node.op === "id") {
    if (at.locals.has(node.args) || !Object.hasOwn(at.context, node.args)) return undefined;
    return { spot: at.context[node.args]!, path: node.args };
  }
  if (node.op !== "." && node.op !== "[]") return undefined;
  const container = resolve(node.args[0], at);
  if (!container) return container;
  const key = keyOf(node);
  if (container.spot.kind !== "group" || key === undefined) return undefined;
  const { fields } = container.spot;
  if (Object.hasOwn(fields, key)) return { spot: fields[key]!, path: `${container.path}.${key}` };
  unknownKey(container.path, key, Object.keys(fields), node, at);
  return null;
};

const absent = (spot: Extract<Spot, { readonly kind: "absent" }>, node: Ast, at: At): null => {
  faultAt(at, node, "expression-unknown-name", spot.message, spot.remedy);
  return null;
};

/** The key of `a.key` and `a['key']`; undefined for one that is computed. */
const keyOf = (node: Member): string | undefined =>
  node.op === "." ? node.args[1] : literalText(node.args[1]);

/** Where the key itself stands. */
const keyRange = (node: Member): { readonly start: number; readonly end: number } =>
  node.op === "." ? { start: node.pos, end: node.end } : node.args[1];

const unknownKey = (path: string, key: string, known: readonly string[], node: Member, at: At): void =>
  unknown(path, key, known, keyRange(node), at);

const unknown = (
  path: string,
  key: string,
  known: readonly string[],
  range: { readonly start: number; readonly end: number },
  at: At,
): void => {
  const remedies: Readonly<Record<string, string>> = {
    claims: "Declare it under `claims:` of its issuer, with its type.",
    "consumer.attributes": "Write it under `attributes` of a consumer.",
    params: known.length === 0 ? "This route has no parameters." : `Write one of ${known.join(", ")}.`,
  };
  const remedy = remedies[path] ?? `Write one of ${known.join(", ")}.`;
  const whats: Readonly<Record<string, string>> = {
    claims: "a claim that an issuer declares",
    "consumer.attributes": "an attribute of a consumer",
  };
  const what = whats[path] ?? `a name of ${path}`;
  faultAt(at, range, "expression-unknown-name", `"${key}" is not ${what} here.`, nearest(key, known, remedy));
};

/** A suggestion, or the other remedy. Names of one or two letters are near to everything. */
const nearest = (name: string, known: readonly string[], otherwise: string): string =>
  (name.length > 2 ? didYouMean(name, known) : undefined) ?? otherwise;

/** A name alone: a comprehension's variable, or a name of the context. */
export const lowerName = (node: AstOf<"id">, at: At): Tree => {
  const slot = at.locals.get(node.args);
  if (slot !== undefined) return ["var", slot];
  const found = resolve(node, at);
  if (found) return whole(found, node, at);
  const known = [...Object.keys(at.context), ...at.locals.keys()];
  const remedy = nearest(node.args, known, `Write one of ${known.join(", ")}, or a text in quotes.`);
  return faultAt(at, node, "expression-unknown-name", `"${node.args}" names nothing here.`, remedy);
};

/** A spot that is read as it is: a value, or a map of open keys. */
const whole = ({ spot, path }: Found, node: Ast, at: At): Tree => {
  if (spot.kind === "value" || (spot.kind === "keyed" && "open" in spot)) return ["name", path];
  if (spot.kind === "absent") return absent(spot, node, at);
  const field = spot.kind === "group" ? Object.keys(spot.fields)[0] : Object.keys(spot.keys)[0];
  const remedy = `Read one of its fields, such as ${path}.${field ?? "name"}.`;
  return faultAt(at, node, "expression-unsupported", `"${path}" cannot be read as a whole.`, remedy);
};

/** `a.b` and `a[b]`. */
export const lowerMember = (node: Member, at: At): Tree => {
  const found = resolve(node, at);
  if (found === null) return NOTHING;
  if (found !== undefined) return whole(found, node, at);
  const [of, computed] = node.args;
  const container = resolve(of, at);
  const key = keyOf(node);
  const index = () => key ?? lower(computed as Ast, compared(at));
  if (container?.spot.kind === "keyed") {
    if (key !== undefined) return keyedRead(container.spot, container.path, key, node, at);
    return ["at", ["name", container.path], index()];
  }
  if (container?.spot.kind === "group") {
    const remedy = `Write the field's name: ${container.path}.${Object.keys(container.spot.fields)[0]}.`;
    return faultAt(at, node, "expression-unsupported", "This field cannot be computed.", remedy);
  }
  const tree = lower(of, plain(at));
  const by = index();
  return fold(["at", tree, by], [tree, by], at.numeric);
};

const keyedRead = (spot: Keyed, path: string, key: string, node: Member, at: At): Tree => {
  if (!isKnown(spot, path, key, keyRange(node), at)) return NOTHING;
  const read: Tree = ["at", ["name", path], key];
  const type = "open" in spot ? spot.open.as : spot.keys[key]!.as;
  return type === undefined ? read : ["as", type === "int" && at.numeric ? "integer" : type, read];
};

const isKnown = (
  spot: Keyed,
  path: string,
  key: string,
  range: { readonly start: number; readonly end: number },
  at: At,
): boolean => {
  if (!("open" in spot)) {
    if (!Object.hasOwn(spot.keys, key)) unknown(path, key, Object.keys(spot.keys), range, at);
    return Object.hasOwn(spot.keys, key);
  }
  if (path !== "request.headers" || /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(key)) return true;
  const lowered = key.toLowerCase();
  const remedy = /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(lowered)
    ? `Header fields are in lower case here: write '${lowered}'.`
    : "Write the field's name: letters, digits and hyphens.";
  faultAt(at, range, "expression-unknown-name", `No header field is called "${key}".`, remedy);
  return false;
};

/** `key in container`. */
export const lowerWithin = (node: AstOf<"in">, at: At): Tree => {
  const [key, of] = node.args;
  const container = resolve(of, at);
  if (container === null) return NOTHING;
  const left = lower(key, compared(at));
  if (container?.spot.kind === "keyed") {
    const text = literalText(key);
    if (text !== undefined && !isKnown(container.spot, container.path, text, key, at)) return NOTHING;
    return ["in", left, ["name", container.path]];
  }
  const right = lower(of, compared(at));
  return fold(["in", left, right], [left, right], at.numeric);
};

/** `has(a.b.c)`: whether the last is there. */
export const lowerHas = (node: Ast, at: At): Tree => {
  if (node.op !== ".") return hasFault(node, at);
  let first: Ast = node;
  while (first.op === ".") first = first.args[0];
  if (first.op !== "id") return hasFault(node, at);
  const [of, key] = node.args;
  const found = resolve(node, at);
  if (found === null) return NOTHING;
  if (found?.spot.kind === "absent") return absent(found.spot, node, at) ?? NOTHING;
  if (found !== undefined) return ["given", ["name", found.path]];
  const container = resolve(of, at);
  if (container?.spot.kind !== "keyed") return ["has", lower(of, plain(at)), key];
  return isKnown(container.spot, container.path, key, keyRange(node), at)
    ? ["has", ["name", container.path], key]
    : NOTHING;
};

const hasFault = (node: Ast, at: At): Tree => {
  const remedy = "Write has(claims.tenant), or 'x-a' in request.headers for a key that is no name.";
  return faultAt(at, node, "expression-type", "has() takes names that are joined by dots.", remedy);
};
