import { createHmac } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { balancer as smoothWeightedRoundRobin } from "../../src/balancers/smooth-weighted-round-robin.ts";
import { isNormalPath, normalizePath, type PathOptions } from "../../src/lib/path.ts";
import { filter as headers } from "../../src/policies/headers/filter.ts";
import { filter as identity } from "../../src/policies/identity/filter.ts";
import { authenticator as jwt } from "../../src/policies/jwt/filter.ts";
import { filter as requestId } from "../../src/policies/request-id/filter.ts";
import { link, type Registry } from "../../src/runtime/link.ts";
import { linkManagedUpstream } from "../../src/runtime/managed/upstream.ts";
import { compiled, planOf, sourcesOf } from "../support/compiling.ts";
import { fakePorts } from "../support/ports.ts";

// Laws that no request may break, each tried with 100,000 of them on the linked gateway; fast-check prints the seed of a failure.

const RUNS = { numRuns: 100_000 };
const TIME_MS = 60_000;
const SECRET = "a secret of thirty-two bytes and more";

const registry: Registry = {
  filters: { headers, identity, requestId } as Registry["filters"],
  authenticators: { jwt } as Registry["authenticators"],
  balancers: { smoothWeightedRoundRobin } as Registry["balancers"],
  parts: { managed: linkManagedUpstream },
};

const policies = (paths: string): string => `
gateway:
  name: laws
  hosts: { public: api.example.com, tenants: "{tenant}.shop.example.com" }
  clientIp: connection
  paths: ${paths}
  policies: { requestId: {} }
issuers:
  main: { issuer: laws, audiences: [laws], algorithms: [HS256], secret: { env: SECRET } }
upstreams:
  open: { targets: { only: { url: "https://open.example.net" } } }
  based: { targets: { only: { url: "https://based.example.net/base" } } }
  guarded: { targets: { only: { url: "https://guarded.example.net" } } }
  tried: { targets: { only: { url: "https://tried.example.net" } }, retry: { retries: 1, on: [503] } }
apis:
  open:
    public: true
    upstream: open
    policies: { headers: { request: { set: { x-seen: "{request.path}" }, remove: [x-internal] } } }
    routes:
      root: { match: { path: / } }
      info: { match: { pathPrefix: /info } }
      stripped: { match: { pathPrefix: /api }, rewrite: { prefix: / } }
      moved: { match: { pathPrefix: /old/place }, rewrite: { prefix: /new }, upstream: based }
      named: { match: { path: "/named/{name}" }, rewrite: { path: "/internal/{params.name}/end" } }
      rest: { match: { path: "/rest/{rest...}" }, rewrite: { path: "/tail/{params.rest}" } }
      tried: { match: { pathPrefix: /tried }, upstream: tried }
      hosted: { match: { pathPrefix: /hosted }, rewrite: { host: other.example.net } }
      redirected: { match: { pathPrefix: /gone }, redirect: { status: 308, prefix: /info } }
  guarded:
    upstream: guarded
    policies:
      jwt: {}
      headers: { request: { set: { x-seen: "{request.path}" } } }
    routes: { admin: { match: { pathPrefix: /admin } } }
  known:
    upstream: open
    policies:
      jwt: { forward: { x-user-id: sub, x-user-role: role } }
      identity: { any: [jwt, anonymous] }
      headers: { request: { set: { x-seen: "{request.path}", x-from-gateway: "yes" }, remove: [x-internal] } }
    routes: { all: { match: { pathPrefix: /known } } }
`;

interface Call {
  readonly upstream: string;
  readonly url: string;
  readonly headers: Headers;
}

interface Asked {
  readonly method?: string;
  readonly url: string;
  readonly fields?: readonly (readonly [name: string, value: string])[];
}

const linked = (paths: string) => {
  const calls: Call[] = [];
  const ports = fakePorts({
    secretValues: { SECRET },
    fetch: {
      open: ({ name }) => ({
        fetch: (url, init) => {
          calls.push({ upstream: name!.split(".")[0]!, url, headers: init!.headers as Headers });
          return Promise.resolve(new Response(null));
        },
      }),
    },
  });
  const gateway = link(planOf(compiled(sourcesOf({ "laws.yaml": policies(paths) }))), registry, ports);
  /** As workerd hands requests over: with the target's text as it came, which Node's own Request would have put in order. */
  const ask = async ({ method = "GET", url, fields = [] }: Asked) => {
    calls.length = 0;
    const own = new Headers();
    for (const [name, value] of fields) own.append(name, value);
    const request = { method, url, headers: own, body: null } as unknown as Request;
    const response = await gateway(request, { waitUntil: () => {} });
    return { response, calls };
  };
  return { ask, nowMs: ports.clock.now() };
};

