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
import { fault, type Tree } from "./tree.ts";

/** A file as it was read. */
export interface Source {
  /** As the user named it: relative to where the command runs. */
  readonly file: string;
  readonly text: string;
}

const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

/** Parses one YAML file (1.2, core schema; aliases and merge keys accepted) to a tree with places. */
export const parseYaml = (source: Source): Outcome<Tree> => {
  const lines = new LineCounter();
  const document = parseDocument(source.text, {
    lineCounter: lines,
    merge: true,
    strict: true,
    uniqueKeys: true,
  });
  const diagnostics: Diagnostic[] = [];
  for (const error of [...document.errors, ...document.warnings]) {
    const from = lines.linePos(error.pos[0]);
    const to = lines.linePos(error.pos[1]);
    const place = {
      file: source.file,
      line: from.line,
      column: from.col,
      endLine: to.line,
      endColumn: to.col,
    };
    diagnostics.push(syntaxFault(place, error.code, error.message));
  }
  if (diagnostics.length > 0) return { diagnostics };
  const reader = new TreeReader(source, lines, document.contents, diagnostics);
  return { value: reader.read(), diagnostics };
};

const syntaxFault = (place: Place, code: string, message: string): Diagnostic => {
  const what = message
    .split("\n")[0]!
    .replace(/ at line \d+, column \d+:?$/, "")
    .replace(/\.?$/, ".");
  switch (code) {
    case "DUPLICATE_KEY":
      return fault(
        place,
        "duplicate-key",
        "This key stands twice in the same map.",
        "Remove one of the two, or join their values.",
      );
    case "TAB_AS_INDENT":
      return fault(place, "yaml-syntax", what, "Indent with spaces.");
    case "MULTIPLE_DOCS":
      return fault(
        place,
        "yaml-syntax",
        "A policy file holds one YAML document.",
        "Put what follows `---` into a file of its own.",
      );
    case "BAD_INDENT":
      return fault(place, "yaml-syntax", what, "Give all keys of one map the same indentation.");
    default:
      return fault(
        place,
        "yaml-syntax",
        what,
        "Correct the YAML here: keys end in a colon and a space, and text with special characters stands in quotes.",
      );
  }
};

/** How deep aliases may lead into each other, so that a file of a few lines cannot stand for gigabytes. */
const MAX_NODES = 200_000;

class TreeReader {
  readonly #source: Source;
  readonly #lines: LineCounter;
  readonly #root: Node | null;
  readonly #diagnostics: Diagnostic[];
  readonly #anchors = new Map<string, Tree>();
  #nodes = 0;

  constructor(source: Source, lines: LineCounter, root: Node | null, diagnostics: Diagnostic[]) {
    this.#source = source;
    this.#lines = lines;
    this.#root = root;
    this.#diagnostics = diagnostics;
  }

  read(): Tree {
    return this.#tree(this.#root, undefined);
  }

  #place(node: { range?: [number, number, number] | null | undefined }): Place {
    const from = this.#lines.linePos(node.range?.[0] ?? 0);
    const to = this.#lines.linePos(node.range?.[1] ?? 0);
    return {
      file: this.#source.file,
      line: from.line,
      column: from.col,
      endLine: to.line,
      endColumn: to.col,
    };
  }

  #tree(node: unknown, keyPlace: Place | undefined): Tree {
    const empty = { file: this.#source.file, line: 1, column: 1, endLine: 1, endColumn: 1 };
    if (++this.#nodes > MAX_NODES) {
      if (this.#nodes === MAX_NODES + 1) {
        this.#diagnostics.push(
          fault(
            keyPlace ?? empty,
            "yaml-too-large",
            "This file is too large once its aliases are followed.",
            "Use fewer aliases of aliases.",
          ),
        );
      }
      return { place: keyPlace ?? empty, scalar: null };
    }
    if (isAlias(node)) return this.#alias(node, keyPlace);
    let tree: Tree;
    if (isMap(node)) tree = { place: this.#place(node), entries: this.#entries(node) };
    else if (isSeq(node))
      tree = { place: this.#place(node), items: node.items.map((item) => this.#tree(item, undefined)) };
    else if (isScalar(node)) tree = this.#scalar(node);
    else tree = { place: keyPlace ?? empty, scalar: null };
    const anchor = (node as { anchor?: string } | null)?.anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, tree);
    return keyPlace === undefined ? tree : { ...tree, keyPlace };
  }

  #alias(node: Alias, keyPlace: Place | undefined): Tree {
    const target = this.#anchors.get(node.source);
    if (target === undefined) {
      const place = this.#place(node);
      this.#diagnostics.push(
        fault(
          place,
          "yaml-syntax",
          `The anchor "&${node.source}" is not complete here.`,
          "Name an anchor that stands before the alias and does not hold it.",
        ),
      );
      return { place, scalar: null };
    }
    this.#nodes += sizeOf(target);
    return keyPlace === undefined ? target : { ...target, keyPlace };
  }

  #scalar(node: Scalar): Tree {
    const place = this.#place(node);
    const value = node.value;
    const scalar =
      value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean"
        ? value
        : String(value);
    const verbatim =
      node.type === Scalar.PLAIN || (node.type?.startsWith("QUOTE") === true && node.source === scalar);
    if (typeof scalar !== "string" || place.line !== place.endLine || !verbatim) return { place, scalar };
    return { place, scalar, textColumn: place.column + (node.type === Scalar.PLAIN ? 0 : 1) };
  }

  #entries(map: YAMLMap): Map<string, Tree> {
    const entries = new Map<string, Tree>();
    const merged = new Map<string, Tree>();
    for (const pair of map.items as Pair<unknown, unknown>[]) {
      if (isScalar(pair.key) && typeof pair.key.value === "symbol") {
        this.#merge(pair.value, merged);
        continue;
      }
      const key = isScalar(pair.key) ? String(pair.key.value) : undefined;
      const place = this.#place((pair.key ?? map) as Node);
      if (key === undefined) {
        this.#diagnostics.push(
          fault(place, "yaml-syntax", "A key is a text here.", "Write a name followed by a colon."),
        );
      } else if (FORBIDDEN.has(key)) {
        this.#diagnostics.push(
          fault(place, "forbidden-name", `"${key}" cannot be a name.`, "Choose another name."),
        );
      } else {
        entries.set(key, this.#tree(pair.value, place));
      }
    }
    for (const [key, tree] of merged) if (!entries.has(key)) entries.set(key, tree);
    return entries;
  }

  #merge(value: unknown, into: Map<string, Tree>): void {
    const tree = this.#tree(value, undefined);
    const sources = tree.items ?? [tree];
    for (const source of sources) {
      if (source.entries === undefined) {
        this.#diagnostics.push(
          fault(
            source.place,
            "yaml-syntax",
            "A merge key takes a map or a list of maps.",
            "Write `<<: *anchor` with the anchor of a map.",
          ),
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
