import type { Diagnostic } from "../../core/diagnostic.ts";
import { ComponentNames, withAdded } from "./component-names.ts";
import { type DocumentFile, placeInFile } from "./file.ts";
import { FIELDS, type Field, type Kind, METHODS, OPEN_KINDS, SECTIONS } from "./grammar.ts";
import { bareReference, honored } from "./keywords.ts";
import { fragmentOf, pointerOf, type Steps } from "./pointer.ts";
import { isRecord, type JsonRecord, record, setOwn } from "./records.ts";
import * as faults from "./reference-faults.ts";
import type { Targets } from "./targets.ts";

/** Where a value of the bundled document was written. */
export interface Origin {
  readonly file: DocumentFile;
  readonly steps: Steps;
}

/** What bundling makes of a document. */
export interface Bundle {
  readonly json: JsonRecord;
  /** Origins by JSON Pointer of the bundled document, where they are other than the pointer says. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Faults of references, by the object of `json` that holds them. */
  readonly faults: ReadonlyMap<object, readonly Diagnostic[]>;
  /** What keeps the document from being used at all. */
  readonly fatal: Diagnostic | undefined;
}

/** Deeper than anybody writes; it keeps a document from exhausting the stack. */
const MAX_DEPTH = 200;

/** A walk's place: in the file that is read, and in the document that is made. */
interface Site {
  readonly file: DocumentFile;
  readonly steps: Steps;
  readonly out: Steps;
}

const below = ({ file, steps, out }: Site, ...more: string[]): Site => ({
  file,
  steps: [...steps, ...more],
  out: [...out, ...more],
});

/**
 * Makes one document of a file and of what it refers to: a component for every place of another file. Each place is read
 * once, however often it is referred to, and what needs no change is taken over as it is.
 */
export const bundle = (root: DocumentFile, targets: Targets, dialect: "3.0" | "3.1"): Bundle =>
  new Bundler(root, targets, dialect).bundle();

class Bundler {
  readonly #root: DocumentFile;
  readonly #targets: Targets;
  readonly #dialect: "3.0" | "3.1";
  readonly #origins = new Map<string, Origin>();
  readonly #faults = new Map<object, Diagnostic[]>();
  readonly #made = new Map<Kind, WeakMap<object, unknown>>();
  readonly #components: ComponentNames;
  #fatal: Diagnostic | undefined;

  constructor(root: DocumentFile, targets: Targets, dialect: "3.0" | "3.1") {
    this.#root = root;
    this.#targets = targets;
    this.#dialect = dialect;
    this.#components = new ComponentNames(record(record(root.value)["components"]));
  }

  bundle(): Bundle {
    const made = record(this.#object(this.#root.value, "document", { file: this.#root, steps: [], out: [] }));
    const added = new Map<string, Record<string, unknown>>();
    for (let next = this.#components.next(); next !== undefined; next = this.#components.next()) {
      const { kind, name, found } = next;
      const section = SECTIONS[kind]!;
      const out = ["components", section, name];
      this.#origins.set(pointerOf(out), found);
      const entries = added.get(section) ?? {};
      entries[name] = this.#object(found.value, kind, { ...found, out });
      added.set(section, entries);
    }
    return {
      json: added.size === 0 ? made : { ...made, components: withAdded(record(made["components"]), added) },
      origins: this.#origins,
      faults: this.#faults,
      fatal: this.#fatal,
    };
  }

  /** An object of a kind with its references made internal; the very same object where nothing changes. */
  #object(value: unknown, kind: Kind, site: Site): unknown {
    if (!isRecord(value) || this.#fatal !== undefined) return value;
    if (site.out.length > MAX_DEPTH) {
      this.#fatal = faults.tooDeep(placeInFile(site.file, site.steps), MAX_DEPTH);
      return value;
    }
    const memo = this.#made.get(kind) ?? new WeakMap<object, unknown>();
    this.#made.set(kind, memo);
    if (memo.has(value)) return memo.get(value);
    const made =
      "$ref" in value && SECTIONS[kind] !== undefined
        ? this.#reference(value, kind, site)
        : this.#fields(value, kind, site);
    memo.set(value, made);
    return made;
  }

  #fields(value: JsonRecord, kind: Kind, site: Site): JsonRecord {
    const fields = FIELDS[kind];
    const open = OPEN_KINDS[kind];
    if (typeof value["$ref"] === "string" && SECTIONS[kind] === undefined)
      return this.#misplaced(value, site);
    let changed: Record<string, unknown> | undefined;
    for (const name of Object.keys(value)) {
      const field = open === undefined ? ownField(fields, name) : name.startsWith("x-") ? undefined : open;
      if (field === undefined) continue;
      const made = this.#field(value[name], field, below(site, name));
      if (made !== value[name]) setOwn((changed ??= { ...value }), name, made);
    }
    return kind === "schema" ? this.#schema(value, changed, site) : (changed ?? value);
  }