const STRICT: PathOptions = { encodedSlash: "reject", matrixParameters: "reject" };
const KEEPING: PathOptions = { encodedSlash: "keep", matrixParameters: "keep" };
const gateways = {
  strict: { ...linked("{}"), options: STRICT },
  keeping: { ...linked("{ encodedSlash: keep, matrixParameters: keep }"), options: KEEPING },
};
type Name = keyof typeof gateways;

// The timer of a call would run when the test has long ended: 100,000 of them, each with its exchange.
beforeAll(() => void vi.stubGlobal("setTimeout", () => 0));
afterAll(() => void vi.unstubAllGlobals());

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const { nowMs } = gateways.strict;
const claims = { iss: "laws", aud: "laws", sub: "alice", iat: nowMs / 1000, exp: nowMs / 1000 + 3600 };
const signed = `${base64({ alg: "HS256" })}.${base64(claims)}`;
const TOKEN = `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;

/** Pieces that parsers have disagreed about, and names of routes. */
const PIECES = [
  ...["/", "/", "/", "//", ".", "..", "/../", "/./", "...", "a", "é", "%41", "%7e", "%C3%A9", "~", " ", "\t"],
  ...["info", "admin", "api", "old/place", "named", "rest", "hosted", "gone", "known", "%61dmin", "ADMIN"],
  ...["%2f", "%2F", "%5c", "\\", "%00", "\0", ";", "%3b", ";x=y", "%25", "%252f", "%252e", "%3f", "%23", "#"],
  ...[
    "%2e",
    "%2E%2e",
    ".%2e",
    "..;",
    "%c0%ae",
    "%c0%af",
    "%u002f",
    "%",
    "%zz",
    "%0d%0a",
    "*",
    "@",
    ":",
    "[",
    "]",
  ],
  ...[
    "@evil.example",
    ":8080",
    "http:",
    "//evil.example",
    "/\\evil.example",
    "\ufffe",
    "\ud800",
    "\u2028",
    "．",
    "／",
  ],
] as const;
const STARTS = [
  "/info/",
  "/api/",
  "/named/",
  "/rest/",
  "/old/place/",
  "/hosted/",
  "/tried/",
  "/known/",
  "/gone/",
  "/admin/",
  "/",
  "",
];

const path = fc
  .tuple(
    fc.constantFrom(...STARTS),
    fc.array(
      fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...PIECES) },
        fc.string({ maxLength: 4, unit: "binary" }),
      ),
      {
        maxLength: 7,
      },
    ),
  )
  .map(([start, pieces]) => start + pieces.join(""));
const gatewayName = fc.constantFrom<Name>("strict", "keeping");

/**
 * How the laxest server would read a path: decoded until nothing changes, backslashes as slashes, without path parameters, dot
 * segments taken out of what that left.
 */
const laxly = (text: string): string => {
  let decoded = text;
  for (let before = ""; before !== decoded; ) {
    before = decoded;
    decoded = decoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
  const kept: string[] = [];
  for (const segment of decoded.replaceAll("\\", "/").replace(/\0.*/s, "").split("/")) {
    const name = segment.replace(/;.*/s, "");
    if (name === "..") kept.pop();
    else if (name !== "." && name !== "") kept.push(name.toLowerCase());
  }
  return "/" + kept.join("/");
};

const ORIGINS: Readonly<Record<string, string>> = {
  open: "https://open.example.net",
  based: "https://based.example.net/base",
  guarded: "https://guarded.example.net",
  tried: "https://tried.example.net",
};

/** Where each route's upstream is asked, from the path that its policies saw. */
const expectedPath = (seen: string): readonly (readonly [route: string, path: RegExp | string])[] => [
  ["/api", seen.slice("/api".length) || "/"],
  ["/old/place", `/new${seen.slice("/old/place".length)}`],
  ["/named", /^\/internal\/[^/]+\/end$/],
  ["/rest", seen.replace("/rest", "/tail")],
  ["", seen],
];

const isBelow = (text: string, prefix: string): boolean => text === prefix || text.startsWith(`${prefix}/`);

/** What a route makes of the path that its policies saw. */
const checkRewrite = (seen: string, asked: string): void => {
  const [, expected] = expectedPath(seen).find(([route]) => route === "" || isBelow(seen, route))!;
  if (typeof expected === "string") expect(asked).toBe(expected);
  else expect(asked).toMatch(expected);
};

const token = (name: Name, target: string, withToken: boolean) =>
  gateways[name].ask({
    url: `https://api.example.com${target}`,
    fields: withToken ? [["authorization", `Bearer ${TOKEN}`]] : [],
  });

