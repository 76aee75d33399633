import type { Contribution } from "../../core/contribution.ts";
import type { Json } from "../../core/json.ts";
import type { Instance } from "../../core/policy.ts";
import { ALWAYS_ALLOWED } from "./reserved.ts";

interface Edits {
  readonly set: Readonly<Record<string, string>>;
  readonly add: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
  readonly allow?: readonly string[] | undefined;
}

interface Config {
  readonly request?: Edits | undefined;
  readonly response?: Edits | undefined;
}

/** Fields that callers get or do not get, and those that they need not send. */
export const describe = (
  [instance]: readonly Instance<Config>[],
  _: unknown,
  stage: string,
): Contribution => {
  const side = stage === "request" ? "request" : "response";
  const edits = instance?.config[side];
  if (edits === undefined) return {};
  const { set, add, remove, allow } = edits;
  const only = allow && [...ALWAYS_ALLOWED[side], ...allow];
  if (side === "request") {
    const header = [...Object.keys(set).map((name) => name.toLowerCase()), ...remove];
    return { withheld: { header, ...(only && { onlyHeader: only }) } };
  }
  const fields = [
    ...Object.entries(add).map(([name]) => [name, field(undefined)] as const),
    ...Object.entries(set).map(([name, value]) => [name, field(value)] as const),
  ];
  return {
    fields: Object.fromEntries(fields),
    removedFields: remove,
    ...(only && { onlyFields: only }),
  };
};

/** A value without templates is always the same. */
const field = (value: string | undefined): { readonly [name: string]: Json } =>
  value === undefined || value.includes("{")
    ? { description: "Set by the gateway.", schema: { type: "string" } }
    : {
        description: "Set by the gateway, always to the same value.",
        required: true,
        schema: { type: "string", const: value },
      };
