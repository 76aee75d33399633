import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/core/exchange.ts";
import { problem } from "../../src/core/problem.ts";
import { cors } from "../../src/policies/cors/policy.ts";
import vectors from "../conformance/cors-browser-vectors.json" with { type: "json" };
import { fakeExchange, fakePorts } from "../support/ports.ts";
import { clientAnswer, compilePolicy, linkPolicy, type Place } from "./compiling.ts";
import { type PageRequest, passesCheck, passesPreflight } from "./cors-judge.ts";

const SHOP = "https://shop.example.com";
const CONFIG = { origins: [SHOP], credentials: true, exposeHeaders: ["etag", "x-request-id"] };

/** One answer of the gateway, preflight or not, as the client gets it. */
const ask = async (
  config: unknown,
  given: {
    origin?: string;
    method?: string;
    preflight?: string;
    headers?: string;
    upstream?: (exchange: Exchange) => Response;
  },
  place: Place = {},
) => {
  const headers = new Headers();
  if (given.origin !== undefined) headers.set("origin", given.origin);
  if (given.preflight !== undefined) headers.set("access-control-request-method", given.preflight);
  if (given.headers !== undefined) headers.set("access-control-request-headers", given.headers);
  const request = new Request("https://api.example.com/orders", {
    method: given.preflight === undefined ? (given.method ?? "GET") : "OPTIONS",
    headers,
  });
  const exchange = fakeExchange(request, { preflightMethod: given.preflight });
  let reached = false;
  const filter = await linkPolicy(cors, config, fakePorts(), "only", place);
  const answer = await filter((inner) => {
    reached = true;
    return given.upstream?.(inner) ?? new Response("ok");
  })(exchange);
  return { answer: clientAnswer(exchange, answer), reached };
};

const corsFields = (answer: Response) =>
  Object.fromEntries([...answer.headers].filter(([name]) => name.startsWith("access-control-")));

describe("the judge of these tests", () => {
  it.each(vectors.judge_vectors.map((vector) => [vector.id, vector.name, vector] as const))(
    "judges as browsers do: %s %s",
    (_id, _name, vector) => {
      const answerOf = ({ status, headers }: { status: number; headers: string[][] }) => ({
        status,
        headers: headersOf(headers),
      });
      const preflight = "preflight_response" in vector ? vector.preflight_response : undefined;
      const passes =
        (preflight === undefined || passesPreflight(vector.request, answerOf(preflight))) &&
        passesCheck(vector.request, answerOf(vector.response));
      expect(passes).toBe(vector.verdict === "allow");
    },
  );
});

/** Headers refuse a few values that servers have sent to browsers; what the vectors say of them stays. */
const headersOf = (pairs: string[][]): Headers => {
  const headers = new Headers();
  for (const [name = "", value = ""] of pairs) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what Headers refuse
    headers.append(name, value.replace(/[\x00\r\n]/g, "\x01"));
  }
  return headers;
};

describe("a preflight", () => {
  it("is answered with 204 before anything else is asked", async () => {
    const { answer, reached } = await ask(CONFIG, {
      origin: SHOP,
      preflight: "PUT",
      headers: "authorization",
    });
    expect(reached).toBe(false);
    expect(answer.status).toBe(204);
    expect(Object.fromEntries(answer.headers)).toEqual({
      "access-control-allow-origin": SHOP,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers":
        "authorization, content-type, idempotency-key, if-match, if-modified-since, if-none-match, if-unmodified-since, range, x-api-key, x-requested-with",
      "access-control-max-age": "600",
      ...(CONFIG.exposeHeaders && { "access-control-expose-headers": CONFIG.exposeHeaders.join(", ") }),
      vary: "Origin",
    });
  });

  it("allows every method and header field where it is said so, without credentials", async () => {
    const config = { origins: "any", methods: ["*"], headers: ["*"], exposeHeaders: ["*"] };
    const { answer } = await ask(config, { origin: SHOP, preflight: "PUT", headers: "x-anything" });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "*",
      "access-control-allow-headers": "*",
    });
  });

  it("from an origin that is not allowed is answered without CORS fields", async () => {
    const { answer, reached } = await ask(CONFIG, { origin: "https://evil.example", preflight: "PUT" });
    expect(reached).toBe(false);
    expect(answer.status).toBe(204);
    expect(Object.fromEntries(answer.headers)).toEqual({ vary: "Origin" });
  });

  it.each([
    ["those of the route", {}, ["PUT", "DELETE"], "PUT, DELETE"],
    ["HEAD wherever GET is", {}, ["GET"], "GET, HEAD"],
    ["all where the route takes any", {}, [], "GET, HEAD, POST, PUT, PATCH, DELETE"],
    ["those that the policy lists", { methods: ["PATCH"] }, ["PUT"], "PATCH"],
  ])("names as methods %s", async (_, config, methods, said) => {
    const { answer } = await ask(
      { ...CONFIG, ...config },
      { origin: SHOP, preflight: "PUT" },
      { route: { methods } },
    );
    expect(answer.headers.get("access-control-allow-methods")).toBe(said);
  });

  it("says nothing of header fields where none is allowed, and no time where none is given", async () => {
    const { answer } = await ask(
      { ...CONFIG, headers: [], maxAge: "0s" },
      { origin: SHOP, preflight: "PUT" },
    );
    expect(answer.headers.has("access-control-allow-headers")).toBe(false);
    expect(answer.headers.get("access-control-max-age")).toBe("0");
  });

  it("never repeats what the client asked for", async () => {
    const { answer } = await ask(CONFIG, {
      origin: SHOP,
      preflight: "EVIL",
      headers: "x-evil, ".repeat(8192),
    });
    expect([...answer.headers].join()).not.toMatch(/evil/i);
  });
});

