import type { Secrets } from "../../core/ports.ts";
import type { CredentialPlan } from "../../core/upstream-plan.ts";

/** The secret of an upstream's credential. */
export interface CredentialSecret {
  readonly text: string;
  /** The error that says why the secret will not do; it names the secret, and never quotes it. */
  unfit(why: string): Error;
}

/** Reads the secret of an upstream's credential. Throws where it is not set. */
export const secretOf = (
  { secret }: CredentialPlan,
  upstream: string,
  secrets: Secrets,
): CredentialSecret => {
  const unfit = (why: string): Error =>
    new Error(`The secret ${secret}, the credential of the upstream "${upstream}", ${why}.`);
  const text = secrets.get(secret);
  if (text === undefined) throw unfit("is not set");
  return { text, unfit };
};
