import type { Exchange } from "../../core/exchange.ts";
import { deleteForwarded, setForwarded } from "../../core/forwarded-fields.ts";
import type { Authenticator, Identity, Verdict } from "../../core/identity.ts";
import type { AuthenticatorFactory, Site } from "../../core/policy.ts";
import type { Ports } from "../../core/ports.ts";
import { removalOf, type TokenSource, takeOff, tokenReader } from "../../core/token-source.ts";
import type { ServerPlan } from "./ask-server.ts";
import { type Answer, AuthorizationServer } from "./authorization-server.ts";
import { type Claims, callerOf, member, scopesOf, textsOf } from "./claims.ts";
import { refused } from "./refusal.ts";

/** An introspection policy in the plan. */
export type Step = {
  readonly server: ServerPlan;
  /** The `iss` that its answers must have. */
  readonly issuer: string | null;
  readonly audiences: readonly string[] | null;
  readonly from: TokenSource;
  readonly scopes: { readonly any: readonly string[]; readonly all: readonly string[] };
  /** Claims by the header that carries them to the upstream. */
  readonly forward: Readonly<Record<string, string>>;
  readonly forwardCredential: boolean;
};

const ABSENT: Verdict = { outcome: "absent" };

/** RFC 6750 section 2.1, and no longer than a field may be: anything else is no token, and no server is asked for it. */
const TOKEN = /^[\w\-.~+/]{1,8192}=*$/;

/** Links the step: asks an authorization server for bearer tokens (RFC 7662). */
export const authenticator: AuthenticatorFactory<Step> = (step, ports, site) =>
  new IntrospectionAuthenticator(step, ports, site);

class IntrospectionAuthenticator implements Authenticator {
  readonly kind = "introspection";
  readonly challenge: string;
  readonly always: Authenticator["always"];
  readonly #step: Step;
  readonly #server: AuthorizationServer;
  readonly #read: (exchange: Exchange) => string | undefined;

  constructor(step: Step, ports: Ports, site: Site) {
    const { server, from, forward, forwardCredential } = step;
    this.#step = step;
    this.challenge = `Bearer realm="${site.gatewayName.replace(/["\\]/g, "\\$&")}"`;
    this.always = [...deleteForwarded(forward), ...(forwardCredential ? [] : removalOf(from))];
    this.#read = tokenReader(from);
    // Equal text, equal server: what one of two said of a token is nothing to the other (S15).
    this.#server = site.once(
      `introspection.${JSON.stringify(server)}`,
      () => new AuthorizationServer(server, ports),
    );
  }

  /** A token that was asked for before is judged at once, without a promise. */
  authenticate(exchange: Exchange): Verdict | Promise<Verdict> {
    const token = this.#read(exchange);
    if (token === undefined) return ABSENT;
    const { from, forwardCredential } = this.#step;
    if (!forwardCredential) takeOff(from, exchange);
    const known = this.#server.recall(token);
    if (known !== undefined) return this.#verdict(known);
    if (!TOKEN.test(token)) return refused("token-malformed", this.challenge);
    return this.#server.ask(token, exchange).then((answer) => this.#verdict(answer));
  }

  #verdict(answer: Answer): Verdict {
    if (typeof answer === "string")
      return refused(answer === "unavailable" ? "introspection-unavailable" : answer, this.challenge);
    const known = answer.verdicts.get(this);
    if (known !== undefined) return known;
    const verdict = this.#lacks(answer.claims) ?? this.#passed(answer.claims);
    answer.verdicts.set(this, verdict);
    return verdict;
  }

  /** What a good token lacks for this policy. */
  #lacks(claims: Claims): Verdict | undefined {
    const { issuer, audiences, scopes } = this.#step;
    if (issuer !== null && member(claims, "iss") !== issuer) return refused("token-issuer", this.challenge);
    const meant = textsOf(member(claims, "aud"));
    if (audiences !== null && !audiences.some((audience) => meant.includes(audience)))
      return refused("token-audience", this.challenge);
    const { any, all } = scopes;
    const has = scopesOf(claims);
    const holds = (scope: string): boolean => has.includes(scope);
    return (any.length === 0 || any.some(holds)) && all.every(holds)
      ? undefined
      : refused("insufficient-scope", this.challenge, [...all, ...any].join(" "));
  }

  #passed(claims: Claims): Verdict {
    const { issuer: named, server, forward } = this.#step;
    const issuer = named ?? server.url;
    const { subject, isClient } = callerOf(claims)!;
    const identity: Identity = {
      kind: "introspection",
      // A client may have the name of a person, and is not that person. No escaped issuer has a slash.
      id: `${encodeURIComponent(issuer)}${isClient ? "/client" : ""}:${subject}`,
      issuer,
      // Else an expression would take a client for the person of that name.
      ...(!isClient && { subject }),
      claims,
    };
    return { outcome: "passed", identity, edits: setForwarded(forward, claims) };
  }
}
