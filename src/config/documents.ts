import { z } from "zod";
import { balancerSchema } from "../balancers/index.ts";
import { parseHostPattern } from "../lib/host-pattern.ts";
import { issuerSchema } from "../policies/jwt/issuer.ts";
import { duration, explain, headerName, named, oneOf, secret } from "../policies/shapes.ts";

/** The shapes of the policy language, but for the policies themselves, whose shapes are their own. */

const hostPattern = () =>
  z.string().transform((text, context) => {
    const pattern = parseHostPattern(text);
    if (pattern !== undefined) return pattern;
    context.addIssue({
      code: "custom",
      message: explain(
        `"${text}" is not a host.`,
        "Write a host name without scheme and port: api.example.com, {tenant}.example.com or *.example.com.",
      ),
      params: { code: "bad-host" },
    });
    return z.NEVER;
  });

const hostName = () =>
  z
    .string()
    .regex(
      /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
      explain("This is not a host name.", "Write a host name without scheme, port or path: api.example.com."),
    );

const policies = () =>
  z.record(z.string(), z.unknown()).optional().describe("Policies by name; `none` removes an inherited one.");

export const gatewaySchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{0,39}$/,
      explain("This cannot be the gateway's name.", "Write lower-case letters, digits and hyphens: shop."),
    )
    .default("postern")
    .describe("Names the gateway in Via-like fields, realms and logs."),
  hosts: named(hostPattern())
    .refine(
      (hosts) => Object.keys(hosts).length > 0,
      explain("The gateway has no host.", "Name at least one: hosts: { public: api.example.com }."),
    )
    .describe("Host names and patterns by name; any other host is answered 404."),
  clientIp: z
    .union([
      oneOf("cloudflare", "connection"),
      z.strictObject({
        forwardedFor: z.strictObject({
          trustedHops: z
            .number()
            .int()
            .min(1)
            .max(16)
            .describe(
              "How many proxies in front of the gateway append to X-Forwarded-For; counted from the right.",
            ),
        }),
      }),
    ])
    .optional()
    .describe("Where the client's address comes from; without it, keys by ip are errors."),
  paths: z
    .strictObject({
      encodedSlash: oneOf("reject", "keep")
        .default("reject")
        .describe("Whether %2F and other encoded separators are refused, or kept inside one parameter."),
      matrixParameters: oneOf("reject", "keep")
        .default("reject")
        .describe("Whether `;` in a path is refused or kept."),
    })
    .prefault({})
    .describe("What request paths may hold."),
  control: z
    .strictObject({ token: secret().describe("The bearer token that opens them.") })
    .optional()
    .describe(
      "Opens the control routes /__postern/metrics and /__postern/plan, and with them the metrics; only /__postern/health is there without.",
    ),
  policies: policies(),
});

const target = z
  .strictObject({
    url: z.string().optional().describe("Origin and base path of the target: https://orders.example.com/v1."),
    binding: z
      .string()
      .regex(
        /^[A-Za-z_][A-Za-z0-9_]*$/,
        explain(
          "This is not the name of a binding.",
          "Write the name that wrangler.toml gives the service binding: ORDERS.",
        ),
      )
      .optional()
      .describe("Name of the service binding of a Worker."),
    weight: z
      .number()
      .int()
      .min(0)
      .max(1_000_000)
      .default(1)
      .describe("Share of the requests in proportion to the others."),
    network: oneOf("public", "private").optional().describe("`private` allows private addresses."),
  })
  .describe("One origin of an upstream.");

export const upstreamSchema = z.strictObject({
  balancer: balancerSchema.optional().describe("The algorithm that picks a target."),
  targets: named(target)
    .refine(
      (targets) => Object.keys(targets).length > 0,
      explain(
        "The upstream has no target.",
        'Name at least one: targets: { main: { url: "https://orders.example.com" } }.',
      ),
    )
    .describe("Copies of one version of a service, by name."),
  timeout: duration()
    .prefault("15s")
    .describe("How long to wait for an answer to begin; over it the client gets 504."),
});

const condition = z.union([
  z.string(),
  z.strictObject({ present: z.literal(true).describe("Any value will do.") }),
]);

