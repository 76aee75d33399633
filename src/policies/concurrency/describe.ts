import type { Contribution } from "../../core/contribution.ts";
import { RETRY_AFTER } from "../../core/described-fields.ts";
import { checkKey } from "../../core/limit-faults.ts";
import type { CompileContext, Instance } from "../../core/policy.ts";

interface Config {
  readonly max: number;
  readonly key: "identity" | "ip" | "host" | "route";
}

/** How many requests may be under way at once. */
export const describe = (instances: readonly Instance<Config>[], context: CompileContext): Contribution => {
  const here = instances.filter(({ config, level }) => checkKey(config.key, level, context) === "there");
  if (here.length === 0) return {};
  return {
    answers: [
      {
        status: 429,
        description: "As many requests as may be are under way.",
        codes: ["too-many-at-once"],
        fields: RETRY_AFTER,
      },
    ],
    limits: here.map(({ config: { max, key } }) => ({ kind: "concurrency", max, key })),
  };
};
