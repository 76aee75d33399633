import { sample } from "openapi-sampler";
import type { Json } from "../../core/json.ts";
import type { MediaInfo, OperationInfo, ResponseInfo } from "../../core/operation.ts";

/** What a client wishes of a mock (RFC 7240): `Prefer: code=404, example=empty`. */
export interface MockWish {
  /** The fields of the request, by lower-case name. */
  readonly accept: string | undefined;
  readonly prefer: string | undefined;
}

export interface MockAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Whether a value fits the schema at a JSON Pointer of an operation's document. */
export type Fits = (operation: OperationInfo, pointer: string, value: Json) => boolean;

/**
 * Answers as an operation documents it: with the status that the client prefers, else its first success; the body from the
 * example that the client prefers, else the first, else from the schema, which also stands in for an example that nobody asked
 * for by name and that does not fit it. The same request gets the same answer each time.
 */
export const mockAnswer = (operation: OperationInfo, wish: MockWish, fits: Fits = () => true): MockAnswer => {
  const { code, example } = preferences(wish.prefer ?? "");
  const chosen = chooseResponse(operation.responses, code);
  if (chosen === undefined) return refusal(`${operation.id} documents no answer ${code}.`);
  const { status, response } = chosen;
  const headers = headersOf(response, operation);
  const type = chooseType(Object.keys(response.content), wish.accept ?? "*/*");
  const media = type === undefined ? undefined : response.content[type];
  if (type === undefined || media === undefined || HAS_NO_BODY.has(status))
    return { status, headers, body: undefined };
  const value = fittingBody(media, operation, example, fits);
  if (value === undefined && example !== undefined)
    return refusal(`${operation.id} has no example "${example}" for ${status}.`);
  const contentType = type.includes("*") ? "application/json" : type;
  return {
    status,
    headers: { ...headers, "content-type": contentType },
    body: typeof value === "string" && !isJson(contentType) ? value : JSON.stringify(value ?? null),
  };
};

const HAS_NO_BODY = new Set([204, 205, 304]);

/** What cannot be mocked is said as the gateway says what went wrong (RFC 9457). */
const refusal = (detail: string): MockAnswer => ({
  status: 501,
  headers: { "content-type": "application/problem+json" },
  body: JSON.stringify({ title: "Not mocked", status: 501, detail }),
});

/** Preferences by name; of several of one name the first counts (RFC 7240 section 2). */
const preferences = (field: string): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(
    field
      .split(/[,;]/)
      .map((part) => /^\s*([\w-]+)\s*=\s*"?([^"]*?)"?\s*$/.exec(part))
      .filter((found) => found !== null)
      .map(([, name, value]) => [name!.toLowerCase(), value!] as const)
      .reverse(),
  );

type Responses = OperationInfo["responses"];

const chooseResponse = (
  responses: Responses,
  code: string | undefined,
): { readonly status: number; readonly response: ResponseInfo } | undefined => {
  if (code !== undefined) {
    const response = responses[code] ?? responses[`${code[0]}XX`] ?? responses["default"];
    return /^[1-5]\d\d$/.test(code) && response !== undefined
      ? { status: Number(code), response }
      : undefined;
  }
  const name =
    Object.keys(responses)
      .filter((key) => /^[23](?:\d\d|XX)$/.test(key))
      .sort()[0] ?? (responses["default"] === undefined ? undefined : "default");
  if (name === undefined) return { status: 200, response: NOTHING };
  const status = name === "default" ? 200 : Number(name.replace("XX", "00"));
  return { status, response: responses[name]! };
};

const NOTHING: ResponseInfo = { description: "", content: {}, headers: {}, pointer: "", json: {} };

/** The media type that a client likes best (RFC 9110 section 12.5.1); the first where it likes none. */
const chooseType = (types: readonly string[], accept: string): string | undefined => {
  const ranges = accept
    .split(",")
    .map((range) => {
      const [type = "", ...parameters] = range.split(";").map((text) => text.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith("q="));
      return { type, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
    })
    .sort((one, other) => other.quality - one.quality);
  for (const { type, quality } of ranges) {
    const found = quality > 0 ? types.find((candidate) => covers(type, candidate)) : undefined;
    if (found !== undefined) return found;
  }
  return types[0];
};

const covers = (range: string, type: string): boolean => {
  const bare = type.split(";", 1)[0]!.trim().toLowerCase();
  return range === "*/*" || bare === range || (range.endsWith("/*") && bare.startsWith(range.slice(0, -1)));
};

const isJson = (type: string): boolean => /^[^;]*\bjson\s*(?:;|$)/i.test(type);

/** The body, or one from the schema where only that one fits: documents show examples of which parts are missing. */
const fittingBody = (
  media: MediaInfo,
  operation: OperationInfo,
  example: string | undefined,
  fits: Fits,
): Json | undefined => {
  const value = bodyOf(media, operation, example);
  const { schema } = media;
  if (value === undefined || example !== undefined || schema === undefined) return value;
  if (fits(operation, schema, value)) return value;
  const sampled = sampleOf(media.json["schema"], operation);
  return sampled !== undefined && fits(operation, schema, sampled) ? sampled : value;
};

/** A value from examples, else from the schema; undefined where an example is asked for that is not there. */
const bodyOf = (
  media: MediaInfo,
  operation: OperationInfo,
  example: string | undefined,
): Json | undefined => {
  const { document } = operation;
  const named = media.json["examples"] as Readonly<Record<string, Json>> | undefined;
  const pick = example ?? Object.keys(named ?? {})[0];
  const object =
    pick === undefined ? undefined : (document.resolve(named?.[pick]) as ExampleObject | undefined);
  if (object?.value !== undefined || example !== undefined) return object?.value;
  if (media.json["example"] !== undefined) return media.json["example"];
  return sampleOf(media.json["schema"], operation);
};

interface ExampleObject {
  readonly value?: Json;
}

const sampleOf = (schema: Json | undefined, { document }: OperationInfo): Json | undefined =>
  schema === undefined
    ? undefined
    : (sample(schema as never, { skipWriteOnly: true, quiet: true }, document.json) as Json);

/** What fields hold of which the document shows no example: a text of no meaning would be against their grammar. */
const TYPICAL: Readonly<Record<string, string>> = {
  etag: '"mock"',
  "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
  date: "Thu, 01 Jan 2026 00:00:00 GMT",
  expires: "Thu, 01 Jan 2026 00:00:00 GMT",
  location: "/",
  link: '</>; rel="self"',
};

/** The fields of an answer, but for those that go with its body. */
const headersOf = (response: ResponseInfo, operation: OperationInfo): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (const [field, written] of Object.entries((response.json["headers"] ?? {}) as Record<string, Json>)) {
    const name = field.toLowerCase();
    if (name === "content-type" || name === "content-length") continue;
    const header = operation.document.resolve(written) as HeaderObject;
    const value =
      header.example ??
      Object.values(header.examples ?? {})[0]?.value ??
      TYPICAL[name] ??
      sampleOf(header.schema, operation);
    const text = typeof value === "object" ? Object.values(value ?? {}).join(",") : String(value ?? "");
    if (/^[\t\x20-\x7e]+$/.test(text)) headers[name] = text;
  }
  return headers;
};

interface HeaderObject {
  readonly example?: Json;
  readonly examples?: Readonly<Record<string, ExampleObject>>;
  readonly schema?: Json;
}
