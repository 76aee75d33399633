import { describe, expect, it } from "vitest";
import { authenticator, type Step } from "../../src/policies/api-key/filter.ts";
import { apiKey } from "../../src/policies/api-key/policy.ts";
import { fakeExchange, fakePorts } from "../support/ports.ts";
import { upstreamHeaders } from "./compiling.ts";
import { consumerSite, digest, judge, keyOf } from "./consumer-support.ts";

const step: Step = {
  from: { in: "header", name: "x-api-key" },
  allowed: null,
  forward: {},
  forwardCredential: false,
};

const link = (over: Partial<Step> = {}) => authenticator({ ...step, ...over }, fakePorts(), consumerSite());

describe("apiKey", () => {
  it.each<[string, Record<string, string>, object]>([
    ["no key", {}, { outcome: "absent" }],
    ["a consumer's key", { "x-api-key": keyOf(1) }, { outcome: "passed" }],
    ["the other key of that consumer", { "x-api-key": keyOf(2) }, { outcome: "passed" }],
    ["one that is over", { "x-api-key": keyOf(3) }, { status: 401, code: "key-expired" }],
    ["nobody's", { "x-api-key": keyOf(9) }, { status: 401, code: "key-unknown" }],
    ["an empty one", { "x-api-key": "" }, { status: 401, code: "key-malformed" }],
    ["two", { "x-api-key": `${keyOf(1)}, ${keyOf(1)}` }, { status: 401, code: "key-malformed" }],
    ["one that is too long", { "x-api-key": "k".repeat(300) }, { status: 401, code: "key-malformed" }],
    ["a digest in place of a key", { "x-api-key": digest(keyOf(1)) }, { status: 401, code: "key-unknown" }],
    ["a key in another field", { authorization: `ApiKey ${keyOf(1)}` }, { outcome: "absent" }],
  ])("%s", async (_, headers, wanted) => {
    const verdict = await judge(link(), headers);
    expect(verdict).toMatchObject(wanted);
    if (verdict.outcome === "refused") expect(verdict.challenge).toBe('ApiKey realm="shop"');
  });

  it("says who calls", async () => {
    expect(await judge(link(), { "x-api-key": keyOf(1) })).toMatchObject({
      identity: {
        kind: "apiKey",
        id: "acme",
        consumer: { name: "acme", plan: "gold", attributes: { tenant: "acme" } },
      },
    });
  });

  it("answers at once for a key that it has seen, with the same verdict", async () => {
    const policy = link();
    const exchange = () =>
      fakeExchange(new Request("https://api.example.com/", { headers: { "x-api-key": keyOf(1) } }));
    const first = await policy.authenticate(exchange());
    expect(policy.authenticate(exchange())).toBe(first);
  });

  it.each<[string, readonly string[] | null, number, string | undefined]>([
    ["anybody", null, 1, undefined],
    ["who is named", ["acme"], 1, undefined],
    ["who is not", ["small"], 1, "consumer-not-allowed"],
    ["nobody", [], 1, "consumer-not-allowed"],
    ["whose key is over, named or not", ["small"], 3, "key-expired"],
  ])("lets in %s", async (_, allowed, key, code) => {
    const verdict = await judge(link({ allowed }), { "x-api-key": keyOf(key) });
    if (code === undefined) expect(verdict.outcome).toBe("passed");
    else
      expect(verdict).toMatchObject({ outcome: "refused", code, status: code.startsWith("key") ? 401 : 403 });
  });

  it("tells the upstream what is asked for, and nothing of the client's", async () => {
    const forward = {
      "x-consumer": "name",
      "x-plan": "plan",
      "x-tenant": "attributes.tenant",
      "x-regions": "attributes.regions",
      "x-level": "attributes.level",
    };
    const policy = link({ forward });
    const fieldsFor = async (key: string) => {
      const headers = { "x-api-key": key, "x-tenant": "root", "x-consumer": "root", "x-kept": "1" };
      const exchange = fakeExchange(new Request("https://api.example.com/", { headers }));
      const verdict = await policy.authenticate(exchange);
      exchange.requestEdits.push(...policy.always, ...(verdict.outcome === "passed" ? verdict.edits : []));
      return Object.fromEntries(upstreamHeaders(exchange));
    };
    expect(await fieldsFor(keyOf(1))).toEqual({
      "x-consumer": "acme",
      "x-plan": "gold",
      "x-tenant": "acme",
      "x-regions": "eu,us",
      "x-level": "3",
      "x-kept": "1",
    });
    expect(await fieldsFor(keyOf(4))).toEqual({ "x-consumer": "small", "x-plan": "free", "x-kept": "1" });
    expect(await fieldsFor(keyOf(9))).toEqual({ "x-kept": "1" });
  });

  it.each<[string, Step["from"], Record<string, string>, string, string]>([
    ["a query", { in: "query", name: "api_key" }, {}, `/?a=1&api_key=${keyOf(1)}&b=%20`, "?a=1&b=%20"],
    ["a query alone", { in: "query", name: "api_key" }, {}, `/?api_key=${keyOf(1)}`, ""],
    ["a query in disguise", { in: "query", name: "api_key" }, {}, `/?api%5Fkey=${keyOf(1)}&b`, "?b"],
  ])("is taken off %s", async (_, from, headers, url, query) => {
    const exchange = fakeExchange(new Request(new URL(url, "https://api.example.com"), { headers }));
    expect((await link({ from }).authenticate(exchange)).outcome).toBe("passed");
    expect(exchange.upstreamQuery).toBe(query);
  });

  it("is asked for in the scheme where it is awaited", async () => {
    const policy = link({ from: { in: "scheme", name: "Bearer" } });
    expect(policy.challenge).toBe('Bearer realm="shop"');
    expect(policy.always).toEqual([{ op: "remove", name: "authorization" }]);
    expect((await judge(policy, { authorization: `Bearer ${keyOf(1)}` })).outcome).toBe("passed");
    expect(await judge(policy, { authorization: `Bearer ${keyOf(1)}x` })).toMatchObject({
      code: "key-malformed",
    });
  });

  it("stays where it is with forwardCredential", async () => {
    const policy = link({ from: { in: "query", name: "api_key" }, forwardCredential: true });
    const exchange = fakeExchange(new Request(`https://api.example.com/?api_key=${keyOf(1)}`));
    expect((await policy.authenticate(exchange)).outcome).toBe("passed");
    expect([exchange.upstreamQuery, policy.always]).toEqual([undefined, []]);
  });
});

describe("the settings of apiKey", () => {
  it.each<[string, object, boolean]>([
    ["nothing", {}, true],
    ["a header", { from: { header: "X-Key" } }, true],
    ["the Authorization field without a scheme", { from: { header: "Authorization" } }, false],
    ["a query whose name logs mask", { from: { query: "access-key" } }, true],
    ["a query whose name logs show", { from: { query: "k" } }, false],
    ["a cookie", { from: { cookie: "key" } }, true],
    ["a scheme", { from: { scheme: "ApiKey" } }, true],
    ["two places", { from: { header: "x-key", query: "api_key" } }, false],
    ["no place", { from: {} }, false],
    ["an empty list of consumers", { consumers: [] }, false],
    ["an empty list of plans", { plans: [] }, false],
    ["what is not known of a consumer", { forward: { "x-a": "key" } }, false],
    ["an unknown key", { keys: [] }, false],
  ])("%s", (_, config, good) => expect(apiKey.schema.safeParse(config).success).toBe(good));
});
