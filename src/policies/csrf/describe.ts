import type { Contribution } from "../../core/contribution.ts";
import type { CompileContext, Instance } from "../../core/policy.ts";

/** Methods that change nothing (RFC 9110 section 9.2.1). */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** Refusals of what pages of other origins send; of methods that change something alone. */
export const describe = (_: readonly Instance<unknown>[], { route }: CompileContext): Contribution =>
  route.methods.length > 0 && route.methods.every((method) => SAFE.has(method))
    ? {}
    : {
        answers: [
          {
            status: 403,
            description: "A page of another origin sent this in the name of its visitor.",
            codes: ["csrf-refused"],
          },
        ],
      };
