import type { ContributedAnswer, Contribution } from "../../core/contribution.ts";
import { CHALLENGE, OPTIONAL_CHALLENGE, RETRY_AFTER } from "../../core/described-fields.ts";
import type { Instance } from "../../core/policy.ts";
import { describeToken } from "../../core/token-description.ts";

interface Config {
  readonly requestHeaders: readonly string[];
  readonly identity: string;
  readonly forward: readonly string[];
  readonly redirects: boolean;
  readonly forwardCredential: boolean;
}

/** The scheme of credentials that a service of one's own judges, and their refusals. */
export const describe = ([instance]: readonly Instance<Config>[]): Contribution => {
  if (instance === undefined) return {};
  const { requestHeaders, identity, forward, redirects, forwardCredential } = instance.config;
  const name = requestHeaders.includes("authorization") ? "authorization" : requestHeaders[0]!;
  const { scheme } = describeToken(
    name === "authorization" ? { in: "bearer", name } : { in: "header", name },
    `A credential in ${requestHeaders.join(" or ")}, of which a service decides.`,
    forwardCredential,
  );
  return {
    security: { forwardAuth: { scheme, scopes: [] } },
    answers: [...REFUSED, UNAVAILABLE, ...(redirects ? REDIRECTED : [])],
    withheld: { header: [identity, ...forward, ...(forwardCredential ? [] : requestHeaders)] },
  };
};

const REFUSED: readonly ContributedAnswer[] = [
  {
    status: 401,
    description: "The credential is not good here.",
    codes: ["auth-refused"],
    fields: CHALLENGE,
  },
  {
    status: 403,
    description: "This caller may not do this.",
    codes: ["auth-refused"],
    fields: OPTIONAL_CHALLENGE,
  },
];

const UNAVAILABLE: ContributedAnswer = {
  status: 503,
  description: "Nobody can say now who calls.",
  codes: ["auth-unavailable"],
  fields: RETRY_AFTER,
};

const REDIRECTED: readonly ContributedAnswer[] = [302, 303, 307].map((status) => ({
  status,
  description: "Where one signs in.",
  fields: {
    Location: {
      description: "The page on which one signs in.",
      required: true,
      schema: { type: "string", format: "uri-reference" },
    },
  },
}));
