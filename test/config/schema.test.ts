import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { EXAMPLE_FILES } from "../../src/cli/init-files.ts";
import { referenceFiles } from "../../src/compiler/reference.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

type Schema = { readonly [key: string]: unknown };

const files = referenceFiles();
const schema = JSON.parse(files["openapi/policies.schema.json"]!) as Schema;

/** Where a value does not fit a schema; as much of JSON Schema 2020-12 as ours has. */
const misfits = (value: unknown, at: Schema, where = "$"): string[] => {
  if (typeof at["$ref"] === "string") {
    const name = /^#\/\$defs\/(\w+)$/.exec(at["$ref"])![1]!;
    return misfits(value, (schema["$defs"] as Record<string, Schema>)[name]!, where);
  }
  const branches = (at["anyOf"] ?? at["oneOf"]) as Schema[] | undefined;
  if (branches !== undefined) {
    const all = branches.map((branch) => misfits(value, branch, where));
    return all.some((list) => list.length === 0)
      ? []
      : [`${where} fits none: ${all.map((list) => list[0]).join("; ")}`];
  }
  if (at["const"] !== undefined && value !== at["const"]) return [`${where} is not ${String(at["const"])}`];
  if (Array.isArray(at["enum"]) && !at["enum"].includes(value))
    return [`${where} is none of ${at["enum"].join()}`];
  const types = at["type"] === undefined ? [] : [at["type"]].flat();
  if (types.length > 0 && !types.some((type) => isOfType(value, type as string)))
    return [`${where} is no ${types.join()}`];
  return [
    ...textMisfits(value, at, where),
    ...listMisfits(value, at, where),
    ...mapMisfits(value, at, where),
  ];
};

const isOfType = (value: unknown, type: string): boolean => {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
};

const textMisfits = (value: unknown, at: Schema, where: string): string[] =>
  typeof value === "string" &&
  typeof at["pattern"] === "string" &&
  !new RegExp(at["pattern"], "u").test(value)
    ? [`${where} does not match ${at["pattern"]}`]
    : [];

const listMisfits = (value: unknown, at: Schema, where: string): string[] =>
  !Array.isArray(value)
    ? []
    : [
        ...(value.length < Number(at["minItems"] ?? 0) ? [`${where} is too short`] : []),
        ...value.flatMap((item, index) =>
          misfits(item, (at["items"] as Schema | undefined) ?? {}, `${where}[${index}]`),
        ),
      ];

const mapMisfits = (value: unknown, at: Schema, where: string): string[] => {
  if (!isOfType(value, "object")) return [];
  const map = value as Record<string, unknown>;
  const properties = (at["properties"] as Record<string, Schema> | undefined) ?? {};
  const rest = at["additionalProperties"];
  return [
    ...((at["required"] as string[] | undefined) ?? [])
      .filter((key) => !(key in map))
      .map((key) => `${where} lacks ${key}`),
    ...Object.keys(map).flatMap((key) =>
      misfits(key, (at["propertyNames"] as Schema | undefined) ?? {}, `${where}, its key`),
    ),
    ...Object.entries(map).flatMap(([key, member]) => {
      const known = properties[key] ?? (typeof rest === "object" ? (rest as Schema) : undefined);
      if (known !== undefined) return misfits(member, known, `${where}.${key}`);
      return rest === false ? [`${where} has no ${key}`] : [];
    }),
  ];
};

const policyFiles = (folder: string): [string, string][] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => [file, readFileSync(path.join(folder, file), "utf8")]);

describe("the editor's schema", () => {
  it.each([
    ...policyFiles(path.join(ROOT, "policies")),
    ...policyFiles(path.join(ROOT, "test/golden/waists/everything/policies")),
    ...Object.entries(EXAMPLE_FILES),
  ])("accepts %s", (_, text) => expect(misfits(parse(text, { merge: true }), schema)).toEqual([]));

  it.each([
    ["an unknown top-level key", "gateways: {}"],
    ["an unknown key of the gateway", "gateway: { host: {} }"],
    ["an unknown policy", "gateway: { policies: { corse: {} } }"],
    ["an unknown key of a policy", "gateway: { policies: { cors: { origin: any } } }"],
    ["a quantity without its unit", "upstreams: { a: { targets: {}, timeout: 5 } }"],
    ["a wrong unit", "upstreams: { a: { targets: {}, timeout: 5sec } }"],
    ["a wrong word", "gateway: { clientIp: cloudfare }"],
    ["a key that is missing", "issuers: { a: { issuer: x, audiences: [y] } }"],
    ["a secret's value", "issuers: { a: { issuer: x, audiences: [y], algorithms: [HS256], secret: abc } }"],
    ["inherit on a guard", "gateway: { policies: { authorize: { inherit: true, allow: a } } }"],
    [
      "a header name with an underscore",
      "apis: { a: { routes: { b: { match: { headers: { x_y: a } } } } } }",
    ],
    ["a method in lower case", "apis: { a: { routes: { b: { match: { methods: [get] } } } } }"],
    ["an unknown key of an overlay", "environments: { a: { gateway: { host: {} } } }"],
    ["an unknown key of an environment", "environments: { a: { developement: true } }"],
  ])("refuses %s", (_, text) => expect(misfits(parse(text), schema)).not.toEqual([]));

  it("asks for nothing in an overlay", () =>
    expect(misfits(parse("environments: { a: { issuers: { main: { jwks: local } } } }"), schema)).toEqual(
      [],
    ));

  it("describes every key", () => {
    const silent: string[] = [];
    const walk = (at: Schema, where: string): void => {
      for (const branch of (at["anyOf"] ?? at["oneOf"] ?? [at]) as Schema[]) {
        for (const [key, member] of Object.entries(
          (branch["properties"] as Record<string, Schema> | undefined) ?? {},
        )) {
          const described = member["description"] !== undefined || member["$ref"] !== undefined;
          if (!described && key !== "env") silent.push(`${where}.${key}`);
          walk(member, `${where}.${key}`);
        }
        for (const below of [branch["items"], branch["additionalProperties"]])
          if (typeof below === "object" && below !== null) walk(below as Schema, `${where}.*`);
      }
    };
    walk(schema, "$");
    for (const [name, definition] of Object.entries(schema["$defs"] as Record<string, Schema>))
      walk(definition, name);
    expect(silent).toEqual([]);
  });
});

describe("the generated files", () => {
  it.each(Object.entries(files))("%s is up to date (npm run generate)", (file, text) =>
    expect(readFileSync(path.join(ROOT, file), "utf8")).toBe(text),
  );

  it("the reference has a row for every key of every policy, and no empty meaning", () => {
    const text = files["policies/README.md"]!;
    const rows = text.split("\n").filter((line) => line.startsWith("| `"));
    expect(rows.length).toBeGreaterThan(100);
    expect(rows.filter((row) => /\|\s*\|$/.test(row))).toEqual([]);
    expect(text).not.toContain("[object Object]");
    expect(text).not.toContain("undefined");
  });
});
