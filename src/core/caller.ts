import type { Identity } from "./identity.ts";
import type { Json } from "./json.ts";
import type { ConsumerInfo } from "./policy.ts";

/** A caller whom a policy names, as it stands in a step. */
export type CallerPlan = {
  /** Tells callers of one policy type apart; the consumer's where it is one. */
  readonly name: string;
  readonly consumer?: {
    readonly name: string;
    readonly plan?: string;
    readonly attributes: { readonly [name: string]: Json };
  };
};

/** The caller for the plan: the consumer, if it is one, else whoever a policy file calls by that name. */
export const callerPlan = (name: string, consumer: ConsumerInfo | undefined): CallerPlan => {
  if (consumer === undefined) return { name };
  const { name: known, plan, attributes } = consumer;
  return { name: known, consumer: { name: known, attributes, ...(plan !== undefined && { plan }) } };
};

/** Who calls. A consumer is the same one by whatever it proves itself; others are known to one policy type only. */
export const identityOf = (kind: string, { name, consumer }: CallerPlan): Identity =>
  // No name of a consumer or an issuer has a slash.
  consumer === undefined ? { kind, id: `${kind}/${name}` } : { kind, id: consumer.name, consumer };

/** What `forward` may name of a caller: `name`, `plan` and `attributes.x`. */
export const forwardableOf = ({ name, consumer }: CallerPlan): Readonly<Record<string, unknown>> => ({
  name,
  plan: consumer?.plan,
  ...Object.fromEntries(
    Object.entries(consumer?.attributes ?? {}).map(([key, value]) => [`attributes.${key}`, value]),
  ),
});
