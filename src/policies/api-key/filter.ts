import { consumerKeysOf } from "../../core/consumer-keys.ts";
import { type ConsumerStep, linkVerdicts } from "../../core/consumer-verdicts.ts";
import type { Verdict } from "../../core/identity.ts";
import type { AuthenticatorFactory } from "../../core/policy.ts";
import { removalOf, type TokenSource, takeOff, tokenReader } from "../../core/token-source.ts";

/** An apiKey policy in the plan. */
export type Step = ConsumerStep & {
  readonly from: TokenSource;
  readonly forwardCredential: boolean;
};

const ABSENT: Verdict = { outcome: "absent" };

/**
 * Links the step: identifies a consumer by one of its keys. The challenge is the scheme in which the key is awaited, and else
 * `ApiKey`: any token is a scheme (RFC 9110 section 11.6.1), and this one tells a caller what is asked for.
 */
export const authenticator: AuthenticatorFactory<Step> = (step, ports, site) => {
  const { from, forwardCredential } = step;
  const scheme = from.in === "scheme" ? from.name : "ApiKey";
  const challenge = `${scheme} realm="${site.gatewayName.replace(/["\\]/g, "\\$&")}"`;
  const keys = consumerKeysOf(site, ports);
  const verdicts = linkVerdicts("apiKey", step, challenge);
  const read = tokenReader(from);
  return {
    kind: "apiKey",
    challenge,
    always: [...verdicts.always, ...(forwardCredential ? [] : removalOf(from))],
    authenticate: (exchange) => {
      const key = read(exchange);
      if (key === undefined) return ABSENT;
      if (!forwardCredential) takeOff(from, exchange);
      const found = keys.find(key, exchange.defer);
      return found instanceof Promise ? found.then(verdicts.of) : verdicts.of(found);
    },
  };
};
