import type { Diagnostic, Outcome, Place } from "../../core/diagnostic.ts";
import type { Json } from "../../core/json.ts";
import type { BundledDocument } from "../../core/operation.ts";
import { fault } from "../tree.ts";
import type { Source } from "../yaml.ts";
import { type Bundle, bundle } from "./bundle.ts";
import { type DocumentFile, parseFile, placeInFile } from "./file.ts";
import { percentDecoded, type Steps, stepInto, stepsOf } from "./pointer.ts";
import { type Folder, Targets } from "./targets.ts";

/** A document in one piece, and what is wrong with its references. */
export interface ReadDocument {
  readonly document: BundledDocument;
  /** Faults of references by the object of `document.json` that holds them. */
  readonly faults: Bundle["faults"];
  /** Where the value behind some steps was written: its key where it has one. */
  keyPlaceOf(steps: Steps): Place;
  /** The file and the steps in it behind those of the bundled document. */
  originOf(steps: Steps): { readonly file: string; readonly steps: Steps };
}

interface Remembered {
  readonly name: string;
  readonly targets: Targets;
  readonly outcome: Outcome<ReadDocument>;
}

/** Documents are read once, for however many apis and environments. */
const remembered = new WeakMap<Source, Remembered>();

/** Reads an OpenAPI 3.0 or 3.1 document in YAML or JSON with all it refers to; no value where it cannot be read. */
export const readDocument = (name: string, source: Source, folder: Folder): Outcome<ReadDocument> => {
  const known = remembered.get(source);
  // The same file may stand beside others now.
  if (
    known?.name === name &&
    [...known.targets.asked].every(([asked, answer]) => folder.find(asked) === answer)
  )
    return known.outcome;
  const targets = new Targets(folder);
  const outcome = documentOf(name, source, targets);
  remembered.set(source, { name, targets, outcome });
  return outcome;
};

const documentOf = (name: string, source: Source, targets: Targets): Outcome<ReadDocument> => {
  const { value: file, diagnostics } = parseFile(name, source);
  if (file === undefined) return { diagnostics };
  const dialect = dialectOf(file);
  if (dialect === undefined) return { diagnostics: [...diagnostics, wrongVersion(file)] };
  const bundled = bundle(file, targets, dialect);
  if (bundled.fatal !== undefined) return { diagnostics: [...diagnostics, bundled.fatal] };
  const placeOf = (steps: Steps, onKey: boolean): Place => {
    const origin = originOf(steps, file, bundled);
    return placeInFile(origin.file, origin.steps, onKey);
  };
  const json = bundled.json as BundledDocument["json"];
  return {
    value: {
      document: {
        name,
        dialect,
        json,
        placeOf: (pointer) => placeOf(stepsOf(pointer) ?? [], false),
        resolve: resolver(json),
      },
      faults: bundled.faults,
      keyPlaceOf: (steps) => placeOf(steps, true),
      originOf: (steps) => {
        const origin = originOf(steps, file, bundled);
        return { file: origin.file.name, steps: origin.steps };
      },
    },
    diagnostics,
  };
};

const dialectOf = ({ value }: DocumentFile): "3.0" | "3.1" | undefined => {
  const version = stepInto(value, "openapi");
  const [, dialect] = (typeof version === "string" && /^(3\.[01])\.\d+/.exec(version)) || [];
  return dialect as "3.0" | "3.1" | undefined;
};

const wrongVersion = (file: DocumentFile): Diagnostic => {
  const key = ["openapi", "swagger"].find((name) => stepInto(file.value, name) !== undefined);
  return fault(
    key === undefined ? file.top : placeInFile(file, [key]),
    "openapi-version",
    "This is not an OpenAPI 3.0 or 3.1 document.",
    key === "swagger"
      ? "Convert it from Swagger 2.0 first, as by `npx swagger2openapi FILE`."
      : "Begin it with `openapi: 3.1.0`.",
  );
};

/** The file and the steps behind those of the bundled document. */
const originOf = (steps: Steps, root: DocumentFile, { origins }: Bundle) => {
  let found = { file: root, steps };
  let pointer = "";
  for (const [index, step] of steps.entries()) {
    pointer += `/${step.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const origin = origins.get(pointer);
    if (origin !== undefined)
      found = { file: origin.file, steps: [...origin.steps, ...steps.slice(index + 1)] };
  }
  return found;
};

/** Longer chains were told as faults. */
const MAX_HOPS = 100;

const resolver = (json: BundledDocument["json"]): BundledDocument["resolve"] => {
  const known = new Map<string, Json | undefined>();
  const follow = (reference: string): Json | undefined => {
    if (known.has(reference)) return known.get(reference);
    const found = stepsOfReference(reference)?.reduce<unknown>(stepInto, json) as Json | undefined;
    known.set(reference, found);
    return found;
  };
  return (value) => {
    let found = value;
    for (let hops = 0; hops <= MAX_HOPS; hops++) {
      const reference = stepInto(found, "$ref");
      if (typeof reference !== "string") return found;
      found = follow(reference);
    }
    return undefined;
  };
};

/** The steps of a reference inside of a bundled document; undefined for one that leads elsewhere. */
export const stepsOfReference = (reference: string): Steps | undefined =>
  reference.startsWith("#") ? stepsOf(percentDecoded(reference.slice(1))) : undefined;
