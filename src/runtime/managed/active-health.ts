import type { TargetState } from "../../core/health.ts";
import type { Clock, Defer, HealthBoard, Ports } from "../../core/ports.ts";
import type { HealthCheckPlan } from "../../core/upstream-plan.ts";
import type { ActiveHealthFactory, HealthSource } from "../parts.ts";
import type { LinkedTarget } from "../upstream.ts";
import { type CheckSite, checkTargets, longestRoundMs } from "./check-targets.ts";
import { statesOf } from "./health-states.ts";

/** Links active health checks: those that all isolates share where there is a board of them, else the isolate's own. */
export const linkActiveHealth: ActiveHealthFactory = (upstream, plan, ports) => {
  const own = new OwnChecks(upstream, plan, ports);
  return ports.health === undefined ? own : new SharedChecks(upstream, plan, ports.clock, ports.health, own);
};

/** Work under `waitUntil` lives 30 s after the answer at most: a check that takes longer would never be judged. */
const LONGEST_TIMEOUT_MS = 25_000;
/** Beside the longest that a round takes, until it counts as lost with the request that began it. */
const SLACK_MS = 1000;

/**
 * Checks that an isolate makes by itself, beside requests: the first that comes when the last round began an interval ago
 * begins the next one, and does not wait for it. Where no requests come nothing is checked, and what is known stays: the first
 * request after a pause goes by what was known before it.
 */
class OwnChecks implements HealthSource {
  readonly #site: CheckSite;
  readonly #clock: Clock;
  /** A round keeps to the states with which it began: what comes when another has begun goes nowhere. */
  #states: Record<string, TargetState> = {};
  /** What another source said before this one had to. */
  #before: Readonly<Record<string, boolean>> = {};
  #dueMs = Number.NEGATIVE_INFINITY;

  constructor(upstream: string, plan: HealthCheckPlan, { clock, log }: Ports) {
    const timeoutMs = Math.min(plan.timeoutMs, LONGEST_TIMEOUT_MS);
    this.#site = { upstream, plan: { ...plan, timeoutMs }, log };
    this.#clock = clock;
  }

  look(targets: readonly LinkedTarget[], defer: Defer): void {
    const nowMs = this.#clock.now();
    if (nowMs < this.#dueMs) return;
    const { plan } = this.#site;
    const states = statesOf(targets, this.#states, (name) => this.#before[name] !== false);
    this.#states = states;
    this.#dueMs = nowMs + Math.max(plan.intervalMs, longestRoundMs(targets.length, plan) + SLACK_MS);
    const round = checkTargets(targets, states, this.#site).then(() => {
      if (this.#states === states) this.#dueMs = nowMs + plan.intervalMs;
    });
    defer.waitUntil(round);
  }

  isHealthy({ name }: LinkedTarget): boolean {
    return (this.#states[name]?.isHealthy ?? this.#before[name]) !== false;
  }

  /** Forgets, and goes by what another source said until the first round. */
  continue(before: Readonly<Record<string, boolean>>): void {
    this.#states = {};
    this.#before = before;
  }
}

/** For so many intervals the last word of a board that is away counts. */
const KEPT_INTERVALS = 3;
/** How long the board may take to answer. */
const PATIENCE_MS = 5000;

/**
 * What a board says of checks that all isolates share. The isolate keeps a copy and refreshes it beside a request, once an
 * interval at most; nobody waits for it. While the board is away the last word counts, after three intervals the isolate
 * checks by itself and goes on from there, until the board answers again.
 */
class SharedChecks implements HealthSource {
  readonly #upstream: string;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  readonly #board: HealthBoard;
  readonly #own: OwnChecks;
  #healthy: Readonly<Record<string, boolean>> = {};
  #readMs = Number.NEGATIVE_INFINITY;
  #dueMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<unknown> | undefined;
  #isAway = false;

  constructor(upstream: string, plan: HealthCheckPlan, clock: Clock, board: HealthBoard, own: OwnChecks) {
    this.#upstream = upstream;
    this.#intervalMs = plan.intervalMs;
    this.#clock = clock;
    this.#board = board;
    this.#own = own;
  }

  look(targets: readonly LinkedTarget[], defer: Defer): void {
    const nowMs = this.#clock.now();
    if (nowMs >= this.#dueMs) this.#refresh(nowMs, defer);
    if (this.#isAway) this.#own.look(targets, defer);
  }

  isHealthy(target: LinkedTarget): boolean {
    return this.#isAway ? this.#own.isHealthy(target) : this.#healthy[target.name] !== false;
  }

  #refresh(nowMs: number, defer: Defer): void {
    this.#dueMs = nowMs + this.#intervalMs;
    // The last reading takes longer than an interval, or was ended with its request.
    if (this.#reading !== undefined) this.#failed(nowMs);
    const reading = inTime(this.#board.read(this.#upstream), PATIENCE_MS).then((healthy) => {
      if (this.#reading !== reading) return;
      this.#reading = undefined;
      if (healthy === undefined) this.#failed(nowMs);
      else this.#succeeded(healthy, nowMs);
    });
    this.#reading = reading;
    defer.waitUntil(reading);
  }

  #succeeded(healthy: Readonly<Record<string, boolean>>, nowMs: number): void {
    this.#healthy = healthy;
    this.#readMs = nowMs;
    this.#isAway = false;
  }

  #failed(nowMs: number): void {
    if (this.#isAway || nowMs - this.#readMs < KEPT_INTERVALS * this.#intervalMs) return;
    this.#isAway = true;
    this.#own.continue(this.#healthy);
  }
}

/** What a promise comes to; undefined where it fails, or takes too long. */
const inTime = <T>(promise: Promise<T>, ms: number): Promise<T | undefined> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, undefined);
    promise
      .catch(() => undefined)
      .then((value) => {
        clearTimeout(timer);
        resolve(value);
      });
  });