  #field(value: unknown, { kind, holds }: Field, site: Site): unknown {
    if (holds === "one") return this.#object(value, kind, site);
    if (Array.isArray(value)) {
      if (holds === "map") return value;
      const made = value.map((item, index) => this.#object(item, kind, below(site, String(index))));
      return made.some((item, index) => item !== value[index]) ? made : value;
    }
    if (holds === "oneOrList") return this.#object(value, kind, site);
    if (holds === "list" || !isRecord(value)) return value;
    if (typeof value["$ref"] === "string") return this.#misplaced(value, site);
    let changed: Record<string, unknown> | undefined;
    for (const name of Object.keys(value)) {
      const made = this.#object(value[name], kind, below(site, name));
      if (made !== value[name]) setOwn((changed ??= { ...value }), name, made);
    }
    return changed ?? value;
  }

  /** What of a schema concerns references beside its fields: identifiers, and the mapping of a discriminator. */
  #schema(value: JsonRecord, made: Record<string, unknown> | undefined, site: Site): JsonRecord {
    const result = this.#mapping(value, made, site);
    if (this.#dialect === "3.0") return result;
    const { made: clean, unhonored } = honored(result);
    const placeOf = (keyword: string) => placeInFile(site.file, [...site.steps, keyword], true);
    const told = unhonored.map((keyword) => faults.unhonoredKeyword(placeOf(keyword), keyword));
    if (clean !== result) this.#moved(result, clean);
    this.#tell(clean, ...told);
    return clean;
  }

