import { NOT_FORWARDED } from "./forwarded-fields.ts";
import type { CompileContext, Instance } from "./policy.ts";

/** Reports each header under `forward` that carries the message itself, and so nothing else. */
export const checkForward = (
  instance: Instance<unknown>,
  headers: readonly string[],
  context: CompileContext,
): void => {
  for (const name of headers) {
    if (!NOT_FORWARDED.has(name)) continue;
    context.report(instance, ["forward"], {
      code: "bad-name",
      message: `The header "${name}" belongs to the connection, and cannot carry what is known of a caller.`,
      remedy: "Write a header of your own: x-user-id.",
    });
  }
};
