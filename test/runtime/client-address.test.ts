import { describe, expect, it } from "vitest";
import type { ClientIpPlan } from "../../src/core/plan.ts";
import { clientAddress, clientCountry, peerAddress } from "../../src/runtime/client-address.ts";

interface Words {
  readonly cf?: object;
  readonly fields?: Record<string, string>;
}

const requestOf = ({ cf, fields = {} }: Words): Request =>
  Object.defineProperty(new Request("https://api.example.com/", { headers: fields }), "cf", { value: cf });

const addressOf = (setting: ClientIpPlan | undefined, words: Words): string =>
  clientAddress(requestOf(words), setting, { isCloudflare: false });

const EDGE = { colo: "FRA", country: "DE" };
const FIELDS = { "cf-connecting-ip": "192.0.2.1", "x-forwarded-for": "198.51.100.1, 203.0.113.9" };

describe("the client's address", () => {
  it.each<[string, ClientIpPlan | undefined, Words, string]>([
    ["is unknown without a setting", undefined, { cf: { clientIp: "192.0.2.7" }, fields: FIELDS }, ""],
    ["is the peer's without its port", "connection", { cf: { clientIp: "192.0.2.7:443" } }, "192.0.2.7"],
    [
      "is the peer's without brackets",
      "connection",
      { cf: { clientIp: "[2001:db8::1]:443" } },
      "2001:db8::1",
    ],
    ["is the peer's in version 6", "connection", { cf: { clientIp: "2001:db8::1" } }, "2001:db8::1"],
    ["is unknown where nobody tells the peer", "connection", { cf: EDGE, fields: FIELDS }, ""],
    ["is the edge's word at the edge", "cloudflare", { cf: EDGE, fields: FIELDS }, "192.0.2.1"],
    ["is unknown where the edge says nothing", "cloudflare", { cf: EDGE }, ""],
    [
      "is not the edge's word on plain workerd",
      "cloudflare",
      { cf: { clientIp: "192.0.2.7" }, fields: FIELDS },
      "",
    ],
    ["is not the edge's word without cf", "cloudflare", { fields: FIELDS }, ""],
    [
      "is not the edge's word on plain workerd behind a Unix socket",
      "cloudflare",
      { cf: { clientPid: 14426, clientUid: 0 }, fields: FIELDS },
      "",
    ],
    ["is unknown behind a Unix socket", "connection", { cf: { clientPid: 14426, clientUid: 0 } }, ""],
    ["is the peer's, mapped", "connection", { cf: { clientIp: "[::ffff:127.0.0.1]:9" } }, "::ffff:127.0.0.1"],
    [
      "is unknown where a bracket is not closed",
      { trustedHops: 1 },
      { fields: { "x-forwarded-for": "[::12" } },
      "",
    ],
    ["is the last forwarded one behind one proxy", { trustedHops: 1 }, { fields: FIELDS }, "203.0.113.9"],
    ["is the last but one behind two", { trustedHops: 2 }, { fields: FIELDS }, "198.51.100.1"],
    ["is unknown behind more proxies than there were", { trustedHops: 3 }, { fields: FIELDS }, ""],
  ])("%s", (_, setting, words, expected) => {
    expect(addressOf(setting, words)).toBe(expected);
  });
});

describe("what an isolate learns of its platform", () => {
  const unreadable = (fields: Record<string, string>): Request =>
    Object.defineProperty(new Request("https://api.example.com/", { headers: fields }), "cf", {
      get: () => {
        throw new Error("cf is read again");
      },
    });

  it("reads cf once on Cloudflare", () => {
    const platform = { isCloudflare: false };
    clientAddress(requestOf({ cf: EDGE }), "cloudflare", platform);
    expect(clientAddress(unreadable(FIELDS), "cloudflare", platform)).toBe("192.0.2.1");
    expect(peerAddress(unreadable(FIELDS), platform)).toBe("");
  });

  it.each<[string, Words]>([
    ["plain workerd", { cf: { clientIp: "192.0.2.7" } }],
    ["plain workerd with a data centre's name that it was given", { cf: { ...EDGE, clientIp: "192.0.2.7" } }],
    ["plain workerd behind a Unix socket", { cf: { clientPid: 14426, clientUid: 0 } }],
    ["a request without cf", {}],
    ["a request with an empty cf", { cf: {} }],
  ])("does not take %s for Cloudflare", (_, words) => {
    const platform = { isCloudflare: false };
    peerAddress(requestOf(words), platform);
    clientAddress(requestOf({ ...words, fields: FIELDS }), "cloudflare", platform);
    expect(platform.isCloudflare).toBe(false);
    expect(
      clientAddress(requestOf({ cf: { clientIp: "192.0.2.8" }, fields: FIELDS }), "cloudflare", platform),
    ).toBe("");
  });
});

describe("the client's country", () => {
  const countryOf = (setting: ClientIpPlan | undefined, words: Words): string =>
    clientCountry(requestOf(words), setting, { isCloudflare: false });
  const forged = { ...FIELDS, "cf-ipcountry": "DE" };

  it.each<[string, ClientIpPlan | undefined, Words, string]>([
    ["is the edge's word", "cloudflare", { cf: EDGE }, "DE"],
    ["is that of Tor too", "cloudflare", { cf: { colo: "FRA", country: "T1" } }, "T1"],
    ["is XX where the edge knows none", "cloudflare", { cf: { colo: "FRA" }, fields: forged }, "XX"],
    ["is XX where the edge says so", "cloudflare", { cf: { colo: "FRA", country: "XX" } }, "XX"],
    ["is unknown without a setting", undefined, { cf: EDGE, fields: forged }, ""],
    ["is unknown where the peer is asked for", "connection", { cf: EDGE, fields: forged }, ""],
    ["is unknown behind proxies", { trustedHops: 1 }, { cf: EDGE, fields: forged }, ""],
    ["is unknown on plain workerd", "cloudflare", { cf: { clientIp: "192.0.2.7:1" }, fields: forged }, ""],
    [
      "is unknown on plain workerd that was given words of the edge",
      "cloudflare",
      { cf: { ...EDGE, clientIp: "192.0.2.7:1" }, fields: forged },
      "",
    ],
    [
      "is unknown behind a Unix socket",
      "cloudflare",
      { cf: { clientPid: 1, clientUid: 0 }, fields: forged },
      "",
    ],
    ["is unknown without cf", "cloudflare", { fields: forged }, ""],
    ["is not what another Worker makes up", "cloudflare", { cf: { country: "DE" }, fields: forged }, ""],
  ])("%s (S38)", (_, setting, words, expected) => {
    expect(countryOf(setting, words)).toBe(expected);
  });

  it("is read from each request by itself, also where the platform is known", () => {
    const platform = { isCloudflare: true };
    expect(clientCountry(requestOf({ cf: EDGE }), "cloudflare", platform)).toBe("DE");
    expect(clientCountry(requestOf({ fields: forged }), "cloudflare", platform)).toBe("");
  });
});
