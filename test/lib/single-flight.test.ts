import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SingleFlight } from "../../src/lib/single-flight.ts";

/** Work that ends when it is told to. */
const steered = () => {
  let end: (result: string) => void = () => {};
  const promise = new Promise<string>((resolve) => {
    end = resolve;
  });
  return { work: () => promise, end };
};

/** Whether a promise has settled, once everything that can go on has gone on. */
const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  return done;
};

describe("one flight at a time", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is under way until its result is taken", async () => {
    const flight = new SingleFlight(100);
    const { work, end } = steered();
    const taken: string[] = [];
    expect(flight.isUnderWay(0)).toBe(false);
    const landed = flight.begin(0, work, (result) => void taken.push(result));
    expect(flight.isUnderWay(99)).toBe(true);
    expect(await settled(landed)).toBe(false);
    end("a");
    await landed;
    expect({ taken, underWay: flight.isUnderWay(99) }).toEqual({ taken: ["a"], underWay: false });
  });

  it("wakes all who wait, after its result is taken, and leaves no timer", async () => {
    const flight = new SingleFlight(100);
    const { work, end } = steered();
    const seen: string[] = [];
    void flight.begin(0, work, (result) => void seen.push(result));
    const waiting = [flight.wait(), flight.wait()].map((promise, index) =>
      promise.then(() => void seen.push(`waiter ${index}`)),
    );
    end("taken");
    await Promise.all(waiting);
    expect(seen).toEqual(["taken", "waiter 0", "waiter 1"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is lost with its request: who waits goes on after the lease, and other work may begin", async () => {
    const flight = new SingleFlight(100);
    void flight.begin(0, steered().work, () => {});
    const waiting = flight.wait();
    await vi.advanceTimersByTimeAsync(99);
    expect(await settled(waiting)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await settled(waiting)).toBe(true);
    expect(flight.isUnderWay(100)).toBe(false);
  });

  it("takes nothing of work that was overtaken, but wakes who waited for it", async () => {
    const flight = new SingleFlight(100);
    const [late, next] = [steered(), steered()];
    const taken: string[] = [];
    const take = (result: string): void => void taken.push(result);
    const overtaken = flight.begin(0, late.work, take);
    const waiting = flight.wait();
    const landed = flight.begin(100, next.work, take);
    late.end("late");
    await overtaken;
    await waiting;
    expect({ taken, underWay: flight.isUnderWay(101) }).toEqual({ taken: [], underWay: true });
    next.end("next");
    await landed;
    expect(taken).toEqual(["next"]);
  });

  it("is not waited for where there is none", async () =>
    expect(await settled(new SingleFlight(100).wait())).toBe(true));
});
