import { stringify } from "yaml";
import type { Json } from "../core/json.ts";
import { PUBLIC_DOCUMENT } from "../core/public-document.ts";
import { isObject, type JsonObject } from "./json.ts";

const GENERATED = `${PUBLIC_DOCUMENT.yaml}: change the policies or the services' documents instead.\n`;

/** The text of a public document. */
export const renderContract = (document: JsonObject, format: "yaml" | "json"): string =>
  format === "json"
    ? `${JSON.stringify({ ...PUBLIC_DOCUMENT.json, ...document }, undefined, 2)}\n`
    : GENERATED +
      stringify(readable(document), { lineWidth: 110, aliasDuplicateObjects: false, compat: "yaml-1.1" });

/** What people look for first. */
const FIRST = ["$ref", "name", "in", "type"];

/** A copy in which each object begins with what tells it from others. */
const readable = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(readable);
  if (!isObject(value)) return value;
  const first = FIRST.filter((key) => key in value);
  const keys = first.length === 0 ? Object.keys(value) : [...new Set([...first, ...Object.keys(value)])];
  return Object.fromEntries(keys.map((key) => [key, readable(value[key]!)]));
};
