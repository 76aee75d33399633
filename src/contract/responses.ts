import { pointerOf } from "../config/openapi/pointer.ts";
import type { Json } from "../core/json.ts";
import type { OperationInfo } from "../core/operation.ts";
import { type Answer, fieldsOf } from "./answers.ts";
import type { Imports } from "./imports.ts";
import { type JsonObject, objectOf } from "./json.ts";
import type { Places } from "./places.ts";
import { PROBLEM_TYPE, problemWith } from "./problem-schema.ts";
import type { Shared } from "./shared.ts";

/** What the service answers by its own document, as ends of the route's chain. */
export const serviceAnswers = (operation: OperationInfo, imports: Imports): readonly Answer[] =>
  Object.entries(operation.responses).map(([status, response]) => {
    const copy = objectOf(imports.copy(response.json, "response", operation.document));
    const headers = objectOf(copy["headers"]) as Readonly<Record<string, JsonObject>>;
    return {
      status: /^\dxx$/i.test(status) ? status.toUpperCase() : status,
      description: response.description,
      codes: [],
      isService: true,
      // Content-Type is said by the content (OpenAPI 3.1 section 4.8.17.1).
      fields: fieldsOf(
        Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== "content-type")),
      ),
      content: objectOf(copy["content"]) as Readonly<Record<string, JsonObject>>,
      place: operation.document.placeOf(response.pointer),
      copyOf: { document: operation.document, pointer: response.pointer },
    };
  });

/** What stands among the components. */
export interface SharedParts {
  readonly headers: Shared;
  readonly responses: Shared;
  /** Codes of the problems of all answers. */
  readonly codes: Set<string>;
}

/** Names of answers that are the gateway's alone. */
const NAMES: Readonly<Record<string, string>> = {
  "304": "NotModified",
  "400": "BadRequest",
  "401": "Unauthorized",
  "403": "Forbidden",
  "408": "RequestTimeout",
  "413": "ContentTooLarge",
  "415": "UnsupportedMediaType",
  "422": "UnprocessableContent",
  "429": "TooManyRequests",
  "431": "HeaderFieldsTooLarge",
  "502": "BadGateway",
  "503": "ServiceUnavailable",
  "504": "GatewayTimeout",
};

/** Responses by status: those of the gateway beside those of the service. */
export const responsesOf = (
  answers: readonly Answer[],
  shared: SharedParts,
  at: readonly string[],
  places: Places,
): JsonObject => {
  const groups = new Map<string, Answer[]>();
  for (const answer of answers) groups.set(answer.status, [...(groups.get(answer.status) ?? []), answer]);
  for (const [status, group] of groups) group.push(...alsoOfService(status, group, groups));
  const entries = [...groups].sort(([one], [other]) => (orderOf(one) < orderOf(other) ? -1 : 1));
  return Object.fromEntries(
    entries.map(([status, group]) => {
      const { place, copyOf } = group[0]!;
      const pointer = pointerOf([...at, status]);
      if (copyOf === undefined) places.set(pointer, place);
      else places.copied(pointer, copyOf.document, copyOf.pointer);
      const response = responseOf(group, shared);
      const name = group.some(({ isService }) => isService === true) ? undefined : NAMES[status];
      return [status, name === undefined ? response : shared.responses.refer(name, response)];
    }),
  );
};

/** What a service says of a range of statuses, or of all others, holds for those too that the gateway answers by itself. */
const alsoOfService = (
  status: string,
  group: readonly Answer[],
  groups: ReadonlyMap<string, readonly Answer[]>,
): readonly Answer[] => {
  if (!/^\d{3}$/.test(status) || group.some(({ isService }) => isService === true)) return [];
  const wide = groups.get(`${status[0]}XX`) ?? groups.get("default") ?? [];
  return wide.filter(({ isService }) => isService === true);
};

/** Single statuses, then ranges, then what is left: as JavaScript has its keys. */
const orderOf = (status: string): string =>
  status === "default" ? "~~" : status.endsWith("XX") ? `~${status}` : status;

const responseOf = (group: readonly Answer[], shared: SharedParts): JsonObject => {
  const codes = group.flatMap((answer) => answer.codes);
  // Where the service says what an answer means, a stored one means the same.
  const telling = group.filter(
    ({ isService, codes: own }) =>
      isService === true || own.length > 0 || !group.some((one) => one.isService),
  );
  for (const code of codes) shared.codes.add(code);
  const content = contentOf(group, codes);
  const headers = headersOf(group, shared);
  return {
    description: [...new Set(telling.map(({ description }) => description))].join(" "),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(Object.keys(content).length > 0 && { content }),
  };
};

/** The service's problems and the gateway's may come as one type; then a body is one of both. */
const contentOf = (group: readonly Answer[], codes: readonly string[]): JsonObject => {
  const content: Record<string, JsonObject> = Object.assign({}, ...group.map((answer) => answer.content));
  if (codes.length === 0) return content;
  const own = content[PROBLEM_TYPE];
  const ours = problemWith(codes);
  const theirs = own === undefined && "*/*" in content ? {} : own?.["schema"];
  return {
    ...content,
    [PROBLEM_TYPE]: { ...own, schema: theirs === undefined ? ours : { anyOf: [theirs, ours] } },
  };
};

/** A field that only some answers of a status have is not required. */
const headersOf = (group: readonly Answer[], shared: SharedParts): JsonObject => {
  const names = new Set(group.flatMap(({ fields }) => [...fields.keys()]));
  return Object.fromEntries(
    [...names].sort().map((name): [string, Json] => {
      const found = group.flatMap(({ fields }) => fields.get(name) ?? []);
      const { name: written, header } = found[0]!;
      const isSure = group.every(({ fields }) => fields.get(name)?.header["required"] === true);
      const { required: _, ...loose } = header;
      return [written, shared.headers.refer(written, isSure ? header : loose)];
    }),
  );
};
