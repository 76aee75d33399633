import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UNITS_A_MS } from "../../src/adapters/memory/purges.ts";
import { SharedPurges } from "../../src/adapters/memory/shared-purges.ts";
import { EVERYTHING, type PurgeLog, type PurgeScope, tagScope } from "../../src/core/purge.ts";
import { FakeClock } from "../support/ports.ts";

const A = tagScope("a");
const B = tagScope("b");

/** A log as the script makes one, which a test can hold up or take away. */
class FakeLog implements PurgeLog {
  readonly clock: FakeClock;
  readonly entries = new Map<PurgeScope, number>();
  isAway = false;
  reads: number[] = [];
  /** Where set, the next answer waits for it: what it says is of the time of the question. */
  gate: Promise<void> | undefined;
  /** How far its clock is from that of the isolates. */
  skewMs = 0;

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  async append(scopes: readonly PurgeScope[], above: number): Promise<number> {
    if (this.isAway) throw new Error("away");
    const number = Math.max(...this.entries.values(), above, this.clock.ms + this.skewMs - 1, 0) + 1;
    for (const scope of scopes) this.entries.set(scope, number);
    await this.#passGate();
    return number;
  }

  #passGate(): Promise<void> | undefined {
    const { gate } = this;
    this.gate = undefined;
    return gate;
  }

  async since(number: number): ReturnType<PurgeLog["since"]> {
    this.reads.push(number);
    if (this.isAway) throw new Error("away");
    const found = [...this.entries].flatMap(([scope, at]) => (at >= number ? [{ scope, number: at }] : []));
    await this.#passGate();
    return found;
  }
}

/** What was put under `waitUntil`. */
const deferred = () => {
  const works: Promise<unknown>[] = [];
  return { waitUntil: (work: Promise<unknown>) => void works.push(work), works };
};

const setUp = () => {
  const clock = new FakeClock();
  const log = new FakeLog(clock);
  /** An isolate whose clock is so far from the others'. */
  const open = (skewMs = 0) => new SharedPurges(log, { now: () => clock.ms + skewMs });
  return { clock, log, open };
};

const gate = () => {
  let open = (): void => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
};

