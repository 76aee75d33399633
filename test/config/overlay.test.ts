import { describe, expect, it } from "vitest";
import { applyOverlay } from "../../src/config/overlay.ts";
import { plainValue, treeAt } from "../../src/config/tree.ts";
import { parseYaml } from "../../src/config/yaml.ts";

const BASE = `
gateway:
  hosts: { public: api.example.com }
  policies:
    cors: { origins: [https://a.example.com], maxAge: 10m }
    rateLimit: { limits: [{ name: a, rate: 10/1m, key: ip }, { name: b, rate: 10/1m, key: { header: x-key }, count: requests }], dryRun: false }
issuers:
  main: { issuer: x }
upstreams:
  orders: { targets: { main: { url: "https://x.example.com" }, worker: { binding: ORDERS } } }
apis:
  orders:
    policies: { jwt: { issuers: [main] }, authorize: { allow: "a" }, identity: { any: [jwt] } }
    routes:
      open: { public: true }
      get: { policies: { rateLimit: none, cache: { ttl: 30s } } }
environments:
  it: {}
`;

const tree = (text: string) => parseYaml({ file: "a.yaml", text }).value!;

const overlaid = (overlay: string) => {
  const { value, diagnostics } = applyOverlay(tree(BASE), tree(overlay));
  return { value: value!, codes: diagnostics.map(({ code }) => code), diagnostics };
};

const at = (overlay: string, ...path: (string | number)[]): unknown =>
  plainValue(treeAt(overlaid(overlay).value, path)!);

describe("an environment changes values at places that exist", () => {
  it.each([
    [
      "a scalar",
      "gateway: { hosts: { public: api.stg.example.com } }",
      ["gateway", "hosts"],
      { public: "api.stg.example.com" },
    ],
    [
      "listed targets to discovered ones",
      "upstreams: { orders: { discover: { refresh: 10s } } }",
      ["upstreams", "orders"],
      { discover: { refresh: "10s" } },
    ],
    [
      "a list, as a whole",
      "gateway: { policies: { cors: { origins: [https://b.example.com] } } }",
      ["gateway", "policies", "cors"],
      { origins: ["https://b.example.com"], maxAge: "10m" },
    ],
    [
      "the numbers of limits",
      "gateway: { policies: { rateLimit: { limits: [{ name: b, rate: 1/1m, key: { header: x-key }, count: requests }, { name: a, rate: 99/1m, key: ip }] } } }",
      ["gateway", "policies", "rateLimit", "limits", 1, "rate"],
      "99/1m",
    ],
    [
      "more limits",
      "gateway: { policies: { rateLimit: { limits: [{ name: a, rate: 10/1m, key: ip }, { name: b, rate: 10/1m, key: { header: x-key }, count: requests }, { name: c, rate: 1/1m, key: host }] } } }",
      ["gateway", "policies", "rateLimit", "limits", 2, "name"],
      "c",
    ],
    [
      "the kind of a target's address",
      "upstreams: { orders: { targets: { worker: { url: http://y } } } }",
      ["upstreams", "orders", "targets", "worker"],
      { url: "http://y" },
    ],
    [
      "a removed limit back into one",
      "apis: { orders: { routes: { get: { policies: { rateLimit: { limits: [] } } } } } }",
      ["apis", "orders", "routes", "get", "policies", "rateLimit"],
      { limits: [] },
    ],
    [
      "a policy that decides nothing",
      "apis: { orders: { routes: { get: { policies: { cache: none } } } } }",
      ["apis", "orders", "routes", "get", "policies", "cache"],
      "none",
    ],
    ["nothing at all", "{}", ["issuers"], { main: { issuer: "x" } }],
  ])("%s", (_, overlay, path, expected) => {
    expect(overlaid(overlay).codes).toEqual([]);
    expect(at(overlay, ...path)).toEqual(expected);
  });

  it.each([
    ["a host", "gateway: { hosts: { staff: x } }"],
    ["a setting", "gateway: { clientIp: connection }"],
    ["an upstream", "upstreams: { users: {} }"],
    ["a target", "upstreams: { orders: { targets: { other: {} } } }"],
    ["an api", "apis: { users: {} }"],
    ["a route", "apis: { orders: { routes: { put: {} } } }"],
    ["a policy", "gateway: { policies: { requestId: {} } }"],
    ["a top-level key", "consumers: {}"],
    ["an environment", "environments: { other: {} }"],
    ["an environment that does exist, in another one,", "environments: { it: {} }"],
  ])("%s that does not exist is refused, and not added", (_, overlay) => {
    const { codes, value } = overlaid(overlay);
    expect(codes).toEqual(["overlay-new-place"]);
    expect(plainValue(value)).toEqual(plainValue(tree(BASE)));
  });
});