describe("any other answer", () => {
  it("tells an allowed origin that it may read", async () => {
    const { answer, reached } = await ask(CONFIG, { origin: SHOP });
    expect(reached).toBe(true);
    expect(corsFields(answer)).toEqual({
      "access-control-allow-origin": SHOP,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "etag, x-request-id",
    });
    expect(answer.headers.get("vary")).toBe("Origin");
  });

  it("passes without CORS fields for an origin that is not allowed", async () => {
    const { answer, reached } = await ask(CONFIG, { origin: "https://evil.example", method: "POST" });
    expect(reached).toBe(true);
    expect(answer.status).toBe(200);
    expect(corsFields(answer)).toEqual({});
  });

  it.each([
    ["an allowed origin", SHOP],
    ["another origin", "https://evil.example"],
    ["no origin", undefined],
  ])("varies by origin for %s, so that no cache hands out a wrong variant", async (_, origin) => {
    const accept = (vary: string) =>
      ask(CONFIG, {
        ...(origin === undefined ? {} : { origin }),
        upstream: () => new Response(null, { headers: { vary } }),
      });
    expect((await accept("Accept-Encoding")).answer.headers.get("vary")).toBe("Accept-Encoding, Origin");
    expect((await accept("origin, Accept")).answer.headers.get("vary")).toBe("origin, Accept");
    expect((await accept("*")).answer.headers.get("vary")).toBe("*");
  });

  it.each([401, 403, 404, 429, 500, 502, 503])(
    "has its fields on the gateway's own %i too",
    async (status) => {
      const upstream = (exchange: Exchange) => problem(exchange, { status, code: "x", title: "X" });
      const { answer } = await ask(CONFIG, { origin: SHOP, upstream });
      expect(answer.status).toBe(status);
      expect(answer.headers.get("access-control-allow-origin")).toBe(SHOP);
      expect(answer.headers.get("vary")).toBe("Origin");
    },
  );

  it("drops what the upstream says of CORS, whoever asks", async () => {
    const upstream = () =>
      new Response(null, {
        headers: {
          "access-control-allow-origin": "*",
          "access-control-allow-credentials": "true",
          "access-control-allow-methods": "*",
          "access-control-allow-headers": "*",
          "access-control-allow-private-network": "true",
          "access-control-expose-headers": "x-secret",
          "access-control-max-age": "86400",
          "x-kept": "1",
        },
      });
    const plain = { origins: [SHOP] };
    for (const origin of ["https://evil.example", undefined]) {
      const { answer } = await ask(plain, { ...(origin === undefined ? {} : { origin }), upstream });
      expect(corsFields(answer)).toEqual({});
      expect(answer.headers.get("x-kept")).toBe("1");
    }
    const { answer } = await ask(plain, { origin: SHOP, upstream });
    expect(corsFields(answer)).toEqual({ "access-control-allow-origin": SHOP });
  });

  it("says * and does not vary where any origin may read", async () => {
    for (const origin of [SHOP, undefined]) {
      const { answer } = await ask({ origins: "any" }, origin === undefined ? {} : { origin });
      expect(corsFields(answer)).toEqual({ "access-control-allow-origin": "*" });
      expect(answer.headers.has("vary")).toBe(false);
    }
    const { answer } = await ask({ origins: "any" }, { origin: SHOP, preflight: "PUT" });
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.has("vary")).toBe(false);
  });
});

