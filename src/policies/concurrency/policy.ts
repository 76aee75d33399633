import { z } from "zod";
import { checkKey } from "../../core/limit-faults.ts";
import { definePolicy } from "../../core/policy.ts";
import { duration, explain, oneOf } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";

const MAX = 10_000;
const HOUR_MS = 3_600_000;

const schema = z.strictObject({
  max: z
    .int()
    .min(1)
    .max(MAX, explain("No running copy of the gateway has as many requests.", `Write at most ${MAX}.`))
    .describe(
      "How many requests of one key may be under way at once, in each running copy of the gateway; one more is answered with 429. A request is under way from when its caller is known until the header of the answer is there: a body or a WebSocket that goes on no longer counts.",
    ),
  key: oneOf("identity", "ip", "host", "route").describe(
    "What has a number of its own: an identity (callers without one: their address), a client's address (IPv6: its /64), a host, or a route.",
  ),
  forgetAfter: duration()
    .default(60_000)
    .refine(
      (ms) => ms >= 1000 && ms <= HOUR_MS,
      explain("This is not between a second and an hour.", "Write how long the slowest answer takes: 60s."),
    )
    .describe(
      "After how long a request no longer counts that has not been answered. Of one whose client went away the platform may never tell the end, so this should be the longest time that an answer may take, with all of its retries.",
    ),
});

export const concurrency = definePolicy({
  name: "concurrency",
  summary:
    "Bounds how many requests are under way at once, by identity, address, host or route; what is over is answered with 429.",
  attachment: "guard",
  schema,
  compile: (instances, context): Step | undefined => {
    const gates = instances.flatMap((instance) => {
      const { key, max, forgetAfter } = instance.config;
      const found = checkKey(key, instance.level, context);
      if (typeof found === "object") context.report(instance, ["key"], found);
      return found === "there" ? [{ key, bucket: instance.node, max, forgetAfterMs: forgetAfter }] : [];
    });
    return gates.length === 0 ? undefined : { gates };
  },
  describe,
  filter: () => import("./filter.ts"),
});
