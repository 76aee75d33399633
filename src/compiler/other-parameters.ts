import type { WithheldParameters } from "../core/contribution.ts";
import type { CompileContext, OtherParameters } from "../core/policy.ts";
import type { OrderedPolicy } from "../policies/index.ts";
import type { Attached } from "./attachments.ts";

/** What all policies of a route say of parameters that callers need not send, or that no document of a service knows. */
export const otherParameters = (
  { instances }: Attached,
  context: CompileContext,
  order: readonly OrderedPolicy[],
): OtherParameters => {
  const withheld: WithheldParameters[] = [];
  const credentials = new Set<string>();
  for (const { type, stage } of order) {
    for (const instance of instances.get(type.name) ?? []) {
      const told = type.describe?.([instance] as never, context, stage);
      if (told?.withheld !== undefined) withheld.push(told.withheld);
      for (const { scheme } of Object.values(told?.security ?? {}))
        if (scheme["in"] === "query" && typeof scheme["name"] === "string") credentials.add(scheme["name"]);
    }
  }
  return { withheld, credentials: [...credentials].sort() };
};
