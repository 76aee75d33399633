import type { Exchange } from "../../core/exchange.ts";
import type { HeaderEdit } from "../../core/header-edits.ts";
import type { Authenticator, Verdict } from "../../core/identity.ts";
import type { AuthenticatorFactory, Site } from "../../core/policy.ts";
import type { Ports } from "../../core/ports.ts";
import { askService, type Said, type ServicePlan } from "./ask-service.ts";

/** A forwardAuth policy in the plan. */
export type Step = {
  readonly service: ServicePlan;
  /** The field of a good answer that says who calls. */
  readonly identity: string;
  /** Fields of a good answer that go to the upstream. */
  readonly forward: readonly string[];
  readonly redirects: boolean;
  readonly forwardCredential: boolean;
};

const ABSENT: Verdict = { outcome: "absent" };

/** A longer name is no name, and would stand in every key and line of the log. */
const LONGEST_NAME = 512;
const LONGEST_CHALLENGE = 1024;
/** The least time between two words in the log of a service that is away. */
const QUIET_MS = 10_000;
const RETRY_SECONDS = 5;

/** Statuses by which a service sends somebody to where they sign in (RFC 9110 section 15.4). */
const REDIRECTS = new Set([302, 303, 307]);

/** Links the step: asks a service for each request who calls, and whether they may. */
export const authenticator: AuthenticatorFactory<Step> = (step, ports, site) =>
  new ServiceAuthenticator(step, ports, site);

class ServiceAuthenticator implements Authenticator {
  readonly kind = "forwardAuth";
  readonly challenge: string;
  readonly always: Authenticator["always"];
  readonly #step: Step;
  readonly #ports: Ports;
  readonly #issuer: string;
  #complainedAtMs = Number.NEGATIVE_INFINITY;

  constructor(step: Step, ports: Ports, site: Site) {
    const { service, identity, forward, forwardCredential } = step;
    this.#step = step;
    this.#ports = ports;
    this.#issuer = new URL(service.url).origin;
    this.challenge = `Bearer realm="${site.gatewayName.replace(/["\\]/g, "\\$&")}"`;
    // An upstream may take the name of the caller from where the gateway does, whether it is forwarded or not.
    const ours = [identity, ...forward, ...(forwardCredential ? [] : service.requestHeaders)];
    this.always = [...new Set(ours)].map((name) => ({ op: "remove", name }));
  }

  authenticate(exchange: Exchange): Verdict | Promise<Verdict> {
    const { service, redirects } = this.#step;
    const { headers } = exchange.request;
    // Nobody has to sign in to be sent to where one signs in.
    if (!redirects && !service.requestHeaders.some((name) => headers.has(name))) return ABSENT;
    return this.#ask(exchange);
  }

  async #ask(exchange: Exchange): Promise<Verdict> {
    try {
      return this.#verdict(await askService(this.#step.service, exchange, this.#ports));
    } catch (error) {
      return this.#unavailable(error instanceof Error ? error.message : "unknown");
    }
  }

  #verdict({ status, headers }: Said): Verdict {
    if (status >= 200 && status <= 299) return this.#passed(headers);
    if (status === 401 || status === 403) return this.#refused(status, headers);
    const location = headers.get("location");
    if (this.#step.redirects && REDIRECTS.has(status) && location !== null) {
      const response = new Response(null, { status, headers: { location, "cache-control": "no-store" } });
      return { outcome: "answered", code: "auth-redirected", response };
    }
    return this.#unavailable(`status ${status}`);
  }

  #passed(headers: Headers): Verdict {
    const { identity, forward } = this.#step;
    const subject = headers.get(identity) ?? "";
    // Without a name all callers would be one, and be served what is stored for each other.
    if (subject === "" || subject.length > LONGEST_NAME) return this.#unavailable(`no name in ${identity}`);
    const edits = forward.flatMap((name): HeaderEdit[] => {
      const value = headers.get(name);
      return value === null ? [] : [{ op: "set", name, value }];
    });
    const issuer = this.#issuer;
    const id = `${encodeURIComponent(issuer)}:${subject}`;
    return { outcome: "passed", identity: { kind: "forwardAuth", id, issuer, subject }, edits };
  }

  /** What the service wants to be told; its words for people stay where they are. */
  #refused(status: 401 | 403, headers: Headers): Verdict {
    const said = headers.get("www-authenticate");
    const challenge = said !== null && said !== "" && said.length <= LONGEST_CHALLENGE ? said : undefined;
    const own = challenge ?? (status === 401 ? this.challenge : undefined);
    return {
      outcome: "refused",
      status,
      code: "auth-refused",
      detail: status === 401 ? "The credential is not good here." : "This caller may not do this.",
      ...(own !== undefined && { challenge: own }),
    };
  }

  /** Nobody can say who calls: nobody is let in (S16). */
  #unavailable(reason: string): Verdict {
    const nowMs = this.#ports.clock.now();
    if (nowMs - this.#complainedAtMs >= QUIET_MS) {
      this.#complainedAtMs = nowMs;
      const message = "A service that was asked who calls did not say.";
      this.#ports.log.write({ level: "warn", message, service: this.#step.service.url, reason });
    }
    return {
      outcome: "refused",
      status: 503,
      code: "auth-unavailable",
      detail: "Nobody can say now who calls.",
      retryAfterSeconds: RETRY_SECONDS,
    };
  }
}
