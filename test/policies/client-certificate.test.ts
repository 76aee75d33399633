import { describe, expect, it } from "vitest";
import { authenticator, type Step } from "../../src/policies/client-certificate/filter.ts";
import { clientCertificate } from "../../src/policies/client-certificate/policy.ts";
import { fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";
import { compilePolicy, upstreamHeaders } from "./compiling.ts";

const ONE = "1".repeat(64);
const TWO = "a2".repeat(32);
const step: Step = {
  callers: [
    { name: "partner" },
    { name: "acme", consumer: { name: "acme", plan: "gold", attributes: { tenant: "a1" } } },
  ],
  fingerprints: { [ONE]: 0, [TWO]: 1 },
  forward: {},
};

const SHOWN = {
  certPresented: "1",
  certVerified: "SUCCESS",
  certRevoked: "0",
  certFingerprintSHA256: ONE,
  certSubjectDN: "CN=partner,O=Ü",
  certIssuerDN: "CN=ca",
  certSerial: "0A",
};
const EDGE = { colo: "FRA" };

const showing = (cf: object | undefined, headers: Record<string, string> = {}) => {
  const request = new Request("https://api.example.com/", { headers });
  if (cf !== undefined) Object.defineProperty(request, "cf", { value: cf });
  return fakeExchange(request);
};

const link = (over: Partial<Step> = {}) => authenticator({ ...step, ...over }, fakePorts(), fakeSite());

describe("clientCertificate", () => {
  it.each<[string, object | undefined, string | object]>([
    ["one that is known", { ...EDGE, tlsClientAuth: SHOWN }, { id: "clientCertificate/partner" }],
    [
      "one of a consumer",
      { ...EDGE, tlsClientAuth: { ...SHOWN, certFingerprintSHA256: TWO } },
      { id: "acme", consumer: { name: "acme", plan: "gold" } },
    ],
    [
      "one in capitals",
      { ...EDGE, tlsClientAuth: { ...SHOWN, certFingerprintSHA256: TWO.toUpperCase() } },
      { id: "acme" },
    ],
    ["none", { ...EDGE, tlsClientAuth: { certPresented: "0", certVerified: "NONE" } }, "absent"],
    ["none, and says nothing of it", EDGE, "absent"],
    ["one to nobody", undefined, "absent"],
    // Plain workerd knows the peer of a connection, and has looked at no certificate.
    ["one that workerd could not have seen", { clientIp: "192.0.2.1:1", tlsClientAuth: SHOWN }, "absent"],
    [
      "one that workerd could not have seen, at a data centre",
      { ...EDGE, clientIp: "192.0.2.1:1", tlsClientAuth: SHOWN },
      "absent",
    ],
    ["one that a Worker tells of", { tlsClientAuth: SHOWN }, "absent"],
    [
      "one that nobody verified",
      { ...EDGE, tlsClientAuth: { ...SHOWN, certVerified: "NONE" } },
      "certificate-invalid",
    ],
    [
      "one that failed",
      { ...EDGE, tlsClientAuth: { ...SHOWN, certVerified: "FAILED:certificate has expired" } },
      "certificate-invalid",
    ],
    [
      "one that is like verified",
      { ...EDGE, tlsClientAuth: { ...SHOWN, certVerified: "success" } },
      "certificate-invalid",
    ],
    [
      "one that is revoked",
      { ...EDGE, tlsClientAuth: { ...SHOWN, certRevoked: "1" } },
      "certificate-invalid",
    ],
    [
      "one of somebody else",
      { ...EDGE, tlsClientAuth: { ...SHOWN, certFingerprintSHA256: "3".repeat(64) } },
      "certificate-unknown",
    ],
    [
      "one without a fingerprint",
      { ...EDGE, tlsClientAuth: { ...SHOWN, certFingerprintSHA256: "" } },
      "certificate-unknown",
    ],
    [
      "one like JavaScript's own",
      { ...EDGE, tlsClientAuth: { ...SHOWN, certFingerprintSHA256: "constructor" } },
      "certificate-unknown",
    ],
  ])("shown %s", async (_, cf, expected) => {
    const verdict = await link().authenticate(showing(cf));
    if (typeof expected === "object") {
      expect(verdict).toMatchObject({
        outcome: "passed",
        identity: { kind: "clientCertificate", ...expected },
      });
    } else if (expected === "absent") expect(verdict).toEqual({ outcome: "absent" });
    else
      expect(verdict).toMatchObject({ status: 401, code: expected, challenge: 'Certificate realm="shop"' });
  });

  it.each([
    "cf-cert-presented",
    "cf-client-cert-sha256",
    "client-cert",
    "x-client-cert",
    "ssl-client-fingerprint",
  ])("does not believe a field %s", async (name) => {
    const headers = { [name]: ONE, "cf-cert-verified": "SUCCESS", "cf-cert-fingerprint-sha256": ONE };
    expect(await link().authenticate(showing({ clientIp: "192.0.2.1" }, headers))).toEqual({
      outcome: "absent",
    });
  });

  it("forwards what is known of the certificate and its owner, and deletes what a client says of it", async () => {
    const forward = { "x-subject": "subject", "x-serial": "serial", "x-who": "name", "x-plan": "plan" };
    const policy = link({ forward });
    for (const [cf, expected] of [
      [
        { ...EDGE, tlsClientAuth: SHOWN },
        [
          ["x-serial", "0A"],
          ["x-subject", "CN=partner,O=%C3%9C"],
          ["x-who", "partner"],
        ],
      ],
      [{ ...EDGE }, []],
    ] as const) {
      const exchange = showing(cf, { "x-subject": "CN=root", "x-plan": "gold", "x-who": "root" });
      const verdict = await policy.authenticate(exchange);
      exchange.requestEdits.push(...policy.always, ...(verdict.outcome === "passed" ? verdict.edits : []));
      expect([...upstreamHeaders(exchange)]).toEqual(expected);
    }
  });
});

describe("fingerprints in a policy file", () => {
  const at = (clientIp: "cloudflare" | "connection", development = false) => ({
    gateway: { clientIp, development },
  });
  const compile = (config: object, place = at("cloudflare")) =>
    compilePolicy(clientCertificate, [{ config }], "only", place);

  it("are hexadecimal digits, with or without colons, in any letters", () => {
    const colons = TWO.toUpperCase().replace(/..(?=.)/g, "$&:");
    const { step: made, faults } = compile({ fingerprints: { partner: [ONE], other: [colons] } });
    expect(faults).toEqual([]);
    expect(made).toMatchObject({
      callers: [{ name: "partner" }, { name: "other" }],
      fingerprints: { [ONE]: 0, [TWO]: 1 },
    });
  });

  it.each<[string, object, string]>([
    ["of SHA-1", { fingerprints: { partner: ["1".repeat(40)] } }, "bad-fingerprint"],
    ["of letters", { fingerprints: { partner: ["g".repeat(64)] } }, "bad-fingerprint"],
    ["as a number", { fingerprints: { partner: [11] } }, "invalid_type"],
    ["of nobody", { fingerprints: {} }, "custom"],
    ["of two", { fingerprints: { partner: [ONE], other: [ONE] } }, "fingerprint-twice"],
    ["twice", { fingerprints: { partner: [ONE, ONE] } }, "fingerprint-twice"],
    ["that are not there", {}, "invalid_type"],
    ["beside a key that is none", { fingerprints: { partner: [ONE] }, issuer: "x" }, "unrecognized_keys"],
    [
      "forwarded in a field of the connection",
      { fingerprints: { partner: [ONE] }, forward: { host: "subject" } },
      "bad-name",
    ],
    [
      "with a word for something else",
      { fingerprints: { partner: [ONE] }, forward: { "x-a": "sub" } },
      "invalid_format",
    ],
  ])("%s are refused", (_, config, code) => {
    expect(compile(config).faults.map((fault) => fault.code)).toEqual([code]);
  });

  it("mean nothing without Cloudflare, and that is said", () => {
    const config = { fingerprints: { partner: [ONE] } };
    for (const place of [at("connection"), at("connection", true)])
      expect(compile(config, place).faults).toMatchObject([{ code: "certificate-unknown" }]);
    expect(compile(config).faults).toEqual([]);
  });
});
