import { z } from "zod";
import { definePolicy } from "../../core/policy.ts";
import { admitConsumers, consumerShape } from "../consumers.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";

const schema = z.strictObject({
  ...consumerShape,
  forwardCredential: z
    .boolean()
    .default(false)
    .describe("Passes user and password on to the upstream, which otherwise does not see them."),
});

/** Proves who calls by the name and a key of a consumer (RFC 7617). */
export const basicAuth = definePolicy({
  name: "basicAuth",
  summary:
    "Proves who calls by user and password (RFC 7617): a consumer's name and one of its keys. These are 256 random bits, so that one SHA-256 keeps them as safe as a slow hash would; passwords that people choose have no place here.",
  attachment: "identity",
  schema,
  compile: ([instance], context): Step | undefined =>
    instance && {
      ...admitConsumers(instance, context),
      forwardCredential: instance.config.forwardCredential,
    },
  describe,
  filter: () => import("./filter.ts"),
});