const HOSTS_OF_OURS = ["api.example.com", "acme.shop.example.com"];
const HOSTS = [
  ...[
    "api.example.com",
    "api.example.com",
    "api.example.com",
    "acme.shop.example.com",
    "API.example.com:8443",
  ],
  ...[
    "evil.example",
    "api.example.com@evil.example",
    "evil.example/api.example.com",
    "api.example.com:80@evil.example",
  ],
  ...["[::1]", "169.254.169.254", "api.example.com.", "api.example.com#", "api.example.com?", ""],
];
const EVIL = [
  "evil.example",
  "https://evil.example/",
  "//evil.example",
  "host=evil.example",
  "169.254.169.254",
  "0",
];

/** Fields by which requests have been led elsewhere. */
const LEADING = [
  ...[
    "host",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-host",
    "x-original-url",
    "x-rewrite-url",
  ],
  ...[
    "forwarded",
    "origin",
    "referer",
    "destination",
    "upgrade",
    "connection",
    "x-original-host",
    ":authority",
  ],
].filter((name) => !name.startsWith(":"));

const request = fc.record({
  method: fc.constantFrom("GET", "POST", "OPTIONS", "HEAD", "TRACE", "CONNECT", "PROPFIND", "get"),
  url: fc
    .tuple(
      fc.constantFrom(...HOSTS),
      path,
      fc.oneof(
        fc.constant(""),
        fc.string({ maxLength: 8 }).map((text) => `?${text}`),
        fc.constantFrom("?@evil.example", "?//evil.example", "??", "?#@evil.example"),
      ),
    )
    .map(([host, target, query]) => `http://${host}${target}${query}`),
  fields: fc.array(fc.tuple(fc.constantFrom(...LEADING), fc.constantFrom(...EVIL)), { maxLength: 4 }),
});

/** What the upstream of the known callers has under names that the gateway sets, and under none that is spelled like one. */
const OURS: Readonly<Record<string, (withToken: boolean) => readonly string[] | RegExp>> = {
  "x-user-id": (withToken) => (withToken ? ["alice"] : []),
  "x-user-role": () => [],
  "x-from-gateway": () => ["yes"],
  "x-internal": () => [],
  "x-seen": () => ["/known/x"],
  "x-request-id": () => /^00000000-0000-4000-8000-\d{12}$/,
  "x-forwarded-host": () => ["api.example.com"],
  "x-forwarded-proto": () => ["https"],
  "x-forwarded-for": () => [],
  "x-forwarded-user": () => [],
  "x-original-url": () => [],
  "x-real-ip": () => [],
  "true-client-ip": () => [],
  "cf-connecting-ip": () => [],
  "cf-ipcountry": () => [],
  "client-cert": () => [],
  forwarded: () => [],
  authorization: () => [],
  via: () => ["1.1 postern"],
  "cdn-loop": () => ["laws.postern"],
};
const expectedWith = (withToken: boolean): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(OURS).map(([name, value]) => {
      const expected = value(withToken);
      return [name, expected instanceof RegExp ? [expect.stringMatching(expected)] : expected];
    }),
  );
const expectedFields = { true: expectedWith(true), false: expectedWith(false) };

/** Of these, the client's own value goes on with the gateway's behind it. */
const CONTINUED = new Set(["via", "cdn-loop", "authorization"]);

const spelled = fc
  .tuple(fc.constantFrom(...Object.keys(OURS).filter((name) => !CONTINUED.has(name))), fc.nat())
  .map(([name, seed]) =>
    [...name]
      .map((letter, at) => {
        const bit = (seed >> (at % 30)) & 1;
        return letter === "-" ? ((seed >> (at % 5)) & 1 ? "_" : "-") : bit ? letter.toUpperCase() : letter;
      })
      .join(""),
  );
const connection = fc
  .array(
    fc.oneof(
      spelled,
      fc.constantFrom(...Object.keys(OURS)),
      fc.constantFrom("close", "keep-alive", "", " ", "\t", "@", "via,,x-seen"),
    ),
    { maxLength: 6 },
  )
  .map((names) => ["Connection", names.join(",")] as const);
const field = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(spelled, fc.constantFrom("root", "admin", "", "alice, root", "10.0.0.1")),
  },
  { weight: 1, arbitrary: connection },
);

