import type { ContributedAnswer, Contribution } from "../../core/contribution.ts";
import { CHALLENGE, OPTIONAL_CHALLENGE, RETRY_AFTER } from "../../core/described-fields.ts";
import type { CompileContext, Instance, IssuerInfo } from "../../core/policy.ts";
import { describeToken, scopeWords } from "../../core/token-description.ts";
import { type TokenPlace, tokenSourceOf } from "../../core/token-source.ts";

interface Config {
  readonly issuers?: readonly string[] | undefined;
  readonly audiences?: readonly string[] | undefined;
  readonly from: TokenPlace;
  readonly scopes?:
    | { readonly any?: readonly string[] | undefined; readonly all?: readonly string[] | undefined }
    | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly forward: Readonly<Record<string, string>>;
  readonly forwardCredential: boolean;
}

const REFUSED = [
  "token-malformed",
  "token-expired",
  "token-not-yet-valid",
  "token-signature",
  "token-issuer",
  "token-audience",
  "token-type",
  "token-claims",
];

/** The scheme of the issuers' tokens, and their refusals. */
export const describe = ([instance]: readonly Instance<Config>[], context: CompileContext): Contribution => {
  if (instance === undefined) return {};
  const { config } = instance;
  const issuers = [...(config.issuers ?? context.issuerNames)]
    .sort()
    .flatMap((name) => context.issuer(name) ?? []);
  const source = tokenSourceOf(config.from);
  const described = describeToken(source, wordsOf(issuers, config.audiences), config.forwardCredential);
  const { any = [], all = [] } = config.scopes ?? {};
  return {
    security: {
      [`jwt_${issuers.map(({ name }) => name).join("_")}`]: {
        scheme: source.in === "bearer" ? { ...described.scheme, bearerFormat: "JWT" } : described.scheme,
        scopes: all,
        ...(any.length > 0 && { anyScope: any }),
      },
    },
    answers: [
      {
        status: 401,
        description: "The token is not good here.",
        codes: REFUSED,
        fields: CHALLENGE,
      },
      ...lacking(scopeWords(any, all), Object.keys(config.claims).length > 0),
      {
        status: 503,
        description: "The keys of the tokens' issuer are not available.",
        codes: ["issuer-unavailable"],
        fields: RETRY_AFTER,
      },
    ],
    withheld: {
      ...described.withheld,
      header: [...(described.withheld.header ?? []), ...Object.keys(config.forward)],
    },
  };
};

const wordsOf = (issuers: readonly IssuerInfo[], narrowed: readonly string[] | undefined): string => {
  const names = issuers.map(({ issuer }) => issuer).join(" or ");
  const audiences = narrowed ?? [...new Set(issuers.flatMap((issuer) => issuer.audiences))];
  return `A JSON Web Token of ${names}, for the audience ${audiences.join(" or ")}.`;
};

/** Which claims are asked for stays inside. */
const lacking = (scopes: string | undefined, claims: boolean): readonly ContributedAnswer[] =>
  scopes === undefined && !claims
    ? []
    : [
        {
          status: 403,
          description: [
            ...(scopes === undefined ? [] : [`The token needs ${scopes}.`]),
            ...(claims ? ["The token lacks a claim that is needed here."] : []),
          ].join(" "),
          codes: [
            ...(scopes === undefined ? [] : ["insufficient-scope"]),
            ...(claims ? ["insufficient-claims"] : []),
          ],
          fields: OPTIONAL_CHALLENGE,
        },
      ];
