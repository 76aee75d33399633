import { forwardableOf, identityOf } from "../../core/caller.ts";
import type { Exchange } from "../../core/exchange.ts";
import { deleteForwarded, setForwarded } from "../../core/forwarded-fields.ts";
import type { Authenticator, Verdict } from "../../core/identity.ts";
import type { AuthenticatorFactory, Site } from "../../core/policy.ts";
import type { Clock, Ports } from "../../core/ports.ts";
import { problem } from "../../core/problem.ts";
import { github } from "./github.ts";
import { messageSignature } from "./message-signature.ts";
import { type Judgment, type Refusal, refuse, type Scheme, type SchemeSite } from "./scheme.ts";
import { SeenSignatures } from "./seen-signatures.ts";
import { type KeyPlan, linkKeys, type SigningKey } from "./signing-key.ts";
import { stripe } from "./stripe.ts";

/** A hmac policy in the plan. */
export type Step = {
  readonly scheme: "rfc9421" | "github" | "stripe";
  readonly keys: readonly KeyPlan[];
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  readonly refusesReplays: boolean;
  readonly components: readonly string[];
  /** Headers for the upstream, and what stands in them: `name`, `plan`, `attributes.x` or `key`. */
  readonly forward: Readonly<Record<string, string>>;
  readonly forwardCredential: boolean;
};

const SCHEMES: Readonly<Record<Step["scheme"], (site: SchemeSite) => Scheme>> = {
  rfc9421: messageSignature,
  github,
  stripe,
};

/** Room for the signatures that were seen, of all policies: some ten thousand. */
const TABLE_BYTES = 2 * 1024 * 1024;

const ABSENT: Verdict = { outcome: "absent" };

/** Links the step: verifies that a request was signed with a key that is known, and not seen before. */
export const authenticator: AuthenticatorFactory<Step> = (step, ports, site) =>
  new SignatureAuthenticator(step, ports, site);

class SignatureAuthenticator implements Authenticator {
  readonly kind = "hmac";
  readonly challenge: string;
  readonly always: Authenticator["always"];
  readonly #scheme: Scheme;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #hasKeys: boolean;
  readonly #seen: SeenSignatures | undefined;
  readonly #passed: ReadonlyMap<SigningKey, Verdict>;

  constructor(step: Step, ports: Ports, site: Site) {
    const { scheme, forward, maxAgeMs, maxBytes, components } = step;
    const keys = linkKeys(scheme, step.keys, ports);
    this.#clock = ports.clock;
    this.#maxBytes = maxBytes;
    this.#hasKeys = keys.length > 0;
    this.#scheme = SCHEMES[scheme]({ keys, clock: ports.clock, maxAgeMs, maxBytes, components });
    this.#seen = step.refusesReplays
      ? site.once("hmac.seen", () => new SeenSignatures(TABLE_BYTES))
      : undefined;
    this.#passed = new Map(keys.map((key) => [key, passedBy(key, forward)]));
    this.challenge = `Signature realm="${site.gatewayName.replace(/["\\]/g, "\\$&")}"`;
    const credential = step.forwardCredential ? [] : this.#scheme.fields;
    this.always = [
      ...deleteForwarded(forward),
      ...credential.map((name) => ({ op: "remove", name }) as const),
    ];
  }

  authenticate(exchange: Exchange): Verdict | Promise<Verdict> {
    const judgment = this.#scheme.judge(exchange);
    if (judgment === undefined) return ABSENT;
    return judgment instanceof Promise
      ? judgment.then((later) => this.#verdict(exchange, later))
      : this.#verdict(exchange, judgment);
  }

  #verdict(exchange: Exchange, judgment: Judgment): Verdict {
    if (typeof judgment === "string") return unread(exchange, judgment, this.#maxBytes);
    if (!this.#hasKeys) return KEYLESS;
    if ("code" in judgment) return this.#refused(judgment);
    const { key, once, untilMs } = judgment;
    if (this.#seen?.isNew(once, untilMs, this.#clock.now()) === false)
      return this.#refused(refuse("signature-replayed"));
    return this.#passed.get(key)!;
  }

  #refused({ code, detail }: Refusal): Verdict {
    return { outcome: "refused", status: 401, code, detail, challenge: this.challenge };
  }
}

/** Its secrets will not do: no signature can be told from another (S16). */
const KEYLESS: Verdict = {
  outcome: "refused",
  status: 503,
  code: "signature-keys-unavailable",
  detail: "No key is here to check the signature with.",
  retryAfterSeconds: 60,
};

const passedBy = ({ caller, id }: SigningKey, forward: Step["forward"]): Verdict => ({
  outcome: "passed",
  identity: identityOf("hmac", caller),
  edits: setForwarded(forward, { ...forwardableOf(caller), key: id }),
});

/** A body that cannot be held against its signature. */
const unread = (exchange: Exchange, why: "too-large" | "broken", maxBytes: number): Verdict => {
  const code = why === "broken" ? "body-incomplete" : "body-too-large";
  const response = problem(
    exchange,
    why === "broken"
      ? { status: 400, code, title: "Bad request", detail: "The body broke off." }
      : {
          status: 413,
          code,
          title: "Content too large",
          detail: `The body is larger than ${maxBytes} bytes.`,
        },
  );
  return { outcome: "answered", code, response };
};
