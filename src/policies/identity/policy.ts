import { z } from "zod";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { explain } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";

const name = () => z.string().min(1);

const schema = z.strictObject({
  any: z
    .array(
      z.union([
        name(),
        z
          .array(name())
          .min(1)
          .refine((names) => !names.includes("anonymous"), {
            error: explain(
              "A caller who proves something is not anonymous.",
              "Write `anonymous` as an alternative of its own.",
            ),
          }),
      ]),
    )
    .min(1)
    .describe(
      "Alternatives, the first that passed is the identity: names of identity policies, lists of which all must pass, or `anonymous`.",
    ),
});

type Config = z.output<typeof schema>;

const compile = (instances: readonly Instance<Config>[], context: CompileContext): Step | undefined => {
  const { policies, steps } = context.identity;
  if (steps.length === 0 && instances.length === 0) return undefined;
  const instance = instances[0];
  const alternatives = instance === undefined ? [policies] : instance.config.any.map(namesOf);
  if (instance !== undefined) check(instance, context);
  const indexOf = (policy: string): number => steps.findIndex((step) => step.policy === policy);
  return {
    authenticators: steps,
    // An alternative that names what is not there is dropped whole: cut down to the rest it would ask for less.
    any: alternatives.map((names) => names.map(indexOf)).filter((indices) => !indices.includes(-1)),
  };
};

const namesOf = (alternative: Config["any"][number]): readonly string[] =>
  typeof alternative === "string" ? (alternative === "anonymous" ? [] : [alternative]) : alternative;

const check = (instance: Instance<Config>, context: CompileContext): void => {
  const { policies } = context.identity;
  const listed = new Set<string>();
  for (const [index, alternative] of instance.config.any.entries()) {
    for (const policy of namesOf(alternative)) {
      listed.add(policy);
      if (policies.includes(policy)) continue;
      context.report(instance, ["any", index], {
        code: "unknown-name",
        message: `No identity policy "${policy}" is attached to ${context.route.id}.`,
        remedy:
          policies.length > 0
            ? `Write ${policies.join(" or ")}, or attach \`${policy}\` to the route, its api or the gateway.`
            : `Attach \`${policy}\` to the route, its api or the gateway.`,
      });
    }
  }
  for (const policy of policies) {
    if (listed.has(policy)) continue;
    context.report(instance, ["any"], {
      code: "unused-name",
      severity: "warning",
      message: `"${policy}" is attached to ${context.route.id}, and no alternative names it: a caller gains nothing by it.`,
      remedy: `Add it to \`any\`, or write \`${policy}: none\` where it is not wanted.`,
    });
  }
};

/** Says which proofs of identity a caller needs; without it, all that are attached. */
export const identity = definePolicy({
  name: "identity",
  summary: "Says which of the attached identity policies a caller must pass; without it, all of them.",
  attachment: "replaced",
  schema,
  compile,
  describe,
  filter: () => import("./filter.ts"),
});
