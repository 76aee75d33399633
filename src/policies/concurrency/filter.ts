import { bucketKey } from "../../core/bucket-key.ts";
import type { Exchange } from "../../core/exchange.ts";
import type { FilterFactory } from "../../core/policy.ts";
import type { Ports } from "../../core/ports.ts";
import { problem } from "../../core/problem.ts";
import { Gates } from "./gates.ts";

export type GateStep = {
  readonly key: "identity" | "ip" | "host" | "route";
  /** The node where it is written: whose requests they are. */
  readonly bucket: string;
  readonly max: number;
  /** After how long a request is no longer counted that has not been answered. */
  readonly forgetAfterMs: number;
};

export type Step = {
  /** Outermost first; a request has to pass all of them. */
  readonly gates: readonly GateStep[];
};

/** Keys of which requests are under way at once; no isolate can serve as many. */
const MAX_KEYS = 20_000;

/**
 * Bounds how many requests are under way at once in this isolate, from here until the header of their answer is there. On
 * workerd a request whose client left may never come back, so each is forgotten after a time.
 */
export const filter: FilterFactory<Step> = ({ gates }, ports, site) => {
  const busy = site.once("concurrency", () => new Gates(MAX_KEYS));
  const keysOf = gates.map(({ bucket, key }) => gateKey(bucket, key));
  return (next) => (exchange) => {
    const nowMs = ports.clock.now();
    const keys = keysOf.map((keyOf) => keyOf(exchange));
    // None is entered before all are known to be open.
    if (gates.some(({ max }, index) => busy.count(keys[index]!, nowMs) >= max))
      return tooMany(exchange, ports);
    const ends = gates.map(({ forgetAfterMs }, index) => busy.begin(keys[index]!, nowMs, forgetAfterMs));
    const end = (): void => {
      for (const leave of ends) leave();
    };
    return untilAnswered(() => next(exchange), end);
  };
};

/** Calls `end` when an answer is there, or there will be none. */
const untilAnswered = (
  answer: () => Response | Promise<Response>,
  end: () => void,
): Response | Promise<Response> => {
  let answered: Response | Promise<Response>;
  try {
    answered = answer();
  } catch (error) {
    end();
    throw error;
  }
  if (answered instanceof Promise) return answered.finally(end);
  end();
  return answered;
};

const gateKey = (bucket: string, key: GateStep["key"]): ((exchange: Exchange) => string) =>
  key === "route" ? ({ route }) => `${bucket}\n${route.id}` : bucketKey(bucket, key);

const tooMany = (exchange: Exchange, ports: Ports): Response => {
  const { api, id: route } = exchange.route;
  ports.metrics?.count("postern_rate_limited_total", [api, route, "concurrency", "enforced"]);
  return problem(exchange, {
    status: 429,
    code: "too-many-at-once",
    title: "Too many requests at once",
    detail: "As many requests as may be under way at once have not been answered yet.",
    headers: { "retry-after": "1" },
  });
};
