import { type ConsumerConfig, consumerAnswers } from "../../core/consumer-description.ts";
import type { Contribution } from "../../core/contribution.ts";
import type { CompileContext, Instance } from "../../core/policy.ts";
import { describeToken } from "../../core/token-description.ts";
import type { TokenSource } from "../../core/token-source.ts";

/** The scheme of consumers' keys, and their refusals. */
export const describe = (
  [instance]: readonly Instance<ConsumerConfig>[],
  { gateway }: CompileContext,
  source: TokenSource,
): Contribution => {
  if (instance === undefined) return {};
  const { consumers, plans, forward, forwardCredential } = instance.config;
  const { scheme, withheld } = describeToken(source, "The key of a consumer.", forwardCredential);
  const name = source.in === "scheme" ? `apiKey_${source.name}` : `apiKey_${source.in}_${source.name}`;
  return {
    security: { [name]: { scheme, scopes: [] } },
    answers: consumerAnswers(consumers !== undefined || plans !== undefined, gateway.keysAreStored === true),
    withheld: { ...withheld, header: [...(withheld.header ?? []), ...Object.keys(forward)] },
  };
};
