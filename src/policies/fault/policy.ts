import { z } from "zod";
import { definePolicy } from "../../core/policy.ts";
import { duration, explain, percent } from "../shapes.ts";
import type { Step } from "./filter.ts";

/** Longer than anybody waits, and well within what a timer can count. */
const LONGEST_MS = 600_000;

const status = () => {
  const error = explain("This is not the status of a failure.", "Write a status from 400 to 599: 503.");
  return z.int({ error }).min(400, error).max(599, error);
};

const schema = z.strictObject({
  delay: duration()
    .refine((ms) => ms > 0 && ms <= LONGEST_MS, {
      error: explain("This is no time to hold a request back.", "Write a duration from 1ms to 10m: 200ms."),
    })
    .optional()
    .describe("For how long a request is held back before it goes on, or before it is aborted."),
  abort: status()
    .optional()
    .describe("Status of the problem that is answered in place of the upstream, from 400 to 599."),
  share: percent()
    .prefault("100%")
    .describe("Which part of the requests it concerns; each is drawn by itself."),
});

/** Injects faults, to see what callers make of them; for development. */
export const fault = definePolicy({
  name: "fault",
  summary: "Delays or aborts a part of the requests, to see what callers make of it; for development only.",
  attachment: "replaced",
  schema,
  compile: ([instance], context): Step | undefined => {
    if (instance === undefined) return undefined;
    const { delay, abort, share } = instance.config;
    if (!context.gateway.development) {
      context.report(instance, [], {
        code: "development-only",
        message: "Faults are injected in development only.",
        remedy: "Write `fault` in an environment with `development: true`.",
        onKey: true,
      });
      return undefined;
    }
    if (delay === undefined && abort === undefined) {
      context.report(instance, [], {
        code: "fault-without-effect",
        message: "`fault` says neither how long to wait nor what to answer.",
        remedy: "Add `delay`, `abort` or both: { delay: 200ms, abort: 503 }.",
        onKey: true,
      });
      return undefined;
    }
    if (share === 0) return undefined;
    return {
      share,
      ...(delay === undefined ? {} : { delayMs: delay }),
      ...(abort === undefined ? {} : { status: abort }),
    };
  },
  filter: () => import("./filter.ts"),
});
