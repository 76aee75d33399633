import { describe, expect, it } from "vitest";
import { type Compiled, compiled, planOf, routeOf, sourcesOf } from "../support/compiling.ts";

const GATEWAY = `gateway:
  hosts: { public: api.example.com }
  clientIp: connection
issuers:
  main: { issuer: main, audiences: [shop], algorithms: [HS256], secret: { env: SECRET } }
`;
const UPSTREAMS = `upstreams:
  orders: { targets: { main: { binding: ORDERS } } }
  next: { targets: { main: { binding: NEXT } } }
  shadow: { targets: { main: { binding: SHADOW } } }
`;

/** Uses everything, so that tests need not. */
const KEEPER = `apis:
  keeper:
    public: true
    routes:
      a: { match: { path: /a }, upstream: orders, mirror: [{ upstream: next }, { upstream: shadow }] }
      b: { match: { path: /b }, upstream: orders, policies: { jwt: {} } }
`;

const gateway = (apis: string, more = GATEWAY): Compiled =>
  compiled(sourcesOf({ "a.yaml": more, "b.yaml": UPSTREAMS, "c.yaml": KEEPER, "d.yaml": `apis:\n${apis}` }));

/** One route with an action, written as the lines of a map; public unless it says otherwise. */
const route = (words: string, match = "{ path: /x }", more = GATEWAY): Compiled =>
  gateway(
    `  shop:\n    routes:\n      it:\n        match: ${match}\n        ${words.replaceAll("\n", "\n        ")}\n`,
    more,
  );

const action = (result: Compiled, id = "shop.it"): unknown => routeOf(planOf(result), id).action;

const EVEN = "lanes: { orders: 50%, next: 50% }";
const split = (words: string): string => `public: true\nsplit: { ${words} }`;

describe("lanes", () => {
  it("are in the order of their names, each with its share", () => {
    expect(action(route(split("lanes: { orders: 95%, next: 5% }")))).toEqual({
      kind: "split",
      lanes: [
        { upstream: "next", share: 0.05 },
        { upstream: "orders", share: 0.95 },
      ],
    });
  });

  it("may be kept for later", () => {
    expect(action(route(split("lanes: { orders: 100%, next: 0% }")))).toMatchObject({
      lanes: [{ share: 0 }, { share: 1 }],
    });
  });

  it("may edit their requests, each by itself", () => {
    const next =
      "next: { share: 0.5%, headers: { set: { X-Version: next }, add: { via-lane: '1' }, remove: [X-Old] } }";
    expect(action(route(split(`lanes: { orders: 99.5%, ${next} }`)))).toMatchObject({
      lanes: [
        {
          upstream: "next",
          share: 0.005,
          edits: [
            { op: "remove", name: "x-old" },
            { op: "set", name: "x-version", value: "next" },
            { op: "add", name: "via-lane", value: "1" },
          ],
        },
        { upstream: "orders", share: 0.995 },
      ],
    });
  });

  it("may be maps that edit nothing", () => {
    expect(action(route(split("lanes: { orders: { share: 50% }, next: 50% }")))).toMatchObject({
      lanes: [{ upstream: "next" }, { upstream: "orders", share: 0.5 }],
    });
  });

  it("go along with what else is said of forwarding", () => {
    const words = `${split(EVEN)}\ntimeout: 2s\nrewrite: { host: orders.internal }\nmirror: [{ upstream: shadow }]`;
    expect(action(route(words))).toMatchObject({
      timeoutMs: 2000,
      rewrite: { host: "orders.internal" },
      mirrors: [{ upstream: "shadow", share: 1 }],
    });
  });

  it("of an api are those of its routes, but of one that names an upstream", () => {
    const result = gateway(`  shop:
    public: true
    split: { ${EVEN} }
    routes: { it: { match: { path: /x } }, other: { match: { path: /y }, upstream: shadow } }
`);
    expect([action(result), action(result, "shop.other")]).toMatchObject([
      { kind: "split" },
      { kind: "forward", upstream: "shadow" },
    ]);
  });

  it("of a route go before the upstream of its api", () => {
    const result = gateway(`  shop:
    public: true
    upstream: shadow
    routes: { it: { match: { path: /x }, split: { ${EVEN} } }, other: { match: { path: /y } } }
`);
    expect([action(result), action(result, "shop.other")]).toMatchObject([
      { kind: "split" },
      { kind: "forward", upstream: "shadow" },
    ]);
  });

  it.each<[string, string, readonly string[]]>([
    ["less than 100%", "lanes: { orders: 95%, next: 4% }", ["bad-value"]],
    ["more than 100%", "lanes: { orders: 95%, next: 5.01% }", ["bad-value"]],
    ["nothing", "lanes: { orders: 0%, next: 0% }", ["bad-value"]],
    ["an unknown upstream", "lanes: { orders: 95%, nxt: 5% }", ["unknown-name"]],
    ["one lane", "lanes: { orders: 100% }", ["bad-value"]],
    ["no percentage", "lanes: { orders: 95%, next: 5 }", ["wrong-type"]],
    ["no share", "lanes: { orders: 95%, next: { headers: {} } }", ["missing-key"]],
    ["an unknown key", "lanes: { orders: 95%, next: { share: 5%, header: {} } }", ["unknown-key"]],
  ])("of %s are refused", (_, words, codes) => {
    expect(route(split(words)).codes).toEqual(codes);
  });

  it.each<[string, string, readonly string[]]>([
    ["a field of the connection", "{ set: { Connection: close } }", ["reserved-header"]],
    ["the host", "{ add: { host: x } }", ["reserved-header"]],
    ["where a request comes from", "{ remove: [X-Forwarded-For] }", ["reserved-header"]],
    ["a field twice", "{ set: { x-a: '1', X-A: '2' } }", ["duplicate-header"]],
    ["a field that is removed and set", "{ set: { X-A: '1' }, remove: [x-a] }", ["conflicting-edits"]],
    ["a template", "{ set: { x-a: '{identity.id}' } }", ["bad-value"]],
    ["a line break", '{ set: { x-a: "a\\nb" } }', ["bad-format"]],
    ["a number", "{ set: { x-a: 1 } }", ["wrong-type"]],
    ["an underscore", "{ set: { x_a: '1' } }", ["bad-name"]],
  ])("cannot edit %s", (_, headers, codes) => {
    expect(route(split(`lanes: { orders: 95%, next: { share: 5%, headers: ${headers} } }`)).codes).toEqual(
      codes,
    );
  });

  it("may hold JSON in a field", () => {
    const next = `next: { share: 50%, headers: { set: { x-a: '{"a":{}}' } } }`;
    expect(route(split(`lanes: { orders: 50%, ${next} }`)).codes).toEqual([]);
  });

  it("and an upstream of one api are refused", () => {
    const words = `  shop:\n    public: true\n    upstream: orders\n    split: { ${EVEN} }\n    routes: { it: { match: { path: /x } } }\n`;
    expect(gateway(words).codes).toEqual(["conflicting-keys"]);
  });
});