const pathText = () =>
  z
    .string()
    .regex(/^\//, explain("A path begins with a slash.", "Write the whole path, as in /orders/{orderId}."));

const matchSchema = z
  .strictObject({
    path: pathText()
      .optional()
      .describe(
        "Template of the whole path, segment by segment: /orders/{orderId}; {rest...} at the end takes what remains.",
      ),
    pathPrefix: pathText()
      .optional()
      .describe("Prefix by segments: /orders takes /orders, /orders/ and /orders/1, not /ordersX."),
    methods: z
      .array(
        z
          .string()
          .regex(/^[A-Z]+$/, explain("This is not a method.", "Write methods in capitals: [GET, POST].")),
      )
      .min(1)
      .optional()
      .describe("Methods; GET answers HEAD too. Default: any."),
    hosts: z.array(z.string()).min(1).optional().describe("Names of the gateway's hosts."),
    headers: z
      .record(headerName(), condition)
      .optional()
      .describe("Header fields that must have a value or be there."),
    query: named(condition).optional().describe("Query parameters that must have a value or be there."),
  })
  .describe("A route's predicate: all of its conditions must hold.");

const statusOf = (...statuses: number[]) =>
  z
    .number()
    .int()
    .refine(
      (status) => statuses.includes(status),
      explain("This status is not one of a redirect.", `Write one of ${statuses.join(", ")}.`),
    );

const redirectSchema = z.strictObject({
  status: statusOf(301, 302, 303, 307, 308).default(302).describe("Status of the answer."),
  scheme: oneOf("http", "https").optional().describe("Scheme; default the request's."),
  host: hostName().optional().describe("Host; default the request's."),
  port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .optional()
    .describe("Port; default the request's, or the scheme's own when that changes."),
  path: pathText().optional().describe("The whole path, with templates: /v2/orders/{params.orderId}."),
  prefix: z
    .string()
    .regex(/^\//, explain("A prefix begins with a slash.", "Write /v2."))
    .optional()
    .describe("What takes the place of the match's pathPrefix."),
});

const respondSchema = z.strictObject({
  status: z.number().int().min(200).max(599).describe("Status of the answer."),
  headers: z.record(headerName(), z.string()).default({}).describe("Header fields of the answer."),
  body: z.string().optional().describe("Body of the answer, as it is; never a template."),
});

const rewriteSchema = z.strictObject({
  path: pathText().optional().describe("The whole path for the upstream, with templates."),
  prefix: z
    .string()
    .regex(/^\//, explain("A prefix begins with a slash.", "Write /v1, or / to take the matched prefix off."))
    .optional()
    .describe("What takes the place of the match's pathPrefix, or of the document's prefix."),
  host: hostName().optional().describe("Host for the upstream."),
});

const attachable = {
  public: z
    .literal(true, {
      error: explain("`public` is only ever true.", "Write `public: true`, or leave the key out."),
    })
    .optional()
    .describe("Opens this node: removes inherited identity policies and authorize."),
  policies: policies(),
};

const action = {
  upstream: z.string().optional().describe("Name of the upstream that answers."),
  timeout: duration().optional().describe("Replaces the upstream's timeout."),
};

export const routeSchema = z.strictObject({
  match: z
    .union([matchSchema, z.array(matchSchema).min(1)])
    .optional()
    .describe("One predicate, or a list of which any must hold."),
  ...action,
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

const tags = z.strictObject({ tags: z.array(z.string()).min(1).describe("Tags of operations.") });

export const apiSchema = z.strictObject({
  hosts: z.array(z.string()).min(1).optional().describe("Names of the gateway's hosts; default all of them."),
  openapi: z
    .strictObject({
      file: z.string().describe("The document, in the folder of OpenAPI documents."),
      prefix: z
        .string()
        .regex(
          /^\/[^{}]*[^/{}]$/,
          explain("This is not a prefix.", "Write it with a slash before and none behind: /v2."),
        )
        .optional()
        .describe("Stands before every path in public, and is taken off for the upstream."),
      operations: z
        .union(
          [oneOf("all"), tags, z.strictObject({ except: tags.describe("Which operations stay inside.") })],
          {
            error: (issue) =>
              issue.input === undefined
                ? explain(
                    'The key "operations" is missing.',
                    "Say which operations are published: `operations: all`, `{ tags: [public] }` or `{ except: { tags: [internal] } }`.",
                  )
                : undefined,
          },
        )
        .describe("Which operations are published: all, those with a tag, or all but those with a tag."),
    })
    .optional()
    .describe("Takes routes from an OpenAPI document."),
  ...action,
  routes: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("Routes by name; an operationId adds to that operation's route."),
  ...attachable,
});

export const environmentSchema = z.looseObject({
  development: z
    .boolean()
    .optional()
    .describe(
      'Allows what only a development machine may have: the host "*", private addresses, the local issuer.',
    ),
});

/** Every top-level key, with the shape of one entry; `gateway` is a single one. */
export const topLevel = {
  gateway: gatewaySchema,
  environments: environmentSchema,
  issuers: issuerSchema,
  upstreams: upstreamSchema,
  apis: apiSchema,
} as const;

export type GatewayDocument = z.output<typeof gatewaySchema>;
export type UpstreamDocument = z.output<typeof upstreamSchema>;
export type ApiDocument = z.output<typeof apiSchema>;
export type RouteDocument = z.output<typeof routeSchema>;
export type MatchDocument = z.output<typeof matchSchema>;
