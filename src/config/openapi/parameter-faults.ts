import type { Diagnostic } from "../../core/diagnostic.ts";
import { parsePathTemplate } from "../../lib/path-template.ts";
import { anyOf, didYouMean } from "../faults.ts";
import { fault } from "../tree.ts";
import type { ReadDocument } from "./document.ts";
import { isObject, LOCATIONS, parameterKey, type Resolved, resolved, STYLES } from "./operation-info.ts";
import type { Operation } from "./operations.ts";
import { pointerOf, stepInto } from "./pointer.ts";

/** What is wrong with the parameters of an operation and of its path. */
export const parameterFaults = (operation: Operation, read: ReadDocument): readonly Diagnostic[] => {
  const { path, info } = operation;
  const { document } = read;
  const item = stepInto(document.json["paths"], path);
  return [
    ...listFaults(stepInto(item, "parameters"), pointerOf(["paths", path, "parameters"]), path, read),
    ...listFaults(info.json["parameters"], `${info.pointer}/parameters`, path, read),
    ...undeclared(operation),
  ];
};

const listFaults = (value: unknown, at: string, path: string, read: ReadDocument): Diagnostic[] => {
  const { document } = read;
  if (value === undefined) return [];
  if (!Array.isArray(value))
    return [
      fault(document.placeOf(at), "wrong-type", "`parameters` takes a list.", "Write a dash before each."),
    ];
  const seen = new Map<string, string>();
  return value.flatMap((written, index): Diagnostic[] => {
    const here = `${at}/${index}`;
    if (!isObject(written))
      return [
        fault(document.placeOf(here), "wrong-type", "A parameter is a map.", "Write its `name` and `in`."),
      ];
    const found = resolved(document, written, here);
    if (found === undefined) return [];
    const { name, in: location } = found.json;
    if (typeof name !== "string" || typeof location !== "string") return [unnamed(found, read)];
    const key = parameterKey(name, location);
    const first = seen.get(key);
    seen.set(key, first ?? here);
    return [
      ...(first === undefined ? [] : [duplicate(name, here, first, read)]),
      ...locationFaults(found, name, location, path, read),
      ...descriptionFaults(found, name, read),
    ];
  });
};

const unnamed = ({ json, pointer }: Resolved, { document }: ReadDocument): Diagnostic => {
  const missing = typeof json["name"] === "string" ? "in" : "name";
  return fault(
    document.placeOf(pointer),
    "bad-parameter",
    `This parameter has no \`${missing}\`.`,
    missing === "in"
      ? `Say where it stands: \`in: query\`, or ${anyOf(["path", "header", "cookie"])}.`
      : "Give it one.",
  );
};

const duplicate = (name: string, here: string, first: string, { document }: ReadDocument): Diagnostic =>
  fault(
    document.placeOf(here),
    "duplicate-name",
    `The parameter "${name}" stands twice in this list.`,
    "Remove one of the two.",
    { related: [{ message: "It stands here first.", place: document.placeOf(first) }] },
  );

const templateNames = (path: string): string[] =>
  [...path.matchAll(/\{([^{}]*)\}/g)].map((found) => found[1]!);

const locationFaults = (
  { json, pointer }: Resolved,
  name: string,
  location: string,
  path: string,
  { document }: ReadDocument,
): Diagnostic[] => {
  const known = LOCATIONS.find((one) => one === location);
  if (known === undefined)
    return [
      fault(
        document.placeOf(`${pointer}/in`),
        "bad-parameter",
        `"${location}" is no place for a parameter.`,
        didYouMean(location, LOCATIONS) ?? `Write ${anyOf(LOCATIONS)}.`,
      ),
    ];
  const told: Diagnostic[] = [];
  const { style } = json;
  if (style !== undefined && !STYLES[known].some((one) => one === style))
    told.push(
      fault(
        document.placeOf(`${pointer}/style`),
        "bad-style",
        `A parameter in the ${known} has no style ${JSON.stringify(style)}.`,
        didYouMean(String(style), STYLES[known]) ?? `Write ${anyOf(STYLES[known])}.`,
      ),
    );
  if (known !== "path") return told;
  const names = templateNames(path);
  if (!names.includes(name))
    told.push(
      fault(
        document.placeOf(`${pointer}/name`),
        "unknown-parameter",
        `The path "${path}" has no parameter "${name}".`,
        didYouMean(name, names) ?? `Remove it, or put {${name}} into the path.`,
      ),
    );
  if (json["required"] !== true)
    told.push(
      fault(
        document.placeOf(json["required"] === undefined ? pointer : `${pointer}/required`),
        "parameter-not-required",
        `The parameter "${name}" of the path is not called required, and always is.`,
        "Write `required: true`.",
        { severity: "warning" },
      ),
    );
  return told;
};

/** A parameter is described by a schema or by one media type (OpenAPI 3.1 section 4.8.12.2). */
const descriptionFaults = (
  { json, pointer }: Resolved,
  name: string,
  { document }: ReadDocument,
): Diagnostic[] => {
  const { schema, content } = json;
  if (content === undefined) return [];
  const wrong =
    schema !== undefined
      ? ["has both `schema` and `content`", "Keep one of the two."]
      : !isObject(content) || Object.keys(content).length !== 1
        ? ["takes exactly one media type", "Keep one entry under `content`."]
        : undefined;
  return wrong === undefined
    ? []
    : [
        fault(
          document.placeOf(`${pointer}/content`),
          "bad-parameter",
          `The parameter "${name}" ${wrong[0]}.`,
          wrong[1]!,
        ),
      ];
};

/** Parameters of the template of which nothing is said: their values pass without being judged. */
const undeclared = ({ path, pathPlace, info }: Operation): Diagnostic[] => {
  // What is no template is told where it becomes a route.
  if (typeof parsePathTemplate(path) === "string") return [];
  const declared = new Set(info.parameters.filter((one) => one.in === "path").map(({ name }) => name));
  const names = templateNames(path);
  // One by a wrong name is told itself.
  if ([...declared].some((name) => !names.includes(name))) return [];
  return names.flatMap((name) =>
    declared.has(name) || name === ""
      ? []
      : [
          fault(
            pathPlace,
            "undeclared-parameter",
            `Nothing is said of the parameter "${name}" of "${path}".`,
            `Describe it: \`{ name: ${name}, in: path, required: true, schema: { type: string } }\`.`,
            { severity: "warning" },
          ),
        ],
  );
};
