import { z } from "zod";
import { issuerSchema } from "../policies/jwt/issuer.ts";
import { apiSchema } from "./documents/api.ts";
import { consumerSchema } from "./documents/consumer.ts";
import { gatewaySchema } from "./documents/gateway.ts";
import { planSchema } from "./documents/plan.ts";
import { upstreamSchema } from "./documents/upstream.ts";

/** One entry of `environments:`; what else stands there is laid over the other documents. */
export const environmentSchema = z.looseObject({
  development: z
    .boolean()
    .optional()
    .describe(
      'Allows what only a development machine may have: the host "*", private addresses, the local issuer.',
    ),
});

/**
 * Every top-level key, with the shape of one entry; `gateway` is a single one. The shapes of policies are their own:
 * see src/policies.
 */
export const topLevel = {
  gateway: gatewaySchema,
  environments: environmentSchema,
  plans: planSchema,
  issuers: issuerSchema,
  consumers: consumerSchema,
  upstreams: upstreamSchema,
  apis: apiSchema,
} as const;
