import type { Exchange } from "./exchange.ts";
import type { HeaderEdit } from "./header-edits.ts";
import { problem } from "./problem.ts";

/** What becomes of a count while its store is away: kept in the isolate's memory, left out, or nobody passes. */
export type StoreFailure = "isolate" | "allow" | "refuse";

/** 503 for a caller whose counts cannot be read, where they have to be. */
export const limitsUnavailable = (exchange: Exchange): Response =>
  problem(exchange, {
    status: 503,
    code: "limits-unavailable",
    title: "Service unavailable",
    detail: "How much is left of a limit cannot be found out now.",
    headers: { "retry-after": "1" },
  });

/** Takes off the fields with which an upstream speaks of limits of its own, where the gateway says nothing of its own. */
export const UPSTREAM_LIMITS_REMOVED: readonly HeaderEdit[] = [
  { op: "remove", name: "ratelimit-policy" },
  { op: "remove", name: "ratelimit" },
];
