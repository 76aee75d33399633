import { consumerAnswers } from "../../core/consumer-description.ts";
import type { Contribution } from "../../core/contribution.ts";
import type { CompileContext, Instance } from "../../core/policy.ts";

interface Config {
  readonly consumers?: readonly string[] | undefined;
  readonly plans?: readonly string[] | undefined;
  readonly forward: Readonly<Record<string, string>>;
  readonly forwardCredential: boolean;
}

/** The scheme of user and password, and their refusals. */
export const describe = (
  [instance]: readonly Instance<Config>[],
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
