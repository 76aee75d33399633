import type { Json } from "../core/json.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import { type Imported, isToken } from "./imports.ts";
import { isObject } from "./json.ts";

/** The public names of imported schemas: by the text that stands for them, the name of their component. */
export const nameSchemas = (
  schemas: ReadonlyMap<string, Imported>,
  taken: ReadonlySet<string>,
): ReadonlyMap<string, string> => {
  const classes = classesOf(schemas);
  const groups = new Map<string, Map<number, string[]>>();
  for (const token of [...schemas.keys()].sort(byPlaceOf(schemas))) {
    const base = baseName(schemas.get(token)!.pointer);
    const group = groups.get(base) ?? new Map<number, string[]>();
    groups.set(base, group);
    const id = classes.get(token)!;
    group.set(id, [...(group.get(id) ?? []), token]);
  }
  const names = new Map<string, string>();
  const used = new Set(taken);
  for (const [base, group] of [...groups].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const isAlone = group.size === 1 && !taken.has(base);
    for (const tokens of group.values()) {
      const { document } = schemas.get(tokens[0]!)!;
      const name = freeName(isAlone ? base : `${stemOf(document.name)}_${base}`, used);
      used.add(name);
      for (const token of tokens) names.set(token, name);
    }
  }
  return names;
};

/** A copy of a value with names in place of what stands for them. */
export const withNames = (value: Json, names: ReadonlyMap<string, string>): Json => {
  if (typeof value === "string")
    return isToken(value) && names.has(value) ? `#/components/schemas/${names.get(value)!}` : value;
  if (Array.isArray(value)) return value.map((item) => withNames(item, names));
  return isObject(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withNames(inner, names)]))
    : value;
};

/**
 * Which schemas say the same, by refinement of partitions: first those that read alike, and then of these the ones that refer to
 * such as say the same, until nothing is told apart any more. Schemas may be recursive.
 */
const classesOf = (schemas: ReadonlyMap<string, Imported>): ReadonlyMap<string, number> => {
  const referred = new Map<string, readonly string[]>();
  const texts = new Map<string, string>();
  for (const [token, { schema }] of schemas) {
    const found: string[] = [];
    const text = canonicalJson(masked(schema, (name) => found.push(name)));
    referred.set(token, found);
    texts.set(token, text);
  }
  let classes = numbered(schemas.keys(), (token) => texts.get(token)!);
  for (;;) {
    const before = new Set(classes.values()).size;
    const current = classes;
    classes = numbered(
      schemas.keys(),
      (token) =>
        `${current.get(token)} ${referred
          .get(token)!
          .map((name) => current.get(name))
          .join(" ")}`,
    );
    if (new Set(classes.values()).size === before) return classes;
  }
};

const numbered = (tokens: Iterable<string>, keyOf: (token: string) => string): Map<string, number> => {
  const numbers = new Map<string, number>();
  const result = new Map<string, number>();
  for (const token of tokens) {
    const key = keyOf(token);
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    result.set(token, numbers.get(key)!);
  }
  return result;
};

/** A schema with the bare names of those that it refers to, which are told in their order. */
const masked = (value: Json, tell: (token: string) => void): Json => {
  if (typeof value === "string") {
    if (!isToken(value)) return value;
    tell(value);
    return `ref ${baseName(value)}`;
  }
  if (Array.isArray(value)) return value.map((item) => masked(item, tell));
  if (!isObject(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, masked(value[key]!, tell)]));
};

const byPlaceOf =
  (schemas: ReadonlyMap<string, Imported>) =>
  (one: string, other: string): number => {
    const key = (token: string): string => {
      const { document, pointer } = schemas.get(token)!;
      return `${document.name}\0${pointer}`;
    };
    return key(one) < key(other) ? -1 : 1;
  };

/** The last step that is a name: of a component its own, of something deeper that of where it stands. */
const baseName = (pointer: string): string => {
  const steps = pointer.split("/").filter((step) => !/^\d*$/.test(step));
  return (steps.at(-1) ?? "Schema").replaceAll(/[^A-Za-z0-9._-]+/g, "_");
};

/** `users` of `shop/users.yaml`. */
const stemOf = (file: string): string =>
  (file.split("/").at(-1) ?? file).replace(/\.(ya?ml|json)$/, "").replaceAll(/[^A-Za-z0-9._-]+/g, "_");

const freeName = (name: string, used: ReadonlySet<string>): string => {
  if (!used.has(name)) return name;
  let number = 2;
  while (used.has(`${name}_${number}`)) number++;
  return `${name}_${number}`;
};
