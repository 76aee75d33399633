import { z } from "zod";
import { definePolicy } from "../../core/policy.ts";
import { explain, oneOf, percent } from "../shapes.ts";
import type { Step } from "./filter.ts";
import { FIELDS, OPTIONAL_FIELDS, type OptionalField } from "./record.ts";

const OPTIONAL = Object.keys(OPTIONAL_FIELDS) as [OptionalField, ...OptionalField[]];
type Removable = Exclude<(typeof FIELDS)[number], "time" | "route" | "status">;
/** Without the others a record tells nothing; those that `fields` adds are simply not added. */
const REMOVABLE = FIELDS.filter((name) => name !== "time" && name !== "route" && name !== "status") as [
  Removable,
  ...Removable[],
];

const schema = z
  .strictObject({
    sample: percent()
      .prefault("100%")
      .describe(
        "The part of the requests that is written; those answered with 401, 403, 429 or 5xx always are.",
      ),
    fields: z
      .array(oneOf(...OPTIONAL))
      .default([])
      .describe(
        `Fields beside those of every record (${FIELDS.join(", ")}). In query, values of parameters that sound like credentials are masked.`,
      ),
    redact: z
      .array(
        z.union([
          oneOf(...REMOVABLE),
          z.strictObject({ query: z.string().min(1).describe("A query parameter whose value is masked.") }),
        ]),
      )
      .default([])
      .describe(
        "Fields that are left out, such as clientIp, and query parameters whose values are masked: { query: email }.",
      ),
  })
  .superRefine(({ fields, redact }, context) => {
    if (fields.includes("query")) return;
    for (const [index, it] of redact.entries()) {
      if (typeof it === "string") continue;
      const message = explain(
        "Records hold no query, so there is nothing to mask.",
        "Remove this line, or add query to `fields`.",
      );
      context.addIssue({
        code: "custom",
        path: ["redact", index],
        message,
        params: { code: "nothing-to-redact" },
      });
    }
  });

export const accessLog = definePolicy({
  name: "accessLog",
  summary: "Writes one JSON object for each request, without queries, cookies and credentials.",
  attachment: "replaced",
  schema,
  compile: ([instance]): Step | undefined => {
    if (instance === undefined) return undefined;
    const { sample, fields, redact } = instance.config;
    return {
      sample,
      fields: [...new Set(fields)],
      without: redact.filter((it) => typeof it === "string"),
      masked: redact.flatMap((it) => (typeof it === "string" ? [] : [it.query])),
    };
  },
  filter: () => import("./filter.ts"),
});