describe("what keeps callers in their lanes", () => {
  const sticky = (words: string, more = GATEWAY): Compiled =>
    route(split(`${EVEN}, sticky: ${words}`), "{ path: /x }", more);
  const WITHOUT_IP = GATEWAY.replace("  clientIp: connection\n", "");

  it.each<[string, object]>([
    ["{ by: ip }", { by: "ip" }],
    ["{ by: header, name: X-Device }", { by: "header", name: "x-device" }],
    ["{ by: cookie, name: Lane }", { by: "cookie", name: "Lane", maxAgeSeconds: 2_592_000 }],
    ["{ by: cookie, name: lane, maxAge: 1h }", { by: "cookie", name: "lane", maxAgeSeconds: 3600 }],
  ])("%s", (words, plan) => {
    expect(action(sticky(words))).toMatchObject({ sticky: plan });
  });

  it("an identity, of a route that asks for one", () => {
    const words = `policies: { jwt: {} }\nsplit: { ${EVEN}, sticky: { by: identity } }`;
    expect(action(route(words, "{ path: /x }", WITHOUT_IP))).toMatchObject({ sticky: { by: "identity" } });
  });

  it.each<[string, string, readonly string[]]>([
    ["an address that the gateway may not know", "{ by: ip }", ["client-ip-unknown"]],
    ["an identity of nobody", "{ by: identity }", ["identity-key-on-public-route"]],
    ["a header without its name", "{ by: header }", ["missing-key"]],
    ["a cookie without its name", "{ by: cookie }", ["missing-key"]],
    ["an empty name", "{ by: cookie, name: '' }", ["bad-name"]],
    ["a name that no cookie has", "{ by: cookie, name: 'a b' }", ["bad-name"]],
    ["a name that no field has", "{ by: header, name: x_a }", ["bad-name"]],
    ["a name where none is needed", "{ by: identity, name: x }", ["conflicting-keys"]],
    ["an age of what is no cookie", "{ by: header, name: x, maxAge: 1d }", ["conflicting-keys"]],
    ["an age of nothing", "{ by: cookie, name: x, maxAge: 0s }", ["bad-value"]],
    ["an age that browsers cut", "{ by: cookie, name: x, maxAge: 401d }", ["bad-value"]],
    ["another word", "{ by: session }", ["bad-value"]],
  ])("not %s", (_, words, codes) => {
    expect(sticky(words, WITHOUT_IP).codes).toEqual(codes);
  });

  const api = (routes: string): Compiled =>
    gateway(`  shop:\n    split: { ${EVEN}, sticky: { by: identity } }\n    routes: { ${routes} }\n`);

  it("an identity, where only some routes of the api are public", () => {
    const routes =
      "it: { match: { path: /x }, policies: { jwt: {} } }, open: { match: { path: /y }, public: true }";
    expect(api(routes).codes).toEqual([]);
  });

  it("not an identity, where all routes that are split are public", () => {
    const routes = `it: { match: { path: /x }, public: true }, open: { match: { path: /y }, public: true },
      other: { match: { path: /z }, upstream: orders, policies: { jwt: {} } }`;
    expect(api(routes).codes).toEqual(["identity-key-on-public-route"]);
  });

  it("where an identity was forgotten, that is all that is said", () => {
    expect(api("it: { match: { path: /x } }").codes).toEqual(["no-identity"]);
  });
});

