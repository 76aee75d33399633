import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/core/exchange.ts";
import { problem } from "../../src/core/problem.ts";
import { maskQuery } from "../../src/policies/access-log/mask-query.ts";
import { accessLog } from "../../src/policies/access-log/policy.ts";
import { fakeExchange, fakePorts } from "../support/ports.ts";
import { compilePolicy, linkPolicy } from "./compiling.ts";

const log = async (
  config: unknown,
  over: {
    request?: Request;
    exchange?: Partial<Exchange>;
    answer?: (exchange: Exchange) => Response;
    draw?: number;
  } = {},
) => {
  const base = fakePorts();
  const ports = { ...base, random: { ...base.random, number: () => over.draw ?? 0.5 } };
  const request =
    over.request ??
    new Request("https://api.example.com/users/42?token=t0ps3cret&page=2", {
      headers: { "user-agent": "curl/8" },
    });
  const exchange = fakeExchange(request, { startedAtMs: ports.clock.ms, ...over.exchange });
  const filter = await linkPolicy(accessLog, config, ports);
  await filter((inner) => {
    ports.clock.advance(12);
    return over.answer?.(inner) ?? new Response("ok");
  })(exchange);
  return base.records;
};

describe("accessLog", () => {
  it("writes one record for a request", async () => {
    const over = {
      target: "eu",
      upstreamMs: 7,
      cacheResult: "miss",
      identity: { kind: "jwt", id: "https://login.example.com/ 42" },
    };
    expect(await log({}, { exchange: over })).toEqual([
      {
        time: "2026-01-01T00:00:00.012Z",
        requestId: "00000000-0000-4000-8000-000000000000",
        method: "GET",
        host: "api.example.com",
        path: "/users/42",
        route: "shop.route",
        api: "shop",
        status: 200,
        durationMs: 12,
        upstreamMs: 7,
        target: "eu",
        clientIp: "192.0.2.1",
        identity: "jwt",
        cache: "miss",
        userAgent: "curl/8",
      },
    ]);
  });

  it("names the problem that the gateway answered with", async () => {
    const answer = (exchange: Exchange) =>
      problem(exchange, { status: 429, code: "rate-limited", title: "Too many requests" });
    expect(await log({}, { answer })).toMatchObject([{ status: 429, problem: "rate-limited" }]);
  });

  it("writes a handler that throws as a 500, and lets the error pass", async () => {
    const ports = fakePorts();
    const filter = await linkPolicy(accessLog, { sample: "0%" }, ports);
    const failing = filter(() => {
      throw new Error("bug");
    });
    await expect(failing(fakeExchange(new Request("https://a.example/")))).rejects.toThrow("bug");
    expect(ports.records).toMatchObject([{ status: 500 }]);
  });

  describe("sampling", () => {
    it.each([
      ["everything without a word", {}, 0.99, 1],
      ["what the draw takes", { sample: "10%" }, 0.09, 1],
      ["not what it leaves", { sample: "10%" }, 0.1, 0],
      ["nothing at 0%", { sample: "0%" }, 0, 0],
    ])("writes %s", async (_, config, draw, count) => {
      expect(await log(config, { draw })).toHaveLength(count);
    });

    it.each([401, 403, 429, 500, 502, 503, 504])("always writes a %i", async (status) => {
      expect(await log({ sample: "0%" }, { answer: () => new Response(null, { status }) })).toHaveLength(1);
    });

    it.each([200, 301, 400, 404, 405])("leaves out a %i like any other", async (status) => {
      expect(await log({ sample: "0%" }, { answer: () => new Response(null, { status }) })).toHaveLength(0);
    });
  });

  describe("what it says", () => {
    const secret = new Request("https://api.example.com/a?access_token=s3cret&q=shoes", {
      headers: {
        authorization: "Bearer s3cret",
        cookie: "session=s3cret",
        "x-api-key": "s3cret",
        referer: "https://shop.example.com/page?token=s3cret#s3cret",
        origin: "https://shop.example.com",
      },
    });

    it("holds no credential by default, nor with every field that there is", async () => {
      const fields = [
        "scheme",
        "query",
        "identityId",
        "issuer",
        "consumer",
        "plan",
        "origin",
        "referer",
        "contentType",
        "requestBytes",
        "responseBytes",
      ];
      for (const config of [{}, { fields }]) {
        const text = JSON.stringify(await log(config, { request: secret }));
        expect(text).not.toContain("s3cret");
      }
      const [record] = await log({ fields }, { request: secret });
      expect(record).toMatchObject({
        query: "access_token=***&q=shoes",
        referer: "https://shop.example.com/page",
      });
    });

    it("holds neither query nor identity unless asked", async () => {
      const identity = {
        kind: "apiKey",
        id: "acme",
        consumer: { name: "acme", plan: "gold", attributes: {} },
      };
      const [plain] = await log({}, { exchange: { identity } });
      expect(JSON.stringify(plain)).not.toMatch(/acme|page=2/);
      const [asked] = await log(
        { fields: ["query", "identityId", "consumer", "plan"] },
        { exchange: { identity } },
      );
      expect(asked).toMatchObject({
        query: "token=***&page=2",
        identityId: "acme",
        consumer: "acme",
        plan: "gold",
      });
    });

    it("tells sizes where the messages do", async () => {
      const request = new Request("https://a.example/", {
        headers: { "content-length": "12", "content-type": "text/plain" },
      });
      const answer = () => new Response(null, { headers: { "content-length": "34" } });
      expect(
        await log({ fields: ["requestBytes", "responseBytes", "contentType"] }, { request, answer }),
      ).toMatchObject([{ requestBytes: 12, responseBytes: 34, contentType: "text/plain" }]);
    });

    it("leaves out what is redacted", async () => {
      const [record] = await log({ redact: ["clientIp", "userAgent", "path"] });
      expect(JSON.stringify(record)).not.toMatch(/192\.0\.2\.1|curl|users/);
      expect(record).toMatchObject({ status: 200 });
    });

    it("masks the query parameters that are named", async () => {
      const request = new Request("https://a.example/?email=a%40b.c&page=1");
      expect(await log({ fields: ["query"], redact: [{ query: "email" }] }, { request })).toMatchObject([
        { query: "email=***&page=1" },
      ]);
    });
  });

  describe("a line of the log", () => {
    it.each([
      ["CR and LF", '\r\n{"status":200}'],
      ["NUL", "\0"],
      ["ESC", "\x1b[2J"],
      ["DEL and C1 controls", "\x7f\x9b2J"],
      ["line and paragraph separators", "\u2028\u2029"],
    ])("is not broken by %s in whatever a caller chooses", async (_, bad) => {
      const headers = { get: () => `a${bad}b` } as unknown as Headers;
      const exchange = {
        request: { headers } as unknown as Request,
        path: `/x${bad}y`,
        query: `?q=${bad}`,
        identity: { kind: "jwt", id: `issuer ${bad}` },
      };
      const [record] = await log({ fields: ["query", "origin", "identityId"] }, { exchange });
      const line = JSON.stringify(record);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/);
      expect(JSON.parse(line)).toMatchObject({ status: 200 });
    });

    it("is as it was where nothing is bad", async () => {
      expect(await log({}, { exchange: { path: "/ünïcode/%E2%82%AC" } })).toMatchObject([
        { path: "/ünïcode/%E2%82%AC" },
      ]);
    });

    it("cuts what is very long", async () => {
      const request = new Request("https://a.example/", { headers: { "user-agent": "u".repeat(65_536) } });
      const [record] = await log(
        { fields: ["query"] },
        { request, exchange: { query: `?q=${"v".repeat(65_536)}` } },
      );
      expect(JSON.stringify(record).length).toBeLessThan(4096);
    });
  });

  it.each([
    ["a field that every record has", { fields: ["path"] }, "invalid_value", "fields.0"],
    ["to be without a status", { redact: ["status"] }, "invalid_union", "redact.0"],
    ["to mask what is not there", { redact: [{ query: "email" }] }, "nothing-to-redact", "redact.0"],
    ["a sample without a unit", { sample: "10" }, "bad-quantity", "sample"],
    ["an unknown key", { sinks: [] }, "unrecognized_keys", ""],
  ])("refuses %s", (_, config, code, at) => {
    expect(compilePolicy(accessLog, [{ config }]).faults).toMatchObject([{ code, at }]);
  });
});

