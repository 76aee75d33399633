import type { HeaderCredentialPlan } from "../../core/upstream-plan.ts";
import type { CredentialFactory } from "../parts.ts";
import { secretOf } from "./credential-secret.ts";

/**
 * Fewer characters can be guessed over the network. A service that belongs to somebody else chooses its keys itself, so no
 * more than that is asked for.
 */
const FEWEST_CHARACTERS = 16;

/** Links a credential that is a secret in a header field; whatever the client or a policy wrote there is replaced. */
export const linkHeaderCredential: CredentialFactory = (plan, upstream, { secrets }) => {
  const { header, scheme } = plan as HeaderCredentialPlan;
  const secret = secretOf(plan, upstream, secrets);
  if (secret.text.length < FEWEST_CHARACTERS)
    throw secret.unfit(`has ${secret.text.length} characters, and needs at least ${FEWEST_CHARACTERS}`);
  // RFC 9110 section 5.5: no other characters are sure to arrive as they were sent.
  if (!/^[!-~]+(?: [!-~]+)*$/.test(secret.text))
    throw secret.unfit(
      "cannot stand in a header field: it needs visible ASCII characters, without white space at its ends",
    );
  const value = scheme === undefined ? secret.text : `${scheme} ${secret.text}`;
  return (_exchange, headers) => headers.set(header, value);
};
