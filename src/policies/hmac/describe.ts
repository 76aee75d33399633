import type { ContributedAnswer, Contribution } from "../../core/contribution.ts";
import { CHALLENGE, RETRY_AFTER } from "../../core/described-fields.ts";
import type { CompileContext, Instance } from "../../core/policy.ts";

interface Config {
  readonly scheme: "rfc9421" | "github" | "stripe";
  readonly maxBody: number;
  readonly forward: Readonly<Record<string, string>>;
  readonly forwardCredential: boolean;
}

/** OpenAPI knows no signatures: each is described as the field that carries it. */
const SCHEMES = {
  rfc9421: {
    name: "Signature",
    description:
      "A signature of the message (RFC 9421), with Signature-Input beside it, and Content-Digest where there is a body.",
    fields: ["signature", "signature-input", "content-digest"],
  },
  github: {
    name: "X-Hub-Signature-256",
    description: "HMAC-SHA-256 of the body, as GitHub signs its webhooks.",
    fields: ["x-hub-signature-256"],
  },
  stripe: {
    name: "Stripe-Signature",
    description: "HMAC-SHA-256 of time and body, as Stripe signs its webhooks.",
    fields: ["stripe-signature"],
  },
} as const;

/** The scheme of signed requests, and their refusals. */
export const describe = (
  [instance]: readonly Instance<Config>[],
  { route }: CompileContext,
): Contribution => {
  if (instance === undefined) return {};
  const { scheme, maxBody, forward, forwardCredential } = instance.config;
  const { name, description, fields } = SCHEMES[scheme];
  const hasBody =
    route.methods.length === 0 || route.methods.some((method) => method !== "GET" && method !== "HEAD");
  return {
    security: {
      [`hmac_${scheme}`]: { scheme: { type: "apiKey", in: "header", name, description }, scopes: [] },
    },
    answers: [refused(scheme), ...(hasBody ? unread(maxBody) : []), UNAVAILABLE],
    withheld: { header: [...(forwardCredential ? [] : fields), ...Object.keys(forward)] },
  };
};

const refused = (scheme: Config["scheme"]): ContributedAnswer => ({
  status: 401,
  description: "The signature is not good here.",
  codes: [
    "signature-malformed",
    "signature-incomplete",
    "signature-expired",
    "signature-invalid",
    "signature-replayed",
    ...(scheme === "rfc9421" ? ["digest-mismatch"] : []),
  ],
  fields: CHALLENGE,
});

const unread = (maxBytes: number): readonly ContributedAnswer[] => [
  { status: 400, description: "The body broke off.", codes: ["body-incomplete"] },
  { status: 413, description: `The body is larger than ${maxBytes} bytes.`, codes: ["body-too-large"] },
];

const UNAVAILABLE: ContributedAnswer = {
  status: 503,
  description: "No key is here to check the signature with.",
  codes: ["signature-keys-unavailable"],
  fields: RETRY_AFTER,
};
