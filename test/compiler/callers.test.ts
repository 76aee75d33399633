import { describe, expect, it } from "vitest";
import { compiledApis, planOf, stepsOf } from "../support/compiling.ts";

const A = "a".repeat(63);
const LIMIT = "rateLimit: { limits: [{ name: plan, rate: plan, key: identity }] }";

interface Written {
  readonly plans?: string;
  readonly consumers?: string;
  readonly policies?: string;
  readonly more?: string;
}

const PLANS = "{ gold: { rate: 10/1m }, free: { rate: 5/1m } }";
/** The plans and another one. */
const plansAnd = (name: string): string => `${PLANS.slice(0, -2)}, ${name}: { rate: 9/1s } }`;
const CONSUMERS = `
  acme: { plan: gold, attributes: { tenant: acme, vip: true, regions: [eu], level: 3 }, keys: [{ id: k1, sha256: "${A}1", expires: 2027-06-30 }] }
  small: { plan: free, attributes: { tenant: small, level: high }, keys: [{ id: k1, sha256: "${A}2" }] }
`;

const compile = ({
  plans = PLANS,
  consumers = CONSUMERS,
  policies = `apiKey: {}, ${LIMIT}`,
  more = "",
}: Written) =>
  compiledApis(`${plans === "" ? "" : `plans: ${plans}`}
${consumers === "" ? "" : `consumers:${consumers}`}
apis:
  shop:
    hosts: [tenants]
    upstream: orders
    policies: { ${policies} }
    routes:
      buy: { match: { path: /buy } }
      sell: { match: { path: /sell }, policies: { apiKey: { inherit: true, consumers: [acme] } } }
${more}`);

const codes = (written: Written): readonly string[] => compile(written).codes;

describe("consumers in the plan", () => {
  it("stand there once, whichever routes take them, and policies name them", () => {
    const plan = planOf(compile({}));
    expect(plan.shared["consumers"]).toEqual({
      acme: {
        plan: "gold",
        attributes: { level: 3, regions: ["eu"], tenant: "acme", vip: true },
        // The last day is good to its end.
        keys: [{ id: "k1", sha256: `${A}1`, expiresMs: Date.parse("2027-07-01") }],
      },
      small: {
        plan: "free",
        attributes: { level: "high", tenant: "small" },
        keys: [{ id: "k1", sha256: `${A}2` }],
      },
    });
    const steps = ["shop.buy", "shop.sell"].map((id) =>
      JSON.stringify(stepsOf(plan, id).find(({ policy }) => policy === "identity")),
    );
    expect(steps[0]).toContain('"allowed":null');
    expect(steps[1]).toContain('"allowed":["acme"]');
    expect(JSON.stringify(plan.steps)).not.toContain(A);
  });

  it("come out the same in any order", () => {
    const [first, second] = CONSUMERS.trim().split("\n");
    const turned = `\n  ${second!.trim()}\n  ${first!.trim()}\n`;
    expect(planOf(compile({ consumers: turned })).hash).toBe(planOf(compile({})).hash);
  });

  it("are left out where no policy takes their keys", () => {
    const { plan, codes: told } = compiledApis(
      "apis: { shop: { public: true, upstream: orders, routes: { buy: { match: { path: /buy } } } } }",
    );
    expect(told).toEqual([]);
    expect(plan?.shared).not.toHaveProperty("consumers");
  });
});

describe("what is said of callers", () => {
  it.each<[string, Written, readonly string[]]>([
    ["nothing, where all is well", {}, []],
    [
      "a consumer whom no list names",
      { policies: `apiKey: { consumers: [acme] }, ${LIMIT}` },
      ["unused-name"],
    ],
    ["none whom a plan lets in", { policies: `apiKey: { plans: [gold, free] }, ${LIMIT}` }, []],
    ["a plan of nobody", { plans: plansAnd("huge") }, ["unused-name"]],
    ["not that of nobody in particular", { plans: plansAnd("anonymous") }, []],
    [
      "not of those who may be broken",
      { consumers: CONSUMERS.replace("plan: gold", "plan: { gold: 1 }") },
      ["wrong-type"],
    ],
    ["not of plans that may be broken", { plans: PLANS.replace("10/1m", "ten") }, ["bad-quantity"]],
    ["not of keys that may be broken", { consumers: CONSUMERS.replace(`${A}1`, "abc") }, ["bad-format"]],
    ["not what a mistyped policy may have meant", { policies: `apikey: {}, ${LIMIT}` }, ["unknown-policy"]],
    [
      "not what a policy at fault may have meant",
      { policies: `apiKey: { from: x }, ${LIMIT}` },
      ["wrong-type"],
    ],
  ])("%s", (_, written, wanted) => expect(codes(written)).toEqual(wanted));

  it("of a policy that many routes inherit, once", () => {
    expect(
      compile({ consumers: CONSUMERS.replace("plan: free, ", ""), plans: PLANS.replace(/, free.*/, " }") })
        .codes,
    ).toEqual(["caller-without-plan"]);
  });
});

describe("expressions", () => {
  const allow = (text: string): Written => ({
    policies: `jwt: {}, apiKey: {}, identity: { any: [jwt, apiKey] }, authorize: { allow: "${text}" }, headers: { request: { set: { x-caller: "{identity.id}" } } }`,
    more: "  other:\n    public: true\n    upstream: orders\n    routes: { r: { match: { path: /r } } }\n",
    plans: "",
    consumers: CONSUMERS.replaceAll(/plan: \w+, /g, ""),
  });

  it.each<[string, readonly string[]]>([
    ["(identity.kind == 'jwt' ? claims.sub : consumer.attributes.tenant) == params.tenant", []],
    ["consumer.attributes.vip", []],
    ["'eu' in consumer.attributes.regions", []],
    ["has(consumer.attributes.vip) && consumer.attributes.level == 3", []],
    ["consumer.name == 'acme' && consumer.plan == 'gold'", []],
    ["consumer.attributes.tenent == 'acme'", ["expression-unknown-name"]],
    ["consumer.attributes.tenant == 3", ["expression-type"]],
    ["consumer.id == 'acme'", ["expression-unknown-name"]],
  ])("%s", (text, wanted) => expect(codes(allow(text))).toEqual(wanted));
});
