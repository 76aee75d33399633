import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Source } from "../yaml.ts";
import { type DocumentFile, parseFile, placeInFile, placeInScalar } from "./file.ts";
import { type Steps, stepInto } from "./pointer.ts";
import { parseReference } from "./reference.ts";
import * as faults from "./reference-faults.ts";

/** Where files of the folder of OpenAPI documents are found by name. */
export interface Folder {
  readonly find: (name: string) => Source | undefined;
  readonly names: readonly string[];
}

/** Where a reference leads. */
export interface Found {
  readonly file: DocumentFile;
  readonly steps: Steps;
  readonly value: unknown;
  /** Whether it was written as a JSON Pointer, not as an anchor. */
  readonly isPointer: boolean;
}

/** Where a reference stands. */
interface At {
  readonly file: DocumentFile;
  readonly steps: Steps;
}

/** Longer chains of references are nobody's intent; it bounds the work that each costs. */
const MAX_HOPS = 100;

/** Follows references through the files of a folder; reads each file once, when it is first named. */
export class Targets {
  readonly #folder: Folder;
  readonly #anchors = new Map<DocumentFile, ReadonlyMap<string, Steps>>();
  readonly #found = new Map<DocumentFile, Map<string, Found>>();
  /** What was asked for, so that a reader can tell whether it would still find the same. */
  readonly asked = new Map<string, Source | undefined>();

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  /** Where a `$ref` leads that stands at a place of a file, or why it leads nowhere. */
  find(text: string, at: At): Found | Diagnostic {
    const found = this.#step(text, at);
    if (!("value" in found)) return found;
    return this.#ends(found, at) ? found : faults.referenceCycle(placeInFile(at.file, at.steps), text);
  }

  /**
   * Whether a chain of references comes to a value. What is broken on the way is told where it stands, and so is a circle
   * that the first of them is no part of.
   */
  #ends(first: Found, { file, steps }: At): boolean {
    const passed = new Set<unknown>();
    let found = first;
    for (let hops = 0; hops < MAX_HOPS; hops++) {
      const next = loneReference(found.value);
      if (next === undefined) return true;
      if (passed.has(found.value)) return !passed.has(valueAt(file, steps.slice(0, -1)));
      passed.add(found.value);
      const led = this.#step(next, found);
      if (!("value" in led)) return true;
      found = led;
    }
    return false;
  }

  /** One step of a chain; what was found is remembered, since chains share their ends. */
  #step(text: string, at: At): Found | Diagnostic {
    const known = this.#found.get(at.file) ?? new Map<string, Found>();
    this.#found.set(at.file, known);
    const found = known.get(text) ?? this.#lookUp(text, at);
    if ("value" in found) known.set(text, found);
    return found;
  }

  #lookUp(text: string, { file: from, steps: at }: At): Found | Diagnostic {
    const reference = parseReference(text, from.name);
    if (reference.kind === "remote") return faults.remoteReference(placeInFile(from, at), text);
    if (reference.kind === "outside") return faults.outsideReference(placeInFile(from, at), text);
    const hash = text.indexOf("#");
    const source = this.#folder.find(reference.file);
    this.asked.set(reference.file, source);
    if (source === undefined) {
      const place = placeInScalar(from, at, 0, hash < 0 ? text.length : hash);
      const names = this.#folder.names.map((name) => nameBeside(from.name, name));
      return faults.unknownFile(place, nameBeside(from.name, reference.file), names);
    }
    const { value: file, diagnostics } = parseFile(reference.file, source);
    if (file === undefined) return diagnostics[0]!;
    if (reference.kind === "anchor") {
      const steps = this.#anchorsOf(file).get(reference.anchor);
      if (steps !== undefined) return { file, steps, value: valueAt(file, steps), isPointer: false };
      const place = placeInScalar(from, at, hash + 1, text.length - hash - 1);
      return faults.danglingReference(place, text, reference.anchor, [...this.#anchorsOf(file).keys()]);
    }
    const { steps } = reference;
    let value = file.value;
    for (const [index, step] of steps.entries()) {
      const inner = stepInto(value, step);
      if (inner === undefined) {
        const [offset, length] = rangeOfStep(text, steps, index);
        return faults.danglingReference(placeInScalar(from, at, offset, length), text, step, namesOf(value));
      }
      value = inner;
    }
    return { file, steps, value, isPointer: true };
  }

  /** Places of a file's `$anchor`s, the first of each name. */
  #anchorsOf(file: DocumentFile): ReadonlyMap<string, Steps> {
    const known = this.#anchors.get(file);
    if (known !== undefined) return known;
    const anchors = new Map<string, Steps>();
    const waiting: { value: unknown; steps: Steps }[] = [{ value: file.value, steps: [] }];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { value, steps } = next;
      if (typeof value !== "object" || value === null || steps.length > MAX_HOPS) continue;
      const { $anchor: anchor } = value as { $anchor?: unknown };
      if (typeof anchor === "string" && !anchors.has(anchor)) anchors.set(anchor, steps);
      for (const [name, inner] of Object.entries(value).reverse())
        waiting.push({ value: inner, steps: [...steps, name] });
    }
    this.#anchors.set(file, anchors);
    return anchors;
  }
}

/** The text of an object that is a reference; one with keys beside it leads on as well. */
const loneReference = (value: unknown): string | undefined => {
  const text = stepInto(value, "$ref");
  return typeof text === "string" ? text : undefined;
};

const valueAt = ({ value }: DocumentFile, steps: Steps): unknown => steps.reduce<unknown>(stepInto, value);

/** Offset and length of a step of a reference's pointer; of the whole text where an escape hides it. */
const rangeOfStep = (text: string, steps: Steps, index: number): readonly [number, number] => {
  const written = text.slice(text.indexOf("#") + 1).split("/");
  if (written.length !== steps.length + 1) return [0, text.length];
  const before = written.slice(0, index + 1).join("/").length;
  return [text.indexOf("#") + 1 + before + 1, written[index + 1]!.length];
};

/** The name of a file of the folder as another of its files refers to it. */
const nameBeside = (from: string, name: string): string => {
  const [here, there] = [from.split("/").slice(0, -1), name.split("/")];
  let shared = 0;
  while (shared < here.length && here[shared] === there[shared]) shared++;
  return [...here.slice(shared).map(() => ".."), ...there.slice(shared)].join("/");
};

const namesOf = (value: unknown): string[] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
