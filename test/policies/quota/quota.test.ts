import { describe, expect, it } from "vitest";
import { type CallerPlans, linkCallerPlan } from "../../../src/core/caller-plan.ts";
import type { Identity } from "../../../src/core/identity.ts";
import { filter, type Step } from "../../../src/policies/quota/filter.ts";
import { quota } from "../../../src/policies/quota/policy.ts";
import { compiledApis, planOf, stepsOf } from "../../support/compiling.ts";
import { FakeClock, fakeExchange, fakePorts, fakeSite } from "../../support/ports.ts";
import { type At, clientAnswer, compilePolicy } from "../compiling.ts";

const KNOWN = { identity: { policies: ["apiKey"] } };
const stepOf = (configs: readonly At[]): Step => {
  const { step, faults } = compilePolicy(quota, configs, "only", KNOWN);
  expect(faults).toEqual([]);
  return step as Step;
};
const limits = (...list: readonly Record<string, unknown>[]): At => ({ config: { limits: list } });

const consumer = (name: string, plan?: string): Identity => ({
  kind: "apiKey",
  id: name,
  consumer: { name, attributes: {}, ...(plan === undefined ? {} : { plan }) },
});

interface Asked {
  readonly identity?: Identity;
  readonly clientIp?: string;
  readonly headers?: Record<string, string>;
  readonly told?: string;
}

/** Asks through a quota; time is told by the test. */
const gateway = (step: Step, at = "2026-01-31T23:59:30Z") => {
  const clock = new FakeClock();
  clock.ms = Date.parse(at);
  const handler = filter(step, fakePorts({ clock }), fakeSite())!(
    () => new Response("served", { headers: { ratelimit: '"theirs";r=1;t=1' } }),
  );
  const ask = async ({ identity, clientIp = "192.0.2.1", headers = {}, told }: Asked = {}) => {
    const exchange = fakeExchange(new Request("https://api.example.com/", { headers }), {
      identity,
      clientIp,
    });
    if (told !== undefined) exchange.answerEdits.push({ op: "set", name: "ratelimit", value: told });
    return clientAnswer(exchange, await handler(exchange));
  };
  const passed = async (times: number, asked?: Asked): Promise<number> => {
    const answers = await Promise.all(Array.from({ length: times }, () => ask(asked)));
    return answers.filter(({ status }) => status === 200).length;
  };
  return { ask, passed, clock };
};