describe("what decides who may do what stays as it is, outside of development", () => {
  it.each([
    ["opening a route", "apis: { orders: { routes: { get: { public: true } } } }"],
    ["opening an api", "apis: { orders: { public: true } }"],
    [
      "closing an open route, to be opened by another",
      "apis: { orders: { routes: { open: { public: false } } } }",
    ],
    ["removing jwt", "apis: { orders: { policies: { jwt: none } } }"],
    ["other issuers", "apis: { orders: { policies: { jwt: { issuers: [other] } } } }"],
    ["more keys of jwt", "apis: { orders: { policies: { jwt: { forwardCredential: true } } } }"],
    ["jwt at another place", "apis: { orders: { routes: { get: { policies: { jwt: none } } } } }"],
    ["removing authorize", "apis: { orders: { policies: { authorize: none } } }"],
    ["another expression", 'apis: { orders: { policies: { authorize: { allow: "true" } } } }'],
    ["other alternatives of identity", "apis: { orders: { policies: { identity: { any: [anonymous] } } } }"],
    ["removing limits", "gateway: { policies: { rateLimit: none } }"],
    ["removing limits somewhere below", "apis: { orders: { policies: { authorize: none } } }"],
    ["fewer limits", "gateway: { policies: { rateLimit: { limits: [{ name: a, rate: 10/1m, key: ip }] } } }"],
    ["no limits", "gateway: { policies: { rateLimit: { limits: [] } } }"],
    [
      "limits under other names",
      "gateway: { policies: { rateLimit: { limits: [{ name: c, rate: 10/1m, key: ip }, { name: b, rate: 10/1m, key: { header: x-key }, count: requests }] } } }",
    ],
    [
      "a limit by another key",
      "gateway: { policies: { rateLimit: { limits: [{ name: a, rate: 10/1m, key: host }, { name: b, rate: 10/1m, key: { header: x-key }, count: requests }] } } }",
    ],
    [
      "a limit by another header",
      "gateway: { policies: { rateLimit: { limits: [{ name: a, rate: 10/1m, key: ip }, { name: b, rate: 10/1m, key: { header: x-other }, count: requests }] } } }",
    ],
    [
      "a limit of other requests",
      "gateway: { policies: { rateLimit: { limits: [{ name: a, rate: 10/1m, key: ip }, { name: b, rate: 10/1m, key: { header: x-key }, count: auth-failures }] } } }",
    ],
    ["a dry run", "gateway: { policies: { rateLimit: { dryRun: true } } }"],
  ])("%s", (_, overlay) => {
    const { codes, value } = overlaid(overlay);
    expect(codes).toEqual(["overlay-protected"]);
    expect(plainValue(value)).toEqual(plainValue(tree(BASE)));
  });

  it.each([
    [
      "opening a route",
      "apis: { orders: { routes: { get: { public: true } } } }",
      ["apis", "orders", "routes", "get", "public"],
      true,
    ],
    [
      "removing jwt",
      "apis: { orders: { policies: { jwt: none } } }",
      ["apis", "orders", "policies", "jwt"],
      "none",
    ],
    [
      "a dry run",
      "gateway: { policies: { rateLimit: { dryRun: true } } }",
      ["gateway", "policies", "rateLimit", "dryRun"],
      true,
    ],
    ["a new setting", "gateway: { clientIp: connection }", ["gateway", "clientIp"], "connection"],
    ["a new host", "gateway: { hosts: { staff: x } }", ["gateway", "hosts", "staff"], "x"],
  ])("in development, %s is fine", (_, overlay, path, expected) => {
    const all = `development: true\n${overlay}`;
    expect(overlaid(all).codes).toEqual([]);
    expect(at(all, ...path)).toEqual(expected);
  });

  it.each([
    ["an api", "apis: { users: {} }"],
    ["a route", "apis: { orders: { routes: { put: {} } } }"],
    ["an upstream", "upstreams: { users: {} }"],
    ["a top-level key", "consumers: {}"],
  ])("not even development adds %s: what is tested is what is deployed", (_, overlay) =>
    expect(overlaid(`development: true\n${overlay}`).codes).toEqual(["overlay-new-place"]),
  );
});
