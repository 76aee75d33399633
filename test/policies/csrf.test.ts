import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/core/exchange.ts";
import type { Json } from "../../src/core/json.ts";
import { csrf } from "../../src/policies/csrf/policy.ts";
import { compiled, compiledApis, planOf, sourcesOf, stepsOf } from "../support/compiling.ts";
import { fakeExchange, fakePorts } from "../support/ports.ts";
import { compilePolicy, linkPolicy, type Place } from "./compiling.ts";

const jwtFrom = (place: string): Place => ({
  identity: { policies: ["jwt"], steps: [{ policy: "jwt", step: { from: { in: place, name: "session" } } }] },
});
const COOKIE = jwtFrom("cookie");
const PARTNER = "https://partner.example.com";
const EVIL = "https://evil.example";

interface Words {
  readonly method?: string;
  /** Sec-Fetch-Site. */
  readonly site?: string;
  readonly origin?: string;
  readonly cookie?: string | null;
  readonly url?: string;
  readonly over?: Partial<Exchange>;
}

const ask = async (
  words: Words,
  config: object = { origins: [PARTNER] },
  place = COOKIE,
): Promise<Response> => {
  const {
    method = "POST",
    site,
    origin,
    cookie = "session=token",
    url = "https://api.example.com/orders",
  } = words;
  const headers = new Headers();
  for (const [name, value] of Object.entries({ "sec-fetch-site": site, origin, cookie }))
    if (value !== undefined && value !== null) headers.set(name, value);
  const filter = await linkPolicy(csrf, config, fakePorts(), "only", place);
  return filter(() => new Response("served"))(
    fakeExchange(new Request(url, { method, headers }), words.over),
  );
};

describe("a request in somebody's name that would change something", () => {
  it.each<[string, Words, boolean]>([
    ["from a page of the same origin", { site: "same-origin" }, true],
    ["from the visitor's own hand", { site: "none" }, true],
    ["from a page of another site", { site: "cross-site" }, false],
    ["from a page of a sister domain, which may be somebody else's", { site: "same-site" }, false],
    [
      "from a page of another site that says that its origin is ours",
      { site: "cross-site", origin: "https://api.example.com" },
      false,
    ],
    ["from a page of the same origin that hides it", { site: "same-origin", origin: "null" }, true],
    ["from a page of an origin that is listed", { site: "cross-site", origin: PARTNER }, true],
    ["from a sister domain that is listed", { site: "same-site", origin: PARTNER }, true],
    [
      "from an origin that is listed, in capitals",
      { site: "cross-site", origin: "https://PARTNER.example.com" },
      false,
    ],
    [
      "from an origin that begins with a listed one",
      { site: "cross-site", origin: `${PARTNER}.evil.example` },
      false,
    ],
    ["from a listed origin at another port", { site: "cross-site", origin: `${PARTNER}:8443` }, false],
    ["from a listed origin by http", { site: "cross-site", origin: "http://partner.example.com" }, false],
    ["from two origins of which one is listed", { site: "cross-site", origin: `${PARTNER}, ${EVIL}` }, false],
    ["with a word that browsers do not know", { site: "same-orgin" }, false],
    ["with an empty word", { site: "" }, false],
    ["with two words", { site: "same-origin, cross-site" }, false],
    ["from an older browser, same origin", { origin: "https://api.example.com" }, true],
    ["from an older browser, listed", { origin: PARTNER }, true],
    ["from an older browser, another origin", { origin: EVIL }, false],
    ["from an older browser, a sister domain", { origin: "https://shop.example.com" }, false],
    ["from an older browser, a name that ends alike", { origin: "https://evil-api.example.com" }, false],
    [
      "from an older browser, a name that begins alike",
      { origin: "https://api.example.com.evil.example" },
      false,
    ],
    ["from an older browser, another port", { origin: "https://api.example.com:8443" }, false],
    ["from an older browser, by http", { origin: "http://api.example.com" }, false],
    ["from an older browser, a hidden origin", { origin: "null" }, false],
    [
      "from an older browser, a page behind TLS that ends before the gateway",
      { origin: "https://api.example.com", url: "http://api.example.com/orders" },
      true,
    ],
    [
      "from an older browser, a page without TLS",
      { origin: "http://api.example.com", url: "http://api.example.com/orders" },
      true,
    ],
    [
      "from an older browser, at a port",
      { origin: "http://localhost:8787", url: "http://localhost:8787/orders" },
      true,
    ],
    [
      "from an older browser, at another port of the host",
      { origin: "http://localhost:3000", url: "http://localhost:8787/orders" },
      false,
    ],
    ["from no browser", {}, true],
  ])("%s", async (_, words, expected) => {
    expect((await ask(words)).status).toBe(expected ? 200 : 403);
  });

  it.each([
    ["GET", true],
    ["HEAD", true],
    ["OPTIONS", true],
    ["POST", false],
    ["PUT", false],
    ["PATCH", false],
    ["DELETE", false],
    ["QUERY", false],
    ["PURGE", false],
    ["get", true],
    ["post", false],
  ])("by %s from another site", async (method, expected) => {
    expect((await ask({ method, site: "cross-site", origin: EVIL })).status).toBe(expected ? 200 : 403);
  });

  it.each<[string, Words, boolean]>([
    ["of another site", { site: "cross-site", origin: EVIL }, false],
    ["of another site in an older browser", { origin: EVIL }, false],
    ["of the same origin", { site: "same-origin", origin: "https://api.example.com" }, true],
    ["of the same origin in an older browser", { origin: "https://api.example.com" }, true],
    ["of a listed origin", { site: "cross-site", origin: PARTNER }, true],
  ])("a WebSocket that a page %s opens", async (_, words, expected) => {
    const status = (await ask({ ...words, method: "GET", over: { opensWebSocket: true } })).status;
    expect(status).toBe(expected ? 200 : 403);
  });

  it("is refused as a problem", async () => {
    const answer = await ask({ site: "cross-site", origin: EVIL });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: "csrf-refused", status: 403 });
  });
});