describe("origins (S23)", () => {
  const patterns = [
    SHOP,
    "https://*.example.org",
    "http://localhost:3000",
    "https://*.tenants.example.net:8443",
    "capacitor://localhost",
  ];

  it.each([
    [SHOP],
    ["https://a.example.org"],
    ["https://a.b.c.example.org"],
    ["https://xn--bcher-kva.example.org"],
    ["http://localhost:3000"],
    ["https://a.tenants.example.net:8443"],
    ["capacitor://localhost"],
  ])("%s is allowed", async (origin) => {
    expect(
      (await ask({ origins: patterns }, { origin })).answer.headers.get("access-control-allow-origin"),
    ).toBe(origin);
  });

  it.each([
    ["null, unless listed", "null"],
    ["a longer name before", "https://evil-shop.example.com"],
    ["a longer name behind", "https://shop.example.com.evil.example"],
    ["capitals, which browsers do not send", "https://SHOP.example.com"],
    ["a port", "https://shop.example.com:8443"],
    ["the default port, which browsers leave out", "https://shop.example.com:443"],
    ["another scheme", "http://shop.example.com"],
    ["a path", "https://shop.example.com/"],
    ["two origins", `${SHOP} ${SHOP}`],
    ["two fields, as they are joined", `${SHOP}, ${SHOP}`],
    ["the domain of a wildcard itself", "https://example.org"],
    ["an empty label", "https://.example.org"],
    ["empty labels inside", "https://a..example.org"],
    ["a wildcard", "https://*.example.org"],
    ["another domain with the same end", "https://evilexample.org"],
    ["a path that ends like a wildcard", "https://evil.example/.example.org"],
    ["a query that ends like a wildcard", "https://evil.example?.example.org"],
    ["a fragment that ends like a wildcard", "https://evil.example#.example.org"],
    ["credentials before a wildcard", "https://evil.example@a.example.org"],
    ["a port before a wildcard", "https://evil.example:443.example.org"],
    ["another scheme for a wildcard", "http://a.example.org"],
    ["another port for a wildcard", "https://a.example.org:8443"],
    ["no port for a wildcard with one", "https://a.tenants.example.net"],
    ["a label that is too long for any host", `https://${"a".repeat(400)}.example.org`],
    ["64 KiB of labels", `https://${"a.".repeat(32_768)}example.org`],
    ["64 KiB of hyphens", `https://${"-".repeat(65_536)}`],
  ])("%s is not allowed", async (_, origin) => {
    const { answer } = await ask({ origins: patterns }, { origin });
    expect(answer.headers.has("access-control-allow-origin")).toBe(false);
    expect(answer.headers.get("vary")).toBe("Origin");
  });

  it("null is allowed where it is listed", async () => {
    expect(
      (await ask({ origins: ["null"] }, { origin: "null" })).answer.headers.get(
        "access-control-allow-origin",
      ),
    ).toBe("null");
  });

  it.each([
    ["capitals and the default port", "HTTPS://Shop.Example.com:443", SHOP],
    ["the default port of http", "http://shop.example.com:80", "http://shop.example.com"],
    ["an international name", "https://bücher.example", "https://xn--bcher-kva.example"],
    ["an IPv6 address", "http://[2001:DB8::1]:8080", "http://[2001:db8::1]:8080"],
  ])("are brought to the form of browsers: %s", async (_, written, origin) => {
    expect(
      (await ask({ origins: [written] }, { origin })).answer.headers.get("access-control-allow-origin"),
    ).toBe(origin);
  });

  it("matches exactly what is listed, whatever else comes", () => {
    const label = fc.string({ unit: fc.constantFrom(..."ab-."), minLength: 1, maxLength: 6 });
    return fc.assert(
      fc.asyncProperty(
        fc.constantFrom("https://", "http://", "", "https:/"),
        label,
        fc.constantFrom("", ":8443", "/", "@"),
        async (start, host, end) => {
          const origin = `${start}${host}.example.org${end}`;
          const labels = host.split(".");
          const expected = start === "https://" && end === "" && labels.every((one) => one !== "");
          const { answer } = await ask({ origins: ["https://*.example.org"] }, { origin });
          expect(answer.headers.has("access-control-allow-origin")).toBe(expected);
        },
      ),
    );
  });
});