describe("an isolate that catches up", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("reads all of the log first, and then what is new, without asking more than once in 2.5 seconds", async () => {
    const { clock, log, open } = setUp();
    const purges = open();
    const defer = deferred();
    const number = await log.append([A], 0);
    await purges.catchUp(defer);
    expect([purges.last, purges.lastOf([A])]).toEqual([number * UNITS_A_MS, number * UNITS_A_MS]);
    clock.advance(2499);
    expect(purges.catchUp(defer)).toBeUndefined();
    expect(log.reads).toEqual([0]);
    clock.advance(1);
    const later = await log.append([B], 0);
    // Beside the request, which does not wait.
    expect(purges.catchUp(defer)).toBeUndefined();
    expect(purges.catchUp(defer)).toBeUndefined();
    await Promise.all(defer.works);
    expect([log.reads, purges.lastOf([B])]).toEqual([[0, number], later * UNITS_A_MS]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps nobody waiting up to 5 seconds, and everybody after that, by one reading", async () => {
    const { clock, log, open } = setUp();
    const purges = open();
    await purges.catchUp(deferred());
    clock.advance(4999);
    const held = gate();
    log.gate = held.promise;
    expect(purges.catchUp(deferred())).toBeUndefined();
    held.open();
    await vi.advanceTimersByTimeAsync(0);
    clock.advance(5000);
    log.gate = gate().promise;
    const waiting = [purges.catchUp(deferred()), purges.catchUp(deferred())];
    expect(waiting.map((wait) => wait instanceof Promise)).toEqual([true, true]);
    expect(log.reads).toHaveLength(3);
  });

  it("goes on after 50 milliseconds with what it knows, and whoever comes then does not wait", async () => {
    const { clock, log, open } = setUp();
    const purges = open();
    await log.append([A], 0);
    const held = gate();
    log.gate = held.promise;
    let isOver = false;
    const defer = deferred();
    void purges.catchUp(defer)!.then(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(49);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(isOver).toBe(true);
    clock.advance(50);
    expect(purges.catchUp(defer)).toBeUndefined();
    expect(purges.lastOf([A])).toBe(0);
    // What it brings late counts.
    held.open();
    await Promise.all(defer.works);
    expect(purges.lastOf([A])).toBeGreaterThan(0);
  });

  it("takes an answer that comes late, after a purge here that is newer", async () => {
    const { clock, log, open } = setUp();
    const [here, there] = [open(), open()];
    await there.purge([A]);
    const held = gate();
    log.gate = held.promise;
    const defer = deferred();
    void here.catchUp(defer);
    log.gate = undefined;
    clock.advance(10);
    await here.purge([A, B]);
    const newer = here.last;
    held.open();
    await Promise.all(defer.works);
    expect([here.last, here.lastOf([A]), here.lastOf([B])]).toEqual([newer, newer, newer]);
  });

  it("knows what was so when it began to read, however long that took", async () => {
    const { clock, log, open } = setUp();
    const purges = open();
    const held = gate();
    log.gate = held.promise;
    const defer = deferred();
    void purges.catchUp(defer);
    clock.advance(1000);
    held.open();
    await Promise.all(defer.works);
    clock.advance(1499);
    expect([purges.catchUp(deferred()), log.reads.length]).toEqual([undefined, 1]);
    clock.advance(1);
    expect([purges.catchUp(deferred()), log.reads.length]).toEqual([undefined, 2]);
  });

  it("misses nothing that was purged elsewhere while it read, below a purge of its own", async () => {
    const { clock, log, open } = setUp();
    const [here, there] = [open(), open()];
    await log.append([A], 0);
    const held = gate();
    log.gate = held.promise;
    const defer = deferred();
    void here.catchUp(defer);
    clock.advance(1);
    await there.purge([B]);
    clock.advance(1);
    await here.purge([A]);
    held.open();
    await Promise.all(defer.works);
    clock.advance(5000);
    await here.catchUp(deferred());
    expect(here.lastOf([B])).toBeGreaterThan(0);
  });

  it("misses nothing that stands in the log below a purge of its own", async () => {
    const { clock, open } = setUp();
    const [here, there] = [open(), open()];
    await here.catchUp(deferred());
    clock.advance(1);
    await there.purge([B]);
    clock.advance(1);
    await here.purge([A]);
    expect(here.lastOf([B])).toBe(0);
    clock.advance(5000);
    await here.catchUp(deferred());
    expect(here.lastOf([B])).toBeGreaterThan(0);
    expect(here.lastOf([B])).toBeLessThan(here.lastOf([A]));
  });

  it("reads again where its clock was put back", async () => {
    const { clock, log, open } = setUp();
    const purges = open();
    await purges.catchUp(deferred());
    clock.advance(-60_000);
    await purges.catchUp(deferred());
    expect(log.reads).toHaveLength(2);
  });

  it("begins anew where the request that read is gone", async () => {
    const { clock, log, open } = setUp();
    const purges = open();
    log.gate = gate().promise;
    void purges.catchUp(deferred());
    log.gate = undefined;
    await log.append([A], 0);
    clock.advance(1500);
    const defer = deferred();
    await purges.catchUp(defer);
    expect([log.reads.length, purges.lastOf([A]) > 0]).toEqual([2, true]);
  });

  it("keeps nobody waiting after three failures in turn, until one has succeeded", async () => {
    const { clock, log, open } = setUp();
    const purges = open();
    log.isAway = true;
    for (let time = 0; time < 3; time++) {
      const wait = purges.catchUp(deferred());
      expect(wait).toBeInstanceOf(Promise);
      await wait;
    }
    const defer = deferred();
    expect(purges.catchUp(defer)).toBeUndefined();
    log.isAway = false;
    await Promise.all(defer.works);
    const again = deferred();
    expect(purges.catchUp(again)).toBeUndefined();
    await Promise.all(again.works);
    clock.advance(6000);
    expect(purges.catchUp(deferred())).toBeInstanceOf(Promise);
  });
});

describe("a purge", () => {
  it("holds here before the log has it", () => {
    const { log, open } = setUp();
    const purges = open();
    log.gate = gate().promise;
    const asOf = purges.last;
    void purges.purge([A]);
    expect(purges.lastOf([A])).toBeGreaterThan(asOf);
    expect(purges.lastOf([B])).toBe(0);
  });

  it("holds here, and says so, where the log is away; what is stored after it is good", async () => {
    const { log, open } = setUp();
    const purges = open();
    await purges.catchUp(deferred());
    const before = purges.last;
    log.isAway = true;
    expect(await purges.purge([A])).toBe(false);
    expect(purges.lastOf([A])).toBeGreaterThan(before);
    expect(purges.last).toBe(purges.lastOf([A]));
  });

  it("of nothing is none", async () => {
    const { log, open } = setUp();
    const purges = open();
    expect([await purges.purge([]), purges.last, log.entries.size]).toEqual([true, 0, 0]);
  });

  it.each([-3_600_000, 0, 3_600_000])(
    "that could not be told makes nothing look newer than a purge elsewhere, where the clock here is %s ms away",
    async (skewMs) => {
      const { clock, log, open } = setUp();
      const [here, there] = [open(skewMs), open()];
      await there.purge([B]);
      await here.catchUp(deferred());
      log.isAway = true;
      for (let time = 0; time < 50; time++) await here.purge([A]);
      const asOf = here.last;
      log.isAway = false;
      clock.advance(1);
      await there.purge([A]);
      clock.advance(5000);
      await here.catchUp(deferred());
      expect(here.lastOf([A])).toBeGreaterThan(asOf);
      expect(there.lastOf([A])).toBeGreaterThan(asOf);
    },
  );
});

/** What may happen in a world of four isolates that share a log and a store of entries. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("fill" as const), at: fc.nat(3), scope: fc.nat(3) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("purge" as const), at: fc.nat(3), scope: fc.nat(4) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("ask" as const), at: fc.nat(3) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("time" as const),
      ms: fc.constantFrom(1, 500, 1500, 2500, 4999),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("renew" as const), at: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("hold" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("deliver" as const), which: fc.nat(5) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Entry {
  readonly scopes: readonly PurgeScope[];
  readonly asOf: number;
  readonly filledBy: number;
  /** Which isolate has purged it first since its fill began, and when that was answered. */
  purgedBy: number | undefined;
  answeredMs: number | undefined;
}

