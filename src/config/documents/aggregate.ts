import { z } from "zod";
import { explain, size } from "../../policies/shapes.ts";
import { pathTemplate, timeout } from "./shapes.ts";

/** On Cloudflare a request may have six connections open at once; a seventh call would wait for one of the others. */
const MOST_CALLS = 6;

const MOST_BYTES = 10 * 1024 * 1024;

const isJson = (value: unknown): boolean =>
  typeof value === "number"
    ? Number.isFinite(value)
    : typeof value !== "object" || value === null || Object.values(value).every(isJson);

const parameterName = () =>
  z
    .string()
    .min(
      1,
      explain("This is not the name of a query parameter.", "Write it as it is without escapes: page."),
    );

const call = z.strictObject({
  upstream: z.string().describe("Name of the upstream that is called."),
  path: pathTemplate().describe("The whole path of the call, with templates: /users/{params.userId}."),
  query: z
    .record(
      parameterName(),
      z.string({
        error: explain(
          "The value of a query parameter is a text.",
          'Write it in quotes: "5". It may hold templates such as {params.userId}.',
        ),
      }),
    )
    .optional()
    .describe("Parameters of the call, with templates; those of the request do not go along by themselves."),
  forwardQuery: z
    .array(parameterName())
    .min(1, explain("No parameter is listed.", "List at least one, or remove `forwardQuery`."))
    .optional()
    .describe("Names of parameters of the request that go along as they came."),
  timeout: timeout()
    .optional()
    .describe(
      "How long the call may take, its body included; default the route's `timeout`, or that of the upstream.",
    ),
  fallback: z
    .unknown()
    .refine(isJson, { error: explain("JSON has no such number.", "Write an ordinary number.") })
    .optional()
    .describe(
      "What stands in the answer where the call fails, as JSON; null is a value too. Without it, the whole answer fails with the call.",
    ),
  pick: z
    .string()
    .regex(
      /^(?:\/(?:[^~/]|~[01])*)+$/,
      explain(
        "This is not a JSON Pointer.",
        "Write it as RFC 6901 does, from its first slash: /items or /data/0/name.",
      ),
    )
    .optional()
    .describe("JSON Pointer (RFC 6901) to the part of the call's answer that is taken; default all of it."),
});

const callName = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_.-]*$/,
    explain(
      "This is not the name of a call.",
      "Write letters, digits, dots, hyphens and underscores, a letter first: it is the member of the answer.",
    ),
  );

/** `aggregate:` of a route. */
export const aggregateSchema = z.strictObject({
  calls: z
    .record(callName, call)
    .refine(
      (calls) => Object.keys(calls).length > 1,
      explain("An aggregate has two calls or more.", "Add one, or write `upstream:` in its place."),
    )
    .refine(
      (calls) => Object.keys(calls).length <= MOST_CALLS,
      explain(
        `An aggregate has at most ${MOST_CALLS} calls: a request may have no more connections open at once.`,
        "Take some out, or let a service of your own make them.",
      ),
    )
    .describe(
      "Calls by the names of their members in the answer, begun at once. They are GET requests with the header fields of the request as policies left them, and each goes through its upstream's own retries, breaker and credential. JSON stands in the answer as the upstream wrote it; header fields of the calls' answers end here, cookies too.",
    ),
  maxBody: size()
    .refine((bytes) => bytes > 0 && bytes <= MOST_BYTES, {
      error: explain("This is no size for the answer of a call.", "Write a size from 1B to 10MiB: 256KiB."),
    })
    .prefault("256KiB")
    .describe("Largest body of a call; a larger one counts as failed."),
});

export type AggregateDocument = z.output<typeof aggregateSchema>;
