import { describe, expect, it } from "vitest";
import { compileTemplate } from "../../src/compiler/template.ts";

const NAMES = { params: ["orderId", "rest"], claims: ["sub", "tenant"], identified: true };

describe("templates", () => {
  it.each([
    ["text stays text", "plain", ["plain"]],
    ["nothing is nothing", "", []],
    ["a parameter", "{params.orderId}", [{ from: "params", name: "orderId" }]],
    [
      "text around references",
      "user:{identity.id}/{claims.tenant}!",
      ["user:", { from: "identity", name: "id" }, "/", { from: "claims", name: "tenant" }, "!"],
    ],
    ["the client", "{client.ip}", [{ from: "client", name: "ip" }]],
    [
      "the request",
      "{request.method}{request.scheme}{request.host}{request.path}{request.query}",
      ["method", "scheme", "host", "path", "query"].map((name) => ({ from: "request", name })),
    ],
    ["braces that hold no name are text", '{"a":1} { x } {} {1}', ['{"a":1} { x } {} {1}']],
  ])("%s", (_, text, parts) => {
    expect(compileTemplate(text, NAMES)).toEqual({ template: parts, faults: [] });
  });

  it.each([
    ["a parameter that the route has not", "{params.userId}", "Write {params.orderId} or {params.rest}."],
    ["a slip", "{params.orderID}", "Did you mean {params.orderId}?"],
    ["the bare name of a parameter", "{orderId}", "Write {params.orderId}."],
    ["the form of a match", "{rest...}", "Write {params.rest}."],
    [
      "a source that is none",
      "{user.id}",
      "A template names one of {params.…}, {identity.…}, {claims.…}, {client.ip} and {request.…}.",
    ],
    ["a source alone", "{params}", "Write {params.orderId} or {params.rest}."],
    [
      "a claim that nobody declared",
      "{claims.department}",
      "Declare the claim and its type under `claims` of its issuer.",
    ],
    [
      "a member of identity",
      "{identity.email}",
      "Write {identity.id}, {identity.kind}, {identity.issuer} or {identity.subject}.",
    ],
    [
      "a header of the request",
      "{request.headers.cookie}",
      "Write {request.method}, {request.scheme}, {request.host}, {request.path} or {request.query}.",
    ],
    ["a name of JavaScript's own", "{params.constructor}", "Write {params.orderId} or {params.rest}."],
    [
      "a source of JavaScript's own",
      "{constructor.name}",
      "A template names one of {params.…}, {identity.…}, {claims.…}, {client.ip} and {request.…}.",
    ],
  ])("%s is a fault", (_, text, remedy) => {
    const { faults } = compileTemplate(`ab${text}c`, NAMES);
    expect(faults).toMatchObject([{ offset: 2, length: text.length, code: "template-unknown-name", remedy }]);
  });

  it("every fault of a text is told", () => {
    expect(compileTemplate("{x}{params.orderId}{y}", NAMES).faults.map(({ offset }) => offset)).toEqual([
      0, 19,
    ]);
  });

  it.each(["{identity.id}", "{claims.sub}"])("%s needs a caller", (text) => {
    const { faults } = compileTemplate(text, { ...NAMES, identified: false });
    expect(faults[0]?.message).toContain("does not ask who is calling");
  });

  it("a route without parameters has none to name", () => {
    const { faults } = compileTemplate("{params.x}", { ...NAMES, params: [] });
    expect(faults[0]?.remedy).toBe("Remove it: this route has no parameters.");
  });
});