describe("what browsers make of our answers", () => {
  const configs: Record<string, Record<string, unknown>> = {
    open: { origins: "any" },
    listed: { origins: [SHOP], headers: ["x-test"], methods: ["PUT"] },
    "with credentials": {
      origins: [SHOP, "https://*.example.org"],
      credentials: true,
      headers: ["x-test", "Authorization"],
    },
  };
  const goesThrough = async (config: unknown, page: PageRequest): Promise<boolean> => {
    const preflight = await ask(config, {
      origin: page.origin,
      preflight: page.method,
      headers: (page.headers ?? []).join(","),
    });
    if (!passesPreflight(page, preflight.answer)) return false;
    const { answer } = await ask(config, { origin: page.origin, method: page.method });
    return passesCheck(page, answer);
  };

  it.each([
    ["open", { origin: "https://any.example", method: "PUT", credentials: false }, true],
    ["open", { origin: "null", method: "DELETE", credentials: false }, true],
    ["open", { origin: SHOP, method: "PUT", headers: ["authorization"], credentials: false }, true],
    ["open", { origin: SHOP, method: "PUT", credentials: true }, false],
    ["listed", { origin: SHOP, method: "PUT", headers: ["X-Test"], credentials: false }, true],
    ["listed", { origin: SHOP, method: "GET", headers: ["x-test"], credentials: false }, true],
    ["listed", { origin: SHOP, method: "PATCH", credentials: false }, false],
    ["listed", { origin: SHOP, method: "put", credentials: false }, false],
    ["listed", { origin: SHOP, method: "PUT", headers: ["x-other"], credentials: false }, false],
    ["listed", { origin: SHOP, method: "PUT", headers: ["authorization"], credentials: false }, false],
    ["listed", { origin: SHOP, method: "PUT", credentials: true }, false],
    ["listed", { origin: "https://evil.example", method: "PUT", credentials: false }, false],
    [
      "with credentials",
      { origin: SHOP, method: "PUT", headers: ["x-test", "authorization"], credentials: true },
      true,
    ],
    ["with credentials", { origin: "https://a.b.example.org", method: "DELETE", credentials: true }, true],
    ["with credentials", { origin: SHOP, method: "*", credentials: true }, false],
    ["with credentials", { origin: SHOP, method: "PUT", headers: ["*"], credentials: true }, false],
    ["with credentials", { origin: "https://example.org", method: "PUT", credentials: true }, false],
    ["with credentials", { origin: "null", method: "PUT", credentials: true }, false],
  ] as const)("%s: %j → %s", async (name, page, expected) => {
    expect(await goesThrough(configs[name], page)).toBe(expected);
  });
});

describe("what the policy refuses", () => {
  it.each([
    [
      "any origin with credentials",
      { origins: "any", credentials: true },
      "cors-any-with-credentials",
      "credentials",
      /List the origins/,
    ],
    [
      "null with credentials",
      { origins: ["null"], credentials: true },
      "cors-null-with-credentials",
      "origins.0",
      /Remove "null"/,
    ],
    [
      "a wildcard for a whole top level",
      { origins: [SHOP, "https://*.com"] },
      "cors-wildcard-too-wide",
      "origins.1",
      /example\.com/,
    ],
    ["no origin", { origins: [] }, "too_small", "origins", /at least one/],
  ])("%s", (_, config, code, at, remedy) => {
    expect(compilePolicy(cors, [{ config }]).faults).toMatchObject([
      { code, at, remedy: expect.stringMatching(remedy) },
    ]);
  });

  it.each([
    ["*", /origins: any/],
    ["any", /origins: any/],
    ["shop.example.com", /scheme, host and port/],
    ["https://shop.example.com/", /https:\/\/shop\.example\.com$/],
    ["https://shop.example.com/page", /https:\/\/shop\.example\.com$/],
    ["https://shop*.example.com", /https:\/\/\*\.example\.com/],
    ["https://*", /https:\/\/\*\.example\.com/],
    ["https://*.*.example.com", /https:\/\/\*\.example\.com/],
    ["https://me@shop.example.com", /scheme, host and port/],
    ["https://shop.example.com:99999", /scheme, host and port/],
    ["https://", /scheme, host and port/],
    ["", /scheme, host and port/],
  ])("%j as an origin, with a remedy", (text, remedy) => {
    const [fault] = compilePolicy(cors, [{ config: { origins: [text] } }]).faults;
    expect(fault?.remedy).toMatch(remedy);
  });

  it.each([
    ["a method in small letters", { origins: [SHOP], methods: ["put"] }, "methods.0"],
    ["a method that browsers never send", { origins: [SHOP], methods: ["TRACE"] }, "methods.0"],
    ["every method with credentials", { origins: [SHOP], credentials: true, methods: ["*"] }, "methods.0"],
    [
      "every header field with credentials",
      { origins: [SHOP], credentials: true, headers: ["*"] },
      "headers.0",
    ],
    [
      "to show every field with credentials",
      { origins: [SHOP], credentials: true, exposeHeaders: ["*"] },
      "exposeHeaders.0",
    ],
    ["an unknown key", { origins: [SHOP], allowOrigins: [] }, ""],
    ["to say nothing of origins", {}, "origins"],
  ])("%s", (_, config, at) => {
    expect(compilePolicy(cors, [{ config }]).faults).toMatchObject([{ at }]);
  });
});
