import { describe, expect, it } from "vitest";
import { MemoryCounter } from "../../src/adapters/memory/counter.ts";
import type { Identity } from "../../src/core/identity.ts";
import { filter, type Step } from "../../src/policies/rate-limit/filter.ts";
import { compiledApis, planOf, stepsOf } from "../support/compiling.ts";
import { FakeClock, fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";
import { clientAnswer } from "./compiling.ts";

const DIGEST = "a".repeat(63);
const CALLERS = `
plans:
  anonymous: { rate: 2/1h }
  free: { rate: 3/1h }
  gold: { rate: 6/1m }
consumers:
  acme: { plan: gold, keys: [{ id: k1, sha256: "${DIGEST}1" }] }
  small: { plan: free, keys: [{ id: k1, sha256: "${DIGEST}2" }] }
`;

interface Written {
  readonly callers?: string;
  readonly plan?: string;
  readonly limit?: string;
  readonly policies?: string;
  readonly gateway?: string;
}

/** Compiles a gateway whose route asks for a token, a key or nothing, and holds callers to their plans. */
const compiledPlans = ({
  callers = CALLERS,
  plan = "free",
  limit = "",
  policies = "jwt: {}, apiKey: {}, identity: { any: [jwt, apiKey, anonymous] }",
}: Written = {}) =>
  compiledApis(
    `${callers}
apis:
  shop:
    upstream: orders
    policies: { ${policies}, rateLimit: { limits: [{ name: plan, rate: plan, key: identity${limit} }] } }
    routes: { buy: { match: { path: /buy } } }
`,
    { issuer: plan === "" ? "" : `, plan: ${plan}` },
  );

const stepOf = (written: Written = {}): Step =>
  stepsOf(planOf(compiledPlans(written)), "shop.buy").find(({ policy }) => policy === "rateLimit")!
    .step as unknown as Step;

const NOBODY: Identity = { kind: "anonymous", id: "" };
const token = (subject: string, issuer = "main"): Identity => ({
  kind: "jwt",
  id: `main:${subject}`,
  issuer,
  subject,
});
const consumer = (name: string, plan?: string): Identity => ({
  kind: "apiKey",
  id: name,
  consumer: { name, attributes: {}, ...(plan === undefined ? {} : { plan }) },
});

/** Asks as one caller or another of one route. */
const gateway = (step: Step) => {
  const clock = new FakeClock();
  const handler = filter(step, fakePorts({ clock, isolateCounter: new MemoryCounter(clock) }), fakeSite())!(
    () => new Response("served"),
  );
  const ask = async (identity: Identity | undefined, clientIp = "192.0.2.1"): Promise<Response> => {
    const exchange = fakeExchange(new Request("https://api.example.com/buy"), { identity, clientIp });
    return clientAnswer(exchange, await handler(exchange));
  };
  const passed = async (times: number, ...caller: Parameters<typeof ask>): Promise<number> => {
    const answers = await Promise.all(Array.from({ length: times }, () => ask(...caller)));
    return answers.filter(({ status }) => status === 200).length;
  };
  return { ask, passed, clock };
};

describe("rate: plan", () => {
  it.each<[string, Identity | undefined, number, string]>([
    ["a consumer", consumer("acme", "gold"), 6, '"plan";q=6;w=60'],
    ["another consumer", consumer("small", "free"), 3, '"plan";q=3;w=3600'],
    ["a subject of an issuer", token("42"), 3, '"plan";q=3;w=3600'],
    ["nobody", NOBODY, 2, '"plan";q=2;w=3600'],
    ["who was not asked", undefined, 2, '"plan";q=2;w=3600'],
  ])("lets through what the plan of the caller says: %s", async (_, identity, quantity, policy) => {
    const { ask, passed } = gateway(stepOf());
    expect(await passed(10, identity)).toBe(quantity);
    const over = await ask(identity);
    expect(over.status).toBe(429);
    expect(over.headers.get("ratelimit-policy")).toBe(policy);
    expect(over.headers.get("ratelimit")).toMatch(/^"plan";r=0;t=\d+$/);
  });

  it("counts each caller apart, and nobody by address", async () => {
    const { passed } = gateway(stepOf());
    expect(await passed(9, token("1"))).toBe(3);
    expect(await passed(9, token("2"))).toBe(3);
    expect(await passed(9, NOBODY, "192.0.2.1")).toBe(2);
    expect(await passed(9, NOBODY, "192.0.2.2")).toBe(2);
  });

  it("keeps apart what one identity has by two plans", async () => {
    // Two issuers that name the same people may have given them different plans.
    const step = stepOf();
    const { passed } = gateway({
      ...step,
      callers: { ...step.callers!, issuers: { main: "free", jobs: "gold" } },
    });
    expect(await passed(9, token("1", "main"))).toBe(3);
    expect(await passed(9, token("1", "jobs"))).toBe(6);
  });

  it.each<[string, Identity]>([
    ["a consumer without plan", consumer("acme")],
    ["a consumer of a plan that is none", consumer("acme", "platinum")],
    ["a plan by a name of JavaScript's own", consumer("acme", "__proto__")],
    ["a caller whose issuer is spelled like one", { kind: "introspection", id: "x", issuer: "main" }],
    ["a caller of no issuer", { kind: "forwardAuth", id: "x" }],
    ["a caller of an issuer without plan", token("1", "constructor")],
  ])("refuses whoever has none: %s", async (_, identity) => {
    const answer = await gateway(stepOf()).ask(identity);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: "caller-without-plan" });
  });

  it("refuses nobody in a dry run", async () => {
    const step = stepOf();
    const dry = { ...step, groups: step.groups.map((group) => ({ ...group, dryRun: true })) };
    const { ask, passed } = gateway(dry);
    expect((await ask(consumer("acme"))).status).toBe(200);
    expect(await passed(9, NOBODY)).toBe(9);
  });

  it("takes a request's cost and the algorithm into account", async () => {
    const { ask, passed } = gateway(stepOf({ limit: ", cost: 2, algorithm: tokenBucket" }));
    const first = await ask(consumer("acme", "gold"));
    expect(first.headers.get("ratelimit")).toMatch(/^"plan";r=4;t=\d+$/);
    expect(await passed(9, consumer("acme", "gold"))).toBe(2);
  });

  it("stands beside limits that are the same for all", async () => {
    const step = stepOf();
    const [group] = step.groups;
    const fixed = {
      name: "all",
      bucket: "gateway all",
      key: "identity",
      cost: 1,
      policy: '"all";q=1;w=1',
    } as const;
    const limit = { algorithm: "fixedWindow", quantity: 4, windowMs: 1000 } as const;
    const both = { ...step, groups: [{ ...group!, limits: [{ ...fixed, limit }, ...group!.limits] }] };
    const { ask, passed } = gateway(both);
    expect(await passed(9, consumer("acme", "gold"))).toBe(4);
    expect((await ask(token("1"))).headers.get("ratelimit-policy")).toBe('"all";q=1;w=1, "plan";q=3;w=3600');
  });
});

