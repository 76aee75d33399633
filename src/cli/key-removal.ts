import { isDeepStrictEqual } from "node:util";
import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLSeq } from "yaml";
import type { Source } from "../config/yaml.ts";

/** What became of a key in one file. */
export interface Removal {
  readonly file: string;
  /** Where the key stands: the first line is 1. */
  readonly line: number;
  /** The file without it; undefined where it has to be taken out by hand, as behind an alias. */
  readonly text: string | undefined;
}

/** Where `consumers.<name>.keys` may stand in a file: in the documents, and in what environments lay over them. */
const listsIn = (document: Document, consumer: string): readonly (readonly string[])[] => {
  const environments = document.get("environments", true);
  const names = isMap(environments) ? environments.items.map(({ key }) => String(key)) : [];
  return [[], ...names.map((name) => ["environments", name])].map((path) => [
    ...path,
    "consumers",
    consumer,
    "keys",
  ]);
};

/**
 * Takes a consumer's key out of the files that hold it, wherever in them: only its characters go, so that comments and layout
 * stay. What comes out is read again, and must be what was there without the key; else it is left to people.
 */
export const removeKey = (sources: readonly Source[], consumer: string, id: string): readonly Removal[] =>
  sources.flatMap((source): Removal[] => {
    const removals: Removal[] = [];
    let { text } = source;
    for (let found = findKey(text, consumer, id); found !== undefined; found = findKey(text, consumer, id)) {
      const edited = withoutItem(text, found);
      removals.push({ file: source.file, line: found.line, text: edited });
      if (edited === undefined) return removals.map((removal) => ({ ...removal, text: undefined }));
      text = edited;
    }
    // Each was found in what the one before left; the last text is without all of them.
    return removals.map((removal) => ({ ...removal, text }));
  });

interface Found {
  readonly path: readonly string[];
  readonly list: YAMLSeq;
  readonly index: number;
  readonly line: number;
}

const findKey = (text: string, consumer: string, id: string): Found | undefined => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, uniqueKeys: false });
  for (const path of listsIn(document, consumer)) {
    const list = document.getIn(path, true);
    if (!isSeq(list)) continue;
    const index = list.items.findIndex((item) => isMap(item) && String(item.get("id")) === id);
    const item = list.items[index];
    if (isMap(item)) return { path, list, index, line: lines.linePos(item.range![0]).line };
  }
  return undefined;
};

/** The text without an item of a list; undefined where the item cannot be told from its surroundings. */
const withoutItem = (text: string, { path, list, index }: Found): string | undefined => {
  const cut = list.flow === true ? cutFlow(text, list, index) : cutBlock(text, list, index);
  return cut !== undefined && isSameWithout(text, cut, path, index) ? cut : undefined;
};

const rangeOf = (list: YAMLSeq, index: number): readonly [start: number, end: number] => {
  const { range } = list.items[index] as { range: [number, number, number] };
  return [range[0], range[1]];
};

/** `[{ … }, { … }]`: with the comma that goes with the item. */
const cutFlow = (text: string, list: YAMLSeq, index: number): string => {
  const [start, end] = rangeOf(list, index);
  if (index + 1 < list.items.length) return text.slice(0, start) + text.slice(rangeOf(list, index + 1)[0]);
  const from = index === 0 ? start : rangeOf(list, index - 1)[1];
  return text.slice(0, from) + text.slice(end);
};

/** `- …` on lines of its own, with the comment at its end. The last item leaves an empty list behind. */
const cutBlock = (text: string, list: YAMLSeq, index: number): string | undefined => {
  const [start, end] = rangeOf(list, index);
  const lineStart = text.lastIndexOf("\n", start) + 1;
  const indent = /^([ ]*)- +$/.exec(text.slice(lineStart, start))?.[1];
  if (indent === undefined) return undefined;
  const valueEnd = start + text.slice(start, end).trimEnd().length;
  const newline = text.indexOf("\n", valueEnd);
  const rest = newline < 0 ? "" : text.slice(newline + 1);
  // Two blanks more: at the column of its key, a list of this form would not be its value.
  const left = list.items.length === 1 ? `${indent}  []\n` : "";
  return text.slice(0, lineStart) + left + rest;
};

/** Whether a text says what another says, but for one item of a list. */
const isSameWithout = (before: string, after: string, path: readonly string[], index: number): boolean => {
  const wanted = parseDocument(before, { merge: true });
  const got = parseDocument(after, { merge: true });
  if (wanted.errors.length > 0 || got.errors.length > 0) return false;
  // Through an alias more than this key would go, or less.
  if (!isReachedPlainly(wanted, path)) return false;
  wanted.deleteIn([...path, index]);
  return isDeepStrictEqual(wanted.toJS(), got.toJS());
};

const isReachedPlainly = (document: Document, path: readonly string[]): boolean =>
  path.every((_, depth) => {
    const node = document.getIn(path.slice(0, depth + 1), true);
    return (isMap(node) || isSeq(node)) && node.anchor === undefined;
  }) && isPlainMap(document.contents);

const isPlainMap = (node: unknown): boolean => isMap(node) && node.items.every(({ key }) => isScalar(key));
