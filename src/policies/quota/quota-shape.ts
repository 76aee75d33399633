import { z } from "zod";
import { type Period, parseQuota } from "../../lib/calendar.ts";
import { explain, headerName, oneOf, orPlan, WRITE_QUOTA } from "../shapes.ts";

/** So many units in a calendar period. */
export interface Quota {
  readonly quantity: number;
  readonly period: Period;
}

/** A quota, or the word for that of each caller's plan. */
const quotaOrPlan = () =>
  orPlan<Quota>({
    what: "quota",
    write: WRITE_QUOTA,
    pattern: /^(plan|[1-9]\d{0,14}\/(hour|day|week|month|year))$/,
    parse: parseQuota,
  });

/** One entry of `limits`. */
export const quotaLimit = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
        explain(
          "This is not the name of a quota.",
          "Write up to 64 letters, digits, hyphens, dots and underscores: monthly.",
        ),
      )
      .describe(
        "The name that answers and metrics call the quota by; no two on a route are equal, and none is that of a limit there.",
      ),
    quota: quotaOrPlan().describe(
      "How many units in which calendar period in UTC (hour, day, week from Monday, month or year), such as 1000000/month; or `plan`, for the quota of each caller's own plan (callers without identity: that of the plan `anonymous`). A plan without quota is not bounded; a caller without a plan is refused with 403.",
    ),
    key: z
      .union([
        oneOf("ip", "host", "identity"),
        z.strictObject({ header: headerName().describe("The field whose value is the key.") }),
      ])
      .describe(
        "What has a count of its own: a client's address (IPv6: its /64), a host, an identity (callers without one: their address), or a value of a header field.",
      ),
    cost: z.int().min(1).default(1).describe("How many units a request takes."),
    store: oneOf("isolate", "redis")
      .default("isolate")
      .describe(
        "Where is counted. isolate: in the memory of each running copy of the gateway. Each copy counts for itself, and forgets its counts when it ends, which the platform may do at any time and every deployment does: a caller may get more than the quota, never less. It bounds what one copy lets through, and is nothing to write bills by. redis: in the Redis of `gateway: { stores: … }`, exact over all copies for as long as Redis keeps what it is given, for one question to it a request.",
      ),
  })
  .superRefine(({ quota, key, cost }, context) => {
    const report = (path: string, code: string, wrong: string, remedy: string): void =>
      context.addIssue({ code: "custom", path: [path], message: explain(wrong, remedy), params: { code } });
    if (quota === "plan") {
      if (key !== "identity")
        report(
          "key",
          "plan-without-identity",
          "Whose plan counts, an identity tells.",
          "Write `key: identity`.",
        );
    } else if (cost > quota.quantity) {
      report(
        "cost",
        "cost-over-quota",
        "One request costs more than there is in a period.",
        "Lower `cost`, or raise the quota.",
      );
    }
  });

export type QuotaConfig = z.output<typeof quotaLimit>;
