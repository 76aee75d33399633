import { _, Ajv2020, type KeywordCxt, Name } from "ajv/dist/2020.js";
import standaloneCode from "ajv/dist/standalone/index.js";
import type { Json } from "../../core/json.ts";
import { characters, isEqual, isMultiple, isUnique } from "../../lib/json-schema/values.ts";
import type { RegexPlan } from "../../lib/regex/run.ts";
import { addApplicators } from "./applicators.ts";
import { NUMBER_FORMATS, TEXT_FORMATS } from "./formats.ts";
import type { WrongSchema } from "./schema-faults.ts";
import { trimmedCode } from "./trim-code.ts";

type Ajv = InstanceType<typeof Ajv2020>;

/** A generator with the schemas of one gateway by their ids. */
export interface Generator {
  add(id: string, schema: Json): void;
  /** Generates what an id needs; what is wrong is thrown. */
  prepare(id: string): void;
  /** A module that exports validators by name; it asks for functions of ours and says which. */
  module(names: Readonly<Record<string, string>>, patterns: Readonly<Record<string, RegexPlan>>): string;
  /** What is wrong with a translated schema by itself: a JSON Pointer into it, and words. */
  faultsOf(schema: Json): readonly WrongSchema[];
}

/** Functions of `lib` that generated code calls, by the names that it knows them by. */
const VALUES = { characters, isEqual, isMultiple, isUnique } as const;

/** Larger schemas that are referred to have a function of their own. */
const INLINED_KEYWORDS = 3;

/**
 * Generates code by ajv. `ownProperties` has it tell what an object has itself from what all have, such as `constructor`,
 * which costs time and bytes and is of use only where a schema names one of these.
 */
export const generator = (ownProperties: boolean): Generator => {
  const ajv = new Ajv2020({
    strict: false,
    strictNumbers: true,
    allErrors: true,
    messages: false,
    validateSchema: false,
    validateFormats: false,
    inlineRefs: INLINED_KEYWORDS,
    ownProperties,
    logger: false,
    code: { source: true, esm: true, lines: false, optimize: true, regExp: linearEngine },
  });
  addKeywords(ajv);
  addApplicators(ajv);
  return {
    add: (id, schema) => void ajv.addSchema(schema as object, id),
    prepare: (id) => void ajv.getSchema(id),
    module: (names, patterns) => moduleOf(standaloneCode(ajv, names as Record<string, string>), patterns),
    faultsOf: (schema) =>
      typeof schema !== "boolean" && (typeof schema !== "object" || schema === null)
        ? [{ pointer: "", keyword: "type", params: { type: ["object", "boolean"] } }]
        : ajv.validateSchema(schema as object) === true
          ? []
          : (ajv.errors ?? []).map(({ instancePath: pointer, keyword, params }) => ({
              pointer,
              keyword,
              params,
            })),
  };
};

/** What generated code writes in place of JavaScript's regular expressions: `linear("…")`. */
const linearEngine = Object.assign(
  (pattern: string) => ({ test: () => true, exec: () => null, toString: () => pattern }) as unknown as RegExp,
  { code: "linear" },
);

const addKeywords = (ajv: Ajv): void => {
  const call = (cxt: KeywordCxt, name: string, ref: unknown) =>
    cxt.gen.scopeValue("func", { key: name, ref, code: _`${new Name(name)}` });
  const formats = (keyword: string, type: "string" | "number", known: Readonly<Record<string, unknown>>) =>
    ajv.addKeyword({
      keyword,
      type,
      schemaType: "string",
      error: { message: "", params: ({ schemaCode }) => _`{format: ${schemaCode}}` },
      code: (cxt) => {
        const check = known[cxt.schema as string] as { readonly name: string };
        cxt.fail(_`!${call(cxt, check.name, check)}(${cxt.data})`);
      },
    });
  formats("textFormat", "string", TEXT_FORMATS);
  formats("numberFormat", "number", NUMBER_FORMATS);
  ajv.addKeyword({
    keyword: "unique",
    type: "array",
    schemaType: "boolean",
    error: { message: "", params: _`{}` },
    code: (cxt) => cxt.fail(_`!${call(cxt, "isUnique", isUnique)}(${cxt.data})`),
  });
  ajv.addKeyword({
    keyword: "multiple",
    type: "number",
    schemaType: "number",
    error: { message: "", params: ({ schemaCode }) => _`{multipleOf: ${schemaCode}}` },
    code: (cxt) => cxt.fail(_`!${call(cxt, "isMultiple", isMultiple)}(${cxt.data}, ${cxt.schemaCode})`),
  });
};

/** Names of functions that generated code may call, by the file of `lib/json-schema` that has them. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  "values.ts": Object.keys(VALUES),
  "formats.ts": [...Object.values(TEXT_FORMATS), ...Object.values(NUMBER_FORMATS)].map(({ name }) => name),
  "linear-pattern.ts": ["linearPatterns"],
};

/** What stands in a module for the folder of our own functions; whoever writes it to a file knows where that is. */
export const LIBRARY = "postern:json-schema";

const moduleOf = (code: string, patterns: Readonly<Record<string, RegexPlan>>): string => {
  const body = trimmedCode(code);
  const hasPatterns = Object.keys(patterns).length > 0;
  const lines = Object.entries(FILES).flatMap(([file, names]) => {
    const used = names.filter((name) =>
      name === "linearPatterns" ? hasPatterns : new RegExp(`\\b${name}\\b`).test(body),
    );
    return used.length === 0 ? [] : [`import { ${used.join(", ")} } from "${LIBRARY}/${file}";`];
  });
  if (hasPatterns) lines.push(`const linear = linearPatterns(${JSON.stringify(patterns)});`);
  return [...lines, body, ""].join("\n");
};
