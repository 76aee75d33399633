import type { Clock } from "../../core/ports.ts";
import type { RetryPlan } from "../../core/upstream-plan.ts";

const WINDOW_SECONDS = 10;

/** Bounds retries to a part of the requests, so that an upstream that is ill is not made worse. Lives in one isolate. */
export interface RetryBudget {
  /** Counts a request. */
  request(): void;
  /** Takes one retry; false when the budget is used up. */
  take(): boolean;
}

/** Counts requests and retries in ten buckets of a second each. */
export const linkRetryBudget = ({ share, minimum }: RetryPlan["budget"], clock: Clock): RetryBudget => {
  const requests = new Int32Array(WINDOW_SECONDS);
  const retries = new Int32Array(WINDOW_SECONDS);
  let second = 0;
  const advance = (): number => {
    const now = Math.floor(clock.now() / 1000);
    const from = Math.max(second + 1, now - WINDOW_SECONDS + 1);
    for (let past = from; past <= now; past++) {
      requests[past % WINDOW_SECONDS] = 0;
      retries[past % WINDOW_SECONDS] = 0;
    }
    if (now > second) second = now;
    return second % WINDOW_SECONDS;
  };
  return {
    request: () => {
      requests[advance()]!++;
    },
    take: () => {
      const bucket = advance();
      if (sum(retries) >= Math.max(minimum, share * sum(requests))) return false;
      retries[bucket]!++;
      return true;
    },
  };
};

const sum = (buckets: Int32Array): number => buckets.reduce((total, count) => total + count, 0);
