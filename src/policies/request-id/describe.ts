import type { Contribution } from "../../core/contribution.ts";
import type { Instance } from "../../core/policy.ts";

/** The field with the request's id, on every answer. */
export const describe = ([instance]: readonly Instance<{
  readonly header: string;
  readonly trust: boolean;
}>[]): Contribution => {
  if (instance === undefined) return {};
  const { header, trust } = instance.config;
  const id = { type: "string", format: "uuid" };
  return {
    fields: {
      [header]: { description: "Names this request, in logs and problems too.", required: true, schema: id },
    },
    ...(trust
      ? { parameters: [{ name: header, in: "header", description: "The id of the request.", schema: id }] }
      : { withheld: { header: [header] } }),
  };
};
