import type { Exchange } from "../../core/exchange.ts";
import type { Verdict } from "../../core/identity.ts";
import type { Ports } from "../../core/ports.ts";
import { SingleFlight } from "../../lib/single-flight.ts";
import { askServer, type Said, type ServerPlan } from "./ask-server.ts";
import { type Claims, type Lapse, lapseOf, lifeOf } from "./claims.ts";
import { KnownAnswers } from "./known-answers.ts";

/** A token that is active, and what each policy made of it: scopes and audiences differ from route to route. */
export interface ActiveToken {
  readonly claims: Claims;
  readonly verdicts: Map<object, Verdict>;
}

/** What is known of a token. */
export type Answer = ActiveToken | Lapse | "unavailable";

/** Room for tokens that are good, and for others: whoever guesses must not crowd out those who know. */
const GOOD_BYTES = 1024 * 1024;
const BAD_BYTES = 256 * 1024;
const ENTRY_BYTES = 512;
const VERDICT_BYTES = 512;

/** How long a token that is not good is known to be so. */
const BAD_MS = 10_000;
/** The least time between two words in the log of a server that is away. */
const QUIET_MS = 10_000;

/**
 * An authorization server when linked, one for the whole isolate: one question at a time for each token, and its answers for as long
 * as they may be believed. Nothing is believed for longer because the server is away.
 */
export class AuthorizationServer {
  readonly #plan: ServerPlan;
  readonly #ports: Ports;
  readonly #good = new KnownAnswers<ActiveToken>(GOOD_BYTES);
  readonly #bad = new KnownAnswers<Lapse>(BAD_BYTES);
  readonly #flights = new Map<string, SingleFlight>();
  #complainedAtMs = Number.NEGATIVE_INFINITY;

  constructor(plan: ServerPlan, ports: Ports) {
    this.#plan = plan;
    this.#ports = ports;
  }

  /** What is known of a token without a question. */
  recall(token: string): ActiveToken | Lapse | undefined {
    const nowMs = this.#ports.clock.now();
    return this.#good.get(token, nowMs) ?? this.#bad.get(token, nowMs);
  }

  /** Asks for a token, or waits for whoever asks already. Never rejects. */
  async ask(token: string, exchange: Exchange): Promise<Answer> {
    const nowMs = this.#ports.clock.now();
    const under = this.#flights.get(token);
    if (under?.isUnderWay(nowMs)) {
      await under.wait();
      return this.recall(token) ?? "unavailable";
    }
    this.#forgetLost(nowMs);
    const flight = new SingleFlight(this.#plan.timeoutMs + 1000);
    this.#flights.set(token, flight);
    let answer: Answer = "unavailable";
    const asked = flight.begin(
      nowMs,
      async () => (answer = await this.#answerOf(token)),
      () => void this.#flights.delete(token),
    );
    exchange.defer.waitUntil(asked);
    await asked;
    return answer;
  }

  async #answerOf(token: string): Promise<Answer> {
    try {
      return this.#keep(token, await askServer(this.#plan, token, this.#ports));
    } catch (error) {
      this.#complain(error);
      return "unavailable";
    }
  }

  #keep(token: string, said: Said): ActiveToken | Lapse {
    const nowMs = this.#ports.clock.now();
    const lapse = said === undefined ? "token-inactive" : lapseOf(said, nowMs);
    if (lapse !== undefined) {
      this.#bad.set(token, lapse, nowMs + BAD_MS, ENTRY_BYTES);
      return lapse;
    }
    const active: ActiveToken = { claims: said!, verdicts: new Map() };
    const untilMs = Math.min(nowMs + this.#plan.cacheForMs, lifeOf(said!));
    // As text twice, and once more for the objects that it became.
    const bytes = ENTRY_BYTES + VERDICT_BYTES + JSON.stringify(said).length * 3;
    if (untilMs > nowMs) this.#good.set(token, active, untilMs, bytes);
    return active;
  }

  /** Requests that ended, and took their questions along. */
  #forgetLost(nowMs: number): void {
    for (const [token, flight] of this.#flights) {
      if (flight.isUnderWay(nowMs)) return;
      this.#flights.delete(token);
    }
  }

  #complain(error: unknown): void {
    const nowMs = this.#ports.clock.now();
    if (nowMs - this.#complainedAtMs < QUIET_MS) return;
    this.#complainedAtMs = nowMs;
    this.#ports.log.write({
      level: "warn",
      message: "An authorization server did not say what it knows of a token.",
      server: this.#plan.url,
      reason: error instanceof Error ? error.message : "unknown",
    });
  }
}
