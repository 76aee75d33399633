import type { Exchange } from "../../core/exchange.ts";
import type { Filter, Handler, Site } from "../../core/policy.ts";
import type { Ports } from "../../core/ports.ts";
import { type Problem, problem } from "../../core/problem.ts";
import { bodyTooLarge } from "../../core/request-body.ts";
import { BODY_CODED, BODY_INCOMPLETE, bodyOfOtherType } from "../../core/shared-problems.ts";
import { isCoded, lengthOf } from "../../lib/http/content-fields.ts";
import { parseMediaType } from "../../lib/http/media-type.ts";
import { type BodyPlan, type LinkedMedia, linkMedia, type Malformed, mediaFor } from "./body.ts";
import { type Fault, MOST_FAULTS } from "./faults.ts";
import type { RequestStep } from "./filter.ts";
import { linkNotes, type Notes } from "./notes.ts";
import { type JudgeParameters, linkFixed, linkParameter, linkQuery } from "./parameters.ts";
import { readBounded } from "./read.ts";

interface Linked {
  readonly report: boolean;
  readonly judgeFixed: JudgeParameters;
  readonly judgeQuery: JudgeParameters;
  readonly body: LinkedBody | undefined;
  readonly notes: Notes;
}

interface LinkedBody extends Omit<BodyPlan, "media"> {
  readonly media: readonly LinkedMedia[];
}

/** Links the judging of requests: what an operation does not take is refused before anything of it goes on. */
export const linkRequest = (step: RequestStep, ports: Ports, site: Site): Filter => {
  const parameters = step.parameters.map((plan) => linkParameter(plan, site));
  const inQuery = parameters.filter((parameter) => parameter.in === "query");
  const fixed = parameters.filter((parameter) => parameter.in !== "query");
  const linked: Linked = {
    report: step.report === true,
    judgeFixed: linkFixed(fixed),
    judgeQuery: linkQuery(inQuery, step.unknown, step.alsoKnown ?? []),
    body: step.body && { ...step.body, media: step.body.media.map((plan) => linkMedia(plan, site)) },
    notes: linkNotes(step.node, ports),
  };
  return (next) => (exchange) => {
    const faults: Fault[] = [];
    linked.judgeFixed(exchange, faults);
    linked.judgeQuery(exchange, faults);
    const { body } = linked;
    if (body === undefined || exchange.method === "GET" || exchange.method === "HEAD")
      return settle(exchange, faults, undefined, linked, next);
    return judgeBody(exchange, body, faults, linked, next);
  };
};

/** What is no body of the operation at all, and the answer to it. */
interface Refusal {
  readonly code: string;
  readonly answer: (exchange: Exchange) => Response;
}

const settle = (
  exchange: Exchange,
  faults: readonly Fault[],
  refusal: Refusal | undefined,
  { report, notes }: Linked,
  next: Handler,
): Response | Promise<Response> => {
  if (refusal === undefined && faults.length === 0) return next(exchange);
  if (report) {
    notes.reported(exchange, refusal?.code ?? "validation-failed", faults);
    return next(exchange);
  }
  notes.refused(exchange, refusal?.code ?? "validation-failed", faults);
  return refusal === undefined ? invalid(exchange, faults) : refusal.answer(exchange);
};

const invalid = (exchange: Exchange, faults: readonly Fault[]): Response =>
  problem(exchange, {
    status: 422,
    code: "validation-failed",
    title: "Unprocessable content",
    detail: "The request is not as the description of this operation says.",
    extensions: { errors: faults.slice(0, MOST_FAULTS) },
  });

