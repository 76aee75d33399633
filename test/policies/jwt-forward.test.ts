import { beforeAll, describe, expect, it } from "vitest";
import { fakeExchange } from "../support/ports.ts";
import {
  codeOf,
  goodClaims,
  issuerWith,
  judge,
  linkJwt,
  makeKey,
  request,
  type SigningKey,
  sign,
} from "./jwt-support.ts";

let es: SigningKey;
beforeAll(async () => {
  es = await makeKey("ES256");
});

describe("what goes to the upstream", () => {
  const forward = { "x-user-id": "sub", "x-roles": "roles" };
  it("loses the token and every header that the policy can set, whatever comes of it (S7)", () => {
    expect(linkJwt([issuerWith([es])], { forward }).always).toEqual([
      { op: "remove", name: "x-user-id" },
      { op: "remove", name: "x-roles" },
      { op: "remove", name: "authorization" },
    ]);
  });
  it("keeps the token when the policy says so", () => {
    expect(linkJwt([issuerWith([es])], { forwardCredential: true }).always).toEqual([]);
  });
  it("loses the header of its own that carried the token", () => {
    const policy = linkJwt([issuerWith([es])], { from: { in: "header", name: "x-token" } });
    expect(policy.always).toEqual([{ op: "remove", name: "x-token" }]);
  });
  it.each<[string, unknown, string | undefined]>([
    ["text", "42", "42"],
    ["a number", 7, "7"],
    ["a boolean", false, "false"],
    ["a list", ["a", "b"], "a,b"],
    ["a member with a comma", ["a,b", "c"], "a%2Cb,c"],
    ["an empty list", [], ""],
    ["a list with a map", ["a", {}], undefined],
    ["a map", { a: 1 }, undefined],
    ["null", null, undefined],
    ["letters beyond ASCII", "Zoë", "Zo%C3%AB"],
    ["a line break", "a\r\nx-admin: 1", "a%0D%0Ax-admin: 1"],
    ["blanks at both ends", " 42 ", "%2042%20"],
    ["half a surrogate pair", "\ud800", "%EF%BF%BD"],
  ])("a claim that is %s", async (_, roles, value) => {
    const policy = linkJwt([issuerWith([es])], { forward: { "x-roles": "roles" } });
    const verdict = await judge(policy, await sign(es, { ...goodClaims, roles }));
    const edits = value === undefined ? [] : [{ op: "set", name: "x-roles", value }];
    expect(verdict).toMatchObject({ outcome: "passed", edits });
    expect(() => new Headers([["x-roles", value ?? ""]])).not.toThrow();
  });
  it("sets nothing from a claim that only objects have", async () => {
    const policy = linkJwt([issuerWith([es])], { forward: { "x-a": "constructor", "x-b": "toString" } });
    expect(await judge(policy, await sign(es))).toMatchObject({ edits: [] });
  });
  it.each([
    ["a=b; sid=TOKEN; c=d", { op: "set", name: "cookie", value: "a=b; c=d" }],
    ["sid=TOKEN", { op: "remove", name: "cookie" }],
    ["sid = TOKEN;a=b", { op: "set", name: "cookie", value: "a=b" }],
  ])("loses the token's cookie: %s", async (cookie, edit) => {
    const exchange = fakeExchange(request({ cookie: cookie.replace("TOKEN", await sign(es)) }));
    await linkJwt([issuerWith([es])], { from: { in: "cookie", name: "sid" } }).authenticate(exchange);
    expect(exchange.requestEdits).toEqual([edit]);
  });
  it.each([
    ["?a=1&token=TOKEN&b=%20", "?a=1&b=%20"],
    ["?token=TOKEN", ""],
    ["?%74oken=TOKEN&tokens=1", "?tokens=1"],
  ])("loses the token's query parameter: %s", async (query, upstreamQuery) => {
    const url = `https://api.example.com/users/42${query.replace("TOKEN", await sign(es))}`;
    const exchange = fakeExchange(request({}, url));
    const policy = linkJwt([issuerWith([es])], { from: { in: "query", name: "token" } });
    expect(codeOf(await policy.authenticate(exchange))).toBe("passed");
    expect(exchange.upstreamQuery).toBe(upstreamQuery);
  });
});
