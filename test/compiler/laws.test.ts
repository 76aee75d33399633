import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import type { Sources } from "../../src/compiler/compile.ts";
import { isError } from "../../src/compiler/diagnostics.ts";
import { environmentNames, readTree } from "../../src/config/load.ts";
import { compiled, planOf, sourcesOf } from "../support/compiling.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonMap = { [key: string]: Json };

interface PolicySet {
  readonly files: readonly JsonMap[];
  readonly openapi: Sources["openapi"];
}

const read = (folder: string): PolicySet => {
  const texts = (name: string): [string, string][] =>
    readdirSync(path.join(folder, name))
      .filter((file) => file.endsWith(".yaml"))
      .map((file) => [file, readFileSync(path.join(folder, name, file), "utf8")]);
  return {
    files: texts("policies").map(([, text]) => parse(text, { merge: true }) as JsonMap),
    // Read once: documents are remembered.
    openapi: sourcesOf({}, Object.fromEntries(texts("openapi"))).openapi,
  };
};

const SETS = [
  ["the shop", read(ROOT)],
  ["a gateway of everything", read(path.join(ROOT, "test/golden/waists/everything"))],
] as const;

const textsOf = (files: readonly JsonMap[]): Record<string, string> =>
  Object.fromEntries(
    files.map((file, index) => [`f${index}.yaml`, stringify(file, { aliasDuplicateObjects: false })]),
  );

/** A source of chance that shrinks with the seed of fast-check. */
const random = (seed: number): ((below: number) => number) => {
  let state = seed | 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) % below;
  };
};

const shuffled = <T>(list: readonly T[], next: (below: number) => number): T[] => {
  const result = [...list];
  for (let index = result.length - 1; index > 0; index--) {
    const other = next(index + 1);
    [result[index], result[other]] = [result[other]!, result[index]!];
  }
  return result;
};

/** The same value with the keys of all of its maps in another order; lists keep theirs. */
const reordered = (value: Json, next: (below: number) => number): Json => {
  if (Array.isArray(value)) return value.map((item) => reordered(item, next));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    shuffled(Object.entries(value), next).map(([key, member]) => [key, reordered(member, next)]),
  );
};

/** The same names, spread over other files. */
const redistributed = (files: readonly JsonMap[], next: (below: number) => number): JsonMap[] => {
  const result: JsonMap[] = [{}, {}, {}, {}];
  for (const file of files)
    for (const [key, names] of shuffled(Object.entries(file), next))
      for (const [name, value] of shuffled(Object.entries(names as JsonMap), next))
        ((result[next(result.length)]![key] ??= {}) as JsonMap)[name] = reordered(value, next);
  return result;
};

describe.each(SETS)("%s", (_, { files, openapi }) => {
  const environments = environmentNames(readTree(sourcesOf(textsOf(files)).policies).value!);

  it.each(environments)("is the same plan in whatever order its files and keys are: %s", (environment) => {
    const { hash } = planOf(compiled({ ...sourcesOf(textsOf(files)), openapi }, environment));
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const next = random(seed);
        const texts = textsOf(redistributed(files, next));
        const names = Object.fromEntries(shuffled(Object.entries(texts), next));
        const plan = planOf(compiled({ ...sourcesOf(names), openapi }, environment));
        expect(plan.hash).toBe(hash);
      }),
      { numRuns: 15 },
    );
  });

  it("is another plan where a value is another", () => {
    const [first] = environments;
    const { hash } = planOf(compiled({ ...sourcesOf(textsOf(files)), openapi }, first));
    const changed = files.map((file) =>
      JSON.parse(
        JSON.stringify(file).replace('"name":"per-ip","rate":"600/1m"', '"name":"per-ip","rate":"601/1m"'),
      ),
    );
    expect(planOf(compiled({ ...sourcesOf(textsOf(changed)), openapi }, first)).hash).not.toBe(hash);
  });
});

const JUNK: readonly Json[] = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e300,
    "",
    "none",
    "x",
    "*",
    "{params.x}",
    "{",
    "/",
    "//",
    "10",
    "5s",
    "10%",
  ],
  ...["1/1m", "https://x.example.com", "a b", "true", "'", "\n", "identity.id == ", "{tenant}.x", "..", "é"],
  ...[
    [],
    {},
    [[]],
    [null],
    ["x", "x"],
    { x: 1 },
    { env: "NAME" },
    { inherit: true },
    { any: ["jwt"] },
    { keys: [{}] },
  ],
];

/** Where something stands in a value. */
const pathsOf = (value: Json, at: readonly (string | number)[] = []): (readonly (string | number)[])[] => {
  if (value === null || typeof value !== "object") return [at];
  const members: [string | number, Json][] = Array.isArray(value)
    ? value.map((item, index) => [index, item])
    : Object.entries(value);
  return [at, ...members.flatMap(([key, member]) => pathsOf(member, [...at, key]))];
};

/** The files with some things in them spoiled: other values, other keys, keys that are gone. */
const spoiled = (files: readonly JsonMap[], next: (below: number) => number): JsonMap[] => {
  const copy = structuredClone(files) as JsonMap[];
  for (let slip = 0; slip <= next(3); slip++) {
    const file = copy[next(copy.length)]!;
    const paths = pathsOf(file).filter((at) => at.length > 0);
    if (paths.length === 0) continue;
    const at = paths[next(paths.length)]!;
    const last = at[at.length - 1]!;
    const holder = at
      .slice(0, -1)
      .reduce<Json>((inner, step) => (inner as JsonMap)[step as string]!, file) as JsonMap;
    const kind = next(4);
    if (kind === 0) delete holder[last as string];
    else if (kind === 1 && typeof last === "string") {
      holder[`${last}x`] = holder[last]!;
      delete holder[last];
    } else holder[last as string] = structuredClone(JUNK[next(JUNK.length)]!);
  }
  return copy;
};

const JARGON = /\b(Invalid|received|undefined|zod|NaN)\b|\[object|expected [a-z]+ to/;

describe.each(SETS)("mistakes in %s", (_, { files, openapi }) => {
  it("are diagnostics with a place and a remedy, whatever they are, and never throw", () =>
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const sources = { ...sourcesOf(textsOf(spoiled(files, random(seed)))), openapi };
        const names = environmentNames(readTree(sources.policies).value!);
        const { plan, diagnostics } = compiled(sources, names[seed % (names.length + 1)]);
        expect(plan === undefined).toBe(diagnostics.some(isError));
        for (const { message, remedy, place } of diagnostics) {
          expect(message).not.toBe("");
          expect(remedy).not.toBe("");
          expect(`${message} ${remedy}`.replaceAll(/"[^"]*"/g, "")).not.toMatch(JARGON);
          expect(place.line).toBeGreaterThan(0);
          expect(place.column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 150 },
    ));
});