const judgeBody = (
  exchange: Exchange,
  body: LinkedBody,
  faults: Fault[],
  linked: Linked,
  next: Handler,
): Response | Promise<Response> => {
  const { headers } = exchange.request;
  const source = exchange.requestBody === undefined ? exchange.request.body : exchange.requestBody;
  const length = source instanceof Uint8Array ? source.byteLength : lengthOf(headers);
  if (source === null || length === 0) return withoutBody(exchange, body, faults, linked, next);
  const field = headers.get("content-type");
  const type = parseMediaType(field);
  const media = type && mediaFor(body.media, type);
  if (media === undefined) return typeless(exchange, source, length, body, faults, linked, next);
  if (media.judge === undefined) return settle(exchange, faults, undefined, linked, next);
  if (isCoded(headers)) return settle(exchange, faults, CODED, linked, next);
  if (type!.charset !== undefined && !UTF8.has(type!.charset))
    return settle(exchange, faults, CHARSET, linked, next);
  if (length !== undefined && length > body.maxBytes)
    return settle(exchange, faults, tooLarge(body.maxBytes), linked, next);
  if (source instanceof Uint8Array) return judgeBytes(exchange, source, media, field!, faults, linked, next);
  return readWhole(exchange, source, length, body.maxBytes).then((read) =>
    read instanceof Uint8Array
      ? read.byteLength === 0
        ? withoutBody(exchange, body, faults, linked, next)
        : judgeBytes(exchange, read, media, field!, faults, linked, next)
      : settle(exchange, faults, read, linked, next),
  );
};

/** US-ASCII is a part of UTF-8. */
const UTF8 = new Set(["utf-8", "utf8", "us-ascii"]);

/** The bytes of a body, left on the exchange for whoever comes next; so is a body that is too long. */
const readWhole = async (
  exchange: Exchange,
  source: ReadableStream<Uint8Array>,
  length: number | undefined,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | Refusal> => {
  const { request, requestBody } = exchange;
  if (length !== undefined && requestBody === undefined) {
    // The platform reads a body of a known length in one go, which costs less.
    try {
      const bytes = new Uint8Array(await request.arrayBuffer());
      exchange.requestBody = bytes;
      return bytes;
    } catch {
      return BROKEN;
    }
  }
  const read = await readBounded(source, maxBytes);
  if (read === "broken") return BROKEN;
  if ("rest" in read) {
    exchange.requestBody = read.rest;
    return tooLarge(maxBytes);
  }
  exchange.requestBody = read.bytes.byteLength === 0 ? null : read.bytes;
  return read.bytes;
};

const judgeBytes = (
  exchange: Exchange,
  bytes: Uint8Array<ArrayBuffer>,
  media: LinkedMedia,
  type: string,
  faults: Fault[],
  linked: Linked,
  next: Handler,
): Response | Promise<Response> => {
  const wrong = media.judge!(bytes, type, faults);
  const goOn = (found: Malformed | undefined) =>
    settle(exchange, faults, found && malformed(found), linked, next);
  return wrong instanceof Promise ? wrong.then(goOn) : goOn(wrong);
};

const withoutBody = (
  exchange: Exchange,
  { required }: LinkedBody,
  faults: Fault[],
  linked: Linked,
  next: Handler,
): Response | Promise<Response> => {
  if (required) faults.push({ in: "body", pointer: "", code: "required", message: "is missing" });
  return settle(exchange, faults, undefined, linked, next);
};

/** Whether there is a body to have a type is not known of a stream before it is read. */
const typeless = (
  exchange: Exchange,
  source: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>,
  length: number | undefined,
  body: LinkedBody,
  faults: Fault[],
  linked: Linked,
  next: Handler,
): Response | Promise<Response> => {
  const refuse = () => settle(exchange, faults, by(bodyOfOtherType(body.accept)), linked, next);
  if (length !== undefined || source instanceof Uint8Array) return refuse();
  return readBounded(source, 0).then((read) => {
    if (read === "broken") return settle(exchange, faults, BROKEN, linked, next);
    exchange.requestBody = "rest" in read ? read.rest : null;
    return "rest" in read ? refuse() : withoutBody(exchange, body, faults, linked, next);
  });
};

const tooLarge = (maxBytes: number): Refusal => ({
  code: "body-too-large",
  answer: (exchange) => bodyTooLarge(exchange, maxBytes),
});

/** A refusal that answers with a problem. */
const by = (it: Problem): Refusal => ({ code: it.code, answer: (exchange) => problem(exchange, it) });

const CODED = by(BODY_CODED);
const BROKEN = by(BODY_INCOMPLETE);
const CHARSET = by({
  status: 415,
  code: "unsupported-charset",
  title: "Unsupported character encoding",
  detail: "The body has to be in UTF-8.",
});

const malformed = ({ malformed: detail }: Malformed): Refusal =>
  by({ status: 400, code: "malformed-body", title: "Malformed body", detail });
