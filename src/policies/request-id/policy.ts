import { z } from "zod";
import { definePolicy } from "../../core/policy.ts";
import { headerName } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";

const schema = z.strictObject({
  header: headerName()
    .default("x-request-id")
    .describe("The header field that carries the id, to the upstream and back to the client."),
  trust: z
    .boolean()
    .default(false)
    .describe(
      "Whether an id that the client sends is taken over; only a UUID is (RFC 9562), anything else is replaced. Say true only where every client is a proxy of yours.",
    ),
});

export const requestId = definePolicy({
  name: "requestId",
  summary: "Gives each request an id, which the upstream, the client, the logs and problem details name.",
  attachment: "replaced",
  schema,
  compile: ([instance]): Step | undefined => instance?.config,
  describe,
  filter: () => import("./filter.ts"),
});
