import type { Exchange } from "../../core/exchange.ts";
import { deleteForwarded, setForwarded } from "../../core/forwarded-fields.ts";
import type { Authenticator, Identity, Verdict } from "../../core/identity.ts";
import type { AuthenticatorFactory, Site } from "../../core/policy.ts";
import type { Ports } from "../../core/ports.ts";
import { removalOf, type TokenSource, takeOff, tokenReader } from "../../core/token-source.ts";
import { scopesOf } from "./claims.ts";
import type { IssuerPlan } from "./issuer-plan.ts";
import { member, splitJwt } from "./jws.ts";
import { challengeOf, type Refusal, refuse, statusOf } from "./refusal.ts";
import { TrustedIssuer } from "./trusted-issuer.ts";
import type { VerifiedToken } from "./verified-tokens.ts";

/** A jwt policy in the plan. */
export type Step = {
  /** Names of the issuers' plans among what the gateway shares. */
  readonly issuers: readonly string[];
  /** Narrows the issuers' audiences. */
  readonly audiences: readonly string[] | null;
  readonly from: TokenSource;
  readonly scopes: { readonly any: readonly string[]; readonly all: readonly string[] };
  /** Values of which a claim must have one. */
  readonly claims: Readonly<Record<string, readonly (string | number | boolean)[]>>;
  /** Claims by the header that carries them to the upstream. */
  readonly forward: Readonly<Record<string, string>>;
  readonly forwardCredential: boolean;
};

const ABSENT: Verdict = { outcome: "absent" };

/** Links the step: verifies bearer tokens of its issuers (RFC 7519, 8725, 9068; RFC 6750). */
export const authenticator: AuthenticatorFactory<Step> = (step, ports, site) =>
  new JwtAuthenticator(step, ports, site);

class JwtAuthenticator implements Authenticator {
  readonly kind = "jwt";
  readonly challenge: string;
  readonly always: Authenticator["always"];
  readonly #step: Step;
  readonly #issuers: readonly TrustedIssuer[];
  readonly #read: (exchange: Exchange) => string | undefined;

  constructor(step: Step, ports: Ports, site: Site) {
    this.#step = step;
    this.challenge = `Bearer realm="${site.gatewayName.replace(/["\\]/g, "\\$&")}"`;
    this.always = [...deleteForwarded(step.forward), ...(step.forwardCredential ? [] : removalOf(step.from))];
    this.#read = tokenReader(step.from);
    this.#issuers = step.issuers.map((shared) =>
      site.once(`jwt.${shared}`, () => new TrustedIssuer(site.shared<IssuerPlan>(shared), ports, site)),
    );
  }

  /** A token that was seen before is judged at once, without a promise. */
  authenticate(exchange: Exchange): Verdict | Promise<Verdict> {
    const token = this.#read(exchange);
    if (token === undefined) return ABSENT;
    const { from, forwardCredential } = this.#step;
    if (!forwardCredential) takeOff(from, exchange);
    for (const issuer of this.#issuers) {
      const known = issuer.recall(token, exchange)?.verdicts.get(this);
      if (known?.outcome === "passed") return known;
    }
    return this.#judge(token, exchange);
  }

  /** Two issuers may share an `iss`: what one of them does not vouch for, the other may. */
  async #judge(token: string, exchange: Exchange): Promise<Verdict> {
    const jws = splitJwt(token);
    if (jws === undefined) return this.#refused(refuse("token-malformed"));
    const iss = member(jws.claims, "iss");
    let worst = refuse("token-issuer");
    for (const issuer of this.#issuers) {
      if (issuer.plan.issuer !== iss) continue;
      const verified = await issuer.verify(token, jws, exchange);
      const refusal = "code" in verified ? verified : this.#lacks(verified, issuer.plan);
      if (refusal !== undefined) {
        if (weightOf(refusal) >= weightOf(worst)) worst = refusal;
        continue;
      }
      const verdict = this.#passed(verified as VerifiedToken, issuer.plan);
      issuer.tokens.addVerdict(token, this, verdict);
      return verdict;
    }
    return this.#refused(worst);
  }

  /** What a good token lacks for this policy. */
  #lacks({ caller }: VerifiedToken, { audiences }: IssuerPlan): Refusal | undefined {
    const { audiences: narrowed, scopes, claims } = this.#step;
    const meant = (audience: string): boolean =>
      caller.audiences.includes(audience) && audiences.includes(audience);
    if (narrowed !== null && !narrowed.some(meant)) return refuse("token-audience");
    const { any, all } = scopes;
    if (any.length + all.length > 0) {
      const has = scopesOf(caller.claims);
      const holds = (scope: string): boolean => has.includes(scope);
      if (!(any.length === 0 || any.some(holds)) || !all.every(holds))
        return { ...refuse("insufficient-scope"), scope: [...all, ...any].join(" ") };
    }
    for (const name in claims) {
      const value = member(caller.claims, name);
      const values = Array.isArray(value) ? value : [value];
      if (!claims[name]!.some((wanted) => values.includes(wanted))) return refuse("insufficient-claims");
    }
    return undefined;
  }

  #passed({ caller }: VerifiedToken, { name, subjects }: IssuerPlan): Verdict {
    const identity: Identity = {
      kind: "jwt",
      id: subjectId(subjects, caller.subject),
      issuer: name,
      subject: caller.subject,
      claims: caller.claims,
    };
    return { outcome: "passed", identity, edits: setForwarded(this.#step.forward, caller.claims) };
  }

  #refused(refusal: Refusal): Verdict {
    const { code, detail, retryAfterSeconds } = refusal;
    const challenge = challengeOf(this.challenge, refusal);
    return { outcome: "refused", status: statusOf(code), code, detail, challenge, retryAfterSeconds };
  }
}

/** Issuer and subject as one text. The issuer's own colons are escaped: the first colon ends it, whatever the subject holds. */
const subjectId = (issuer: string, subject: string): string => encodeURIComponent(issuer) + ":" + subject;

/** Of several refusals: one of a genuine token before "nobody can say", and that before "not mine". */
const weightOf = ({ code }: Refusal): number =>
  code === "token-issuer" ? 0 : code === "token-signature" ? 1 : code === "issuer-unavailable" ? 2 : 3;