describe("where it holds", () => {
  const STRANGE: Words = { site: "cross-site", origin: EVIL, cookie: null };
  const withPolicies = (...policies: (readonly [string, Json])[]): Place => ({
    identity: {
      policies: policies.map(([policy]) => policy),
      steps: policies.map(([policy, step]) => ({ policy, step })),
    },
  });
  const fromCookie = { from: { in: "cookie", name: "session" } };
  const fromHeader = { from: { in: "header", name: "x-api-key" } };

  it.each<[string, Place, Words, boolean]>([
    ["a request without a cookie is in nobody's name", COOKIE, STRANGE, true],
    ["any cookie may be the one", COOKIE, { ...STRANGE, cookie: "a=1; \u00a0session=x" }, false],
    ["without identity the service may know callers by anything", {}, STRANGE, false],
    ["names and passwords are added by browsers", withPolicies(["basicAuth", {}]), STRANGE, false],
    ["so are certificates", withPolicies(["clientCertificate", {}]), STRANGE, false],
    ["nobody knows what another service looks at", withPolicies(["forwardAuth", {}]), STRANGE, false],
    [
      "one of two kinds is enough",
      withPolicies(["apiKey", fromHeader], ["jwt", fromCookie]),
      { ...STRANGE, cookie: "a=1" },
      false,
    ],
    [
      "without the cookie of one of two kinds",
      withPolicies(["apiKey", fromHeader], ["jwt", fromCookie]),
      STRANGE,
      true,
    ],
    [
      "a kind that is always added beside a cookie",
      withPolicies(["jwt", fromCookie], ["basicAuth", {}]),
      STRANGE,
      false,
    ],
    [
      "a key in a header is sent on purpose",
      withPolicies(["apiKey", fromHeader]),
      { ...STRANGE, cookie: "a=1" },
      true,
    ],
    ["a bearer token too", jwtFrom("bearer"), { ...STRANGE, cookie: "a=1" }, true],
    ["a signature too", withPolicies(["hmac", {}]), { ...STRANGE, cookie: "a=1" }, true],
    [
      "a scheme that browsers do not speak",
      withPolicies(["apiKey", { from: { in: "scheme", name: "Key" } }]),
      STRANGE,
      true,
    ],
    [
      "a scheme that they do",
      withPolicies(["apiKey", { from: { in: "scheme", name: "Basic" } }]),
      STRANGE,
      false,
    ],
    [
      "the field of cookies read as a header",
      withPolicies(["jwt", { from: { in: "header", name: "cookie" } }]),
      { ...STRANGE, cookie: "a=1" },
      false,
    ],
    ["404 and 405 change nothing", { route: { id: "-" } }, STRANGE, true],
  ])("%s", async (_, place, words, expected) => {
    const gateway = compilePolicy(csrf, [{ config: {}, level: "gateway" }], "only", place);
    expect(gateway.faults).toEqual([]);
    if (gateway.step === undefined) return expect(expected).toBe(true);
    expect((await ask(words, {}, place)).status).toBe(expected ? 200 : 403);
  });

  it("a route that has no use for it says so, one that inherits it does not", () => {
    const codes = (level: "api" | "route") =>
      compilePolicy(csrf, [{ config: {}, level }], "only", jwtFrom("bearer")).faults.map(({ code }) => code);
    expect({ api: codes("api"), route: codes("route") }).toEqual({ api: [], route: ["csrf-without-effect"] });
  });

  it("knows the cookie of a route's jwt policy", () => {
    const plan = planOf(
      compiledApis(
        `apis:
  shop:
    upstream: orders
    routes:
      cookie: { match: { path: /a }, policies: { jwt: { from: { cookie: session } } } }
      bearer: { match: { path: /b }, policies: { jwt: {} } }
      query: { match: { path: /c }, policies: { jwt: { from: { query: token } } } }
      open: { match: { path: /d }, public: true }
`,
        { gateway: "  policies: { csrf: { origins: [https://shop.example.com] } }\n" },
      ),
    );
    const step = (route: string) =>
      stepsOf(plan, `shop.${route}`).find(({ policy }) => policy === "csrf")?.step;
    const origins = ["https://shop.example.com"];
    expect(["cookie", "bearer", "query", "open"].map(step)).toEqual([
      { origins, cookiesOnly: true },
      undefined,
      undefined,
      { origins, cookiesOnly: false },
    ]);
  });
});