/** The world: what it does in a step, and what must hold whenever somebody asks. */
const world = (skewMs: number) => {
  const { clock, log, open } = setUp();
  log.skewMs = skewMs;
  const skews = [0, skewMs, -skewMs, 1];
  const isolates = skews.map(open);
  const entries: Entry[] = [];
  const gates: (() => void)[] = [];

  const deliverAll = (): void => {
    for (const gate of gates.splice(0)) gate();
    log.gate = undefined;
  };
  /** Whoever waits gets an answer: what is said of five seconds is said of a log that answers. */
  const caughtUp = async (at: number): Promise<SharedPurges> => {
    const wait = isolates[at]!.catchUp(deferred());
    if (wait !== undefined) deliverAll();
    await wait;
    return isolates[at]!;
  };
  const ask = async (at: number): Promise<void> => {
    const isolate = await caughtUp(at);
    for (const { scopes, asOf, filledBy, purgedBy, answeredMs } of entries) {
      const isHere = at === purgedBy && (filledBy === at || answeredMs !== undefined);
      const isOld = answeredMs !== undefined && clock.ms - answeredMs >= 5000;
      if (isHere || isOld) expect(isolate.lastOf(scopes)).toBeGreaterThan(asOf);
    }
  };
  const purge = (at: number, scope: PurgeScope): void => {
    const hit = entries.filter(
      ({ scopes, purgedBy, answeredMs }) =>
        scopes.includes(scope) && purgedBy === undefined && answeredMs === undefined,
    );
    for (const entry of hit) entry.purgedBy = at;
    void isolates[at]!.purge([scope]).then(() => {
      for (const entry of hit) entry.answeredMs ??= clock.ms;
    });
  };
  const take = async (it: Step): Promise<void> => {
    switch (it.kind) {
      case "time":
        return clock.advance(it.ms);
      case "ask":
        return ask(it.at);
      case "renew":
        isolates[it.at] = open(skews[it.at]);
        for (const entry of entries) {
          if (entry.purgedBy === it.at) entry.purgedBy = -1;
        }
        return;
      case "hold": {
        const held = gate();
        gates.push(held.open);
        log.gate = held.promise;
        return;
      }
      case "deliver":
        gates.splice(it.which, 1)[0]?.();
        return;
      case "fill": {
        const { last: asOf } = await caughtUp(it.at);
        const scopes = [EVERYTHING, tagScope(`${it.scope}`)];
        entries.push({ scopes, asOf, filledBy: it.at, purgedBy: undefined, answeredMs: undefined });
        return;
      }
      case "purge":
        return purge(it.at, it.scope === 4 ? EVERYTHING : tagScope(`${it.scope}`));
    }
  };
  const end = async (): Promise<void> => {
    deliverAll();
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(5000);
    for (const at of isolates.keys()) await ask(at);
  };
  return { take, end };
};

it("five seconds after a purge was answered, no entry whose fill began before it is good anywhere; where it was purged, none is at once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 80 }),
      fc.constantFrom(-100_000, 0, 100_000),
      async (steps, skewMs) => {
        const { take, end } = world(skewMs);
        for (const it of steps) {
          await take(it);
          // What was answered is taken before the next step.
          await new Promise((resolve) => setImmediate(resolve));
        }
        await end();
      },
    ),
    { numRuns: 1500 },
  );
});
