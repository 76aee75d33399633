// References of the description, put in where the page shows it.

/** Keywords whose value is data: what looks like a reference there is none. */
const DATA = new Set(["const", "default", "enum", "example"]);

/** Keywords whose value is a map by names that people chose: a name there is no keyword. */
const NAMED = new Set([
  "$defs",
  "callbacks",
  "content",
  "dependentSchemas",
  "examples",
  "headers",
  "links",
  "patternProperties",
  "properties",
  "responses",
]);

/** So many references are put into one part at most: few schemas, used over and over, can come to more than anybody reads. */
const MOST = 5000;

/** The names on the way of a reference within the document (RFC 6901 section 6). */
const stepsOf = (reference) =>
  reference
    .slice(2)
    .split("/")
    .map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"));

const at = (steps, description) =>
  steps.reduce((holder, step) => (Object.hasOwn(holder ?? {}, step) ? holder[step] : undefined), description);

const isReference = (value) => typeof value.$ref === "string" && value.$ref.startsWith("#/");

const isMap = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Two schemas that both hold as one, as far as that shows: lists are joined, and the later has the last word. */
const joined = (one, other) => {
  if (Array.isArray(one) && Array.isArray(other)) return [...new Set([...one, ...other])];
  if (!isMap(one) || !isMap(other)) return other;
  const both = { ...one };
  for (const [key, value] of Object.entries(other))
    both[key] = Object.hasOwn(one, key) ? joined(one[key], value) : value;
  return both;
};

/** A schema with what all of its parts say; examples are made of it. */
const withoutAllOf = (schema) => {
  if (!Array.isArray(schema.allOf)) return schema;
  const { allOf, ...own } = schema;
  return [...allOf.filter(isMap), own].reduce(joined);
};

/**
 * A part of the description with what its references mean in their place; those that lead back to themselves are left. The
 * renderer's own way reads the whole description anew for each part that it shows, for seconds where that is long.
 */
export const resolvedPart = (description, path) => {
  let count = 0;
  const resolve = (value, within, hasNames) => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => resolve(item, within, false));
    if (!hasNames && isReference(value)) {
      const { $ref: reference, ...beside } = value;
      const steps = stepsOf(reference);
      const target = within.includes(reference) || ++count > MOST ? undefined : at(steps, description);
      if (target === undefined) return value;
      const title = steps[1] === "schemas" ? { title: steps.at(-1) } : {};
      return resolve({ ...title, ...target, ...beside }, [...within, reference], false);
    }
    const whole = Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        !hasNames && DATA.has(key) ? inner : resolve(inner, within, !hasNames && NAMED.has(key)),
      ]),
    );
    return hasNames ? whole : withoutAllOf(whole);
  };
  const part = path.reduce((holder, step) => holder?.[step], description);
  return resolve(part ?? null, [], NAMED.has(path.at(-1)));
};
