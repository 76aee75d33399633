import { bucketKey } from "../../core/bucket-key.ts";
import type { Exchange } from "../../core/exchange.ts";
import type { Ports } from "../../core/ports.ts";
import { problem } from "../../core/problem.ts";
import { type Span, spanAt } from "../../lib/calendar.ts";
import type { FixedQuotaStep } from "./filter.ts";
import type { Charge } from "./table.ts";

/** One quota in its present period. */
export class Meter {
  readonly quota: FixedQuotaStep;
  readonly #keyOf: (exchange: Exchange) => string;
  #span: Span = { startMs: 0, endMs: 0 };
  /** As RateLimit-Policy says it; the window is the length of the present period. */
  policy = "";

  constructor(quota: FixedQuotaStep) {
    this.quota = quota;
    this.#keyOf = bucketKey(quota.bucket, quota.key);
  }

  chargeOf(exchange: Exchange, nowMs: number): Charge {
    const { quantity, cost } = this.quota;
    return { key: this.#keyOf(exchange), quantity, cost, endMs: this.spanAt(nowMs).endMs };
  }

  /** The period in which an instant lies. */
  spanAt(nowMs: number): Span {
    const { name, quantity, period } = this.quota;
    if (nowMs >= this.#span.endMs || nowMs < this.#span.startMs) {
      const { startMs, endMs } = spanAt(period, nowMs);
      this.#span = { startMs, endMs };
      this.policy = `"${name}";q=${quantity};w=${(endMs - startMs) / 1000}`;
    }
    return this.#span;
  }

  /** Seconds until the period is over, rounded up. */
  secondsLeft(nowMs: number): number {
    return Math.ceil((this.#span.endMs - nowMs) / 1000);
  }
}

/** Whether answers speak of limits already: then what is told stands beside that. */
export const isToldOf = ({ answerEdits }: Exchange): boolean =>
  answerEdits.some((edit) => "name" in edit && edit.name === "ratelimit");

/** Tells the client where it stands, behind what limits have said of themselves; an upstream's own fields are replaced. */
export const tell = (
  exchange: Exchange,
  meters: readonly Meter[],
  left: readonly number[],
  nowMs: number,
): void => {
  const op = isToldOf(exchange) ? "add" : "set";
  const states = meters.map(
    (meter, index) => `"${meter.quota.name}";r=${left[index]};t=${meter.secondsLeft(nowMs)}`,
  );
  exchange.answerEdits.push(
    { op, name: "ratelimit-policy", value: meters.map(({ policy }) => policy).join(", ") },
    { op, name: "ratelimit", value: states.join(", ") },
  );
};

/** The answer to a caller who has used some quotas up. */
export const usedUp = (exchange: Exchange, over: readonly Meter[], nowMs: number, ports: Ports): Response => {
  const { api, id: route } = exchange.route;
  const names = over.map(({ quota }) => quota.name);
  for (const name of names)
    ports.metrics?.count("postern_rate_limited_total", [api, route, name, "enforced"]);
  const seconds = Math.max(...over.map((meter) => meter.secondsLeft(nowMs)));
  return problem(exchange, {
    status: 429,
    code: "quota-exceeded",
    title: "Quota used up",
    detail: `Used up: ${names.join(", ")}. There is more in ${seconds} s.`,
    headers: { "retry-after": String(seconds) },
    extensions: { "violated-policies": names },
  });
};
