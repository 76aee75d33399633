import type { Contribution } from "../../core/contribution.ts";
import type { Instance } from "../../core/policy.ts";

interface Config {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
  readonly allow?: readonly string[] | undefined;
}

/** Parameters that callers need not send. */
export const describe = ([instance]: readonly Instance<Config>[]): Contribution => {
  if (instance === undefined) return {};
  const { set, remove, allow } = instance.config;
  const query = [...Object.keys(set), ...remove];
  return { withheld: { query, ...(allow && { onlyQuery: [...allow] }) } };
};
