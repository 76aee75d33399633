import { stringify } from "yaml";

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The same members in another order: those named first, in the order given, then the others by name. */
const ordered = (value: unknown, first: readonly string[] = []): Json => {
  const members: Json = isObject(value) ? value : {};
  const rank = (key: string): number => (first.includes(key) ? first.indexOf(key) : first.length);
  const keys = Object.keys(members).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return Object.fromEntries(keys.map((key) => [key, members[key]]));
};

const mapValues = (value: Json, change: (member: unknown) => unknown): Json =>
  Object.fromEntries(Object.entries(value).map(([key, member]) => [key, change(member)]));

const OPERATION = [
  "operationId",
  "x-internal",
  "tags",
  "summary",
  "description",
  "parameters",
  "requestBody",
  "responses",
];

const orderedOperation = (value: unknown): Json => {
  const operation = ordered(value, OPERATION);
  const { parameters } = operation;
  if (!Array.isArray(parameters)) return operation;
  const fields = ["name", "in", "description", "required", "schema"];
  return { ...operation, parameters: parameters.map((parameter) => ordered(parameter, fields)) };
};

/**
 * An OpenAPI document as YAML whose order does not depend on that of registration: paths and components by name,
 * methods and fields in a fixed order, properties as their schema names them. Sections without members are left out.
 */
export const renderDocument = (document: object, source: string): string => {
  const { paths, components, ...rest } = document as Json;
  const methods = ["get", "post", "put", "patch", "delete"];
  const shown = {
    ...rest,
    paths: mapValues(ordered(paths), (item) => mapValues(ordered(item, methods), orderedOperation)),
    components: mapValues(ordered(components), (section) => ordered(section)),
  };
  const isEmpty = (value: unknown): boolean => isObject(value) && Object.keys(value).length === 0;
  const withoutEmpty = (value: Json): Json =>
    Object.fromEntries(Object.entries(value).filter(([, member]) => !isEmpty(member)));
  const text = stringify(
    withoutEmpty(
      ordered({ ...shown, components: withoutEmpty(shown.components) }, ["openapi", "info", "tags", "paths"]),
    ),
    // Times are quoted, so that readers of YAML 1.1 do not take them for something else than text.
    { aliasDuplicateObjects: false, lineWidth: 110, compat: "yaml-1.1" },
  );
  return `# Written by src/services/openapi.ts from ${source}: change it there.\n${text}`;
};
