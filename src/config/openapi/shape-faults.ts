import type { Diagnostic, Place } from "../../core/diagnostic.ts";
import { anyOf, didYouMean, nearestName } from "../faults.ts";
import { fault } from "../tree.ts";
import type { ReadDocument } from "./document.ts";
import { METHODS } from "./grammar.ts";
import { isObject } from "./operation-info.ts";
import type { Operation } from "./operations.ts";
import { parameterFaults } from "./parameter-faults.ts";

/** A value that should be a map. */
export const wrongMap = (place: Place, message: string): Diagnostic =>
  fault(place, "wrong-type", message, "Write names, each followed by a colon and what belongs to it.");

const PATH_FIELDS = new Set(["$ref", "summary", "description", "servers", "parameters"]);

/** Fields of a path item that are none, or hold no operation. */
export const wrongFields = (
  path: string,
  item: Readonly<Record<string, unknown>>,
  keyPlaceOf: ReadDocument["keyPlaceOf"],
): readonly Diagnostic[] =>
  Object.entries(item).flatMap(([name, value]) => {
    const place = () => keyPlaceOf(["paths", path, name]);
    if (METHODS.some((method) => method === name))
      return isObject(value) ? [] : [wrongMap(place(), `The operation \`${name}\` takes a map.`)];
    if (PATH_FIELDS.has(name) || name.startsWith("x-")) return [];
    const remedy = didYouMean(name, METHODS) ?? `Write one of ${anyOf(METHODS)}.`;
    // An operation by a mistyped name would be missed without a word.
    const meant = isObject(value) && nearestName(name, METHODS) !== undefined;
    return [
      fault(place(), "unknown-key", `A path has no operation "${name}".`, remedy, {
        severity: meant ? "error" : "warning",
      }),
    ];
  });

/** What is wrong with an operation by itself, as far as routes and judgements rest on it. */
export const shapeFaults = (operation: Operation, read: ReadDocument): readonly Diagnostic[] => [
  ...parameterFaults(operation, read),
  ...bodyFaults(operation, read),
  ...responseFaults(operation, read),
  ...securityFaults(operation, read),
];

const bodyFaults = ({ info }: Operation, { document }: ReadDocument): Diagnostic[] => {
  const written = info.json["requestBody"];
  if (written === undefined) return [];
  const pointer = `${info.pointer}/requestBody`;
  if (!isObject(written)) return [wrongMap(document.placeOf(pointer), "`requestBody` takes a map.")];
  const { body } = info;
  // A reference that leads nowhere is told where it stands.
  if (body === undefined || Object.keys(body.content).length > 0) return [];
  return [
    fault(
      document.placeOf(body.pointer),
      "body-without-content",
      "This request body names no media type.",
      "Say under `content` what it may be: `application/json: { schema: … }`.",
      { severity: "warning" },
    ),
  ];
};

const STATUS = /^([1-5](\d\d|XX)|default)$/;

const responseFaults = ({ info }: Operation, { document, keyPlaceOf }: ReadDocument): Diagnostic[] => {
  const { responses } = info.json;
  const steps = ["paths", info.path, info.method.toLowerCase()];
  if (responses === undefined) {
    // OpenAPI 3.1 section 4.8.10.1 lets them be left out.
    if (document.dialect === "3.1") return [];
    return [
      fault(
        keyPlaceOf(steps),
        "responses-missing",
        `${info.method} ${info.path} says nothing of its responses.`,
        'Describe at least one: `responses: { "200": { description: … } }`.',
        { severity: "warning" },
      ),
    ];
  }
  if (!isObject(responses))
    return [wrongMap(keyPlaceOf([...steps, "responses"]), "`responses` takes a map of statuses.")];
  return Object.keys(responses).flatMap((status) => {
    if (STATUS.test(status) || status.startsWith("x-") || status === "$ref") return [];
    const upper = status.toUpperCase();
    return [
      fault(
        keyPlaceOf([...steps, "responses", status]),
        "bad-status",
        `"${status}" is no status of a response.`,
        STATUS.test(upper)
          ? `Did you mean "${upper}"?`
          : (didYouMean(status, ["default"]) ?? 'Write one such as "200", "4XX" or `default`.'),
      ),
    ];
  });
};

/** Security requirements name schemes of the document; they are hints only, so that this is no error. */
const securityFaults = ({ info }: Operation, { document, keyPlaceOf }: ReadDocument): Diagnostic[] => {
  const own = info.json["security"] !== undefined;
  const at = own ? ["paths", info.path, info.method.toLowerCase(), "security"] : ["security"];
  const components = document.json["components"];
  const schemes =
    isObject(components) && isObject(components["securitySchemes"]) ? components["securitySchemes"] : {};
  return (info.security ?? []).flatMap((alternative, index) =>
    Object.keys(alternative).flatMap((scheme) =>
      Object.hasOwn(schemes, scheme)
        ? []
        : [
            fault(
              keyPlaceOf([...at, String(index), scheme]),
              "unknown-scheme",
              `There is no security scheme "${scheme}".`,
              didYouMean(scheme, Object.keys(schemes)) ?? "Describe it under `components.securitySchemes`.",
              { severity: "warning" },
            ),
          ],
    ),
  );
};

/**
 * Paths that differ only in the names of their parameters are the same (OpenAPI 3.1 section 4.8.8). Where they share a
 * method their routes are identical, which is an error of its own.
 */
export const pathFaults = (published: readonly Operation[]): readonly Diagnostic[] => {
  const first = new Map<string, Operation>();
  const told = new Set<string>();
  return published.flatMap((operation) => {
    const { path, pathPlace } = operation;
    const shape = path.replaceAll(/\{[^{}]*\}/g, "{}");
    const other = first.get(shape) ?? operation;
    first.set(shape, other);
    const methods = (of: string): readonly string[] =>
      published.filter((it) => it.path === of).map((it) => it.method);
    if (other.path === path || told.has(path)) return [];
    told.add(path);
    if (methods(path).some((method) => methods(other.path).includes(method))) return [];
    return [
      fault(
        pathPlace,
        "paths-alike",
        `"${path}" and "${other.path}" are the same path with other names.`,
        "Put their operations under one of the two.",
        { severity: "warning", related: [{ message: "The other stands here.", place: other.pathPlace }] },
      ),
    ];
  });
};
