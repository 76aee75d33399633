import type { Fits } from "../adapters/node/mock-answers.ts";
import { LIBRARY } from "../compiler/validators/generate.ts";
import { ValidatorTable } from "../compiler/validators/table.ts";
import type { BundledDocument } from "../core/operation.ts";
import type { Validator } from "../core/validator.ts";
import * as formats from "../lib/json-schema/formats.ts";
import * as linearPattern from "../lib/json-schema/linear-pattern.ts";
import * as values from "../lib/json-schema/values.ts";

const FILES: Readonly<Record<string, object>> = {
  "formats.ts": formats,
  "linear-pattern.ts": linearPattern,
  "values.ts": values,
};

/** Tells whether an answer fits its schema, by the code that a gateway would judge it by; made when first asked. */
export const fitting = (): Fits => {
  const known = new WeakMap<BundledDocument, Map<string, Validator>>();
  return ({ document }, pointer, value) => {
    const ofDocument = known.get(document) ?? new Map<string, Validator>();
    known.set(document, ofDocument);
    const validator = ofDocument.get(pointer) ?? validatorOf(document, pointer);
    ofDocument.set(pointer, validator);
    return validator(value);
  };
};

const validatorOf = (document: BundledDocument, pointer: string): Validator => {
  const table = new ValidatorTable();
  const name = table.name({
    document,
    pointer,
    direction: "response",
    closed: false,
    refuseOtherDirection: false,
    formats: true,
  });
  const code = table.module(() => undefined);
  // What cannot be judged was told when the policies were compiled.
  if (code === undefined) return Object.assign(() => true, { errors: null });
  const script = code
    .replaceAll(/^import (\{ .* \}) from "(.*)";$/gm, (_, names: string, file: string) => {
      const known = JSON.stringify(file.slice(LIBRARY.length + 1));
      return `const ${names} = files[${known}];`;
    })
    .replaceAll(/\bexport const /g, "const ");
  return new Function("files", `"use strict";${script};return ${name};`)(FILES) as Validator;
};
