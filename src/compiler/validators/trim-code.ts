/** A loop ends once it has found as many faults, whatever is sent: how many came before it says nothing of its own. */
const MOST_FAULTS = 100;

/**
 * Makes what ajv generates fit for the Worker: its helpers are ours, loops end once enough is at fault, where in the schema a
 * fault was found is left out, and of the schemas stays only what the code reads.
 */
export const trimmedCode = (code: string): string => {
  const own = code
    .replace(/^"use strict";/, "")
    .replaceAll('require("ajv/dist/runtime/ucs2length").default', "characters")
    .replaceAll('require("ajv/dist/runtime/equal").default', "isEqual")
    .replaceAll(/schemaPath:"(?:[^"\\]|\\.)*",/g, "")
    .replaceAll(
      /for\(let (i\d+)=(\w+); \1<(len\d+); \1\+\+\)\{/g,
      `for(let $1=$2,$1end=errors+${MOST_FAULTS}; $1<$3 && errors<$1end; $1++){`,
    )
    .replaceAll(
      /for\(const (key\d+) in (data\d*)\)\{/g,
      `const $1end=errors+${MOST_FAULTS};for(const $1 in $2){if(errors>=$1end) break;`,
    );
  if (/\brequire\(/.test(own.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')))
    throw new Error("generated code asks for a module that is not known");
  return withoutSchemas(own);
};

const SCHEMA = /(?<![.\w$"'/])schema(\d+)((?:\.[A-Za-z_$][\w$]*|\["(?:[^"\\]|\\.)*"\]|\[\d+\])*)/g;

/** Replaces `schema7.properties.kind.enum` by a constant of that value, and leaves out what nobody reads. */
const withoutSchemas = (code: string): string => {
  const schemas = new Map<string, unknown>();
  let rest = "";
  let at = 0;
  for (const found of code.matchAll(/const schema(\d+) = (?=[[{])/g)) {
    if (found.index < at) continue;
    const from = found.index + found[0].length;
    const end = endOfValue(code, from);
    schemas.set(found[1]!, JSON.parse(code.slice(from, end)));
    rest += code.slice(at, found.index);
    at = code[end] === ";" ? end + 1 : end;
  }
  rest += code.slice(at);
  const constants = new Map<string, string>();
  const body = rest.replaceAll(SCHEMA, (whole, id: string, path: string) => {
    if (!schemas.has(id)) return whole;
    const json = JSON.stringify(partAt(schemas.get(id), path));
    const name = constants.get(json) ?? `part${constants.size}`;
    constants.set(json, name);
    return name;
  });
  return [...constants].map(([json, name]) => `const ${name} = ${json};`).join("") + body;
};

const partAt = (schema: unknown, path: string): unknown => {
  let value = schema;
  for (const [, name, quoted, index] of path.matchAll(/\.([\w$]+)|\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]/g)) {
    const key = name ?? (quoted === undefined ? index! : (JSON.parse(quoted) as string));
    value = (value as Record<string, unknown>)[key];
  }
  return value;
};

/** Where the JSON ends that begins at a bracket. */
const endOfValue = (code: string, from: number): number => {
  let depth = 0;
  for (let at = from; at < code.length; at++) {
    const sign = code[at]!;
    if (sign === '"') for (at++; code[at] !== '"'; at++) at += code[at] === "\\" ? 1 : 0;
    else if (sign === "{" || sign === "[") depth++;
    else if ((sign === "}" || sign === "]") && --depth === 0) return at + 1;
  }
  throw new Error("generated code has a schema that does not end");
};
