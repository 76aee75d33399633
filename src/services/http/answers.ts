import { z } from "@hono/zod-openapi";
import { Problem } from "./problem.ts";

/** Documents an answer of application/problem+json (RFC 9457). */
export const problemAnswer = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: Problem } },
});

/** The answers that several operations share, as their documents show them. */
export const invalidParameter = problemAnswer("A parameter does not fit its schema; `errors` lists which.");
export const malformedBody = problemAnswer("A parameter does not fit its schema, or the body is no JSON.");
export const preconditionFailed = problemAnswer("`If-Match` does not name the current version.");
export const contentTooLarge = problemAnswer("The body exceeds 64 KiB.");
export const unsupportedMediaType = problemAnswer("The body is not application/json.");
export const unexpectedFailure = problemAnswer("The service failed; the answer names no cause.");

/** Response header fields, as the documents show them. */
export const etag = {
  description: "Strong validator of this version (RFC 9110 section 8.8.3).",
  schema: { type: "string" as const },
  example: '"v1"',
};
export const location = {
  description: "The path of the new record (RFC 9110 section 10.2.2).",
  schema: { type: "string" as const, format: "uri-reference" },
};
/** Caches forget what they hold of the record that the answer shows (RFC 9111 section 4.4). */
export const contentLocation = {
  description: "The path of the record that this answer shows (RFC 9110 section 8.7).",
  schema: { type: "string" as const, format: "uri-reference" },
};

/** Documents a 304: the client's stored answer is still the current one (RFC 9110 section 15.4.5). */
export const notModified = {
  description: "What the client holds is current: `If-None-Match` names its entity tag.",
  headers: { ETag: etag },
};

/** Request header fields of conditional requests, as the documents show them; `conditional.ts` reads them. */
export const IfNoneMatch = z
  .string()
  .optional()
  .openapi({
    param: { description: "Answer 304 when one of these entity tags is current (RFC 9110 section 13.1.2)." },
    examples: ['"v1"'],
  });
export const IfMatch = z
  .string()
  .optional()
  .openapi({
    param: { description: "Change only when one of these entity tags is current (RFC 9110 section 13.1.1)." },
    examples: ['"v1"'],
  });
