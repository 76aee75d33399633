import { consumerKeysOf, type KeyRefusal, type KnownKey } from "../../core/consumer-keys.ts";
import { type ConsumerStep, linkVerdicts } from "../../core/consumer-verdicts.ts";
import type { Verdict } from "../../core/identity.ts";
import type { AuthenticatorFactory } from "../../core/policy.ts";
import { removalOf, type TokenSource, tokenReader } from "../../core/token-source.ts";
import { splitCredentials } from "./credentials.ts";

/** A basicAuth policy in the plan. */
export type Step = ConsumerStep & { readonly forwardCredential: boolean };

const ABSENT: Verdict = { outcome: "absent" };
const SOURCE: TokenSource = { in: "scheme", name: "Basic" };

/** Links the step: identifies a consumer by its name and one of its keys as user and password (RFC 7617). */
export const authenticator: AuthenticatorFactory<Step> = (step, ports, site) => {
  const { forwardCredential } = step;
  const challenge = `Basic realm="${site.gatewayName.replace(/["\\]/g, "\\$&")}", charset="UTF-8"`;
  const keys = consumerKeysOf(site, ports);
  const verdicts = linkVerdicts("basicAuth", step, challenge);
  const read = tokenReader(SOURCE);
  return {
    kind: "basicAuth",
    challenge,
    always: [...verdicts.always, ...(forwardCredential ? [] : removalOf(SOURCE))],
    authenticate: (exchange) => {
      const presented = read(exchange);
      if (presented === undefined) return ABSENT;
      const credentials = splitCredentials(presented);
      if (credentials === undefined) return verdicts.of("key-malformed");
      const { user, password } = credentials;
      const found = keys.find(password, exchange.defer);
      return found instanceof Promise
        ? found.then((later) => verdicts.of(ownKey(user, later)))
        : verdicts.of(ownKey(user, found));
    },
  };
};

/**
 * The key where it is the user's own. The password is looked up whoever the user is, so that a name that is known takes as long
 * as one that is not (S18); a password of somebody else is told like one of nobody.
 */
const ownKey = (user: string, found: KnownKey | KeyRefusal): KnownKey | KeyRefusal =>
  typeof found === "string" || found.consumer.name === user ? found : "key-unknown";
