import type { z } from "zod";

/** What zod says, in the words of policy files. */

/** What is too small or too large, in our words where the shape has none of its own. */
export const ownWords = (issue: z.core.$ZodIssue, key: string): string => {
  if (issue.message.includes("\n") || (issue.code !== "too_small" && issue.code !== "too_big"))
    return issue.message;
  const isNumber = issue.origin === "number" || issue.origin === "int";
  if (issue.code === "too_big")
    return `"${key}" is too ${isNumber ? "large" : "long"}.\nWrite ${issue.maximum} or less.`;
  if (isNumber) return `"${key}" is too small.\nWrite ${issue.minimum} or more.`;
  return issue.origin === "string"
    ? `"${key}" is an empty text.\nWrite at least one character.`
    : `The list "${key}" is empty.\nList at least ${issue.minimum}.`;
};

/** Types by the names that zod has for them. */
export const typeWords: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

/** What to write where a value of a type is expected. */
export const typeRemedy = (type: string, expected: string, value: unknown, key: string): string => {
  const isScalar = value !== null && typeof value !== "object";
  if (type === "string" && isScalar) return `Write it in quotes: "${String(value)}".`;
  if (type === "string" && value !== null && Object.keys(value as object).join() === "env")
    return "Write the value itself: only secrets are references, and what differs between environments is written under `environments:`.";
  if (type === "array") return `Write a list: [${isScalar ? String(value) : "one, two"}].`;
  if (type === "object" || type === "record")
    return value === null
      ? `Write its keys below it, or \`${key}: {}\`.`
      : "Write a map of names and values.";
  if (isScalar && type !== "boolean" && String(Number(value)) === value)
    return `Write it without quotes: ${value}.`;
  return `Write ${expected}.`;
};

/** A value as a message quotes it. */
export const shown = (value: unknown): string => {
  if (value === null) return "An empty value";
  if (typeof value !== "object") return JSON.stringify(value);
  return Array.isArray(value) ? "A list" : "A map";
};

/** No branch of a union was meant that is as far away. */
export const FAR = -100;

/** How near a value is to a branch: of another kind altogether is far, and unknown keys count for a map. */
export const closeness = (issues: readonly z.core.$ZodIssue[], isMap: boolean): number => {
  const other = issues.some(
    (issue) => issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value"),
  );
  const unknown = issues.filter((issue) => issue.code === "unrecognized_keys").length;
  return (other ? FAR : 0) - (isMap ? unknown * 10 : 0) - issues.length;
};
