import type { ContributedAnswer, Contribution } from "../../core/contribution.ts";
import { CHALLENGE, OPTIONAL_CHALLENGE, RETRY_AFTER } from "../../core/described-fields.ts";
import type { Instance } from "../../core/policy.ts";
import { describeToken, scopeWords } from "../../core/token-description.ts";
import { type TokenPlace, tokenSourceOf } from "../../core/token-source.ts";

interface Config {
  readonly url: string;
  readonly from: TokenPlace;
  readonly scopes?:
    | { readonly any?: readonly string[] | undefined; readonly all?: readonly string[] | undefined }
    | undefined;
  readonly forward: Readonly<Record<string, string>>;
  readonly forwardCredential: boolean;
}

/** The scheme of tokens that a server is asked for, and their refusals. Who the server is stays inside. */
export const describe = ([instance]: readonly Instance<Config>[]): Contribution => {
  if (instance === undefined) return {};
  const { from, scopes, forward, forwardCredential } = instance.config;
  const words = "A token of the authorization server, which is asked whether it is good.";
  const { scheme, withheld } = describeToken(tokenSourceOf(from), words, forwardCredential);
  const { any = [], all = [] } = scopes ?? {};
  const lacked = scopeWords(any, all);
  return {
    security: { introspection: { scheme, scopes: all, ...(any.length > 0 && { anyScope: any }) } },
    answers: [REFUSED, ...(lacked === undefined ? [] : [lacking(lacked)]), UNAVAILABLE],
    withheld: { ...withheld, header: [...(withheld.header ?? []), ...Object.keys(forward)] },
  };
};

const REFUSED: ContributedAnswer = {
  status: 401,
  description: "The token is not good here.",
  codes: [
    "token-malformed",
    "token-inactive",
    "token-expired",
    "token-not-yet-valid",
    "token-claims",
    "token-type",
    "token-issuer",
    "token-audience",
  ],
  fields: CHALLENGE,
};

const lacking = (scopes: string): ContributedAnswer => ({
  status: 403,
  description: `The token needs ${scopes}.`,
  codes: ["insufficient-scope"],
  fields: OPTIONAL_CHALLENGE,
});

const UNAVAILABLE: ContributedAnswer = {
  status: 503,
  description: "Nobody can say now whether the token is good.",
  codes: ["introspection-unavailable"],
  fields: RETRY_AFTER,
};
