import { type JsonSchema, quantityOf } from "../../config/json-schema.ts";

/** The keys of a schema as a table of Markdown: a row a key, those of maps below them with their path. */
export const keyTable = (schema: JsonSchema): readonly string[] => {
  const rows = [...new Map(keyRows(schema, "").map((row) => [row.key, row])).values()];
  if (rows.length === 0) return ["It takes no keys.", ""];
  return [
    "| key | takes | default | meaning |",
    "| --- | --- | --- | --- |",
    ...rows.map(
      ({ key, takes, fallback, meaning }) =>
        `| \`${key}\` | ${cell(takes)} | ${cell(fallback)} | ${cell(meaning)} |`,
    ),
    "",
  ];
};

interface Row {
  readonly key: string;
  readonly takes: string;
  readonly fallback: string;
  readonly meaning: string;
}

const keyRows = (schema: JsonSchema, path: string): Row[] =>
  branches(schema).flatMap((branch) => {
    const required = new Set((branch["required"] as string[] | undefined) ?? []);
    return Object.entries((branch["properties"] as Record<string, JsonSchema> | undefined) ?? {}).flatMap(
      ([name, value]) => {
        const key = path + name;
        const row: Row = {
          key,
          takes: takesOf(value),
          fallback: required.has(name) ? "required" : defaultOf(value["default"]),
          meaning: String(value["description"] ?? ""),
        };
        return [row, ...below(value, key)];
      },
    );
  });

const below = (value: JsonSchema, name: string): Row[] =>
  branches(value).flatMap((branch) => {
    if (isSmall(branch)) return [];
    const items = branch["items"] as JsonSchema | undefined;
    const members = branch["additionalProperties"];
    return [
      ...(branch["properties"] === undefined ? [] : keyRows(branch, `${name}.`)),
      // A list of what may stand there alone has the same keys.
      ...(items === undefined ? [] : below(items, branches(value).length > 1 ? name : `${name}[]`)),
      ...(typeof members === "object" && members !== null ? below(members as JsonSchema, `${name}.*`) : []),
    ];
  });

const branches = (schema: JsonSchema): readonly JsonSchema[] =>
  (schema["anyOf"] ?? schema["oneOf"] ?? [schema]) as JsonSchema[];

/** A map that is written in one go, and has no rows of its own. */
const isSmall = (schema: JsonSchema): boolean => smallMap(schema) !== undefined;

const smallMap = (schema: JsonSchema): string | undefined => {
  const entries = Object.entries((schema["properties"] as Record<string, JsonSchema> | undefined) ?? {});
  const [first] = entries;
  if (entries.length !== 1 || first === undefined) return undefined;
  const [name, value] = first;
  if (name === "env") return "`{ env: NAME }`";
  return value["const"] === undefined ? undefined : `\`{ ${name}: ${String(value["const"])} }\``;
};

const takesOf = (schema: JsonSchema): string => [...new Set(branches(schema).map(takesOfOne))].join(" or ");

/** Longer lists of words would make the table unreadable. */
const MAX_WORDS = 140;

const takesOfOne = (schema: JsonSchema): string => {
  const words = schema["enum"];
  if (Array.isArray(schema["type"]))
    return schema["type"].map((type: unknown) => takesOfOne({ type })).join(" or ");
  if (schema["const"] !== undefined) return `\`${String(schema["const"])}\``;
  if (Array.isArray(words)) return words.map((word) => `\`${String(word)}\``).join(", ");
  switch (schema["type"]) {
    case "array":
      return `list${listOf(schema["items"] as JsonSchema | undefined)}`;
    case "object":
      return smallMap(schema) ?? mapOf(schema);
    case "string":
      return quantityOf(schema) ?? "text";
    case "integer":
      return "whole number";
    case "boolean":
      return "`true`, `false`";
    default:
      return String(schema["type"] ?? "anything");
  }
};

/** What a list or a map by names holds, where that is short to say. */
const listOf = (items: JsonSchema | undefined): string => {
  const inner = items === undefined ? "" : takesOf(items);
  return inner === "" || inner === "anything" || inner.length > MAX_WORDS
    ? ""
    : ` of ${inner === "text" ? "texts" : inner === "map" ? "maps" : inner}`;
};

const mapOf = (schema: JsonSchema): string => {
  const members = schema["additionalProperties"];
  if (typeof members !== "object" || members === null || schema["properties"] !== undefined) return "map";
  const inner = takesOf(members as JsonSchema);
  return inner === "anything" || inner === "map" || inner.length > MAX_WORDS
    ? "map by name"
    : `map of name to ${inner}`;
};

const defaultOf = (value: unknown): string => {
  if (value === undefined || JSON.stringify(value) === "{}") return "";
  if (Array.isArray(value))
    return value.length === 0 ? "" : value.map((item) => `\`${String(item)}\``).join(", ");
  return `\`${typeof value === "string" ? value : JSON.stringify(value).replaceAll('"', "")}\``;
};

const cell = (text: string): string => text.replaceAll("|", "\\|");
