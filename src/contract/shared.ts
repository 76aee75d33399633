import type { Json } from "../core/json.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import { isObject, type JsonObject, sortedByKey } from "./json.ts";

/** Something that is used in several places, under a name that is made when all of them are known. */
interface Entry {
  readonly name: string;
  readonly key: string;
  readonly object: JsonObject;
  uses: number;
}

/** Objects for one section of the components: equal ones of one name are one; what is used too seldom stands where it is used. */
export class Shared {
  readonly #section: string;
  readonly #least: number;
  readonly #entries = new Map<string, Entry>();
  readonly #byToken = new Map<string, Entry>();

  constructor(section: "headers" | "responses", least: number) {
    this.#section = section;
    this.#least = least;
  }

  /** What stands for the object until `settle`. */
  refer(name: string, object: JsonObject): JsonObject {
    const key = canonicalJson(object);
    const token = `postern-${this.#section}:${name}:${key}`;
    const entry = this.#entries.get(token) ?? { name, key, object, uses: 0 };
    entry.uses++;
    this.#entries.set(token, entry);
    this.#byToken.set(token, entry);
    return { $ref: token };
  }

  /** Puts names, or the objects themselves, in place of what stands for them. */
  settle(value: Json): Json {
    const names = this.#names();
    const walk = (it: Json): Json => {
      if (Array.isArray(it)) return it.map(walk);
      if (!isObject(it)) return it;
      const entry = typeof it["$ref"] === "string" ? this.#byToken.get(it["$ref"]) : undefined;
      if (entry === undefined)
        return Object.fromEntries(Object.entries(it).map(([key, inner]) => [key, walk(inner)]));
      const name = names.get(entry);
      return name === undefined ? walk(entry.object) : { $ref: `#/components/${this.#section}/${name}` };
    };
    return walk(value);
  }

  /** The section itself. */
  all(): Readonly<Record<string, Json>> {
    return sortedByKey([...this.#names()].map(([{ object }, name]) => [name, object] as const));
  }

  /** Forms of one name are told apart by what they say, or by numbers. */
  #names(): ReadonlyMap<Entry, string> {
    const byName = new Map<string, Entry[]>();
    for (const entry of this.#entries.values())
      if (entry.uses >= this.#least) byName.set(entry.name, [...(byName.get(entry.name) ?? []), entry]);
    return new Map(
      [...byName].flatMap(([name, entries]) => {
        const sure = entries.filter(({ object }) => object["required"] === true);
        const loose = entries.filter(({ object }) => object["required"] !== true);
        return sure.length > 0 && loose.length > 0
          ? [...numbered(name, sure), ...numbered(`${name}-Optional`, loose)]
          : numbered(name, entries);
      }),
    );
  }
}

const numbered = (name: string, entries: readonly Entry[]): readonly (readonly [Entry, string])[] =>
  entries
    .toSorted((one, other) => (one.key < other.key ? -1 : 1))
    .map((entry, index) => [entry, index === 0 ? name : `${name}_${index + 1}`]);
