import { z } from "zod";
import { definePolicy } from "../../core/policy.ts";
import { explain } from "../shapes.ts";
import { describe } from "./describe.ts";

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Milliseconds at which a calendar day begins in UTC. */
const day = (example: string) =>
  z
    .string({ error: () => explain("This is not a date.", `Write year, month and day: ${example}.`) })
    .meta({ pattern: DAY.source })
    .transform((text, context): number => {
      const ms = DAY.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
      if (new Date(ms).toJSON()?.startsWith(text)) return ms;
      context.addIssue({
        code: "custom",
        message: explain(`"${text}" is not a date.`, `Write year, month and day: ${example}.`),
        params: { code: "bad-date" },
      });
      return z.NEVER;
    });

const schema = z.strictObject({
  since: day("2026-06-01").describe("Day from which the route is deprecated."),
  sunset: day("2027-06-01")
    .optional()
    .describe("Day from which it may no longer be there; not before `since`."),
  link: z
    .url({
      protocol: /^https?$/,
      error: () => explain("This is not an address.", "Write a whole URL: https://docs.example.com/v2."),
    })
    .optional()
    .describe("Page that says what to use instead."),
});

/** Tells callers that a route goes away, and when (RFC 9745, RFC 8594). */
export const deprecation = definePolicy({
  name: "deprecation",
  summary:
    "Tells callers that a route goes away: Deprecation (RFC 9745), Sunset (RFC 8594) and a link to what comes instead.",
  attachment: "replaced",
  schema,
  compile(instances, context) {
    const [instance] = instances;
    if (instance === undefined) return undefined;
    const { since, sunset, link } = instance.config;
    if (sunset !== undefined && sunset < since) {
      context.report(instance, ["sunset"], {
        code: "bad-date",
        message: "The route would be gone before it is deprecated.",
        remedy: "Write a `sunset` on or after `since` (RFC 9745 section 4).",
      });
    }
    const relations = sunset === undefined ? ["deprecation"] : ["deprecation", "sunset"];
    return {
      deprecation: `@${since / 1000}`,
      sunset: sunset === undefined ? null : new Date(sunset).toUTCString(),
      links:
        link === undefined
          ? []
          : relations.map((relation) => `<${link}>; rel="${relation}"; type="text/html"`),
    };
  },
  describe,
  filter: () => import("./filter.ts"),
});
