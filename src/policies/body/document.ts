import { decodedText, itemsOf, kindOf, membersOf } from "../../lib/json-text.ts";

/**
 * A JSON value: text that nobody has looked into, or a container that an edit has opened, one level deep. What is not opened
 * is passed on to the letter, and nothing of a body becomes an object of JavaScript, whose properties names could reach.
 */
export type Value = string | Container;
export type Container = ObjectValue | ArrayValue;

export interface ObjectValue {
  /** By their decoded names. */
  readonly members: Map<string, Member>;
}

export interface Member {
  /** As it is written, with quotes. */
  readonly name: string;
  readonly value: Value;
}

export interface ArrayValue {
  readonly items: Value[];
}

/** Why a value cannot be opened: it holds nothing, or it has a name twice, which readers take in different ways. */
export type Closed = "scalar" | "duplicate";

/** Opens a value, one level deep. */
export const opened = (value: Value): Container | Closed => {
  if (typeof value !== "string") return value;
  switch (kindOf(value)) {
    case "array":
      return { items: itemsOf(value) };
    case "object":
      return openedObject(value);
    default:
      return "scalar";
  }
};

const openedObject = (json: string): ObjectValue | Closed => {
  const members = new Map<string, Member>();
  const written = membersOf(json);
  for (const [name, value] of written) members.set(decodedText(name), { name, value });
  return members.size === written.length ? { members } : "duplicate";
};

/** The value at a name or an index; undefined where there is none. */
export const childOf = (container: Container, token: string): Value | undefined => {
  if ("members" in container) return container.members.get(token)?.value;
  const index = indexOf(token);
  return index === undefined ? undefined : container.items[index];
};

/** An array index (RFC 6901 section 4): digits without leading zeros. */
export const indexOf = (token: string): number | undefined =>
  /^(?:0|[1-9]\d{0,9})$/.test(token) ? Number(token) : undefined;

/** Puts a value in the place of one that is there. */
export const replaceChild = (container: Container, token: string, value: Value): void => {
  if ("members" in container) {
    const { members } = container;
    members.set(token, { name: members.get(token)!.name, value });
  } else container.items[Number(token)] = value;
};

/** Takes away a value that is there. */
export const removeChild = (container: Container, token: string): void => {
  if ("members" in container) container.members.delete(token);
  else container.items.splice(Number(token), 1);
};

/**
 * Adds a value: under a name, in place of what it has, or before an index, where `-` is the end (RFC 6902 section 4.1).
 * False where there is no such index.
 */
export const addChild = (container: Container, token: string, value: Value): boolean => {
  if ("members" in container) {
    const { members } = container;
    members.set(token, { name: members.get(token)?.name ?? JSON.stringify(token), value });
    return true;
  }
  const { items } = container;
  const index = token === "-" ? items.length : indexOf(token);
  if (index === undefined || index > items.length) return false;
  items.splice(index, 0, value);
  return true;
};

/** The tokens of all values of a container, in their order. */
export const tokensOf = (container: Container): string[] =>
  "members" in container ? [...container.members.keys()] : container.items.map((_, index) => String(index));

/** The JSON text of a value. Containers are nested only as deep as pointers of edits reach. */
export const textOf = (value: Value): string => {
  if (typeof value === "string") return value;
  if ("items" in value) return `[${value.items.map(textOf).join(",")}]`;
  return `{${[...value.members.values()].map((member) => `${member.name}:${textOf(member.value)}`).join(",")}}`;
};
