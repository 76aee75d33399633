import { FIELDS, type Kind, OPEN_KINDS } from "../config/openapi/grammar.ts";
import type { Json } from "../core/json.ts";
import type { BundledDocument } from "../core/operation.ts";
import { modernSchema, withoutInternal } from "./dialect.ts";
import { isObject, type JsonObject } from "./json.ts";

/** A schema that is taken over from a document, under a name that is no name yet: see `naming.ts`. */
export interface Imported {
  readonly document: BundledDocument;
  /** JSON Pointer in its document. */
  readonly pointer: string;
  readonly schema: Json;
}

const PREFIX = "postern:";

/** Takes parts of documents over into the public one. Schemas are referred to; all else is copied to where it is used. */
export class Imports {
  /** By the text that stands for their names. */
  readonly schemas = new Map<string, Imported>();
  readonly #documents: BundledDocument[] = [];
  readonly #waiting: {
    readonly token: string;
    readonly document: BundledDocument;
    readonly pointer: string;
  }[] = [];
  readonly #known = new Set<string>();

  /** A copy of an object of a kind, in the words of OpenAPI 3.1, with tokens in place of references. */
  copy(value: Json, kind: Kind, document: BundledDocument): Json {
    const made = this.#object(value, kind, document, 0);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { token, pointer } = next;
      const target = document.resolve({ $ref: `#${pointer}` }) ?? {};
      this.schemas.set(token, { document, pointer, schema: this.#object(target, "schema", document, 0) });
    }
    return made;
  }

  /** The copy of what a JSON Pointer leads to. */
  copyAt(pointer: string, kind: Kind, document: BundledDocument): Json {
    return this.copy(document.resolve({ $ref: `#${pointer}` }) ?? {}, kind, document);
  }

  #object(value: Json, kind: Kind, document: BundledDocument, depth: number): Json {
    if (!isObject(value) || depth > 200) return value;
    const { $ref } = value;
    if (typeof $ref === "string") {
      if (kind === "schema") return this.#reference(value, $ref, document, depth);
      return this.#object(document.resolve(value) ?? {}, kind, document, depth + 1);
    }
    return this.#fields(value, kind, document, depth);
  }

  #fields(value: JsonObject, kind: Kind, document: BundledDocument, depth: number): JsonObject {
    const open = OPEN_KINDS[kind];
    const converted =
      kind === "schema" ? withoutInternal(document.dialect === "3.0" ? modernSchema(value) : value) : value;
    const entries = Object.entries(converted).map(([name, inner]): [string, Json] => {
      const field = open !== undefined && !name.startsWith("x-") ? open : ownField(kind, name);
      if (field === undefined) return [name, inner];
      const walk = (one: Json): Json => this.#object(one, field.kind, document, depth + 1);
      if (field.holds === "one") return [name, walk(inner)];
      if (Array.isArray(inner)) return [name, inner.map(walk)];
      if (field.holds === "oneOrList") return [name, walk(inner)];
      return isObject(inner)
        ? [name, Object.fromEntries(Object.entries(inner).map(([key, one]) => [key, walk(one)]))]
        : [name, inner];
    });
    const made = Object.fromEntries(entries);
    return kind === "schema" ? this.#withMapping(made, value, document) : made;
  }

  #reference(value: JsonObject, text: string, document: BundledDocument, depth: number): JsonObject {
    const token = this.#token(text, document);
    const { $ref: _, ...siblings } = value;
    // In 3.0 what stands beside a reference counts for nothing.
    if (document.dialect === "3.0" || Object.keys(siblings).length === 0) return { $ref: token };
    return { $ref: token, ...this.#fields(siblings, "schema", document, depth) };
  }

  /** A discriminator without a mapping goes by the names of schemas, which may be others in public. */
  #withMapping(made: JsonObject, written: JsonObject, document: BundledDocument): JsonObject {
    const { discriminator } = made;
    if (!isObject(discriminator)) return made;
    const choices = [written["oneOf"], written["anyOf"]].flatMap((list) => (Array.isArray(list) ? list : []));
    const implied = choices.flatMap((choice) =>
      isObject(choice) && typeof choice["$ref"] === "string"
        ? [[choice["$ref"].split("/").at(-1)!, choice["$ref"]] as const]
        : [],
    );
    const { mapping } = discriminator;
    const named = isObject(mapping)
      ? Object.entries(mapping).map(([name, to]) => [name, refOf(String(to))] as const)
      : implied;
    if (named.length === 0) return made;
    const tokens = named.map(([name, to]) => [name, this.#token(to, document)]);
    return { ...made, discriminator: { ...discriminator, mapping: Object.fromEntries(tokens) } };
  }

  #token(reference: string, document: BundledDocument): string {
    if (!this.#documents.includes(document)) this.#documents.push(document);
    const pointer = decoded(reference.slice(1));
    const token = `${PREFIX}${this.#documents.indexOf(document)}:${pointer}`;
    if (!this.#known.has(token)) {
      this.#known.add(token);
      this.#waiting.push({ token, document, pointer });
    }
    return token;
  }
}

/** Whether a text stands for the name of an imported schema. */
export const isToken = (text: string): boolean => text.startsWith(PREFIX);

/** A plain name in a mapping is that of a schema. */
const refOf = (text: string): string => (text.startsWith("#") ? text : `#/components/schemas/${text}`);

const decoded = (pointer: string): string => {
  try {
    return decodeURIComponent(pointer);
  } catch {
    return pointer;
  }
};

const ownField = (kind: Kind, name: string) =>
  Object.hasOwn(FIELDS[kind], name) ? FIELDS[kind][name] : undefined;
