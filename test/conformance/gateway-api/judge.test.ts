import { describe, expect, it } from "vitest";
import { type Answer, distributionFaults, faultsOf } from "./judge.ts";
import type { Case, Expectation } from "./suite.ts";

const echo = { backend: "v1", method: "GET", path: "/a?b=c", host: "api.test", headers: { "x-one": "1,2" } };

const judged = (expected: Expectation, answer: Partial<Answer> = {}): readonly string[] => {
  const it: Case = { id: "x", request: { method: "GET", path: "/a?b=c" }, expect: expected };
  return faultsOf(it, { status: 200, fields: {}, echo, ...answer }).map(({ of }) => of);
};

describe("an answer", () => {
  it.each<[string, Expectation, Partial<Answer>, readonly string[]]>([
    ["has one of the statuses", { status: [200, 204] }, { status: 204 }, []],
    ["has another status", { status: [200, 204] }, { status: 404 }, ["status"]],
    ["came from the backend", { status: [200], backend: "v1" }, {}, []],
    ["came from another backend", { status: [200], backend: "v2" }, {}, ["backend"]],
    ["came from no backend", { status: [200], backend: "v1" }, { echo: undefined }, ["backend"]],
    ["came from one of the backends", { status: [200], backend_one_of: ["v1", "v2"] }, {}, []],
    ["came from none of the backends", { status: [200], backend_one_of: ["v2"] }, {}, ["backend"]],
  ])("that %s", (_, expected, answer, faults) => {
    expect(judged(expected, answer)).toEqual(faults);
  });
});

describe("a request at the backend", () => {
  it.each<[string, NonNullable<Expectation["backend_request"]>, readonly string[]]>([
    [
      "is as it should be",
      { method: "GET", path: "/a?b=c", host: "api.test", headers: { "X-One": "1,2" } },
      [],
    ],
    ["has another method", { method: "POST" }, ["method"]],
    ["has another path", { path: "/a" }, ["path"]],
    ["has another host", { host: "other.test" }, ["host"]],
    ["has another value", { headers: { "X-One": "1" } }, ["sent x-one"]],
    ["lacks a field", { headers: { "X-Two": "2" } }, ["sent x-two"]],
    ["has a field that it should not have", { absent_headers: ["X-One"] }, ["sent x-one"]],
    ["has not a field that it should not have", { absent_headers: ["X-Two"] }, []],
  ])("that %s", (_, sent, faults) => {
    expect(judged({ status: [200], backend_request: sent })).toEqual(faults);
  });

  it("that names its backend in a field", () => {
    const expected = { status: [200], backend_request_header_equals_backend: "X-Backend" };
    expect(judged(expected, { echo: { ...echo, headers: { "x-backend": "v1" } } })).toEqual([]);
    expect(judged(expected, { echo: { ...echo, headers: { "x-backend": "v2" } } })).toEqual([
      "sent X-Backend",
    ]);
  });
});

describe("a field of the answer", () => {
  const fields = { "x-list": "a, b" };
  it.each<[string, NonNullable<Expectation["response"]>, readonly string[]]>([
    ["is exactly that", { headers: { "X-List": "a, b" } }, []],
    ["differs in a space", { headers: { "X-List": "a,b" } }, ["x-list"]],
    [
      "differs in a space, which does not matter",
      { one_of_headers: { "X-List": ["a,b"] }, ignore_whitespace: true },
      [],
    ],
    ["is none of those", { one_of_headers: { "X-List": ["b, a", "a"] } }, ["x-list"]],
    ["should not be there", { absent_headers: ["X-List"] }, ["x-list"]],
  ])("that %s", (_, response, faults) => {
    expect(judged({ status: [200], response }, { fields })).toEqual(faults);
  });
});

describe("a Location", () => {
  const any = {
    scheme: "same-as-request",
    host: "any",
    port: "default-for-scheme-or-absent",
    path: "same-as-request",
  };
  it.each<[string, Partial<typeof any>, readonly string[]]>([
    ["http://x.test/a?b=c", {}, []],
    ["http://x.test:80/a?b=c", {}, []],
    ["https://x.test:443/a?b=c", { scheme: "https" }, []],
    ["https://x.test:80/a?b=c", { scheme: "https" }, ["location port"]],
    ["https://x.test/a?b=c", {}, ["location scheme"]],
    ["http://x.test:8080/a?b=c", {}, ["location port"]],
    ["http://x.test:8080/a?b=c", { port: "8080" }, []],
    ["http://x.test/a?b=c", { port: "8080" }, ["location port"]],
    ["http://x.test/a?b=c", { host: "y.test" }, ["location host"]],
    ["http://x.test/b", { path: "/a" }, ["location path"]],
  ])("of %s, where %o is wanted", (location, wanted, faults) => {
    expect(judged({ status: [200], redirect: { ...any, ...wanted } }, { fields: { location } })).toEqual(
      faults,
    );
  });

  it("that is missing", () => {
    expect(judged({ status: [200], redirect: any })).toContain("location scheme");
  });
});

describe("shares", () => {
  const answers = (counts: Record<string, number>): Answer[] =>
    Object.entries(counts).flatMap(([backend, count]) =>
      Array.from({ length: count }, () => ({ status: 200, fields: {}, echo: { ...echo, backend } })),
    );
  const expected = { status: [200], distribution: { v1: 0.7, v2: 0.3, v3: 0 }, tolerance_abs: 0.05 };
  it.each<[Record<string, number>, readonly string[]]>([
    [{ v1: 70, v2: 30 }, []],
    [{ v1: 66, v2: 34 }, []],
    [{ v1: 60, v2: 40 }, ["share of v1", "share of v2"]],
    [{ v1: 69, v2: 30, v3: 1 }, ["share of v3"]],
  ])("of %o", (counts, faults) => {
    expect(distributionFaults(expected, answers(counts)).map(({ of }) => of)).toEqual(faults);
  });
});