describe("mirrors", () => {
  const mirror = (words: string, match?: string): Compiled =>
    route(`public: true\nupstream: orders\nmirror: ${words}`, match);

  it.each<[string, string, object]>([
    ["all requests", "[{ upstream: shadow }]", [{ upstream: "shadow", share: 1 }]],
    ["a part of them", "[{ upstream: shadow, share: 2.5% }]", [{ upstream: "shadow", share: 0.025 }]],
    [
      "to several",
      "[{ upstream: shadow }, { upstream: next, share: 10% }]",
      [
        { upstream: "shadow", share: 1 },
        { upstream: "next", share: 0.1 },
      ],
    ],
  ])("copy %s", (_, words, mirrors) => {
    expect(action(mirror(words))).toMatchObject({ mirrors });
  });

  it("leave out the fields where the route looks for credentials, beside those that always are", () => {
    const words = (from: string): string =>
      `policies: { jwt: { from: { ${from} } } }\nupstream: orders\nmirror: [{ upstream: shadow }]`;
    expect(action(route(words("header: x-shop-token")))).toMatchObject({
      mirrors: [{ upstream: "shadow", share: 1, without: ["x-shop-token"] }],
    });
    for (const from of ["header: authorization", "cookie: session"])
      expect((action(route(words(from))) as { mirrors: object[] }).mirrors).toEqual([
        { upstream: "shadow", share: 1 },
      ]);
  });

  const api = (routes: string): Compiled =>
    gateway(
      `  shop:\n    public: true\n    upstream: orders\n    mirror: [{ upstream: shadow }]\n    routes: { ${routes} }\n`,
    );

  it("of an api are those of its routes, where they have something to copy", () => {
    const result = api(`it: { match: { path: /x } }, read: { match: { path: /y, methods: [POST, HEAD] } },
      write: { match: { path: /z, methods: [POST] } }, same: { match: { path: /w }, upstream: shadow }`);
    const ids = ["shop.it", "shop.read", "shop.write", "shop.same"];
    const mirrors = ids.map((id) => (action(result, id) as { mirrors?: object }).mirrors !== undefined);
    expect(mirrors).toEqual([true, true, false, false]);
  });

  it("of an api may have lanes that they name too", () => {
    const words = `public: true\nsplit: { ${EVEN} }\nmirror: [{ upstream: next }]`;
    expect(action(route(words))).toMatchObject({ mirrors: [{ upstream: "next" }] });
  });

  it.each<[string, Compiled, readonly string[]]>([
    ["an unknown upstream", mirror("[{ upstream: shado }]"), ["unknown-name"]],
    ["one upstream twice", mirror("[{ upstream: shadow }, { upstream: shadow }]"), ["duplicate-mirror"]],
    ["a share of nothing", mirror("[{ upstream: shadow, share: 0% }]"), ["bad-value"]],
    ["where the requests go anyway", mirror("[{ upstream: orders }]"), ["mirror-without-effect"]],
    [
      "where nothing can be copied",
      mirror("[{ upstream: shadow }, { upstream: next }]", "{ path: /x, methods: [POST] }"),
      ["mirror-without-effect"],
    ],
    [
      "where no route of an api can be copied",
      api("it: { match: { path: /x, methods: [POST] } }, other: { match: { path: /x, methods: [PUT] } }"),
      ["mirror-without-effect"],
    ],
    [
      "what is answered here",
      route("public: true\nrespond: { status: 204 }\nmirror: [{ upstream: next }]"),
      ["conflicting-keys"],
    ],
  ])("to %s are refused", (_, { codes }, expected) => {
    expect(codes).toEqual(expected);
  });
});
