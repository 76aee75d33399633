import type { Ports } from "../../core/ports.ts";
import type { RetryPlan, UpstreamPlan } from "../../core/upstream-plan.ts";
import type { RequestExchange } from "../exchange.ts";
import { bodyTimedOut, noTarget, timedOut, unavailable, unreachable } from "../failures.ts";
import type { Credential } from "../parts.ts";
import { initOf, isAnswer, type LinkedTarget, type Outgoing, type Send, urlAt } from "../upstream.ts";
import type { Picked, Pool } from "./pool.ts";
import { keepBody } from "./replay.ts";
import { linkRetryBudget, type RetryBudget } from "./retry-budget.ts";

/** What the tries of one upstream share. */
export interface AttemptsSite {
  readonly name: string;
  readonly plan: UpstreamPlan;
  readonly ports: Ports;
  readonly pool: Pool;
  readonly credential: Credential | undefined;
}

interface LinkedAttempts extends AttemptsSite {
  readonly retry: RetryPlan | undefined;
  readonly retriedStatuses: ReadonlySet<number>;
  readonly budget: RetryBudget | undefined;
}

/** Idempotent methods (RFC 9110 section 9.2.2), which may be sent again. */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/** Safe methods (RFC 9110 section 9.2.1), which may be sent twice at once, unless they open a WebSocket. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** Budget of hedges where an upstream has no retries. */
const HEDGE_BUDGET: RetryPlan["budget"] = { share: 0.2, minimum: 3 };

/** Links the sending of requests with retries and hedges, each within its time, to targets that the pool picks. */
export const linkAttempts = (site: AttemptsSite): Send => {
  const { plan, ports, pool } = site;
  const { retry, hedge } = plan;
  const budget =
    retry === undefined && hedge === undefined
      ? undefined
      : linkRetryBudget(retry?.budget ?? HEDGE_BUDGET, ports.clock);
  const linked = { ...site, retry, budget, retriedStatuses: new Set(retry?.statuses) };
  return async (exchange, outgoing) => {
    budget?.request();
    const ready = pool.ready(exchange.defer);
    if (ready !== undefined) await inTime(ready, outgoing.timeoutMs);
    const mayRetry = retry !== undefined && isRepeatable(outgoing, plan);
    if (!mayRetry || outgoing.body === null)
      return new Attempts(linked, exchange, outgoing, outgoing.body, mayRetry).run();
    const length = exchange.request.headers.get("content-length");
    const kept = await inTime(keepBody(outgoing.body, length, retry.maxReplay), outgoing.timeoutMs);
    if (kept === undefined) return bodyTimedOut(exchange);
    if (kept.kind === "kept") return new Attempts(linked, exchange, outgoing, kept.body, true).run();
    const signals = [outgoing.signal, kept.signal].filter((signal) => signal !== undefined);
    const once = signals.length === 0 ? outgoing : { ...outgoing, signal: AbortSignal.any(signals) };
    return new Attempts(linked, exchange, once, kept.body, false).run();
  };
};

/** What a promise comes to; undefined where it takes too long, or fails because the client broke off. */
const inTime = <T>(promise: Promise<T>, ms: number): Promise<T | undefined> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, undefined);
    promise.then(resolve, () => resolve(undefined)).finally(() => clearTimeout(timer));
  });

/** A client's key makes any method repeatable, but only where the upstream is known to honor it. */
const isRepeatable = ({ method, headers }: Outgoing, { idempotentBy }: UpstreamPlan): boolean =>
  IDEMPOTENT.has(method) || (idempotentBy !== undefined && headers.has(idempotentBy));

/** How a try came out: an answer, or why there is none. */
type Result =
  | { readonly kind: "answer"; readonly response: Response; readonly target: LinkedTarget }
  | { readonly kind: "timeout" | "connect-error"; readonly target: LinkedTarget };

/** The tries of one request, in turn or, with a hedge, beside each other. The first answer that will do is the answer. */
class Attempts {
  readonly #site: LinkedAttempts;
  readonly #exchange: RequestExchange;
  readonly #outgoing: Outgoing;
  readonly #body: RequestInit["body"];
  readonly #begunMs: number;
  readonly #tried: LinkedTarget[] = [];
  readonly #underWay = new Set<Picked>();
  #retriesLeft: number;
  #waiting = false;
  /** The best that is known so far, for when nothing better comes. */
  #last: Result | undefined;
  #open = true;
  #resolve: (response: Response) => void = () => {};

  constructor(
    site: LinkedAttempts,
    exchange: RequestExchange,
    outgoing: Outgoing,
    body: RequestInit["body"],
    mayRetry: boolean,
  ) {
    this.#site = site;
    this.#exchange = exchange;
    this.#outgoing = outgoing;
    this.#body = body;
    this.#begunMs = site.ports.clock.now();
    this.#retriesLeft = mayRetry ? (site.retry?.retries ?? 0) : 0;
  }