  /** References of a discriminator's mapping; a plain name is that of a schema of the document. */
  #mapping(value: JsonRecord, made: Record<string, unknown> | undefined, site: Site): JsonRecord {
    const { mapping } = record(value["discriminator"]);
    if (!isRecord(mapping)) return made ?? value;
    const told: Diagnostic[] = [];
    const schemas = record(record(record(site.file.value)["components"])["schemas"]);
    const entries = Object.entries(mapping).map(([name, text]) => {
      if (typeof text !== "string") return [name, text];
      const isName = Object.hasOwn(schemas, text);
      if (isName ? site.file === this.#root : !/[#/]|\.(ya?ml|json)$/.test(text)) return [name, text];
      const at = below(site, "discriminator", "mapping", name);
      const internal = this.#internal(
        isName ? fragmentOf(["components", "schemas", text]) : text,
        "schema",
        at,
      );
      if (typeof internal === "string") return [name, internal];
      told.push(internal);
      return [name, text];
    });
    if (told.length === 0 && entries.every(([name, text]) => mapping[name as string] === text))
      return made ?? value;
    const discriminator = { ...record(value["discriminator"]), mapping: Object.fromEntries(entries) };
    const result = { ...value, ...made, discriminator };
    this.#tell(result, ...told);
    return result;
  }

  #reference(value: JsonRecord, kind: Kind, site: Site): unknown {
    const text = value["$ref"];
    const at = below(site, "$ref");
    if (typeof text !== "string") {
      const broken = { ...value };
      this.#tell(broken, faults.wrongReference(placeInFile(at.file, at.steps)));
      return broken;
    }
    if (kind === "pathItem") return this.#laidIn(value, text, site);
    const internal = this.#internal(text, kind, at);
    if (typeof internal !== "string") {
      const broken = { ...value };
      this.#tell(broken, internal);
      return broken;
    }
    // Schemas of 3.1 keep what stands beside (OpenAPI 3.1 section 4.8.24.1).
    if (kind === "schema" && this.#dialect === "3.1") {
      const { $ref, ...siblings } = value;
      if (Object.keys(siblings).length === 0) return internal === $ref ? value : { $ref: internal };
      const made = this.#fields(value, kind, site);
      return made["$ref"] === internal ? made : this.#moved(made, { ...made, $ref: internal });
    }
    return this.#bare(value, internal, site);
  }

  /** A reference without what counts for nothing beside it. */
  #bare(value: JsonRecord, internal: string, site: Site): JsonRecord {
    const { made, counting } = bareReference(value, internal, this.#dialect);
    const [first] = counting;
    if (first !== undefined) {
      const place = placeInFile(site.file, [...site.steps, first], true);
      this.#tell(made as object, faults.ignoredSiblings(place, counting, this.#dialect));
    }
    return made;
  }

  /** A path item with that of its `$ref` laid in; its own fields stand beside. */
  #laidIn(value: JsonRecord, text: string, site: Site): unknown {
    const found = this.#targets.find(text, below(site, "$ref"));
    if (!("value" in found) || !isRecord(found.value)) {
      const broken = { ...value };
      const place = placeInFile(site.file, [...site.steps, "$ref"]);
      this.#tell(broken, "value" in found ? faults.unfitReference(place, text) : found);
      return broken;
    }
    const { $ref: _, ...own } = value;
    const target = this.#object(found.value, "pathItem", { ...found, out: site.out }) as JsonRecord;
    for (const name of Object.keys(target)) {
      if (!(name in own))
        this.#origins.set(pointerOf([...site.out, name]), {
          file: found.file,
          steps: [...found.steps, name],
        });
    }
    const made = { ...target, ...this.#fields(own, "pathItem", site) };
    const twice = METHODS.filter((method) => method in own && method in target);
    if (twice.length > 0)
      this.#tell(made, faults.twiceInPath(placeInFile(site.file, [...site.steps, twice[0]!], true), twice));
    return this.#moved(target, made);
  }

  /** The text of a reference inside of the bundled document, or what is wrong with it. */
  #internal(text: string, kind: Kind, site: Site): string | Diagnostic {
    const found = this.#targets.find(text, site);
    if (!("value" in found)) return found;
    const { value, file, steps, isPointer } = found;
    const fits = isRecord(value) || (kind === "schema" && typeof value === "boolean");
    const isWholeRoot = file === this.#root && steps.length === 0;
    if (!fits || isWholeRoot) return faults.unfitReference(placeInFile(site.file, site.steps), text);
    if (file === this.#root)
      return site.file === this.#root && isPointer && text.startsWith("#") ? text : fragmentOf(steps);
    return fragmentOf(["components", SECTIONS[kind]!, this.#components.nameOf(found, kind)]);
  }

  /** A reference in the place of a map whose entries alone can be references. */
  #misplaced(value: JsonRecord, site: Site): JsonRecord {
    const broken = { ...value };
    this.#tell(broken, faults.misplacedReference(placeInFile(site.file, [...site.steps, "$ref"], true)));
    return broken;
  }

  #tell(holder: object, ...diagnostics: readonly Diagnostic[]): void {
    if (diagnostics.length > 0)
      this.#faults.set(holder, [...(this.#faults.get(holder) ?? []), ...diagnostics]);
  }

  /** Takes the faults of an object along to what is made of it. */
  #moved<T extends object>(from: object, to: T): T {
    this.#tell(to, ...(this.#faults.get(from) ?? []));
    return to;
  }
}

const ownField = (fields: Readonly<Record<string, Field>>, name: string): Field | undefined =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;
