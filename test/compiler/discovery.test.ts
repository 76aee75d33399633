import { describe, expect, it } from "vitest";
import { isManaged } from "../../src/core/upstream-plan.ts";
import { compiled, planOf, sourcesOf } from "../support/compiling.ts";

const compileWith = (discover: string, { development = false, more = "" } = {}) =>
  compiled(
    sourcesOf({
      "all.yaml": `gateway:
  hosts: { public: api.example.com }
environments: { here: { development: ${development} } }
upstreams:
  search:
    discover: ${discover}
${more}
apis:
  search: { upstream: search, routes: { all: { match: { pathPrefix: / }, public: true } } }
`,
    }),
    "here",
  );

const RESOLVER = 'resolver: "https://dns.example.com/dns-query"';
const SRV = `name: _http._tcp.search.example.com, type: SRV, ${RESOLVER}`;
const A = `name: search.example.com, type: A, ${RESOLVER}`;

const planWith = (discover: string, development = false) =>
  planOf(compileWith(discover, { development })).upstreams["search"]!;

describe("what a plan says of discovery", () => {
  it("is where and what to ask, and how to call", () => {
    expect(planWith(`{ dns: { ${SRV} }, path: /v1/, refresh: 10s, network: private }`)).toMatchObject({
      targets: [],
      discovery: {
        url: "https://dns.example.com/dns-query?dns=AAABAAABAAAAAAAABV9odHRwBF90Y3AGc2VhcmNoB2V4YW1wbGUDY29tAAAhAAE",
        name: "_http._tcp.search.example.com",
        type: "SRV",
        scheme: "https",
        basePath: "/v1",
        network: "private",
        refreshMs: 10_000,
      },
    });
  });

  it("has every default filled in", () => {
    const plan = planWith(`{ dns: { ${SRV} } }`);
    expect(plan.discovery).toEqual({
      url: expect.any(String),
      name: "_http._tcp.search.example.com",
      type: "SRV",
      scheme: "https",
      basePath: "",
      refreshMs: 30_000,
    });
    expect(isManaged(plan)).toBe(true);
  });

  it.each([
    ["80 where none is written", "", 80],
    ["the one that is written", ", port: 8080", 8080],
  ])("has for addresses the port %s", (_, port, expected) =>
    expect(planWith(`{ dns: { ${A} }, scheme: http${port} }`).discovery?.port).toBe(expected),
  );

  it.each([
    ["in capitals", "_HTTP._tcp.Search.Example.com"],
    ["with a dot at the end", "_http._tcp.search.example.com."],
  ])("is the same for a name %s", (_, name) =>
    expect(planWith(`{ dns: { name: ${name}, type: SRV, ${RESOLVER} } }`)).toEqual(
      planWith(`{ dns: { ${SRV} } }`),
    ),
  );

  it.each([
    ["private in development", "", true, "private"],
    ["public in development where that is written", ", network: public", true, "public"],
    ["the usual one elsewhere", "", false, undefined],
  ])("has the network %s", (_, network, development, expected) =>
    expect(planWith(`{ dns: { ${SRV} }${network} }`, development).discovery?.network).toBe(expected),
  );
});