describe("a quota", () => {
  it.each<[period: string, seconds: number, length: number]>([
    ["hour", 30, 3600],
    ["day", 30, 86_400],
    ["week", 30 + 86_400, 7 * 86_400],
    ["month", 30, 31 * 86_400],
    ["year", 30 + 334 * 86_400, 365 * 86_400],
  ])("over a %s refuses until it ends", async (period, seconds, length) => {
    const { ask, passed, clock } = gateway(
      stepOf([limits({ name: "all", quota: `2/${period}`, key: "ip" })]),
    );
    const first = await ask();
    expect(first.headers.get("ratelimit-policy")).toBe(`"all";q=2;w=${length}`);
    expect(first.headers.get("ratelimit")).toBe(`"all";r=1;t=${seconds}`);
    expect(await passed(5)).toBe(1);
    const over = await ask();
    expect(over.status).toBe(429);
    expect(over.headers.get("retry-after")).toBe(String(seconds));
    expect(over.headers.get("ratelimit")).toBe(`"all";r=0;t=${seconds}`);
    expect(over.headers.get("cache-control")).toBe("no-store");
    expect(await over.json()).toMatchObject({ code: "quota-exceeded", "violated-policies": ["all"] });
    clock.advance(seconds * 1000 - 1);
    expect(await passed(5)).toBe(0);
    clock.advance(1);
    expect(await passed(5)).toBe(2);
  });

  it("tells the length of each month", async () => {
    const { ask, clock } = gateway(stepOf([limits({ name: "all", quota: "9/month", key: "ip" })]));
    clock.advance(30_000);
    expect((await ask()).headers.get("ratelimit-policy")).toBe(`"all";q=9;w=${28 * 86_400}`);
  });

  it.each<[unknown, Asked, Asked]>([
    ["ip", { clientIp: "192.0.2.1" }, { clientIp: "192.0.2.2" }],
    ["identity", { identity: consumer("a") }, { identity: consumer("b") }],
    ["identity", { clientIp: "192.0.2.1" }, { clientIp: "192.0.2.2" }],
    [{ header: "x-tenant" }, { headers: { "x-tenant": "a" } }, {}],
  ])("counts by %j", async (key, one, other) => {
    const { passed } = gateway(stepOf([limits({ name: "all", quota: "2/day", key })]));
    expect(await passed(5, one)).toBe(2);
    expect(await passed(5, other)).toBe(2);
    expect(await passed(5, one)).toBe(0);
  });

  it("is charged what a request costs", async () => {
    const { passed, ask } = gateway(stepOf([limits({ name: "all", quota: "10/day", key: "ip", cost: 4 })]));
    expect(await passed(5)).toBe(2);
    expect((await ask()).headers.get("ratelimit")).toBe('"all";r=2;t=30');
  });

  it("adds up over the levels, and charges none where one refuses", async () => {
    const step = stepOf([
      { ...limits({ name: "outer", quota: "5/day", key: "ip" }), level: "gateway", node: "gateway" },
      limits({ name: "inner", quota: "2/hour", key: "ip" }),
    ]);
    const { ask, passed, clock } = gateway(step);
    expect(await passed(9)).toBe(2);
    const over = await ask();
    expect(over.headers.get("ratelimit")).toBe('"outer";r=3;t=30, "inner";r=0;t=30');
    clock.ms = Date.parse("2026-02-01T05:00:00Z");
    expect(await passed(9)).toBe(2);
    clock.advance(3_600_000);
    expect(await passed(9)).toBe(2);
    clock.advance(3_600_000);
    const last = [(await ask()).status, await ask()] as const;
    expect(last[0]).toBe(200);
    expect(await last[1].json()).toMatchObject({ code: "quota-exceeded", "violated-policies": ["outer"] });
  });

  it("says to come back when the last of those that are used up has ended", async () => {
    const short = { name: "short", quota: "1/hour", key: "ip" };
    const { ask } = gateway(stepOf([limits(short, { name: "long", quota: "1/week", key: "ip" })]));
    await ask();
    const over = await ask();
    expect(over.headers.get("retry-after")).toBe(String(30 + 86_400));
    expect(await over.json()).toMatchObject({ "violated-policies": ["short", "long"] });
  });

  it("replaces what the upstream says of its own, and goes behind what limits of the gateway said", async () => {
    const { ask } = gateway(stepOf([limits({ name: "all", quota: "5/day", key: "ip" })]));
    expect((await ask()).headers.get("ratelimit")).toBe('"all";r=4;t=30');
    expect((await ask({ told: '"limit";r=1;t=1' })).headers.get("ratelimit")).toBe(
      '"limit";r=1;t=1, "all";r=3;t=30',
    );
  });
});

