import type { Consumer, KeyRefusal, KnownKey } from "./consumer-keys.ts";
import { deleteForwarded, setForwarded } from "./forwarded-fields.ts";
import type { HeaderEdit } from "./header-edits.ts";
import type { Verdict } from "./identity.ts";

/** Which consumers a policy lets in, and what of them goes to the upstream. */
export type ConsumerStep = {
  /** Names of those who may; null for all. */
  readonly allowed: readonly string[] | null;
  /** Header fields for the upstream, and what stands in them: `name`, `plan` or `attributes.x`. */
  readonly forward: { readonly [header: string]: string };
};

/** What a policy that takes consumers' keys says of them. */
export interface ConsumerVerdicts {
  /** Edits that hold whatever the outcome. */
  readonly always: readonly HeaderEdit[];
  of(found: KnownKey | KeyRefusal): Verdict;
}

const DETAILS: Readonly<Record<KeyRefusal, string>> = {
  "key-malformed": "This is not one well-formed key.",
  "key-unknown": "Nobody has this key.",
  "key-expired": "The key has expired.",
  "consumers-unavailable": "Whose key this is cannot be found out now.",
};

const UNAVAILABLE: Verdict = {
  outcome: "refused",
  status: 503,
  code: "consumers-unavailable",
  detail: DETAILS["consumers-unavailable"],
  retryAfterSeconds: 1,
};

/** Links what is said of consumers; for each of them it is made once. `kind` is the policy's name. */
export const linkVerdicts = (
  kind: string,
  { allowed, forward }: ConsumerStep,
  challenge: string,
): ConsumerVerdicts => {
  const names = allowed && new Set(allowed);
  const verdicts = new Map<Consumer, Verdict>();
  const verdictOf = (consumer: Consumer): Verdict =>
    names?.has(consumer.name) === false
      ? {
          outcome: "refused",
          status: 403,
          code: "consumer-not-allowed",
          detail: "This consumer may not call here.",
        }
      : {
          outcome: "passed",
          identity: { kind, id: consumer.name, consumer },
          edits: setForwarded(forward, forwardable(consumer)),
        };
  return {
    always: deleteForwarded(forward),
    of: (found) => {
      if (found === "consumers-unavailable") return UNAVAILABLE;
      if (typeof found === "string")
        return { outcome: "refused", status: 401, code: found, detail: DETAILS[found], challenge };
      const { consumer } = found;
      const known = verdicts.get(consumer) ?? verdictOf(consumer);
      verdicts.set(consumer, known);
      return known;
    },
  };
};

/** What `forward` may name of a consumer. */
const forwardable = ({ name, plan, attributes }: Consumer): Readonly<Record<string, unknown>> => ({
  name,
  plan,
  ...Object.fromEntries(Object.entries(attributes).map(([key, value]) => [`attributes.${key}`, value])),
});
