import type { Network } from "../../core/ports.ts";
import type { AlgorithmName } from "./algorithms.ts";

/** The secret that holds the public keys of the local issuer, as the text of a JSON Web Key Set. */
export const LOCAL_JWKS = "POSTERN_LOCAL_JWKS";

/** An issuer as it stands in the plan. */
export type IssuerPlan = {
  /** Its name in the policy files. */
  readonly name: string;
  /** The `iss` of its tokens, compared exactly. */
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly AlgorithmName[];
  /** The `typ` that its tokens must have. */
  readonly type?: string;
  /** Where its public keys are; absent for one with a secret. */
  readonly jwks?: JwksPlan;
  /** Name of the secret that signs its tokens. */
  readonly secret?: string;
  readonly clockSkewMs: number;
  readonly maxLifetimeMs?: number;
  /** Name of the issuer whose subjects are the same people: its own unless the policies join two. */
  readonly subjects: string;
};

export type JwksPlan = RemoteJwksPlan | { readonly keys: readonly JwkPlan[] } | { readonly local: true };

export type RemoteJwksPlan = {
  readonly url: string;
  readonly network: Network;
  /** How long a fetched set may be used before it must be looked at again. */
  readonly maxAgeMs: number;
  /** The least time between two fetches of one cause. */
  readonly cooldownMs: number;
};

/** A public key in JSON: text members, and `key_ops`. */
export type JwkPlan = { readonly [member: string]: string | readonly string[] };
