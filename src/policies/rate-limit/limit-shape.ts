import { z } from "zod";
import { parseRate } from "../../lib/quantities.ts";
import { explain, headerName, oneOf, orPlan } from "../shapes.ts";

/** So many in a window of so many milliseconds. */
export interface Rate {
  readonly quantity: number;
  readonly windowMs: number;
}

const WRITE_RATE = "Write how many in which time: 100/1m.";

/** A rate, or the word for that of each caller's plan. */
const rateOrPlan = () =>
  orPlan<Rate>({
    what: "rate",
    write: WRITE_RATE,
    pattern: /^(plan|\d+\/\d+(\.\d+)?(ms|s|m|h|d))$/,
    parse: parseRate,
  });

interface Charged {
  readonly burst?: number | undefined;
  readonly cost: number;
}

/** Whether not even one request is within the rate. */
export const costsTooMuch = ({ burst, cost }: Charged, { quantity }: Rate): boolean =>
  cost > Math.min(quantity, burst ?? Infinity);

/** The token bucket multiplies them; RFC 9651 allows integers of 15 digits in the fields. */
export const isTooLarge = ({ burst, cost }: Charged, { quantity, windowMs }: Rate): boolean =>
  Math.max(quantity, burst ?? 0) * windowMs * cost > 1e15;

/** One entry of `limits`. */
export const limit = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
        explain(
          "This is not the name of a limit.",
          "Write up to 64 letters, digits, hyphens, dots and underscores: per-ip.",
        ),
      )
      .describe("The name that answers, logs and metrics call the limit by; no two on a route are equal."),
    rate: rateOrPlan().describe(
      "How many units in which time, such as 600/1m; or `plan`, for the rate of each caller's own plan (callers without identity: that of the plan `anonymous`). A caller without a plan is refused with 403.",
    ),
    burst: z
      .int()
      .min(1)
      .optional()
      .describe("Token bucket only: how many units may be taken at once; default: those of the rate."),
    key: z
      .union([
        oneOf("ip", "host", "identity"),
        z.strictObject({ header: headerName().describe("The field whose value is the key.") }),
      ])
      .describe(
        "What has a bucket of its own: a client's address (IPv6: its /64), a host, an identity (callers without one: their address), or a value of a header field. Identity is counted after it is proved, all others before.",
      ),
    algorithm: oneOf("slidingWindow", "tokenBucket", "fixedWindow")
      .default("slidingWindow")
      .describe(
        "slidingWindow: never more than the rate in any window; tokenBucket: a steady rate with bursts; fixedWindow: cheapest, twice the rate around an edge.",
      ),
    store: oneOf("isolate", "redis")
      .default("isolate")
      .describe(
        "Where is counted. isolate: in the memory of each running copy of the gateway, so approximate in total, and forgotten when it ends. redis: in the Redis of `gateway: { stores: … }`, exact over all copies, for one question to it a request.",
      ),
    count: oneOf("requests", "auth-failures")
      .default("requests")
      .describe(
        "What is charged: every request, or only those that end in 401; who has used these up is refused whatever they send.",
      ),
    cost: z.int().min(1).default(1).describe("How many units a request takes."),
  })
  .superRefine((it, context) => {
    const report = (path: string, code: string, wrong: string, remedy: string): void =>
      context.addIssue({ code: "custom", path: [path], message: explain(wrong, remedy), params: { code } });
    if (it.burst !== undefined && it.algorithm !== "tokenBucket") {
      report(
        "burst",
        "burst-without-bucket",
        `A ${it.algorithm} has no burst.`,
        "Write `algorithm: tokenBucket`, or remove `burst`.",
      );
    }
    if (it.rate === "plan") {
      if (it.key !== "identity")
        report(
          "key",
          "plan-without-identity",
          "Whose plan counts, an identity tells.",
          "Write `key: identity`.",
        );
    } else {
      if (costsTooMuch(it, it.rate))
        report(
          "cost",
          "cost-over-rate",
          "One request costs more than there ever is.",
          "Lower `cost`, or raise the rate.",
        );
      if (isTooLarge(it, it.rate))
        report(
          "rate",
          "rate-too-large",
          "This rate is too large to be counted.",
          "Lower the quantity, or shorten the time.",
        );
    }
    if (it.count === "auth-failures" && it.key === "identity") {
      report("key", "failures-by-identity", "Who failed to prove an identity has none.", "Write `key: ip`.");
    }
  });

export type LimitConfig = z.output<typeof limit>;
