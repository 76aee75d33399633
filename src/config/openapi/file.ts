import type { Diagnostic, Outcome, Place } from "../../core/diagnostic.ts";
import { fault, placeInText, plainValue, type Tree } from "../tree.ts";
import { parseYaml, type Source } from "../yaml.ts";
import type { Steps } from "./pointer.ts";

/** A file of the folder of OpenAPI documents, parsed. */
export interface DocumentFile {
  /** Its name in the folder. */
  readonly name: string;
  readonly value: unknown;
  /** Undefined for what was read without places. */
  readonly tree: Tree | undefined;
  /** Where the file begins. */
  readonly top: Place;
}

/** Larger documents in JSON are read without places, which takes a hundredth of the time. */
const MAX_JSON_WITH_PLACES = 512 * 1024;

const parsed = new WeakMap<Source, Outcome<DocumentFile>>();

/** Parses a file in YAML or JSON, once; no value where it cannot be read. */
export const parseFile = (name: string, source: Source): Outcome<DocumentFile> => {
  const known = parsed.get(source);
  if (known?.value?.name === name) return known;
  const outcome = source.file.endsWith(".json") ? parseJson(name, source) : parseYamlFile(name, source);
  parsed.set(source, outcome);
  return outcome;
};

const beginning = ({ file }: Source): Place => ({ file, line: 1, column: 1, endLine: 1, endColumn: 1 });

const parseYamlFile = (name: string, source: Source): Outcome<DocumentFile> => {
  const { value: tree, diagnostics } = parseYaml(source, { anyName: true });
  if (tree === undefined) return { diagnostics };
  return { value: { name, value: plainValue(tree), tree, top: beginning(source) }, diagnostics };
};

const parseJson = (name: string, source: Source): Outcome<DocumentFile> => {
  try {
    // A byte order mark is no part of the text, and parsers may pass over it (RFC 8259 section 8.1).
    const value: unknown = JSON.parse(source.text.replace(/^\uFEFF/, ""));
    const withPlaces = source.text.length <= MAX_JSON_WITH_PLACES;
    const tree = withPlaces ? parseYaml(source, { anyName: true }).value : undefined;
    return { value: { name, value, tree, top: beginning(source) }, diagnostics: [] };
  } catch (error) {
    return { diagnostics: [jsonFault(source, error instanceof Error ? error.message : "")] };
  }
};

const jsonFault = (source: Source, said: string): Diagnostic => {
  const [, line = "1", column = "1"] = /\(line (\d+) column (\d+)\)/.exec(said) ?? [];
  const what = /^(.*?) in JSON at position/.exec(said)?.[1] ?? said;
  const at = { line: Number(line), column: Number(column) };
  return fault(
    { file: source.file, ...at, endLine: at.line, endColumn: at.column + 1 },
    "json-syntax",
    `This is not JSON: ${what.slice(0, 1).toLowerCase()}${what.slice(1)}.`,
    "Correct the document, or write it in YAML.",
  );
};

/** Where a value of a file stands: its key, or the value itself; the nearest that is there. */
export const placeInFile = (file: DocumentFile, steps: Steps, onKey = false): Place => {
  const found = treeInFile(file, steps);
  if (found === undefined) return file.top;
  return onKey ? (found.keyPlace ?? found.place) : found.place;
};

/** Where some characters of a text in a file stand. */
export const placeInScalar = (file: DocumentFile, steps: Steps, offset: number, length: number): Place => {
  const found = treeInFile(file, steps);
  return found === undefined ? file.top : placeInText(found, offset, length);
};

const treeInFile = ({ tree }: DocumentFile, steps: Steps): Tree | undefined => {
  let found = tree;
  for (const step of steps) {
    const next = found?.entries?.get(step) ?? found?.items?.[Number(step)];
    if (next === undefined) break;
    found = next;
  }
  return found;
};
