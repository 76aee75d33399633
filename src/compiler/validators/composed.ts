import type { Json } from "../../core/json.ts";
import type { BundledDocument } from "../../core/operation.ts";
import { pointerToken, valueAt } from "../../lib/json-pointer-path.ts";

export type JsonObject = { readonly [name: string]: Json };

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Keywords whose schemas judge the same value. */
const IN_PLACE = ["allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas"];

/** Schemas that judge the same value, as deep as this. */
const MOST_LEVELS = 32;

/** What can be said of a schema only by looking at those that it is made of. */
export class ComposedSchema {
  readonly #document: BundledDocument;
  /** The keyword that marks properties which are not of this direction. */
  readonly #mark: "readOnly" | "writeOnly";
  #anchors: Map<string, string> | undefined;

  constructor(document: BundledDocument, direction: "request" | "response") {
    this.#document = document;
    this.#mark = direction === "request" ? "readOnly" : "writeOnly";
  }

  /** JSON Pointer that a reference leads to; undefined where that is not in the document. */
  pointerOf(reference: string): string | undefined {
    if (reference === "#") return "";
    const pointer = reference.startsWith("#/") ? decoded(reference.slice(1)) : this.#anchor(reference);
    return pointer !== undefined && this.#at(pointer) !== undefined ? pointer : undefined;
  }

  /** Whether a property is of the other direction: it says so, or what it is made of does. */
  isOther(schema: Json, level = 0): boolean {
    if (!isObject(schema) || level > MOST_LEVELS) return false;
    if (schema[this.#mark] === true) return true;
    return this.#sameValue(schema, ["allOf"]).some((part) => this.isOther(part, level + 1));
  }

  /** Names of the properties of the other direction, of a schema and of all that hold together with it. */
  otherDirection(schema: JsonObject, level = 0): Set<string> {
    const names = new Set<string>();
    if (level > MOST_LEVELS) return names;
    const { properties } = schema;
    if (isObject(properties))
      for (const [name, value] of Object.entries(properties)) if (this.isOther(value)) names.add(name);
    for (const part of this.#sameValue(schema, ["allOf"]))
      if (isObject(part)) for (const name of this.otherDirection(part, level + 1)) names.add(name);
    return names;
  }

  /** Whether a schema lists properties, and nothing that it is made of says a word about others. */
  isClosable(schema: JsonObject): boolean {
    let lists = false;
    let speaks = false;
    const look = (part: Json, level: number): void => {
      if (!isObject(part) || level > MOST_LEVELS) return;
      lists ||= isObject(part["properties"]);
      speaks ||= ["additionalProperties", "unevaluatedProperties", "patternProperties"].some(
        (key) => part[key] !== undefined,
      );
      for (const inner of this.#sameValue(part, ["allOf", "anyOf", "oneOf"])) look(inner, level + 1);
    };
    look(schema, 0);
    return lists && !speaks;
  }

  /** Pointers to what `contains` says in a schema and in all that judge the same value, whether they hold or not. */
  containsOf(schema: Json, pointer: string, seen: Set<string> = new Set()): string[] {
    if (!isObject(schema) || seen.has(pointer)) return [];
    seen.add(pointer);
    const inside = IN_PLACE.flatMap((key) =>
      Array.isArray(schema[key])
        ? schema[key].map((_: Json, index: number) => `${pointer}/${key}/${index}`)
        : isObject(schema[key])
          ? key === "dependentSchemas"
            ? Object.keys(schema[key]).map((name) => `${pointer}/${key}/${pointerToken(name)}`)
            : [`${pointer}/${key}`]
          : [],
    );
    const reference = schema["$ref"];
    const target = typeof reference === "string" ? this.pointerOf(reference) : undefined;
    return [
      ...(schema["contains"] === undefined ? [] : [`${pointer}/contains`]),
      ...[...inside, ...(target === undefined ? [] : [target])].flatMap((at) =>
        this.containsOf(this.#at(at)!, at, seen),
      ),
    ];
  }

  #sameValue(schema: JsonObject, keys: readonly string[]): Json[] {
    const reference = schema["$ref"];
    const pointer = typeof reference === "string" ? this.pointerOf(reference) : undefined;
    const target = pointer === undefined ? undefined : this.#at(pointer);
    // Beside a reference nothing else counts in the dialect of 3.0.
    if (typeof reference === "string" && this.#document.dialect === "3.0")
      return target === undefined ? [] : [target];
    return [
      ...(target === undefined ? [] : [target]),
      ...keys.flatMap((key) => (Array.isArray(schema[key]) ? (schema[key] as Json[]) : [])),
    ];
  }

  #at(pointer: string): Json | undefined {
    return valueAt(this.#document.json, pointer) as Json | undefined;
  }

  /** The schema that calls itself by an anchor or an id; of several the first. */
  #anchor(reference: string): string | undefined {
    if (this.#anchors === undefined) {
      const anchors = new Map<string, string>();
      const look = (value: Json | undefined, pointer: string): void => {
        if (typeof value !== "object" || value === null) return;
        if (isObject(value)) {
          const { $id, $anchor, $dynamicAnchor } = value;
          const names = [
            $id,
            ...[$anchor, $dynamicAnchor].map((name) => typeof name === "string" && `#${name}`),
          ];
          for (const name of names)
            if (typeof name === "string" && !anchors.has(name)) anchors.set(name, pointer);
        }
        for (const [name, inner] of Object.entries(value))
          look(inner as Json, `${pointer}/${pointerToken(name)}`);
      };
      look(this.#document.json["components"], "/components");
      this.#anchors = anchors;
    }
    return this.#anchors.get(reference);
  }
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
