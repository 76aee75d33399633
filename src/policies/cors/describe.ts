import type { Contribution } from "../../core/contribution.ts";
import type { Instance } from "../../core/policy.ts";
import type { OriginPattern } from "./origin-pattern.ts";

interface Config {
  readonly origins: "any" | readonly OriginPattern[];
  readonly exposeHeaders: readonly string[];
  readonly credentials: boolean;
}

/** Which pages may read answers. A preflight is no request of a caller's. */
export const describe = ([instance]: readonly Instance<Config>[]): Contribution => {
  if (instance === undefined) return {};
  const { origins, exposeHeaders, credentials } = instance.config;
  const field = (description: string, value: string) => ({
    [description]: { description: value, schema: { type: "string" } },
  });
  return {
    fields: {
      ...field("Access-Control-Allow-Origin", "The origin whose pages may read the answer (Fetch standard)."),
      ...(credentials && field("Access-Control-Allow-Credentials", "Pages may send credentials.")),
      ...(exposeHeaders.length > 0 && field("Access-Control-Expose-Headers", "Fields that pages may read.")),
    },
    limits: [{ kind: "origins", origins: origins === "any" ? origins : origins.map(textOf).sort() }],
  };
};

const textOf = ({ prefix, suffix }: OriginPattern): string =>
  suffix === undefined ? prefix : `${prefix}*${suffix}`;