describe("quota: plan", () => {
  const DIGEST = "a".repeat(63);
  const compile = (plans: string, limit = "name: mine, quota: plan, key: identity", small = "free") =>
    compiledApis(`
plans: ${plans}
consumers:
  acme: { plan: gold, keys: [{ id: k1, sha256: "${DIGEST}1" }] }
  small: { ${small === "" ? "" : `plan: ${small}, `}keys: [{ id: k1, sha256: "${DIGEST}2" }] }
apis:
  shop:
    upstream: orders
    policies:
      apiKey: {}
      rateLimit: { limits: [{ name: rate, rate: 100/1m, key: identity }] }
      quota: { limits: [{ ${limit} }] }
    routes: { buy: { match: { path: /buy } } }
`);
  const PLANS = "{ gold: { rate: 9/1s, quota: 3/day }, free: { rate: 9/1s } }";
  const quotaStep = (): Step =>
    stepsOf(planOf(compile(PLANS)), "shop.buy").find(({ policy }) => policy === "quota")!
      .step as unknown as Step;

  it("runs behind the limits", () => {
    const policies = stepsOf(planOf(compile(PLANS)), "shop.buy").map(({ policy }) => policy);
    expect(policies.indexOf("quota")).toBe(policies.lastIndexOf("rateLimit") + 1);
  });

  it.each<[string, Identity | undefined, number]>([
    ["what the plan says", consumer("acme", "gold"), 3],
    ["everything where the plan has no quota", consumer("small", "free"), 9],
    ["nobody who has no plan", consumer("other"), 0],
    ["nobody with a plan by a name of JavaScript's own", consumer("other", "constructor"), 0],
    ["nobody without identity", undefined, 0],
  ])("lets through %s", async (_, identity, quantity) => {
    const { passed } = gateway(quotaStep());
    expect(await passed(9, identity === undefined ? {} : { identity })).toBe(quantity);
  });

  it("keeps apart what one identity has by two plans", async () => {
    const { passed } = gateway(
      stepsOf(
        planOf(compile("{ gold: { rate: 9/1s, quota: 3/day }, free: { rate: 9/1s, quota: 2/year } }")),
        "shop.buy",
      ).find(({ policy }) => policy === "quota")!.step as unknown as Step,
    );
    expect(await passed(9, { identity: consumer("acme", "free") })).toBe(2);
    expect(await passed(9, { identity: consumer("acme", "gold") })).toBe(3);
  });

  it("refuses who has no plan with 403", async () => {
    const answer = await gateway(quotaStep()).ask({ identity: consumer("other") });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: "caller-without-plan" });
  });

  it.each<[string, string, string | undefined, string | undefined, string[]]>([
    ["all is well", PLANS, undefined, undefined, ["plans-without-limit"]],
    [
      "no plan has a quota",
      "{ gold: { rate: 9/1s }, free: { rate: 9/1s } }",
      undefined,
      undefined,
      ["plans-without-limit", "plans-without-quota"],
    ],
    [
      "a caller has no plan",
      "{ gold: { rate: 9/1s, quota: 3/day } }",
      undefined,
      "",
      ["plans-without-limit", "caller-without-plan"],
    ],
    [
      "a request costs more than there is",
      PLANS,
      "name: mine, quota: plan, key: identity, cost: 4",
      undefined,
      ["plans-without-limit", "cost-over-quota"],
    ],
    [
      "no quota takes that of plans",
      PLANS,
      "name: mine, quota: 5/day, key: identity",
      undefined,
      ["plans-without-limit", "quota-without-effect"],
    ],
  ])("where %s", (_, plans, limit, small, codes) => {
    expect([...compile(plans, limit, small).codes].sort()).toEqual([...codes].sort());
  });

  it("knows the plan of a caller", () => {
    const callers: CallerPlans = { issuers: { main: "free" }, anonymous: true };
    const exchange = fakeExchange(new Request("https://api.example.com/"), {
      identity: consumer("acme", "gold"),
    });
    expect(linkCallerPlan(callers)(exchange)).toBe("gold");
  });
});

describe("the settings of a quota", () => {
  it.each<[string, Record<string, unknown>, string, string]>([
    ["a quota of nothing", { quota: "0/month" }, "bad-quantity", "limits.0.quota"],
    ["a quota over a time", { quota: "10/30d" }, "bad-quantity", "limits.0.quota"],
    ["a date", { quota: "10/2026-01-01" }, "bad-quantity", "limits.0.quota"],
    ["a number", { quota: 10 }, "invalid_type", "limits.0.quota"],
    ["a cost that is never there", { cost: 11 }, "cost-over-quota", "limits.0.cost"],
    ["a plan by address", { quota: "plan" }, "plan-without-identity", "limits.0.key"],
  ])("refuse %s", (_, over, code, at) => {
    const config = { limits: [{ name: "all", quota: "10/day", key: "ip", ...over }] };
    expect(compilePolicy(quota, [{ config }]).faults).toMatchObject([{ code, at }]);
  });

  it("refuse two of one name, at one level or at two", () => {
    const one = { name: "all", quota: "10/day", key: "ip" };
    expect(compilePolicy(quota, [limits(one, one)]).faults).toMatchObject([{ code: "duplicate-limit" }]);
    const levels: At[] = [{ ...limits(one), level: "gateway", node: "gateway" }, limits(one)];
    expect(compilePolicy(quota, levels).faults).toMatchObject([{ code: "duplicate-limit" }]);
  });

  it("leave public routes out where they are written above, and refuse to be written there", () => {
    const config = { limits: [{ name: "all", quota: "10/day", key: "identity" }] };
    expect(compilePolicy(quota, [{ config, level: "gateway", node: "gateway" }])).toEqual({
      step: undefined,
      faults: [],
    });
    expect(compilePolicy(quota, [{ config }]).faults).toMatchObject([
      { code: "identity-key-on-public-route" },
    ]);
  });
});
