import { type ConsumerConfig, consumerAnswers } from "../../core/consumer-description.ts";
import type { Contribution } from "../../core/contribution.ts";
import type { CompileContext, Instance } from "../../core/policy.ts";

/** The scheme of user and password, and their refusals. */
export const describe = (
  [instance]: readonly Instance<ConsumerConfig>[],
  { gateway }: CompileContext,
): Contribution => {
  if (instance === undefined) return {};
  const { consumers, plans, forward, forwardCredential } = instance.config;
  const description = "A consumer's name, and one of its keys as the password (RFC 7617).";
  return {
    security: { basicAuth: { scheme: { type: "http", scheme: "basic", description }, scopes: [] } },
    answers: consumerAnswers(consumers !== undefined || plans !== undefined, gateway.keysAreStored === true),
    withheld: { header: [...(forwardCredential ? [] : ["authorization"]), ...Object.keys(forward)] },
  };
};
