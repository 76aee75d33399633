import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../src/compiler/compile.ts";
import { ON_PURPOSE } from "../conformance/gateway-api/gaps.ts";
import { type Backends, startBackends } from "../conformance/gateway-api/origins.ts";
import { type Case, plainTests, type SuiteTest, suite } from "../conformance/gateway-api/suite.ts";
import { policyText, type Translated, translate } from "../conformance/gateway-api/translate.ts";
import { tryCase } from "../conformance/gateway-api/trial.ts";
import { type Served, serve } from "../support/served.ts";

// The HTTPRoute cases of the Kubernetes Gateway API, as far as one plain listener can serve them, against the production
// bundle on plain workerd. All tests share one gateway: each whose routes take any host has a host of its own. A rule that
// the language refuses is left out of it, and its cases stand in conformance/gateway-api/gaps.ts.

let backends: Backends;
let gateway: Served;
/** Codes with which the language refused rules, by test. */
const refusals = new Map<string, Set<string>>();

const errorsOf = (text: string): readonly string[] =>
  compile({ policies: [{ file: "case.yaml", text }], openapi: new Map() }, "local")
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ code }) => code);

/** The rules of a test that the language takes, each compiled by itself; the others are noted. */
const acceptedRules = (test: SuiteTest): readonly Translated[] =>
  translate(test, backends.urls).filter((rule) => {
    const codes = errorsOf(policyText({ case: [rule] }));
    if (codes.length === 0) return true;
    refusals.set(test.test, new Set([...(refusals.get(test.test) ?? []), ...codes]));
    return false;
  });

beforeAll(async () => {
  backends = await startBackends();
  const apis = plainTests
    .map((test, index) => [`t${index + 1}`, acceptedRules(test)] as const)
    .filter(([, rules]) => rules.length > 0);
  const text = policyText(Object.fromEntries(apis));
  gateway = await serve({ files: { "gateway.yaml": text }, args: ["--env", "local"] });
});

afterAll(async () => {
  expect(await gateway?.stop()).toBe(0);
  await backends?.stop();
});

/** The title says which cases pass here because they do not hold. */
const titleOf = ({ id, request }: Case): string => {
  const other = ON_PURPOSE[id] === undefined ? "" : "DOES NOT HOLD, ON PURPOSE: ";
  return `${other}${id}, ${request.method} ${request.host ?? ""}${request.path}`;
};

describe.each(plainTests)("$test", (test) => {
  const titled = test.cases.map((one) => [titleOf(one), one] as const);
  it.each(titled)("%s", async (_, it) => {
    const { answers, faults } = await tryCase(it, test, { port: gateway.port, backends });
    const gap = ON_PURPOSE[it.id];
    if (gap === undefined) {
      expect(faults).toEqual([]);
      return;
    }
    if (gap.refused !== undefined) {
      expect([...(refusals.get(test.test) ?? [])]).toContain(gap.refused);
      expect(faults, "it holds: take it off the list").not.toEqual([]);
      return;
    }
    expect(faults.map(({ of }) => of)).toEqual(gap.differs);
    // What the client asked for is told all the same.
    if (gap.differs!.includes("host")) {
      expect(answers.map(({ echo }) => echo?.headers["x-forwarded-host"])).toEqual([it.request.host]);
    }
  });
});

describe("the origins keep to the suite's contract", () => {
  const ask = (target: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(backends.urls["infra-backend-v3"] + target, { headers });

  it("by naming themselves and the request as it came", async () => {
    const response = await ask("/one?two=3", { "x-echo-set-header": "X-One:1,X-Two:2" });
    expect(await response.json()).toMatchObject({
      backend: "infra-backend-v3",
      method: "GET",
      path: "/one?two=3",
      headers: { "x-echo-set-header": "X-One:1,X-Two:2" },
    });
    expect([response.headers.get("x-one"), response.headers.get("x-two")]).toEqual(["1", "2"]);
  });

  it("by failing as often as they are told, and then no more", async () => {
    const statuses: number[] = [];
    for (let time = 0; time < 4; time++)
      statuses.push((await ask("/retry/x?uuid=a&responseCode=503&succeedAfter=2")).status);
    expect(statuses).toEqual([503, 503, 200, 200]);
  });

  it("by resetting the connection where no status is named", async () => {
    await expect(ask("/retry/x?uuid=b&succeedAfter=1")).rejects.toThrow();
    expect((await ask("/retry/x?uuid=b&succeedAfter=1")).status).toBe(200);
  });
});

describe("the lists", () => {
  const cases = plainTests.flatMap(({ test, cases: list }) => list.map(({ id }) => ({ test, id })));

  it("hold every test that one plain listener can serve", () => {
    const { cases_single_plain_listener: pairs, tests_single_plain_listener: tests } = suite.about.counts;
    expect([plainTests.length, cases.length]).toEqual([tests, pairs]);
  });

  it("name only cases that are there", () => {
    const ids = cases.map(({ id }) => id);
    expect(Object.keys(ON_PURPOSE).filter((id) => !ids.includes(id))).toEqual([]);
  });

  it("explain every rule that the language refuses", () => {
    const explained = (test: string): boolean =>
      cases.some((one) => one.test === test && ON_PURPOSE[one.id]?.refused !== undefined);
    expect([...refusals.keys()].filter((test) => !explained(test))).toEqual([]);
  });

  it("grow shorter with the product", () => {
    const refused = Object.keys(ON_PURPOSE).length;
    expect({ held: cases.length - refused, refused }).toEqual({ held: 220, refused: 11 });
  });
});
