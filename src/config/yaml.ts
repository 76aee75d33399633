import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
  type YAMLMap,
} from "yaml";
import type { Diagnostic, Outcome, Place } from "../core/diagnostic.ts";
import { didYouMean } from "./faults.ts";
import { fault, type Tree } from "./tree.ts";
import { placeOfRange, type Source, syntaxFault } from "./yaml-syntax.ts";

export type { Source };

/** Names by which JavaScript reaches what objects inherit. */
const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

export const isForbiddenName = (name: string): boolean => FORBIDDEN.has(name);

/** How many values the aliases of a file may stand for, so that a few lines cannot stand for gigabytes. */
const MAX_ALIASED = 100_000;

export interface YamlOptions {
  /** Whether any name may be a key, as in documents that others write; policy files refuse those of JavaScript's own. */
  readonly anyName?: boolean;
}

/**
 * Parses one YAML file (1.2, core schema; aliases and merge keys accepted) to a tree with places. There is no value where
 * the file cannot be read as a whole.
 */
export const parseYaml = (source: Source, options: YamlOptions = {}): Outcome<Tree> => {
  const lines = new LineCounter();
  const document = parseDocument(source.text, {
    lineCounter: lines,
    merge: true,
    strict: true,
    // Told by the reader, which knows both places.
    uniqueKeys: false,
  });
  const slip = syntaxFault(document, source, lines);
  if (slip !== undefined) return { diagnostics: [slip] };
  const diagnostics: Diagnostic[] = [];
  const reader = new TreeReader(source, lines, diagnostics, options);
  const value = reader.read(document.contents);
  return diagnostics.some(({ code }) => code === "yaml-syntax") ? { diagnostics } : { value, diagnostics };
};

class TreeReader {
  readonly #source: Source;
  readonly #lines: LineCounter;
  readonly #diagnostics: Diagnostic[];
  readonly #options: YamlOptions;
  readonly #anchors = new Map<string, Tree>();
  #aliased = 0;

  constructor(source: Source, lines: LineCounter, diagnostics: Diagnostic[], options: YamlOptions) {
    this.#source = source;
    this.#lines = lines;
    this.#diagnostics = diagnostics;
    this.#options = options;
  }

  read(root: Node | null): Tree {
    return this.#tree(root, undefined);
  }

  #place(node: { range?: [number, number, number] | null | undefined }): Place {
    const [from, to] = node.range ?? [0, 0];
    return placeOfRange(this.#source.file, this.#lines, from, to);
  }

  #syntax(place: Place, message: string, remedy: string): void {
    this.#diagnostics.push(fault(place, "yaml-syntax", message, remedy));
  }

  #tree(node: unknown, keyPlace: Place | undefined): Tree {
    if (isAlias(node)) return this.#alias(node, keyPlace);
    let tree: Tree;
    if (isMap(node)) tree = { place: this.#place(node), entries: this.#entries(node) };
    else if (isSeq(node))
      tree = { place: this.#place(node), items: node.items.map((item) => this.#tree(item, undefined)) };
    else if (isScalar(node)) tree = this.#scalar(node, keyPlace);
    else tree = { place: keyPlace ?? this.#place({}), scalar: null };
    const anchor = (node as { anchor?: string } | null)?.anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, tree);
    return keyPlace === undefined ? tree : { ...tree, keyPlace };
  }

  #alias(node: Alias, keyPlace: Place | undefined): Tree {
    const place = this.#place(node);
    const nothing = { place, scalar: null };
    const target = this.#anchors.get(node.source);
    if (target === undefined) {
      const near = didYouMean(node.source, [...this.#anchors.keys()]);
      this.#syntax(
        place,
        `There is no anchor "${node.source}" before this place.`,
        near ??
          (/^[\w-]+$/.test(node.source)
            ? `Write \`&${node.source}\` before the value that is meant, or put this in quotes if it is a text.`
            : `Put the text in quotes: "*${node.source}".`),
      );
      return nothing;
    }
    const before = this.#aliased;
    this.#aliased += sizeOf(target);
    if (this.#aliased > MAX_ALIASED) {
      if (before <= MAX_ALIASED)
        this.#syntax(
          place,
          "The aliases up to here stand for too many values.",
          "Use fewer aliases of things that hold aliases.",
        );
      return nothing;
    }
    return keyPlace === undefined ? target : { ...target, keyPlace };
  }

  #scalar(node: Scalar, keyPlace: Place | undefined): Tree {
    const place = this.#place(node);
    const value = node.value;
    // Nothing stands there: the key is what one can point to.
    if (value === null && node.source === "" && keyPlace !== undefined)
      return { place: keyPlace, scalar: null };
    const scalar =
      value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean"
        ? value
        : String(value);
    const [from, to] = node.range ?? [0, 0];
    const quote = node.type === Scalar.PLAIN ? 0 : 1;
    // Escapes and folded lines move characters.
    const isVerbatim = this.#source.text.slice(from + quote, to - quote) === scalar;
    return typeof scalar === "string" && isVerbatim
      ? { place, scalar, textColumn: place.column + quote }
      : { place, scalar };
  }

  #entries(map: YAMLMap): Map<string, Tree> {
    const entries = new Map<string, Tree>();
    const merged = new Map<string, Tree>();
    for (const pair of map.items as Pair<unknown, unknown>[]) {
      if (isScalar(pair.key) && typeof pair.key.value === "symbol") this.#merge(pair.value, merged);
      else this.#entry(pair, map, entries);
    }
    for (const [key, tree] of merged) if (!entries.has(key)) entries.set(key, tree);
    return entries;
  }

  #entry(pair: Pair<unknown, unknown>, map: YAMLMap, entries: Map<string, Tree>): void {
    const place = this.#place((pair.key ?? map) as Node);
    if (!isScalar(pair.key)) {
      this.#syntax(place, "A key is a text here.", "Write a name followed by a colon.");
      return;
    }
    // As it was written: the key 1.0 is not the key 1.
    const key =
      typeof pair.key.value === "string" ? pair.key.value : (pair.key.source ?? String(pair.key.value));
    if (isForbiddenName(key) && this.#options.anyName !== true) {
      this.#diagnostics.push(
        fault(place, "forbidden-name", `"${key}" cannot be a name.`, "Choose another name."),
      );
      return;
    }
    const first = entries.get(key);
    if (first !== undefined) {
      const related = [{ message: "It stands here first.", place: first.keyPlace ?? first.place }];
      this.#diagnostics.push(
        fault(
          place,
          "duplicate-key",
          `The key "${key}" stands twice in the same map.`,
          "Remove one of the two, or join their values.",
          { related },
        ),
      );
      return;
    }
    entries.set(key, this.#tree(pair.value, place));
  }

  #merge(value: unknown, into: Map<string, Tree>): void {
    const tree = this.#tree(value, undefined);
    const sources = tree.items ?? [tree];
    for (const source of sources) {
      if (source.entries === undefined) {
        this.#syntax(
          source.place,
          "A merge key takes a map or a list of maps.",
          "Write `<<: *anchor` with the anchor of a map.",
        );
      }
      for (const [key, entry] of source.entries ?? []) if (!into.has(key)) into.set(key, entry);
    }
  }
}

const sizes = new WeakMap<Tree, number>();

/** How many nodes a tree stands for, aliases followed; remembered, because aliases of aliases repeat. */
const sizeOf = (tree: Tree): number => {
  const known = sizes.get(tree);
  if (known !== undefined) return known;
  let size = 1;
  for (const child of tree.entries?.values() ?? tree.items ?? []) size += sizeOf(child);
  sizes.set(tree, size);
  return size;
};
