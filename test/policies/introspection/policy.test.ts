import { describe, expect, it } from "vitest";
import { introspection } from "../../../src/policies/introspection/policy.ts";
import { compilePolicy } from "../compiling.ts";
import { step } from "./support.ts";

const least = {
  url: "https://login.example.com/introspect",
  client: { id: "gate way", secret: { env: "CLIENT_SECRET" } },
};
const compile = (config: object) => compilePolicy(introspection, [{ config: { ...least, ...config } }]);

describe("introspection in a policy file", () => {
  it("has defaults", () => expect(compile({})).toEqual({ step, faults: [] }));

  it.each<[object, object]>([
    [{ url: "http://10.0.0.1/x" }, { server: { url: "http://10.0.0.1/x", network: "private" } }],
    [{ url: "http://login.internal/x", network: "private" }, { server: { network: "private" } }],
    [{ client: { id: "a", secret: { env: "B" } } }, { server: { clientId: "a", secret: "B" } }],
    [{ timeout: "1s" }, { server: { timeoutMs: 1000 } }],
    [{ cacheFor: "0s" }, { server: { cacheForMs: 0 } }],
    [{ issuer: "main" }, { issuer: "main" }],
    [{ audiences: ["shop"] }, { audiences: ["shop"] }],
    [{ from: { cookie: "session" } }, { from: { in: "cookie", name: "session" } }],
    [{ from: { header: "X-Token" } }, { from: { in: "header", name: "x-token" } }],
    [{ scopes: { all: ["a"] } }, { scopes: { any: [], all: ["a"] } }],
    [{ forward: { "X-User-Id": "sub" } }, { forward: { "x-user-id": "sub" } }],
    [{ forwardCredential: true }, { forwardCredential: true }],
  ])("%o", (config, expected) => {
    const { step: made, faults } = compile(config);
    expect(faults).toEqual([]);
    expect(made).toMatchObject(expected);
  });

  it.each<[string, object, string]>([
    ["another kind of address", { url: "ftp://login.example.com/" }, "bad-url"],
    ["a fragment", { url: "https://login.example.com/#x" }, "bad-url"],
    ["clear text", { url: "http://login.example.com/" }, "insecure-url"],
    ["a private address that is public", { url: "https://[::1]/", network: "public" }, "private-address"],
    ["a field of the connection", { forward: { "transfer-encoding": "sub" } }, "bad-name"],
    ["no patience", { timeout: "1ms" }, "custom"],
    ["a token that lives on", { cacheFor: "2h" }, "custom"],
    ["no client's name", { client: { id: "", secret: { env: "A" } } }, "too_small"],
    ["a key that is none", { allow: true }, "unrecognized_keys"],
  ])("with %s is refused", (_, config, code) => {
    expect(compile(config).faults.map((fault) => fault.code)).toEqual([code]);
  });
});