  run(): Promise<Response> {
    const { hedge } = this.#site.plan;
    return new Promise((resolve) => {
      this.#resolve = resolve;
      setTimeout(() => this.#outOfTime(), this.#outgoing.timeoutMs);
      if (hedge !== undefined && SAFE.has(this.#outgoing.method) && !this.#outgoing.upgrade)
        setTimeout(() => this.#hedge(), hedge.afterMs);
      this.#try();
    });
  }

  /**
   * The time of all tries together is over, whatever those said that ended before. Where the gateway has answered meanwhile, as to
   * a body that proved too long, the request was at fault, and nobody gets this answer.
   */
  #outOfTime(): void {
    if (this.#open)
      this.#finish(undefined, this.#exchange.problemCode === undefined ? timedOut : bodyTimedOut);
  }

  #hedge(): void {
    if (!this.#open || this.#waiting || this.#underWay.size !== 1 || this.#site.budget?.take() === false)
      return;
    this.#countRetry();
    this.#try();
  }

  #try(): void {
    const { pool, retry, ports } = this.#site;
    const picked = pool.pick(this.#exchange, this.#tried, this.#outgoing.timeoutMs);
    if (picked === undefined) {
      if (this.#underWay.size === 0) this.#finish(this.#last);
      return;
    }
    const { target } = picked;
    this.#tried.push(target);
    this.#underWay.add(picked);
    const begunMs = ports.clock.now();
    let open = true;
    const settle = (result: Result): void => {
      open = false;
      this.#ended(picked, result, ports.clock.now() - begunMs);
    };
    if (retry?.perTryTimeoutMs !== undefined && retry.perTryTimeoutMs < this.#outgoing.timeoutMs) {
      setTimeout(() => {
        if (open) settle({ kind: "timeout", target });
      }, retry.perTryTimeoutMs);
    }
    this.#call(target).then(
      (response) => {
        if (open && isAnswer(response, this.#outgoing)) return settle({ kind: "answer", response, target });
        void response.body?.cancel();
        if (open) settle({ kind: "connect-error", target });
      },
      () => {
        if (open) settle({ kind: "connect-error", target });
      },
    );
  }

  async #call(target: LinkedTarget): Promise<Response> {
    const { credential } = this.#site;
    const url = urlAt(target, this.#outgoing);
    const init = initOf(this.#outgoing, this.#body);
    if (credential === undefined) return target.fetcher!.fetch(url, init);
    const headers = new Headers(this.#outgoing.headers);
    const { method } = this.#outgoing;
    await credential(this.#exchange, headers, { method, url, body: this.#body });
    return target.fetcher!.fetch(url, { ...init, headers });
  }

  #ended(picked: Picked, result: Result, elapsedMs: number): void {
    const { name, ports } = this.#site;
    // A try that goes on after the request is over has been let go of already.
    if (!this.#underWay.delete(picked)) {
      if (result.kind === "answer") void result.response.body?.cancel();
      return;
    }
    ports.metrics?.observe("postern_upstream_duration_seconds", [name, picked.target.name], elapsedMs / 1000);
    const failed = result.kind !== "answer" || result.response.status >= 500;
    // Where the gateway refused meanwhile, as a body that proved too long, the target is not to blame.
    const outcome =
      failed && this.#exchange.problemCode !== undefined ? "abandoned" : failed ? "failed" : "answered";
    picked.end(elapsedMs, outcome);
    if (!this.#isToRetry(result)) {
      // With another try still under way a failure is not the last word.
      if (result.kind === "answer" || this.#underWay.size === 0) this.#finish(result);
      else this.#keep(result);
      return;
    }
    this.#keep(result);
    if (this.#underWay.size > 0 || this.#waiting) return;
    if (this.#retriesLeft === 0 || this.#site.budget?.take() === false) this.#finish(this.#last);
    else this.#retryLater();
  }

  #isToRetry(result: Result): boolean {
    const { retry, retriedStatuses } = this.#site;
    if (retry === undefined) return false;
    if (result.kind === "answer") return retriedStatuses.has(result.response.status);
    return result.kind === "timeout" ? retry.onTimeout : retry.onConnectError;
  }

  /** Exponential backoff with full jitter, within the time that all tries have: a longer wait would be for nothing. */
  #retryLater(): void {
    const { retry, ports } = this.#site;
    const { baseMs, maxMs } = retry!.backoff;
    const leftMs = this.#outgoing.timeoutMs - (ports.clock.now() - this.#begunMs);
    const most = Math.min(maxMs, baseMs * 2 ** (this.#tried.length - 1), leftMs);
    this.#retriesLeft--;
    this.#countRetry();
    this.#waiting = true;
    setTimeout(() => {
      this.#waiting = false;
      if (this.#open) this.#try();
    }, ports.random.number() * most);
  }

  #countRetry(): void {
    this.#site.ports.metrics?.count("postern_retries_total", [this.#site.name]);
  }

  /** Remembers a result that is no use unless nothing better comes: an answer tells more than none. */
  #keep(result: Result): void {
    const last = this.#last;
    if (last?.kind === "answer") {
      if (result.kind !== "answer") return;
      void last.response.body?.cancel();
    }
    this.#last = result;
  }

  #finish(result: Result | undefined, otherwise: (exchange: RequestExchange) => Response = noTarget): void {
    this.#open = false;
    const exchange = this.#exchange;
    const elapsedMs = this.#site.ports.clock.now() - this.#begunMs;
    exchange.upstreamMs += elapsedMs;
    const kept = this.#last;
    if (kept?.kind === "answer" && kept !== result) void kept.response.body?.cancel();
    for (const picked of this.#underWay) {
      exchange.target = picked.target.name;
      picked.end(elapsedMs, result === undefined ? "failed" : "abandoned");
    }
    this.#underWay.clear();
    if (result !== undefined) exchange.target = result.target.name;
    if (result?.kind === "answer") {
      exchange.upstreamResponse = result.response;
      this.#resolve(result.response);
      return;
    }
    if (result === undefined) this.#resolve(otherwise(exchange));
    else if (result.kind === "timeout") this.#resolve(timedOut(exchange));
    else this.#resolve(this.#tried.length > 1 ? unavailable(exchange) : unreachable(exchange));
  }
}