describe("an environment", () => {
  const codes = (overlay: string): readonly string[] =>
    compiled(
      sourcesOf({
        "a.yaml": `gateway: { hosts: { public: a.example.com }, policies: { csrf: { origins: [https://shop.example.com] } } }
environments: { staging: { gateway: { policies: { csrf: ${overlay} } } } }
upstreams: { orders: { targets: { main: { binding: ORDERS } } } }
apis: { shop: { public: true, upstream: orders, routes: { get: { match: { path: / } } } } }
`,
      }),
      "staging",
    ).codes;

  it("may have other origins, and cannot take the protection off", () => {
    expect(codes("{ origins: [https://shop.stg.example.com] }")).toEqual([]);
    expect(codes("none")).toEqual(["overlay-protected"]);
  });
});

describe("origins", () => {
  const originsOf = (origins: readonly string[]) =>
    compilePolicy(csrf, [{ config: { origins } }], "only", COOKIE);

  it.each([
    ["https://shop.example.com", "https://shop.example.com"],
    ["HTTPS://Shop.Example.com", "https://shop.example.com"],
    ["https://shop.example.com:443", "https://shop.example.com"],
    ["https://shop.example.com:8443", "https://shop.example.com:8443"],
    ["http://[2001:DB8::1]:3000", "http://[2001:db8::1]:3000"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["capacitor://localhost", "capacitor://localhost"],
  ])("%s is written as browsers do", (written, origin) => {
    expect(originsOf([written]).step).toEqual({ origins: [origin], cookiesOnly: true });
  });

  it.each([
    "null",
    "*",
    "any",
    "shop.example.com",
    "https://*.example.com",
    "https://shop.example.com/",
    "https://a@b.example",
    "https://",
    "https://a.example:99999",
    "https://a b.example",
    "",
  ])("%j is none", (text) => {
    expect(originsOf([text]).faults).toMatchObject([{ code: "bad-origin", at: "origins.0" }]);
  });
});
