import { z } from "zod";
import { explain, named, oneOf } from "../../policies/shapes.ts";
import { aggregateSchema } from "./aggregate.ts";
import { forwarding } from "./forwarding.ts";
import { answerHeaders, headerMap, hostName, method, pathPrefix, pathTemplate, policies } from "./shapes.ts";

const condition = z.union([
  z.string(),
  z
    .strictObject({
      present: z.literal(true).optional().describe("Any value will do."),
      regex: z
        .string()
        .optional()
        .describe("Regular expression of the whole value, from its first character to its last: ios/.*"),
    })
    .refine(({ present, regex }) => (present === undefined) !== (regex === undefined), {
      error: explain(
        "A condition has a value, or exactly one of `present` and `regex`.",
        "Write the value itself, `{ present: true }` or `{ regex: … }`.",
      ),
      when: ({ issues }) => issues.length === 0,
    }),
]);

const matchSchema = z
  .strictObject({
    path: pathTemplate()
      .optional()
      .describe(
        "Template of the whole path, segment by segment: /orders/{orderId}; {rest...} at the end takes what remains.",
      ),
    pathPrefix: pathTemplate()
      .optional()
      .describe("Prefix by segments: /orders takes /orders, /orders/ and /orders/1, not /ordersX."),
    pathRegex: z
      .string()
      .optional()
      .describe(
        "Regular expression of the whole path, from its first slash to its end: /v[0-9]+/orders; goes after every path and prefix.",
      ),
    methods: z.array(method()).min(1).optional().describe("Methods; GET answers HEAD too. Default: any."),
    hosts: z.array(z.string()).min(1).optional().describe("Names of the gateway's hosts."),
    headers: headerMap(condition)
      .optional()
      .describe("Header fields that must have a value, fit a regular expression, or be there."),
    query: named(condition)
      .optional()
      .describe("Query parameters that must have a value, fit a regular expression, or be there."),
  })
  .describe("A route's predicate: all of its conditions must hold.");

const REDIRECTS = [301, 302, 303, 307, 308];

const redirectSchema = z.strictObject({
  status: z
    .number()
    .int()
    .refine(
      (status) => REDIRECTS.includes(status),
      explain("This status is not one of a redirect.", `Write one of ${REDIRECTS.join(", ")}.`),
    )
    .default(302)
    .describe("Status of the answer."),
  scheme: oneOf("http", "https").optional().describe("Scheme; default the request's."),
  host: hostName().optional().describe("Host; default the request's."),
  port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .optional()
    .describe("Port; default the request's, or the scheme's own when that changes."),
  path: pathTemplate().optional().describe("The whole path, with templates: /v2/orders/{params.orderId}."),
  prefix: pathPrefix("/v2").optional().describe("What takes the place of the match's pathPrefix."),
});

const respondSchema = z.strictObject({
  status: z
    .number()
    .int()
    .refine(
      (status) => status >= 200 && status <= 599,
      explain("This is not the status of an answer.", "Write a status from 200 to 599."),
    )
    .describe("Status of the answer."),
  headers: answerHeaders().default({}).describe("Header fields of the answer."),
  body: z.string().optional().describe("Body of the answer, as it is; never a template."),
});

const rewriteSchema = z.strictObject({
  path: pathTemplate().optional().describe("The whole path for the upstream, with templates."),
  prefix: pathPrefix("/v1, or / to take the matched prefix off")
    .optional()
    .describe("What takes the place of the match's pathPrefix, or of the document's prefix."),
  host: hostName().optional().describe("Host for the upstream."),
});

/** What apis and routes have in common. */
export const attachable = {
  public: z
    .literal(true, {
      error: explain("`public` is only ever true.", "Write `public: true`, or leave the key out."),
    })
    .optional()
    .describe("Opens this node: removes inherited identity policies and authorize."),
  policies: policies(),
};

/** One entry of `apis.*.routes`. */
export const routeSchema = z.strictObject({
  match: z
    .union([matchSchema, z.array(matchSchema).min(1)])
    .optional()
    .describe("One predicate, or a list of which any must hold."),
  ...forwarding,
  aggregate: aggregateSchema
    .optional()
    .describe(
      "Answers GET with what several upstreams bring, as one JSON object. A call fails that does not answer in time, with a status outside 2xx, with anything but JSON, or with too much. Where one that has a `fallback` fails, that stands in, `Postern-Partial` names it, and the answer is `no-store`. Where another fails, the answer is a problem that names the calls and their statuses: 403, 404 or 410 where the calls that failed say so, 504 where they were late, else 502. Cache-Control is the strictest of all calls.",
    ),
  redirect: redirectSchema.optional().describe("Answers with a redirect."),
  respond: respondSchema.optional().describe("Answers by itself."),
  rewrite: rewriteSchema.optional().describe("What the upstream sees instead."),
  before: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("Ids of routes that this one goes before where they tie."),
  ...attachable,
});

export type RouteDocument = z.output<typeof routeSchema>;
export type MatchDocument = z.output<typeof matchSchema>;