describe("a resolver", () => {
  const dns = (url: string): string =>
    `dns: { name: _http._tcp.s.example.com, type: SRV, resolver: "${url}" }`;

  it.each([
    ["https is used", dns("https://dns.example.com/dns-query"), false],
    ["https is used on another port and path", dns("https://dns.example.com:8443/a/b"), false],
    ["https leads to an address", dns("https://9.9.9.9/dns-query"), false],
    ["it is private, and that is allowed", `${dns("https://10.0.0.53/dns-query")}, network: private`, false],
    [
      "there is no TLS on a private network",
      `${dns("http://dns.internal/dns-query")}, network: private`,
      false,
    ],
    ["it is on loopback in development", dns("http://127.0.0.1:8053/dns-query"), true],
    ["there is no TLS in development", dns("http://dns.example.com/dns-query"), true],
  ])("is fine where %s", (_, discover, development) =>
    expect(compileWith(`{ ${discover} }`, { development }).codes).toEqual([]),
  );

  it.each([
    ["there is no TLS", dns("http://dns.example.com/dns-query"), false, "insecure-url"],
    [
      "there is no TLS, in development, on the public network",
      `${dns("http://dns.example.com/")}, network: public`,
      true,
      "insecure-url",
    ],
    ["it is private", dns("https://10.0.0.53/dns-query"), false, "private-address"],
    ["it is on loopback", dns("http://localhost/dns-query"), false, "private-address"],
    [
      "it is private, in development, on the public network",
      `${dns("http://[::1]/")}, network: public`,
      true,
      "private-address",
    ],
    ["it is no URL", dns("dns.example.com"), true, "bad-url"],
    ["it speaks something else", dns("tls://dns.example.com"), true, "bad-url"],
    ["it has a password", dns("https://a:b@dns.example.com/"), true, "bad-url"],
    ["it has a query", dns("https://dns.example.com/dns-query?a=b"), true, "bad-url"],
    ["it is a template of RFC 8484", dns("https://dns.example.com/dns-query{?dns}"), true, "bad-url"],
  ])("is refused where %s", (_, discover, development, code) =>
    expect(compileWith(`{ ${discover} }`, { development }).codes).toEqual([code]),
  );
});

describe("discovery", () => {
  const named = (name: string, type: string): string =>
    `{ dns: { name: "${name}", type: ${type}, ${RESOLVER} }, scheme: http }`;

  it.each([
    ["an SRV name without service", named("search.example.com", "SRV"), "bad-host"],
    ["an SRV name without protocol", named("_http.search.example.com", "SRV"), "bad-host"],
    ["an SRV name without domain", named("_http._tcp", "SRV"), "bad-host"],
    [
      "an SRV name with a label that is too long",
      named(`_${"a".repeat(63)}._tcp.example.com`, "SRV"),
      "bad-host",
    ],
    ["a host name with an underscore", named("_http._tcp.example.com", "A"), "bad-host"],
    ["a host name with a port", named("search.example.com:80", "AAAA"), "bad-host"],
    ["an empty name", named("", "A"), "bad-host"],
    ["a name of more than 253 characters", named("a.".repeat(127) + "a", "A"), "bad-host"],
    ["another type", named("search.example.com", "TXT"), "bad-value"],
    ["https to addresses", `{ dns: { ${A} } }`, "conflicting-keys"],
    ["a port beside SRV", `{ dns: { ${SRV} }, port: 80 }`, "conflicting-keys"],
    ["the port 0", `{ dns: { ${A} }, scheme: http, port: 0 }`, "bad-value"],
    ["a port that there is not", `{ dns: { ${A} }, scheme: http, port: 65536 }`, "bad-value"],
    ["a path with a query", `{ dns: { ${SRV} }, path: "/v1?a=b" }`, "bad-value"],
    ["a path that is not in normal form", `{ dns: { ${SRV} }, path: /a/../b }`, "bad-value"],
    ["a path without a slash", `{ dns: { ${SRV} }, path: v1 }`, "bad-value"],
    ["looking up all the time", `{ dns: { ${SRV} }, refresh: 999ms }`, "bad-value"],
    ["hardly ever looking up", `{ dns: { ${SRV} }, refresh: 2h }`, "bad-value"],
    ["an unknown key", `{ dns: { ${SRV} }, ttl: 5s }`, "unknown-key"],
    ["an unknown key of dns", `{ dns: { ${SRV}, server: x } }`, "unknown-key"],
    ["no question", "{ refresh: 5s }", "missing-key"],
  ])("is refused with %s", (_, discover, code) => expect(compileWith(discover).codes).toEqual([code]));

  it("is refused beside a list", () => {
    const more = '    targets: { main: { url: "https://s.example.com" } }';
    expect(compileWith(`{ dns: { ${SRV} } }`, { more }).codes).toEqual(["conflicting-keys"]);
  });

  it.each([
    ["the longest name", named(`${"a.".repeat(126)}a`, "A")],
    ["the longest service", named(`_${"a".repeat(62)}._tcp.example.com`, "SRV")],
    ["the shortest names", named("_a._b.c", "SRV")],
  ])("is fine with %s", (_, discover) => expect(compileWith(discover).codes).toEqual([]));
});
