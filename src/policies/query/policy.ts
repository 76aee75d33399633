import { z } from "zod";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { explain } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";

const name = () =>
  z
    .string()
    .min(
      1,
      explain("This is not the name of a query parameter.", "Write it as it is without escapes: page."),
    );

const value = () =>
  z.string({
    error: explain(
      "The value of a query parameter is a text.",
      'Write it in quotes: "1". It may hold templates such as {identity.id}.',
    ),
  });

const schema = z.strictObject({
  set: z
    .record(name(), value())
    .default({})
    .describe(
      "Parameters that get this value in place of any that came; where the templates of a value come out empty, the parameter is removed.",
    ),
  add: z
    .record(name(), value())
    .default({})
    .describe(
      "Parameters that are added beside those which came; where the templates of one come out empty, nothing is added.",
    ),
  remove: z.array(name()).default([]).describe("Parameters that are taken off."),
  allow: z
    .array(name())
    .optional()
    .describe(
      "The only parameters of the client that pass; `filter` stands for `filter[status]` and its like too.",
    ),
});

type Config = z.output<typeof schema>;

/** Edits the query of requests. */
export const query = definePolicy({
  name: "query",
  summary:
    "Sets, adds and removes parameters of the query that the upstream gets, or lets only listed ones pass; the others stay as they are written.",
  attachment: "replaced",
  schema,
  compile: ([instance], context): Step | undefined => {
    if (instance === undefined) return undefined;
    const { set, allow, remove } = instance.config;
    reportConflicts(instance, context);
    const write = [...writings(instance, context, "set"), ...writings(instance, context, "add")];
    const removed = [...new Set([...remove, ...Object.keys(set)])].sort();
    if (write.length === 0 && removed.length === 0 && allow === undefined) return undefined;
    return { ...(allow === undefined ? {} : { allow: [...new Set(allow)].sort() }), remove: removed, write };
  },
  describe,
  filter: () => import("./filter.ts"),
});

const reportConflicts = (instance: Instance<Config>, context: CompileContext): void => {
  const { set, remove } = instance.config;
  for (const [index, removed] of remove.entries()) {
    if (!Object.hasOwn(set, removed)) continue;
    context.report(instance, ["remove", index], {
      code: "conflicting-edits",
      message: `"${removed}" is removed and set at the same time.`,
      remedy: "Remove one of the two: `set` replaces whatever came.",
    });
  }
};

const writings = (instance: Instance<Config>, context: CompileContext, verb: "set" | "add"): Step["write"] =>
  Object.entries(instance.config[verb]).map(([key, text]) => ({
    name: escaped(key),
    value: context
      .template(text, instance, [verb, key])
      .map((part) => (typeof part === "string" ? escaped(part) : part)),
  }));

const escaped = (text: string): string => encodeURIComponent(text.toWellFormed());
