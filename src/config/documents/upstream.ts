import { z } from "zod";
import { balancerSchema } from "../../balancers/index.ts";
import { explain, headerName, named, oneOf } from "../../policies/shapes.ts";
import { credentialSchema } from "./credential.ts";
import { discoverySchema } from "./discovery.ts";
import { timeout } from "./shapes.ts";
import { traffic } from "./traffic.ts";

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
    priority: z
      .number()
      .int()
      .min(0)
      .max(9)
      .optional()
      .describe(
        "Group for failover: the next one takes over when too few of the one before are healthy; default 0.",
      ),
  })
  .describe("One origin of an upstream: it has a `url` or a `binding`.");

/** One entry of `upstreams:`. */
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
    .optional()
    .describe("Copies of one version of a service, by name."),
  discover: discoverySchema.optional().describe("Targets that a resolver names, in place of a list."),
  timeout: timeout()
    .prefault("15s")
    .describe(
      "How long to wait for an answer to begin, all tries together; over it the client gets 504. A route's replaces it.",
    ),
  ...traffic,
  idempotentBy: headerName()
    .optional()
    .describe(
      "The header field by which this service knows a request again: where a client sends it, POST and PATCH are tried again too.",
    ),
  credential: credentialSchema.optional(),
});

export type UpstreamDocument = z.output<typeof upstreamSchema>;
