import type { Exchange } from "../../core/exchange.ts";
import type { HeaderEdit } from "../../core/header-edits.ts";
import type { Filter, Handler } from "../../core/policy.ts";
import type { Ports } from "../../core/ports.ts";
import { problem } from "../../core/problem.ts";
import { bodyTooLarge } from "../../core/request-body.ts";
import { scopeOf } from "../../core/scope.ts";
import { BODY_CODED, BODY_INCOMPLETE } from "../../core/shared-problems.ts";
import { linkExpression } from "../../lib/cel/link.ts";
import { isCoded, lengthOf } from "../../lib/http/content-fields.ts";
import { jsonTextOf } from "../../lib/json-text.ts";
import type { ReadBytes } from "../../lib/read-whole.ts";
import { jsonOf } from "./expression-value.ts";
import type { EditStep, Step } from "./filter.ts";
import { applyOperations, type Failure, type Operation } from "./operations.ts";
import { isJsonType, OF_THE_BYTES, readMessage, readStream } from "./read.ts";

/** An edit with what gives its value; undefined where the value is none. */
interface LinkedEdit extends Operation {
  readonly valueFor: (exchange: Exchange) => string | undefined;
}

const REMOVALS: readonly HeaderEdit[] = OF_THE_BYTES.map((name) => ({ op: "remove", name }));

/** Links the edits of requests: what they do not fit is refused, and nothing of it goes to the upstream. */
export const linkRequest = ({ edits, maxBytes }: Step, { clock }: Ports): Filter => {
  const scope = scopeOf(clock);
  const linked = edits.map((edit): LinkedEdit => {
    const { op, path, from, optional = false } = edit;
    return { op, path, ...(from && { from }), optional, valueFor: linkValue(edit, scope) };
  });
  return (next) => (exchange) => {
    const source = sourceOf(exchange);
    if (source === undefined) return next(exchange);
    const { headers } = exchange.request;
    if (!isJsonType(headers.get("content-type"))) return notJson(exchange);
    if (isCoded(headers)) return problem(exchange, BODY_CODED);
    const read = source instanceof Uint8Array ? source : source(maxBytes);
    return read instanceof Promise
      ? read.then((bytes) => edit(exchange, bytes, linked, maxBytes, next))
      : edit(exchange, read, linked, maxBytes, next);
  };
};

const linkValue = (
  { value, expression }: EditStep,
  scope: ReturnType<typeof scopeOf>,
): ((exchange: Exchange) => string | undefined) => {
  if (expression === undefined) return () => value;
  const evaluate = linkExpression(expression, scope);
  return (exchange) => jsonOf(evaluate(exchange));
};

/** The body to edit: bytes, or a function that reads them; undefined where the request has none. */
const sourceOf = (
  exchange: Exchange,
): Uint8Array<ArrayBuffer> | ((most: number) => Promise<ReadBytes>) | undefined => {
  const { method, request, requestBody } = exchange;
  // The forwarder sends no body with these.
  if (method === "GET" || method === "HEAD" || requestBody === null) return undefined;
  if (requestBody instanceof Uint8Array) return requestBody;
  if (requestBody !== undefined) return (most) => readStream(requestBody, most);
  const length = lengthOf(request.headers);
  return length === 0 || (length === undefined && request.body === null)
    ? undefined
    : (most) => readMessage(request, most);
};

const edit = (
  exchange: Exchange,
  read: ReadBytes,
  edits: readonly LinkedEdit[],
  maxBytes: number,
  next: Handler,
): Response | Promise<Response> => {
  if (read === "broken") return problem(exchange, BODY_INCOMPLETE);
  if (read === "too-large" || read.byteLength > maxBytes) return bodyTooLarge(exchange, maxBytes);
  if (read.byteLength === 0) {
    exchange.requestBody = null;
    return next(exchange);
  }
  const json = jsonTextOf(read);
  if (json === undefined) return malformed(exchange, "The body is not JSON in UTF-8.");
  const edited = applyOperations(json, edits, (one) => one.valueFor(exchange));
  if (typeof edited !== "string") return refused(exchange, edited);
  exchange.requestBody = new TextEncoder().encode(edited);
  exchange.requestEdits.push(...REMOVALS);
  return next(exchange);
};

const DETAILS: Readonly<Record<Failure["reason"], string>> = {
  missing: "The body has nothing at the place that the pointer names.",
  different: "The body does not have the value that it must have at the place that the pointer names.",
  duplicate: "The body has a name twice in the object that the pointer names.",
  "no-value": "This request does not tell the value for the place that the pointer names.",
};

const refused = (exchange: Exchange, { reason, pointer }: Failure): Response =>
  reason === "duplicate"
    ? malformed(exchange, DETAILS[reason], pointer)
    : problem(exchange, {
        status: 422,
        code: "body-edit-failed",
        title: "Unprocessable content",
        detail: DETAILS[reason],
        extensions: { pointer },
      });

const malformed = (exchange: Exchange, detail: string, pointer?: string): Response =>
  problem(exchange, {
    status: 400,
    code: "malformed-json",
    title: "Malformed JSON",
    detail,
    ...(pointer === undefined ? {} : { extensions: { pointer } }),
  });

/** Passed on unedited, it might still be read as JSON by an upstream that looks at no type. */
const notJson = (exchange: Exchange): Response =>
  problem(exchange, {
    status: 415,
    code: "unsupported-media-type",
    title: "Unsupported media type",
    detail: "The body's type has to be application/json, or one that ends in +json.",
    headers: { accept: "application/json" },
  });