describe("masking a query", () => {
  it.each([
    ["?access_token=a&x=1", "access_token=***&x=1"],
    ["?ACCESS-TOKEN=a", "ACCESS-TOKEN=***"],
    ["?api%5Fkey=a", "api%5Fkey=***"],
    ["?X-Amz-Signature=a&x-amz-date=b", "X-Amz-Signature=***&x-amz-date=b"],
    ["?code=a&country_code=de", "code=***&country_code=de"],
    ["?author=bob&auth=a", "author=bob&auth=***"],
    ["?client_secret=a=b=c", "client_secret=***"],
    ["?password=%E0%A4%A", "password=***"],
    ["?%E0%A4%A=1", "%E0%A4%A=1"],
    ["?flag&page=2", "flag&page=2"],
    ["?", ""],
  ])("%s → %s", (query, masked) => {
    expect(maskQuery(query, new Set())).toBe(masked);
  });

  it("never lets the value of a secret through, wherever it stands", () => {
    const pair = fc.tuple(
      fc.constantFrom("token", "api_key", "Sig", "page", "q"),
      fc.string({ unit: fc.constantFrom(..."abc=%+") }),
    );
    fc.assert(
      fc.property(fc.array(pair), fc.nat(5), (pairs, at) => {
        const all = [...pairs.slice(0, at), ["id_token", "S3CRET=S3CRET"] as const, ...pairs.slice(at)];
        const masked = maskQuery("?" + all.map(([name, value]) => `${name}=${value}`).join("&"), new Set());
        expect(masked).not.toContain("S3CRET");
        expect(masked.split("&")).toHaveLength(all.length);
      }),
    );
  });

  it("is right on 64 KiB of parameters", () => {
    const query = "?" + "a=1&".repeat(16_384) + "token=x";
    expect(maskQuery(query, new Set())).toBe("a=1&".repeat(16_384) + "token=***");
  });
});
