import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Exchange } from "../../src/core/exchange.ts";
import type { FilterFactory } from "../../src/core/policy.ts";
import { filter, type Step } from "../../src/policies/fault/filter.ts";
import { fault } from "../../src/policies/fault/policy.ts";
import { fakeExchange, fakePorts, fakeSite, seededRandom } from "../support/ports.ts";
import { compilePolicy } from "./compiling.ts";

const DEVELOPMENT = { gateway: { development: true } };

const stepOf = (config: unknown): Step => {
  const { step, faults } = compilePolicy(fault, [{ config }], "only", DEVELOPMENT);
  expect(faults).toEqual([]);
  return step as Step;
};

/** A route with the policy: what it answers, and how often its upstream was asked. */
const routeWith = (config: unknown, draw: () => number = () => 0) => {
  let asked = 0;
  const ports = fakePorts({ random: { number: draw, uuid: () => "uuid" } });
  const linked = (filter as FilterFactory<Step>)(stepOf(config), ports, fakeSite({}, { development: true }))!;
  const handler = linked(() => {
    asked++;
    return new Response("from the upstream");
  });
  const exchange = (): Exchange => fakeExchange(new Request("https://api.example.com/"));
  return { ask: (it = exchange()) => handler(it), asked: () => asked };
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("an abort", () => {
  it("answers with its status in place of the upstream", async () => {
    const route = routeWith({ abort: 503 });
    const exchange = fakeExchange(new Request("https://api.example.com/"));
    const answer = await route.ask(exchange);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: "fault-injected", status: 503 });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.headers.get("proxy-status")).toBe('postern; details="fault-injected"');
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(exchange.problemCode).toBe("fault-injected");
    expect(route.asked()).toBe(0);
  });

  it.each([
    [429, "1"],
    [503, "1"],
    [500, null],
    [404, null],
  ])("of %i says when to come back: %s", async (abort, seconds) => {
    expect((await routeWith({ abort }).ask()).headers.get("retry-after")).toBe(seconds);
  });
});

describe("a delay", () => {
  it("holds the request back for so long, and then lets it go on", async () => {
    const route = routeWith({ delay: "200ms" });
    const pending = route.ask();
    await vi.advanceTimersByTimeAsync(199);
    expect(route.asked()).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(route.asked()).toBe(1);
    expect(await (await pending).text()).toBe("from the upstream");
  });

  it("comes before an abort", async () => {
    const route = routeWith({ delay: "1s", abort: 500 });
    let status: number | undefined;
    void Promise.resolve(route.ask()).then((answer) => {
      status = answer.status;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(status).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect([status, route.asked()]).toEqual([500, 0]);
  });

  it("passes on what the rest of the route throws", async () => {
    const ports = fakePorts();
    const linked = filter(stepOf({ delay: "1ms" }), ports, fakeSite({}, { development: true }))!;
    const handler = linked(() => {
      throw new Error("a bug");
    });
    const caught = Promise.resolve(handler(fakeExchange(new Request("https://a.example/")))).catch(
      (error: Error) => error.message,
    );
    await vi.advanceTimersByTimeAsync(1);
    expect(await caught).toBe("a bug");
  });
});

describe("the share", () => {
  it.each([
    ["below it the fault strikes", 0.0999, 503],
    ["at it and above it does not", 0.1, 200],
  ])("%s", async (_, drawn, status) => {
    expect((await routeWith({ abort: 503, share: "10%" }, () => drawn).ask()).status).toBe(status);
  });

  it("holds over many requests", async () => {
    const route = routeWith({ abort: 503, share: "25%" }, seededRandom());
    let struck = 0;
    for (let request = 0; request < 2000; request++) if ((await route.ask()).status === 503) struck++;
    expect(struck / 2000).toBeCloseTo(0.25, 1);
  });

  it("is all of them unless said otherwise", () => {
    expect(stepOf({ abort: 503 })).toEqual({ share: 1, status: 503 });
  });

  it("of nothing installs nothing", () => {
    expect(stepOf({ abort: 503, share: "0%" })).toBeUndefined();
  });
});

describe("outside development", () => {
  it("is a diagnostic, at the policy's name", () => {
    const { step, faults } = compilePolicy(fault, [{ config: { abort: 503 } }]);
    expect(step).toBeUndefined();
    expect(faults).toMatchObject([{ code: "development-only", at: "" }]);
  });

  it("is not linked either, should a plan of development get there", () => {
    expect(filter({ share: 1, status: 503 }, fakePorts(), fakeSite())).toBeUndefined();
  });
});

describe("what the policy refuses", () => {
  it.each([
    ["neither a delay nor an abort", {}, "fault-without-effect", ""],
    ["a share alone", { share: "10%" }, "fault-without-effect", ""],
    ["a status of success", { abort: 200 }, "too_small", "abort"],
    ["a status that is none", { abort: 600 }, "too_big", "abort"],
    ["a status as a text", { abort: "503" }, "invalid_type", "abort"],
    ["no time at all", { delay: "0s" }, "custom", "delay"],
    ["a time that nobody waits for", { delay: "11m" }, "custom", "delay"],
    ["a time without its unit", { delay: "200" }, "bad-quantity", "delay"],
    ["more than everything", { abort: 503, share: "101%" }, "bad-quantity", "share"],
    ["an unknown key", { abort: 503, percent: "10%" }, "unrecognized_keys", ""],
  ])("%s", (_, config, code, at) => {
    expect(compilePolicy(fault, [{ config }], "only", DEVELOPMENT).faults).toMatchObject([{ code, at }]);
  });
});
