import { describe, expect, it } from "vitest";
import { securityHeaders } from "../../src/policies/security-headers/policy.ts";
import { fakeExchange, fakePorts } from "../support/ports.ts";
import { clientAnswer, compilePolicy, linkPolicy } from "./compiling.ts";

const fieldsFor = async (
  config: unknown,
  url = "https://api.example.com/",
  upstream: Record<string, string> = {},
) => {
  const exchange = fakeExchange(new Request(url));
  const filter = await linkPolicy(securityHeaders, config, fakePorts());
  const answer = clientAnswer(
    exchange,
    await filter(() => new Response(null, { headers: upstream }))(exchange),
  );
  return Object.fromEntries(answer.headers);
};

const NONE = { hsts: "none", contentTypeOptions: "none", frame: "none", referrer: "none", csp: "none" };

describe("securityHeaders", () => {
  it("has defaults that suit an API", async () => {
    expect(await fieldsFor({})).toEqual({
      "strict-transport-security": "max-age=31536000; includeSubDomains",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    });
  });

  it("promises https over https only", async () => {
    expect(await fieldsFor({}, "http://api.example.com/")).not.toHaveProperty("strict-transport-security");
    expect(await fieldsFor({}, "http://api.example.com/")).toHaveProperty(
      "x-content-type-options",
      "nosniff",
    );
  });

  it.each([
    [{ hsts: { maxAge: "1h", includeSubDomains: false } }, "strict-transport-security", "max-age=3600"],
    [{ hsts: { maxAge: "0s" } }, "strict-transport-security", "max-age=0; includeSubDomains"],
    [
      { hsts: { maxAge: "730d", preload: true } },
      "strict-transport-security",
      "max-age=63072000; includeSubDomains; preload",
    ],
    [{ frame: "sameorigin" }, "x-frame-options", "SAMEORIGIN"],
    [{ referrer: "origin" }, "referrer-policy", "origin"],
    [{ csp: "default-src 'self'" }, "content-security-policy", "default-src 'self'"],
    [{ permissions: "geolocation=()" }, "permissions-policy", "geolocation=()"],
    [{ openerPolicy: "same-origin" }, "cross-origin-opener-policy", "same-origin"],
    [{ resourcePolicy: "same-site" }, "cross-origin-resource-policy", "same-site"],
  ])("%j sets %s to %s", async (config, name, value) => {
    expect(await fieldsFor(config)).toHaveProperty(name, value);
  });

  it.each(Object.keys(NONE))("%s: none leaves its field out, and the others in", async (key) => {
    const all = await fieldsFor({});
    const fewer = await fieldsFor({ [key]: "none" });
    expect(Object.keys(all).length - Object.keys(fewer).length).toBe(1);
  });

  it("replaces what the upstream says", async () => {
    expect(await fieldsFor({}, undefined, { "x-frame-options": "ALLOWALL" })).toHaveProperty(
      "x-frame-options",
      "DENY",
    );
    expect(await fieldsFor({ frame: "none" }, undefined, { "x-frame-options": "ALLOWALL" })).toHaveProperty(
      "x-frame-options",
      "ALLOWALL",
    );
  });

  it("is not there at all where everything is off", () => {
    expect(compilePolicy(securityHeaders, [{ config: NONE }]).step).toBeUndefined();
  });

  it.each([
    [
      "preload with too short a promise",
      { hsts: { maxAge: "30d", preload: true } },
      "hsts-preload-too-weak",
      "hsts.preload",
    ],
    [
      "preload of one host only",
      { hsts: { includeSubDomains: false, preload: true } },
      "hsts-preload-too-weak",
      "hsts.preload",
    ],
    ["a value of two lines", { csp: "default-src 'none'\r\nset-cookie: a=b" }, "invalid_format", "csp"],
    ["an empty value", { permissions: "" }, "too_small", "permissions"],
    ["a word that is none", { frame: "allow" }, "invalid_value", "frame"],
  ])("refuses %s", (_, config, code, at) => {
    expect(compilePolicy(securityHeaders, [{ config }]).faults).toContainEqual(
      expect.objectContaining({ code, at }),
    );
  });
});
