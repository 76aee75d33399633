import { describe, expect, it } from "vitest";
import { hmac } from "../../../src/policies/hmac/policy.ts";
import { compilePolicy } from "../compiling.ts";

const compile = (config: object) => compilePolicy(hmac, [{ config }]);
const secrets = [{ env: "HOOK_KEY" }];
const ED = {
  kty: "OKP",
  crv: "Ed25519",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  kid: "k2",
  use: "sig",
};

describe("hmac in a policy file", () => {
  it("has defaults", () => {
    expect(compile({ scheme: "github", secrets })).toEqual({
      faults: [],
      step: {
        scheme: "github",
        keys: [{ id: null, caller: { name: "HOOK_KEY" }, secret: "HOOK_KEY" }],
        maxAgeMs: 300_000,
        maxBytes: 1_048_576,
        refusesReplays: true,
        components: [],
        forward: {},
        forwardCredential: false,
      },
    });
  });

  it.each<[object, object]>([
    [{ maxAge: "1m" }, { maxAgeMs: 60_000 }],
    [{ maxBody: "64KiB" }, { maxBytes: 65_536 }],
    [{ replay: "allow" }, { refusesReplays: false }],
    [{ components: ["X-Tenant", "@scheme"] }, { components: ["x-tenant", "@scheme"] }],
    [{ forward: { "X-Who": "name" } }, { forward: { "x-who": "name" } }],
    [{ forwardCredential: true }, { forwardCredential: true }],
    // While a secret is changed there are two, of one caller.
    [
      { secrets: [{ env: "OLD" }, { env: "NEW" }] },
      { keys: [{ caller: { name: "OLD" } }, { caller: { name: "OLD" } }] },
    ],
    [{ secrets: [{ env: "A", id: "k1" }] }, { keys: [{ id: "k1", caller: { name: "k1" } }] }],
    // Without a name each key is a caller of its own.
    [{ keys: [{ jwk: { ...ED, kid: undefined } }] }, { keys: [{}, { id: null, caller: { name: ED.x } }] }],
    [
      { keys: [{ jwk: ED }, { jwk: ED, id: "k3" }] },
      {
        keys: [
          {},
          { id: "k2", caller: { name: "k2" }, jwk: { kty: "OKP", crv: "Ed25519", x: ED.x } },
          { id: "k3", caller: { name: "k3" } },
        ],
      },
    ],
  ])("%o", (config, expected) => {
    const { step, faults } = compile({ scheme: "rfc9421", secrets, ...config });
    expect(faults).toEqual([]);
    expect(step).toMatchObject(expected);
  });

  it.each<[string, object, string[]]>([
    ["no key", { scheme: "rfc9421" }, ["missing-key"]],
    ["no scheme", { secrets }, ["invalid_value"]],
    ["no secret in the list", { scheme: "github", secrets: [] }, ["too_small"]],
    ["a secret twice", { scheme: "github", secrets: [...secrets, ...secrets] }, ["secret-twice"]],
    [
      "a consumer that is not there",
      { scheme: "github", secrets: [{ env: "A", consumer: "acme" }] },
      ["unknown-name"],
    ],
    ["a key of webhooks", { scheme: "github", keys: [{ jwk: ED }] }, ["without-effect"]],
    ["a field of the connection", { scheme: "github", secrets, forward: { te: "name" } }, ["bad-name"]],
    ["a body without bounds", { scheme: "github", secrets, maxBody: "17MiB" }, ["custom"]],
    ["a signature that is never good", { scheme: "github", secrets, maxAge: "0s" }, ["custom"]],
    ["a key that is none", { scheme: "github", secrets, algorithm: "sha1" }, ["unrecognized_keys"]],
  ])("with %s is refused", (_, config, codes) => {
    expect(compile(config).faults.map(({ code }) => code)).toEqual(codes);
  });
});
