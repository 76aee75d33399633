import type { Exchange } from "../../core/exchange.ts";
import type { HeaderEdit } from "../../core/header-edits.ts";
import type { Filter } from "../../core/policy.ts";
import { type Problem, problem } from "../../core/problem.ts";
import { UPSTREAM_INCOMPLETE } from "../../core/shared-problems.ts";
import { after } from "../../lib/after.ts";
import { isCoded } from "../../lib/http/content-fields.ts";
import { removeHopByHop } from "../../lib/http/hop-by-hop.ts";
import { jsonTextOf } from "../../lib/json-text.ts";
import type { EditStep, Step } from "./filter.ts";
import { applyOperations } from "./operations.ts";
import { isJsonType, OF_THE_BYTES, readMessage } from "./read.ts";
import { markedTag, sentField, unmarkedTags } from "./validators.ts";

interface LinkedEdits {
  readonly edits: readonly EditStep[];
  readonly maxBytes: number;
  readonly mark: string;
}

/**
 * Links the edits of answers. They often take away what a caller must not see, so an answer that cannot be edited is not
 * passed on. A gateway is the origin to its callers: `no-transform` (RFC 9110 section 7.7) binds proxies.
 */
export const linkResponse = ({ edits, maxBytes, mark = "" }: Step): Filter => {
  const linked: LinkedEdits = { edits, maxBytes, mark };
  return (next) => (exchange) => {
    const { requestEdits } = exchange;
    const before = requestEdits.length;
    askForWhole(exchange, mark);
    return after(next(exchange), (response) => {
      // A cache around this tells its entries apart by the request as it knows it.
      requestEdits.length = before;
      return settle(exchange, response, linked);
    });
  };
};

const AS_IT_IS: HeaderEdit = { op: "set", name: "accept-encoding", value: "identity" };
/** Parts, and times, are those of the answer before it is edited. */
const WHOLE: readonly HeaderEdit[] = ["range", "if-range", "if-modified-since"].map((name) => ({
  op: "remove",
  name,
}));

/** Asks the upstream for what can be edited: without a content coding, whole, and new unless the client's copy has our mark. */
const askForWhole = (exchange: Exchange, mark: string): void => {
  const { method, requestEdits } = exchange;
  if (method !== "GET" && method !== "HEAD") {
    requestEdits.push(AS_IT_IS);
    return;
  }
  const field = sentField(exchange, "if-none-match");
  requestEdits.push(AS_IT_IS, ...WHOLE);
  if (field === null) return;
  const tags = unmarkedTags(field, mark);
  requestEdits.push(
    tags === undefined
      ? { op: "remove", name: "if-none-match" }
      : { op: "set", name: "if-none-match", value: tags },
  );
};

const settle = (
  exchange: Exchange,
  response: Response,
  linked: LinkedEdits,
): Response | Promise<Response> => {
  const { status, headers } = response;
  if (status === 304) return withFields(response, null, linked.mark);
  if (status < 200 || status > 299 || !isJsonType(headers.get("content-type"))) return response;
  if (exchange.method === "HEAD") return withFields(response, null, linked.mark);
  if (response.body === null) return response;
  if (status === 206) return unusable(exchange, response, PARTIAL);
  if (isCoded(headers)) return unusable(exchange, response, CODED);
  return edited(exchange, response, linked);
};

const edited = async (exchange: Exchange, response: Response, linked: LinkedEdits): Promise<Response> => {
  const { edits, maxBytes, mark } = linked;
  const bytes = await readMessage(response, maxBytes);
  if (bytes === "too-large") return unusable(exchange, response, TOO_LARGE);
  if (bytes === "broken") return unusable(exchange, response, UPSTREAM_INCOMPLETE);
  if (bytes.byteLength === 0) return withFields(response, "", mark);
  const json = jsonTextOf(bytes);
  if (json === undefined) return unusable(exchange, response, MALFORMED);
  const text = applyOperations(json, edits, (edit) => edit.value);
  if (typeof text === "string") return withFields(response, text, mark);
  // Where in the upstream's answer is the operator's business; which edit it was is in the policy.
  return unusable(exchange, response, { ...UNFIT, extensions: { edit: text.operation } });
};

const NO_LONGER = [...OF_THE_BYTES, "content-encoding", "last-modified", "accept-ranges", "content-range"];

/** The answer with another body, and the fields that go with it (RFC 9110 sections 8.8 and 14). */
const withFields = (response: Response, body: string | null, mark: string): Response => {
  const headers = new Headers(response.headers);
  removeHopByHop(headers);
  for (const name of NO_LONGER) headers.delete(name);
  const tag = headers.get("etag");
  if (tag !== null) {
    const marked = markedTag(tag, mark);
    if (marked === undefined) headers.delete("etag");
    else headers.set("etag", marked);
  }
  const { status, statusText } = response;
  return new Response(body, { status, statusText, headers });
};

/** What the upstream answered is dropped, and its connection let go. */
const unusable = (
  exchange: Exchange,
  response: Response,
  why: Omit<Problem, "status" | "title">,
): Response => {
  if (!response.bodyUsed) void response.body?.cancel().catch(() => undefined);
  return problem(exchange, { status: 502, title: "Bad gateway", ...why });
};

type Unusable = Omit<Problem, "status" | "title">;

/** Types of errors are those of RFC 9209 section 2.3, where one fits. */
const PARTIAL: Unusable = {
  code: "upstream-partial",
  detail: "The service answered with a part that nobody asked for.",
  proxyError: "http_protocol_error",
};
const CODED: Unusable = {
  code: "upstream-coded",
  detail: "The service's answer has a content coding that nobody asked for.",
  proxyError: "http_response_content_coding",
};
const TOO_LARGE: Unusable = {
  code: "upstream-too-large",
  detail: "The service's answer is larger than the gateway edits.",
  proxyError: "http_response_body_size",
};
const MALFORMED: Unusable = {
  code: "upstream-malformed",
  detail: "The service's answer is not the JSON that it says it is.",
};
const UNFIT: Unusable = {
  code: "upstream-edit-failed",
  detail: "The service's answer is not one that the gateway's edits fit.",
};