describe("when compiled", () => {
  it("every caller has a plan, and nothing is to be said", () => {
    expect(compiledPlans().diagnostics).toEqual([]);
    expect(stepOf().callers).toEqual({ issuers: { main: "free" }, anonymous: true });
  });

  it.each<[string, Written, string, string]>([
    ["an issuer without", { plan: "" }, "caller-without-plan", "issuers.main may call here and has no plan."],
    [
      "a consumer without",
      { callers: CALLERS.replace("plan: gold, ", "").replace("  gold: { rate: 6/1m }\n", "") },
      "caller-without-plan",
      "consumers.acme may call here and has no plan.",
    ],
    [
      "nobody without",
      { callers: CALLERS.replace("  anonymous: { rate: 2/1h }\n", "") },
      "caller-without-plan",
      "Callers without identity may call here, and have no plan.",
    ],
    [
      "a policy whose callers have none",
      {
        policies:
          "jwt: {}, apiKey: {}, forwardAuth: { url: https://login.example.com/check, identity: x-user-id }, identity: { any: [jwt, apiKey, forwardAuth, anonymous] }",
      },
      "caller-without-plan",
      "Callers whom `forwardAuth` identifies have no plan.",
    ],
    [
      "a cost above a plan's rate",
      { limit: ", cost: 3" },
      "cost-over-rate",
      'One request costs more than the plan "anonymous" ever has.',
    ],
    [
      "another key",
      { limit: ", burst: 1, algorithm: fixedWindow" },
      "burst-without-bucket",
      "A fixedWindow has no burst.",
    ],
    [
      "an issuer with a plan that is none",
      { plan: "fre" },
      "unknown-name",
      '"main" has the plan "fre", and there is none of that name.',
    ],
  ])("tells of %s", (_, written, code, message) => {
    expect(compiledPlans(written).diagnostics).toMatchObject([{ code, message }]);
  });

  it("does not ask for a plan of consumers whom a route does not let in", () => {
    const callers = `${CALLERS}  other: { keys: [{ id: k1, sha256: "${DIGEST}3" }] }\n`;
    const policies = "jwt: {}, apiKey: { consumers: [acme, small] }, identity: { any: [jwt, apiKey] }";
    expect(compiledPlans({ callers, policies }).diagnostics.map(({ message }) => message)).toEqual([
      'No policy lets the consumer "other" in.',
    ]);
  });

  it("wants an identity for a plan", () => {
    const { diagnostics } = compiledApis(
      "apis:\n  shop:\n    upstream: orders\n    policies: { jwt: {}, rateLimit: { limits: [{ name: plan, rate: plan, key: ip }] } }\n    routes: { buy: { match: { path: /buy } } }\n",
    );
    expect(diagnostics).toMatchObject([{ code: "plan-without-identity", remedy: "Write `key: identity`." }]);
  });
});
