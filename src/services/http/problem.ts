import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** One fault of a request: in its body (`pointer`) or in its path, query or header fields (`parameter`). */
export const Fault = z
  .object({
    pointer: z.string().optional().openapi({
      description: "JSON Pointer to the faulty value, as a URI fragment (RFC 6901 section 6).",
    }),
    parameter: z.string().optional().openapi({ description: "Name of the faulty parameter." }),
    detail: z.string().openapi({ description: "What is wrong with it." }),
  })
  .openapi("Fault", {
    description: "One fault of a request. Names its place with either `pointer` or `parameter`.",
    examples: [{ pointer: "#/items/0/quantity", detail: "Too small: expected number to be >=1" }],
  });

/** What a service answers when it cannot do what it was asked to (RFC 9457). */
export const Problem = z
  .object({
    type: z.string().openapi({ format: "uri", description: "Identifies the kind of problem; stable." }),
    title: z.string().openapi({ description: "The kind of problem in words; the same for one `type`." }),
    status: z.int().min(400).max(599).openapi({ description: "The status code of the answer." }),
    detail: z.string().openapi({ description: "What is wrong with this request." }),
    instance: z.string().openapi({ format: "uri", description: "Identifies this answer, for support." }),
    code: z.string().openapi({ description: "The last part of `type`, for programs." }),
    errors: z.array(Fault).optional().openapi({ description: "Every fault found in the faulty part." }),
  })
  .openapi("Problem", {
    description: "A failed request, described as in RFC 9457.",
    examples: [
      {
        type: "urn:shop:problem:not-found",
        title: "Not found",
        status: 404,
        detail: "There is no such record.",
        instance: "urn:uuid:7d4f5a52-3f4e-4f0a-9d0e-0f3a5a1f6a11",
        code: "not-found",
      },
    ],
  });

export type Fault = z.infer<typeof Fault>;
export type Problem = z.infer<typeof Problem>;

/** Every kind of problem that the services know: its code and its title, in alphabetical order. */
const TITLES = {
  "content-too-large": "Content too large",
  "email-taken": "Email taken",
  "invalid-body": "Invalid body",
  "invalid-parameter": "Invalid parameter",
  "internal-error": "Internal error",
  "malformed-body": "Malformed body",
  "method-not-allowed": "Method not allowed",
  "mixed-currencies": "Mixed currencies",
  "not-authenticated": "Not authenticated",
  "not-cancellable": "Not cancellable",
  "not-found": "Not found",
  "precondition-failed": "Precondition failed",
  unavailable: "Unavailable",
  "unknown-product": "Unknown product",
  "unsupported-media-type": "Unsupported media type",
} as const;

export type ProblemCode = keyof typeof TITLES;

interface ProblemOptions {
  readonly errors?: readonly Fault[];
  readonly headers?: Readonly<Record<string, string>>;
  /** The id of this answer, where it was already given away; by default that of the request. */
  readonly id?: string;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The id under which a request is logged and its problem is reported: the gateway's `x-request-id` where that is a
 * UUID, so that both logs can be joined, else a new one.
 */
const requestId = (c: Context): string => {
  const given = c.req.header("x-request-id");
  return given !== undefined && UUID.test(given) ? given.toLowerCase() : crypto.randomUUID();
};

/**
 * Answers with application/problem+json (RFC 9457). `detail` is for the caller: it never holds internals. Problems are
 * not for any cache: what is wrong now may be right a moment later.
 */
export const problem = <S extends ContentfulStatusCode>(
  c: Context,
  status: S,
  code: ProblemCode,
  detail: string,
  { errors, headers, id = requestId(c) }: ProblemOptions = {},
) => {
  const body: Problem = {
    type: "urn:shop:problem:" + code,
    title: TITLES[code],
    status,
    detail,
    instance: "urn:uuid:" + id,
    code,
    ...(errors === undefined ? {} : { errors: [...errors] }),
  };
  return c.json(body, status, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    ...headers,
  });
};

/**
 * Answers 500 for what nobody expected, or 503 where the caller of this function knows that it passes. The cause goes
 * to the log, beside the id that the client sees; the client learns nothing else of it.
 */
export const failure = <S extends 500 | 503>(c: Context, status: S, cause: unknown) => {
  const id = requestId(c);
  console.error({
    message: "request failed",
    id,
    method: c.req.method,
    path: c.req.path,
    cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
  });
  return status === 503
    ? problem(c, status, "unavailable", "The service cannot answer at the moment.", { id })
    : problem(c, status, "internal-error", "The service failed. The failure was logged.", { id });
};
