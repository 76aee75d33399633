import { fault } from "../../config/tree.ts";
import type { Json } from "../../core/json.ts";
import type { ValidatorSpec } from "../../core/validator.ts";
import { canonicalJson } from "../../lib/canonical-json.ts";
import { valueAt } from "../../lib/json-pointer-path.ts";
import type { RegexPlan } from "../../lib/regex/run.ts";
import { compileSearch } from "../../lib/regex/search.ts";
import type { Report } from "../ir.ts";
import { type Generator, generator } from "./generate.ts";
import { unusableSchema } from "./schema-faults.ts";
import { sameMeaning, Translator } from "./translate.ts";

/** Schemas of one document that are meant in one way. */
interface Group {
  readonly spec: ValidatorSpec;
  readonly index: number;
  /** Ids by JSON Pointer. */
  readonly ids: Map<string, string>;
  readonly byText: Map<string, string>;
  readonly waiting: string[];
}

/** The schemas for which the Worker needs code, each once, whichever routes ask for it. */
export class ValidatorTable {
  readonly #groups: Group[] = [];
  /** Names that policies know, by id. */
  readonly #names = new Map<string, string>();
  readonly #patterns = new Map<string, RegexPlan | undefined>();
  #isUsable = true;

  /** Whether values can be judged by all of the schemas, as far as the module was asked for. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** Asks for a validator, and answers its name. */
  name(spec: ValidatorSpec): string {
    const group = this.#groupOf(spec);
    const id = idIn(group, spec.pointer);
    const name = this.#names.get(id) ?? `v${this.#names.size}`;
    this.#names.set(id, name);
    return name;
  }

  /** The module of all validators; undefined where there is none. Schemas that cannot be used are told. */
  module(report: Report): string | undefined {
    if (this.#names.size === 0) return undefined;
    const schemas = new Map<
      string,
      { readonly schema: Json; readonly group: Group; readonly pointer: string }
    >();
    for (const group of this.#groups) this.#translate(group, schemas, report);
    const generate = generator(
      [...schemas.values()].some(({ schema }) => namesOfAll.test(JSON.stringify(schema))),
    );
    for (const [id, { schema, group, pointer }] of schemas) {
      const [wrong] = generate.faultsOf(schema);
      if (wrong === undefined && isAdded(generate, id, schema)) continue;
      this.#isUsable = false;
      report(unusableSchema(group.spec.document, pointer, wrong));
    }
    for (const id of this.#isUsable ? this.#names.keys() : [])
      if (!prepared(generate, id, schemas.get(id)!, report)) this.#isUsable = false;
    if (!this.#isUsable) return undefined;
    const patterns = [...this.#patterns].flatMap(([pattern, plan]) =>
      plan === undefined ? [] : [[pattern, plan] as const],
    );
    return generate.module(
      Object.fromEntries([...this.#names].map(([id, name]) => [name, id])),
      Object.fromEntries(patterns),
    );
  }

  #groupOf(spec: ValidatorSpec): Group {
    const known = this.#groups.find((group) => sameMeaning(group.spec, spec));
    if (known !== undefined) return known;
    const made: Group = { spec, index: this.#groups.length, ids: new Map(), byText: new Map(), waiting: [] };
    this.#groups.push(made);
    return made;
  }

  #translate(
    group: Group,
    schemas: Map<string, { readonly schema: Json; readonly group: Group; readonly pointer: string }>,
    report: Report,
  ): void {
    const { document } = group.spec;
    const translator = new Translator(group.spec, {
      idOf: (pointer) => idIn(group, pointer),
      takesPattern: (pattern, pointer) => this.#takesPattern(pattern, pointer, group, report),
      unresolved: () => {
        this.#isUsable = false;
      },
    });
    for (let key = group.waiting.shift(); key !== undefined; key = group.waiting.shift()) {
      const [pointer, variant] = partsOf(key);
      const id = idIn(group, key);
      const written = valueAt(document.json, pointer) as Json | undefined;
      if (written === undefined) throw new Error(`there is no schema at ${pointer}`);
      const translated = translator.translate(written, pointer, variant === "inside");
      schemas.set(id, { schema: translated, group, pointer });
    }
  }

  #takesPattern(pattern: string, pointer: string, { spec }: Group, report: Report): boolean {
    if (!this.#patterns.has(pattern)) {
      const compiled = compileSearch(pattern);
      this.#patterns.set(pattern, "regex" in compiled ? compiled.regex : undefined);
    }
    if (this.#patterns.get(pattern) !== undefined) return true;
    report(
      fault(
        spec.document.placeOf(pointer),
        "pattern-not-checked",
        "This pattern cannot be matched in linear time, so the gateway does not check it; the service has to.",
        "Write it without looking ahead or back, \\b and references to groups, and count less far.",
        { severity: "warning" },
      ),
    );
    return false;
  }
}

/** What every object of JavaScript has. */
const namesOfAll = new RegExp(`"(?:${Object.getOwnPropertyNames(Object.prototype).join("|")})"`);

/** The JSON Pointer and the variant behind it, which may be none. */
const partsOf = (key: string): readonly [pointer: string, variant: string] =>
  key.endsWith(INSIDE) ? [key.slice(0, -INSIDE.length), "inside"] : [key, ""];

const INSIDE = "#inside";

/** The id of a schema by its JSON Pointer and variant; schemas of the same text have one. */
const idIn = (group: Group, key: string): string => {
  const known = group.ids.get(key);
  if (known !== undefined) return known;
  const [pointer, variant] = partsOf(key);
  const text = variant + canonicalJson(valueAt(group.spec.document.json, pointer));
  const id = group.byText.get(text) ?? `postern:${group.index}/${group.byText.size}`;
  if (!group.byText.has(text)) group.waiting.push(key);
  group.byText.set(text, id);
  group.ids.set(key, id);
  return id;
};

/** An anchor that stands twice in a schema is one reason why it cannot be. */
const isAdded = (generate: Generator, id: string, schema: Json): boolean => {
  try {
    generate.add(id, schema);
    return true;
  } catch {
    return false;
  }
};

const prepared = (
  generate: Generator,
  id: string,
  { group, pointer }: { readonly group: Group; readonly pointer: string },
  report: Report,
): boolean => {
  try {
    generate.prepare(id);
    return true;
  } catch {
    report(unusableSchema(group.spec.document, pointer));
    return false;
  }
};