describe("of 100,000 requests", () => {
  it(
    "none reaches an upstream path that the policies of its route did not see",
    async () => {
      const reached = new Set<string>();
      await fc.assert(
        fc.asyncProperty(gatewayName, path, fc.boolean(), async (name, target, withToken) => {
          const { response, calls } = await token(name, target, withToken);
          const [call] = calls;
          if (call === undefined) {
            expect([308, 400, 401, 404]).toContain(response.status);
            return;
          }
          const seen = call.headers.get("x-seen")!;
          const isGuarded = call.upstream === "guarded";
          const origin = isBelow(seen, "/hosted") ? "https://other.example.net" : ORIGINS[call.upstream]!;
          expect(call.url.startsWith(`${origin}/`)).toBe(true);
          const asked = call.url.slice(origin.length).replace(/\?.*/s, "");
          // The upstream is that of the route to which the seen path belongs.
          expect([isGuarded, isGuarded && withToken]).toEqual(Array(2).fill(isBelow(seen, "/admin")));
          checkRewrite(seen, asked);
          // Nobody on the way reads either in another way: neither our own code, nor the URL standard, nor a lax server.
          const { options } = gateways[name];
          expect([isNormalPath(seen, options), isNormalPath(asked, options)]).toEqual([true, true]);
          expect(new URL(call.url).href).toBe(call.url);
          if (name === "strict")
            expect(isBelow(laxly(asked), "/admin")).toBe(isBelow(asked.toLowerCase(), "/admin"));
          reached.add(`${name} ${/^\/\w*/.exec(seen)![0]}`);
        }),
        RUNS,
      );
      // The controls: every route was reached, and so none of the above was said of nothing.
      for (const name of Object.keys(gateways))
        for (const route of [
          "/",
          "/info",
          "/api",
          "/old",
          "/named",
          "/rest",
          "/hosted",
          "/tried",
          "/admin",
          "/known",
        ])
          expect([...reached]).toContain(`${name} ${route}`);
    },
    TIME_MS,
  );

  it(
    "none changes the host of an upstream's call, nor that of a redirect",
    async () => {
      let calls = 0;
      await fc.assert(
        fc.asyncProperty(gatewayName, request, async (name, asked) => {
          const { response, calls: made } = await gateways[name].ask(asked);
          expect(made.length).toBeLessThan(2);
          for (const { upstream, url } of made) {
            calls++;
            const { protocol, host, username, password, hash } = new URL(url);
            const hosts =
              upstream === "open" ? ["open.example.net", "other.example.net"] : [`${upstream}.example.net`];
            expect(hosts).toContain(host);
            expect([protocol, username, password, hash]).toEqual(["https:", "", "", ""]);
          }
          const location = response.headers.get("location");
          if (location !== null) expect(HOSTS_OF_OURS).toContain(new URL(location, asked.url).hostname);
        }),
        RUNS,
      );
      expect(calls).toBeGreaterThan(10_000);
    },
    TIME_MS,
  );

  it(
    "none brings a header of the client's past a policy that sets or removes it",
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.boolean(), fc.array(field, { maxLength: 8 }), async (withToken, fields) => {
          const { calls } = await gateways.strict.ask({
            url: "https://api.example.com/known/x",
            fields: withToken ? [...fields, ["authorization", `Bearer ${TOKEN}`]] : fields,
          });
          // Only a loop is refused, which the client may claim; everything else is served.
          const [call] = calls;
          if (call === undefined) throw new Error("not served");
          const found: Record<string, string[]> = {};
          for (const [key, value] of call.headers) (found[key.replaceAll("_", "-")] ??= []).push(value);
          expect(Object.fromEntries(Object.keys(OURS).map((name) => [name, found[name] ?? []]))).toEqual(
            expectedFields[String(withToken) as "true" | "false"],
          );
        }),
        RUNS,
      );
    },
    TIME_MS,
  );

  it(
    "none has a path that is another one when it is normalized again",
    () => {
      let normal = 0;
      fc.assert(
        fc.property(fc.constantFrom(STRICT, KEEPING), path, (options, text) => {
          const once = normalizePath(text, options);
          if ("fault" in once) return;
          normal++;
          expect(normalizePath(once.path, options)).toEqual(once);
          expect(once.path).toMatch(/^\/[!-~]*$/);
          expect(`/${once.path}/`).not.toMatch(/\/\.{1,2}(?:;[^/]*)?\/|[\\?#]/);
        }),
        RUNS,
      );
      expect(normal).toBeGreaterThan(10_000);
    },
    TIME_MS,
  );
});
