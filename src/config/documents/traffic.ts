import { z } from "zod";
import { duration, explain, percent, size } from "../../policies/shapes.ts";
import { timeout } from "./shapes.ts";

/** How an upstream is protected, and its failures kept from clients. */

const count = (least: number, most: number) =>
  z
    .number()
    .int()
    .min(least, explain("This number is too small.", `Write a whole number from ${least} to ${most}.`))
    .max(most, explain("This number is too large.", `Write a whole number from ${least} to ${most}.`));

/** A duration of at least a millisecond, or of what a kind of interval can be. */
const lasting = (leastMs = 1) =>
  duration().refine((ms) => ms >= leastMs, {
    error: explain(
      "This duration is too short.",
      `Write at least ${leastMs < 1000 ? `${leastMs}ms` : `${leastMs / 1000}s`}.`,
    ),
  });

const condition = z.union([z.enum(["connect-error", "timeout"]), z.number().int().min(400).max(599)], {
  error: explain(
    "This is nothing after which a request is sent again.",
    "Write connect-error, timeout, or a status from 400 to 599: [connect-error, timeout, 502, 503, 504].",
  ),
});

const retry = z
  .strictObject({
    retries: count(1, 10).default(2).describe("Tries beside the first: 2 means three tries at most."),
    perTryTimeout: timeout()
      .optional()
      .describe(
        "How long one try may take until its answer begins; without it, as long as all of them together.",
      ),
    on: z
      .array(condition)
      .min(1)
      .default(["connect-error", "timeout", 502, 503, 504])
      .describe("What is tried again: connect-error, timeout, and statuses."),
    maxReplay: size()
      .prefault("64KiB")
      .describe("Longest body that is kept to be sent again; a longer one is streamed, and sent once."),
    backoff: z
      .strictObject({
        base: lasting()
          .prefault("25ms")
          .describe("Longest wait before the first retry; it doubles with each."),
        max: lasting().prefault("250ms").describe("Longest wait before any retry."),
      })
      .prefault({})
      .describe("Waits before retries, each drawn evenly from nothing to the longest (full jitter)."),
    budget: z
      .strictObject({
        share: percent()
          .prefault("20%")
          .describe("Part of the requests of the last ten seconds that retries may come to."),
        minimum: count(0, 1000).default(3).describe("Retries in ten seconds that are always allowed."),
      })
      .prefault({})
      .describe("Bounds retries, in each isolate, so that an upstream that is ill is not made worse."),
  })
  .describe(
    "Sends a request again to another target. Only methods that are idempotent, unless `idempotentBy` says more; never after a byte of the answer went out.",
  );

const outlierDetection = z
  .strictObject({
    consecutiveErrors: count(1, 1000)
      .default(5)
      .describe("So many failures in a row (5xx, connect errors, timeouts) eject a target."),
    baseEjection: lasting()
      .prefault("30s")
      .describe("How long it stays out, times how often it was ejected."),
    maxEjection: lasting().prefault("300s").describe("The longest that it stays out."),
    maxEjected: percent()
      .prefault("10%")
      .describe("Part of the targets that may be out at once; one always may, the last healthy one never."),
  })
  .describe("Takes targets out that fail request after request. Counted in each isolate.");

const healthCheck = z
  .strictObject({
    path: z
      .string()
      .regex(/^\/[^\s?#{}]*$/, explain("This is not a path.", "Write it from its first slash: /healthz."))
      .describe(
        "What is asked of each target by GET, below the path of its URL, and without a credential: it has to be open.",
      ),
    interval: lasting(1000).prefault("10s").describe("How often each target is asked."),
    timeout: timeout().prefault("2s").describe("How long an answer may take; at most the interval counts."),
    unhealthyAfter: count(1, 100).default(3).describe("Failed checks in a row that take a target out."),
    healthyAfter: count(1, 100).default(2).describe("Passed checks in a row that take it back in."),
    statuses: z
      .tuple([count(100, 599), count(100, 599)])
      .refine(
        ([first, last]) => first <= last,
        explain("The first status is above the last.", "Write the lower one first: [200, 299]."),
      )
      .default([200, 299])
      .describe("First and last status of a healthy target."),
  })
  .describe(
    "Asks the targets whether they are well: from a Durable Object's alarm, shared by all isolates, where the binding POSTERN_HEALTH exists; else from each isolate while requests come. What is known stays until checks say otherwise, however long nobody asked.",
  );

const circuitBreaker = z
  .strictObject({
    maxPending: count(1, 1_000_000)
      .optional()
      .describe("Requests that may be under way at once in one isolate; the next is answered 503."),
    failureRatio: percent()
      .optional()
      .describe("Part of failed requests in the window at which it opens and answers 503 by itself."),
    minimumRequests: count(1, 1_000_000)
      .default(20)
      .describe("Requests in the window below which the ratio says nothing."),
    window: lasting(1000).prefault("10s").describe("How far back failures count."),
    open: lasting().prefault("10s").describe("How long it stays open before one request may try."),
  })
  .refine(
    ({ maxPending, failureRatio }) => maxPending !== undefined || failureRatio !== undefined,
    explain("This breaker never opens.", "Give it `maxPending`, `failureRatio`, or both."),
  )
  .describe(
    "Answers by itself where the upstream has too much under way, or fails too often. Lives in each isolate.",
  );

const hedge = z
  .strictObject({
    after: lasting().describe("How long an answer may take to begin before another target is asked too."),
  })
  .describe(
    "Asks a second target where the first is slow, for GET, HEAD and OPTIONS; the first answer counts. Bounded by the retries' budget.",
  );

/** Keys of an upstream that make more of a request than one plain call. */
export const traffic = {
  retry: retry.optional(),
  hedge: hedge.optional(),
  outlierDetection: outlierDetection.optional(),
  healthCheck: healthCheck.optional(),
  circuitBreaker: circuitBreaker.optional(),
  slowStart: lasting(1000)
    .optional()
    .describe(
      "How long a target that is new or well again takes to get its whole weight: `weight × max(10 %, t / slowStart)`.",
    ),
  panicThreshold: percent()
    .optional()
    .describe(
      "Below this part of healthy targets the next priority group takes over, and where there is none, health is ignored; default 50%. With 0% health is never ignored.",
    ),
};
