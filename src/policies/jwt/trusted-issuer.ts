import type { Exchange } from "../../core/exchange.ts";
import type { Site } from "../../core/policy.ts";
import type { Ports } from "../../core/ports.ts";
import { checkClaims } from "./claims.ts";
import { type IssuerPlan, LOCAL_JWKS } from "./issuer-plan.ts";
import type { Jws } from "./jws.ts";
import { fixedKeySet, type KeySet, RemoteKeySet } from "./key-set.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { type VerifiedToken, VerifiedTokens } from "./verified-tokens.ts";
import { readKeySet, secretKey, type VerifyKey } from "./verify-key.ts";

/** Room for the verified tokens of one issuer: about eight thousand. Only what it signed takes any. */
const TABLE_BYTES = 16 * 1024 * 1024;

/** An issuer when linked, one for the whole isolate: its keys, and the tokens that they verified. */
export class TrustedIssuer {
  readonly plan: IssuerPlan;
  readonly #ports: Ports;
  readonly #keys: KeySet;
  readonly #tokens = new VerifiedTokens(TABLE_BYTES);

  constructor(plan: IssuerPlan, ports: Ports, site: Site) {
    this.plan = plan;
    this.#ports = ports;
    this.#keys = keySetOf(plan, ports, site);
  }

  /** A token that was verified before, as long as it, its key and the key's set hold. */
  recall(token: string, exchange: Exchange): VerifiedToken | undefined {
    const found = this.#tokens.get(token, this.#ports.clock.now());
    return found !== undefined && this.#keys.current(exchange) ? found : undefined;
  }

  /** The verified tokens, for what policies make of them. */
  get tokens(): VerifiedTokens {
    return this.#tokens;
  }

  /** Verifies a token whose `iss` is this issuer's: algorithm, key, signature, then claims. Remembers it when it is good. */
  async verify(token: string, jws: Jws, exchange: Exchange): Promise<VerifiedToken | Refusal> {
    const known = this.recall(token, exchange);
    if (known !== undefined) return known;
    const key = await this.#signer(jws, exchange);
    if ("code" in key) return key;
    const caller = checkClaims(jws, this.plan, this.#ports.clock.now());
    if ("code" in caller) return caller;
    const verified = { caller, key, verdicts: new Map() };
    this.#tokens.add(token, verified);
    return verified;
  }

  /** The key that made the signature. The list of algorithms is asked first: a token does not choose how it is checked. */
  async #signer({ algorithm, kid, signed }: Jws, exchange: Exchange): Promise<VerifyKey | Refusal> {
    if (!(this.plan.algorithms as readonly string[]).includes(algorithm)) return refuse("token-signature");
    const found = await this.#keys.find(algorithm, kid, exchange);
    if ("retryAfterSeconds" in found)
      return { ...refuse("issuer-unavailable"), retryAfterSeconds: found.retryAfterSeconds };
    for (const key of found.keys) if (await key.hasSigned(algorithm, signed)) return key;
    return refuse("token-signature");
  }
}

/** The keys of an issuer; where they should be here and are not, nobody is let in, and the log says why. */
const keySetOf = (plan: IssuerPlan, ports: Ports, site: Site): KeySet => {
  const { name, jwks, secret } = plan;
  if (jwks !== undefined && "url" in jwks) return new RemoteKeySet(name, jwks, ports);
  const keys =
    jwks === undefined
      ? keyOfSecret(ports.secrets.get(secret!), plan)
      : "keys" in jwks
        ? readKeySet(jwks)
        : site.development
          ? readKeySet(parsed(ports.secrets.get(LOCAL_JWKS)))
          : undefined;
  if (keys === undefined)
    ports.log.write({ level: "error", message: "The keys of an issuer are missing or unfit.", issuer: name });
  return fixedKeySet(keys);
};

/** The key from a secret, unless it is too short for every algorithm of the issuer. */
const keyOfSecret = (secret: string | undefined, { algorithms }: IssuerPlan): VerifyKey[] | undefined => {
  const key = secret === undefined ? undefined : secretKey(secret);
  return key !== undefined && algorithms.some((algorithm) => key.fits(algorithm)) ? [key] : undefined;
};

const parsed = (text: string | undefined): unknown => {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
};
