import type { Contribution } from "../../core/contribution.ts";
import type { Instance } from "../../core/policy.ts";

interface Config {
  readonly sunset?: number | undefined;
  readonly link?: string | undefined;
}

/** That the operation goes away, and the fields that say so. */
export const describe = ([instance]: readonly Instance<Config>[]): Contribution => {
  if (instance === undefined) return {};
  const { sunset, link } = instance.config;
  const text = (description: string) => ({ description, required: true, schema: { type: "string" } });
  return {
    deprecated: true,
    fields: {
      Deprecation: text("Since when this is deprecated (RFC 9745)."),
      ...(sunset !== undefined && { Sunset: text("When this may no longer be there (RFC 8594).") }),
      ...(link !== undefined && { Link: text("What to use instead (RFC 8288).") }),
    },
  };
};
