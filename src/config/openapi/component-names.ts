import { type Kind, SECTIONS } from "./grammar.ts";
import { pointerOf } from "./pointer.ts";
import { type JsonRecord, record } from "./records.ts";
import type { Found } from "./targets.ts";

/** Something of another file that becomes a component. */
export interface Placed {
  readonly kind: Kind;
  readonly name: string;
  readonly found: Found;
}

/** Gives names to what is taken from other files, each place once, and keeps it until it is read. */
export class ComponentNames {
  readonly #components: JsonRecord;
  /** Names by what they stand for. */
  readonly #given = new Map<string, string>();
  readonly #taken = new Map<string, Set<string>>();
  readonly #waiting: Placed[] = [];
  #read = 0;

  constructor(components: JsonRecord) {
    this.#components = components;
  }

  nameOf(found: Found, kind: Kind): string {
    const key = `${kind}\0${found.file.name}\0${pointerOf(found.steps)}`;
    const known = this.#given.get(key);
    if (known !== undefined) return known;
    const section = SECTIONS[kind]!;
    const taken = this.#taken.get(section) ?? new Set(Object.keys(record(this.#components[section])));
    this.#taken.set(section, taken);
    const name = freeName(found, taken);
    taken.add(name);
    this.#given.set(key, name);
    this.#waiting.push({ kind, name, found });
    return name;
  }

  /** What was named next and is not read yet. */
  next(): Placed | undefined {
    return this.#waiting[this.#read++];
  }
}

/** The last step of where it stands, or the file's name; `file_Name` and then numbers where that is taken. */
const freeName = ({ file, steps }: Found, taken: ReadonlySet<string>): string => {
  const clean = (text: string): string => text.replaceAll(/[^A-Za-z0-9._-]+/g, "_");
  const stem = clean((file.name.split("/").at(-1) ?? "").replace(/\.(ya?ml|json)$/, ""));
  const last = steps.at(-1);
  const bare = last === undefined ? stem : clean(last);
  const whole = last === undefined ? stem : `${stem}_${bare}`;
  const candidates = /^\d+$|^_?$/.test(bare) ? [whole] : [bare, whole];
  const free = candidates.find((name) => !taken.has(name));
  if (free !== undefined) return free;
  let number = 2;
  while (taken.has(`${whole}_${number}`)) number++;
  return `${whole}_${number}`;
};

/** The components of a document with those that were added. */
export const withAdded = (components: JsonRecord, added: ReadonlyMap<string, JsonRecord>): JsonRecord => {
  const result: Record<string, unknown> = { ...components };
  for (const [section, entries] of added) result[section] = { ...record(components[section]), ...entries };
  return result;
};
