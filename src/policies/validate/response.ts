import type { Exchange } from "../../core/exchange.ts";
import type { HeaderEdit } from "../../core/header-edits.ts";
import type { Filter, Site } from "../../core/policy.ts";
import type { Ports } from "../../core/ports.ts";
import { problem } from "../../core/problem.ts";
import { UPSTREAM_INCOMPLETE } from "../../core/shared-problems.ts";
import { after } from "../../lib/after.ts";
import { isCoded, lengthOf } from "../../lib/http/content-fields.ts";
import { removeHopByHop } from "../../lib/http/hop-by-hop.ts";
import { isJsonEssence, parseMediaType } from "../../lib/http/media-type.ts";
import { decodeField, readStyled } from "../../lib/parameter-styles.ts";
import { type LinkedMedia, linkMedia, type MediaPlan, mediaFor } from "./body.ts";
import type { Fault } from "./faults.ts";
import type { ResponseStep } from "./filter.ts";
import { linkNotes, type Notes } from "./notes.ts";
import { judgeParameter, type LinkedParameter, linkParameter, type ParameterPlan } from "./parameters.ts";
import { readBounded } from "./read.ts";

/** What an answer of one status has to be. */
export type AnswerPlan = {
  /** The narrowest first; none where nothing is said of a body. */
  readonly media: readonly MediaPlan[];
  /** Fields of its header. */
  readonly fields: readonly ParameterPlan[];
};

interface LinkedAnswer {
  readonly media: readonly LinkedMedia[];
  readonly fields: readonly LinkedParameter[];
}

interface Linked {
  readonly report: boolean;
  readonly maxBytes: number;
  readonly answers: ReadonlyMap<string, LinkedAnswer>;
  readonly notes: Notes;
}

const AS_IT_IS: HeaderEdit = { op: "set", name: "accept-encoding", value: "identity" };

/** Links the judging of answers: callers get 502 in place of what the description of the operation does not promise. */
export const linkResponse = (step: ResponseStep, ports: Ports, site: Site): Filter => {
  const linked: Linked = {
    report: step.report === true,
    maxBytes: step.maxBytes,
    answers: new Map(
      Object.entries(step.answers).map(([status, { media, fields }]) => [
        status.toUpperCase(),
        {
          media: media.map((plan) => linkMedia(plan, site)),
          fields: fields.map((plan) => linkParameter(plan, site)),
        },
      ]),
    ),
    notes: linkNotes(step.node, ports),
  };
  return (next) => (exchange) => {
    const { requestEdits } = exchange;
    const before = requestEdits.length;
    requestEdits.push(AS_IT_IS);
    return after(next(exchange), (response) => {
      // A cache around this tells its entries apart by the request as it knows it.
      requestEdits.length = before;
      return judgeAnswer(exchange, response, linked);
    });
  };
};

const judgeAnswer = (
  exchange: Exchange,
  response: Response,
  linked: Linked,
): Response | Promise<Response> => {
  const { status, headers } = response;
  // The gateway's own answers are none of the service's, and parts and confirmations are no whole ones.
  if (exchange.problemCode !== undefined || status < 200 || status === 206 || status === 304) return response;
  const answer = answerFor(linked.answers, status);
  if (answer === undefined) {
    linked.notes.unjudged(exchange, `status ${status} is not described`);
    return response;
  }
  const faults: Fault[] = [];
  for (const field of answer.fields) {
    const raw = headers.get(field.name) ?? undefined;
    judgeParameter(field, raw === undefined ? undefined : readStyled(raw, field, decodeField), raw, faults);
  }
  const media =
    exchange.method === "HEAD" || status === 204 || response.body === null
      ? undefined
      : mediaOf(answer, headers, faults);
  if (media?.judge === undefined) return settle(exchange, response, faults, linked);
  if (isCoded(headers)) {
    linked.notes.unjudged(exchange, "it has a content coding");
    return settle(exchange, response, faults, linked);
  }
  if ((lengthOf(headers) ?? 0) > linked.maxBytes) {
    linked.notes.unjudged(exchange, "it is too large");
    return settle(exchange, response, faults, linked);
  }
  return judgeBody(exchange, response, media, faults, linked);
};

const answerFor = (answers: ReadonlyMap<string, LinkedAnswer>, status: number): LinkedAnswer | undefined =>
  answers.get(String(status)) ?? answers.get(`${Math.floor(status / 100)}XX`) ?? answers.get("DEFAULT");

/** The description of a body of JSON; what is of another type passes unread where that type is described. */
const mediaOf = ({ media }: LinkedAnswer, headers: Headers, faults: Fault[]): LinkedMedia | undefined => {
  if (media.length === 0) return undefined;
  const type = parseMediaType(headers.get("content-type"));
  const found = type && mediaFor(media, type);
  if (found === undefined)
    faults.push({
      in: "header",
      name: "content-type",
      code: "media-type",
      message: "is not one that is described",
    });
  return found !== undefined && isJsonEssence(type!.essence) ? found : undefined;
};

const judgeBody = async (
  exchange: Exchange,
  response: Response,
  media: LinkedMedia,
  faults: Fault[],
  linked: Linked,
): Promise<Response> => {
  const read = await readBounded(response.body!, linked.maxBytes);
  if (read === "broken") return problem(exchange, UPSTREAM_INCOMPLETE);
  if ("rest" in read) {
    linked.notes.unjudged(exchange, "it is too large");
    return settle(exchange, withBody(response, read.rest), faults, linked);
  }
  const wrong = await media.judge!(read.bytes, response.headers.get("content-type") ?? "", faults);
  if (wrong !== undefined)
    faults.push({ in: "body", pointer: "", code: "malformed", message: wrong.malformed });
  return settle(exchange, withBody(response, read.bytes), faults, linked);
};

/** The same answer again, for its body has been read. */
const withBody = (
  { status, statusText, headers: given }: Response,
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
): Response => {
  const headers = new Headers(given);
  removeHopByHop(headers);
  return new Response(body, { status, statusText, headers });
};

const settle = (
  exchange: Exchange,
  response: Response,
  faults: readonly Fault[],
  linked: Linked,
): Response => {
  if (faults.length === 0) return response;
  if (linked.report) {
    linked.notes.reported(exchange, "response-invalid", faults);
    return response;
  }
  linked.notes.refused(exchange, "response-invalid", faults);
  if (!response.bodyUsed) void response.body?.cancel().catch(() => undefined);
  return problem(exchange, {
    status: 502,
    code: "response-invalid",
    title: "Bad gateway",
    detail: "The service answered with something that it does not promise.",
    proxyError: "http_protocol_error",
  });
};
