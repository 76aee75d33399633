import type { ContributedAnswer } from "./contribution.ts";
import { CHALLENGE, RETRY_AFTER } from "./described-fields.ts";

/** What policies say that know callers by the keys of consumers, as far as callers see it. */
export interface ConsumerConfig {
  readonly consumers?: readonly string[] | undefined;
  readonly plans?: readonly string[] | undefined;
  readonly forward: Readonly<Record<string, string>>;
  readonly forwardCredential: boolean;
}

/** What is answered to keys of consumers that are not good, or not enough. `narrowed`: not every consumer may call. */
export const consumerAnswers = (narrowed: boolean, stored: boolean): readonly ContributedAnswer[] => [
  {
    status: 401,
    description: "The key is not good here.",
    codes: ["key-malformed", "key-unknown", "key-expired"],
    fields: CHALLENGE,
  },
  ...(narrowed
    ? [{ status: 403, description: "This consumer may not call here.", codes: ["consumer-not-allowed"] }]
    : []),
  ...(stored
    ? [
        {
          status: 503,
          description: "Whose key this is cannot be found out now.",
          codes: ["consumers-unavailable"],
          fields: RETRY_AFTER,
        },
      ]
    : []),
];
