import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ask, fieldOf, fieldsOf, type RawAnswer } from "../e2e/wire.ts";
import type { Served } from "../support/served.ts";
import {
  compact,
  type Ground,
  HOST,
  hs256,
  now,
  serveText,
  startGround,
  statusOf,
  textOf,
  upstream,
} from "./support.ts";

// S6–S10: what the gateway says of a request is said by the gateway alone.

const SECRET = "a secret of thirty-two bytes and more";
const API_KEY = "0123456789abcdef0123456789abcdef0123456789abcdef";
const GATEWAY_KEY = "open sesame, said the gateway";
const digest = createHash("sha256").update(API_KEY).digest("hex");

const policies = (urls: Record<"origin" | "auth", string>): string => `
gateway: { name: trust, hosts: { public: ${HOST} }, clientIp: connection }
issuers:
  main: { issuer: trust, audiences: [trust], algorithms: [HS256], secret: { env: SECRET }, claims: { role: string } }
consumers:
  other: { attributes: { none: a2 }, keys: [{ id: k1, sha256: "${digest.split("").reverse().join("")}" }] }
  acme: { attributes: { tenant: a1 }, keys: [{ id: k1, sha256: "${digest}" }] }
upstreams:
  origin: ${upstream(urls.origin)}
  keyed: { targets: { only: { url: "${urls.origin}", network: private } }, credential: { header: x-gateway-key, value: { env: GATEWAY_KEY } } }
apis:
  trust:
    public: true
    upstream: origin
    policies:
      requestId: {}
      securityHeaders: {}
      headers: { request: { set: { x-zone: "inner" }, add: { x-added: "ours" } }, response: { set: { x-served: "ours", set-cookie: "gate=1" } } }
    routes:
      plain: { match: { pathPrefix: /plain } }
      keyed: { match: { pathPrefix: /keyed }, upstream: keyed }
  known:
    upstream: origin
    policies: { jwt: { forward: { x-user-id: sub, x-role: role } } }
    routes:
      must: { match: { path: /must } }
      may: { match: { path: /may }, policies: { identity: { any: [jwt, anonymous] } } }
      either: { match: { path: /either }, policies: { apiKey: { forward: { x-consumer: name, x-tenant: attributes.tenant, x-none: attributes.none } }, identity: { any: [jwt, apiKey] } } }
      reads: { match: { path: /reads }, policies: { authorize: { allow: "request.headers['x-kind'] == 'reader'" } } }
  asked:
    upstream: origin
    policies: { forwardAuth: { url: "${urls.auth}/check", requestHeaders: [cookie], identity: x-user-id, forward: [x-user-id, x-groups] } }
    routes: { all: { match: { path: /asked } } }
`;

let ground: Ground<"origin" | "auth">;

beforeAll(async () => {
  ground = await startGround(["origin", "auth"], policies, { SECRET, GATEWAY_KEY });
});
afterAll(() => ground?.stop());
beforeEach(() => {
  ground.origins.auth.on("/check", (_, response) => void response.setHeader("x-user-id", "ann").end());
});

const bearing = (claims: object = {}): string =>
  `Authorization: Bearer ${compact(
    { alg: "HS256" },
    { iss: "trust", aud: "trust", sub: "ann", exp: now() + 300, ...claims },
    hs256(SECRET),
  )}`;

type Fields = Pick<RawAnswer, "fields">;

/** What the origin saw of a request that was served. */
const seen = async (path: string, fields: readonly string[]): Promise<Fields> => {
  const { answer, heard } = await ground.request(`GET ${path}`, fields);
  expect(statusOf(answer)).toBe("200");
  expect(heard.filter((line) => line.startsWith("origin"))).toEqual([`origin GET ${path}`]);
  return ground.origins.origin.last();
};

/** Fields by any alias of a name: whatever stands between its words, in any case. */
const aliases = ({ fields }: Fields, name: string): (readonly [string, string])[] =>
  fields.filter(([one]) => one.replaceAll("_", "-").toLowerCase() === name);

describe("S6: Connection names a header", () => {
  it("of the client's, and it ends at the gateway", async () => {
    const kept = await seen("/plain/a", ["X-Mine: 1", "X-Other: 2"]);
    expect([fieldOf(kept, "x-mine"), fieldOf(kept, "x-other")]).toEqual(["1", "2"]);
    const cut = await seen("/plain/a", ["X-Mine: 1", "X-Other: 2", "Connection: x-mine"]);
    expect([fieldOf(cut, "x-mine"), fieldOf(cut, "x-other")]).toEqual([undefined, "2"]);
  });

  it.each([
    ["/plain/a", "x-forwarded-for", "127.0.0.1"],
    ["/plain/a", "x-forwarded-proto", "http"],
    ["/plain/a", "x-forwarded-host", HOST],
    ["/plain/a", "x-zone", "inner"],
    ["/plain/a", "x-added", "ours"],
    ["/plain/a", "via", "1.1 postern"],
    ["/plain/a", "cdn-loop", "trust.postern"],
    ["/keyed/a", "x-gateway-key", GATEWAY_KEY],
  ])("that the gateway sets, and it still arrives: %s %s", async (path, name, value) => {
    for (const connection of [name, `close, ${name}`, `Keep-Alive,${name.toUpperCase()} ,, close`])
      expect(fieldsOf(await seen(path, [`Connection: ${connection}`]), name)).toEqual([value]);
  });

  it("that proves who calls, or says so, and neither is lost", async () => {
    const fields = [
      bearing({ role: "reader" }),
      "Connection: close, X-Forwarded-For, Authorization, X-User-Id, X-Role",
    ];
    const arrived = await seen("/must", fields);
    expect(fieldsOf(arrived, "x-user-id")).toEqual(["ann"]);
    expect(fieldsOf(arrived, "x-role")).toEqual(["reader"]);
    expect(fieldsOf(arrived, "x-forwarded-for")).toEqual(["127.0.0.1"]);
  });

  it("of the answer: the upstream erases and injects nothing of the gateway's", async () => {
    const names = [
      "x-content-type-options",
      "content-security-policy",
      "x-request-id",
      "x-served",
      "set-cookie",
    ];
    const answered = async (connection: string | undefined): Promise<RawAnswer> => {
      ground.origins.origin.on("/plain/answer", (_, response) => {
        if (connection !== undefined) response.setHeader("connection", connection);
        response
          .setHeader("x-hop", "1")
          .setHeader("set-cookie", "evil=1")
          .setHeader("x-served", "theirs")
          .end();
      });
      return (await ground.request("GET /plain/answer")).answer;
    };
    const [plain, hostile] = [await answered(undefined), await answered(`close, x-hop, ${names.join(", ")}`)];
    expect(fieldsOf(plain, "x-hop")).toEqual(["1"]);
    expect(fieldsOf(hostile, "x-hop")).toEqual([]);
    for (const name of names.slice(0, 2)) expect(fieldsOf(hostile, name)).toEqual(fieldsOf(plain, name));
    expect(fieldOf(hostile, "x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    for (const answer of [plain, hostile]) {
      expect(fieldsOf(answer, "x-served")).toEqual(["ours"]);
      expect(fieldsOf(answer, "set-cookie")).toEqual(["gate=1"]);
    }
  });
});

describe("S7: a header that a policy can set is deleted first", () => {
  const FORGED = [
    "X-User-Id: root",
    "X-Role: admin",
    "X-Groups: admin",
    "X-Consumer: evil",
    "X-Tenant: t",
    "X-None: n",
  ];
  const OWN = ["x-user-id", "x-role", "x-groups", "x-consumer", "x-tenant", "x-none"];
  const said = (fields: Fields): Record<string, string[]> =>
    Object.fromEntries(OWN.map((name) => [name, aliases(fields, name).map(([, value]) => value)]));
  const NOBODY = Object.fromEntries(OWN.map((name) => [name, [] as string[]]));

  it("and one that none sets is the client's own", async () => {
    const arrived = await seen("/plain/a", ["X-User-Id: theirs", "X-Free: theirs"]);
    expect(fieldOf(arrived, "x-user-id")).toBe("theirs");
    expect(fieldOf(arrived, "x-free")).toBe("theirs");
  });

  it("where the caller is proved", async () => {
    const arrived = said(await seen("/must", [...FORGED, bearing({ role: "reader" })]));
    expect(arrived).toMatchObject({ "x-user-id": ["ann"], "x-role": ["reader"] });
  });

  it.each([{}, { role: null }, { role: { a: 1 } }, { __proto__: { role: "admin" } }])(
    "where the token has no such claim: %j",
    async (claims) => {
      const arrived = said(await seen("/must", [...FORGED, bearing(claims)]));
      expect(arrived).toMatchObject({ "x-user-id": ["ann"], "x-role": [] });
    },
  );

  it("where a caller may be nobody", async () => {
    const arrived = said(await seen("/may", FORGED));
    expect(arrived).toMatchObject({ "x-user-id": [], "x-role": [] });
  });

  it("where another alternative proved the caller, and lacks an attribute", async () => {
    const arrived = said(await seen("/either", [...FORGED, `X-Api-Key: ${API_KEY}`]));
    expect(arrived).toEqual({
      ...NOBODY,
      "x-groups": ["admin"],
      "x-consumer": ["acme"],
      "x-tenant": ["a1"],
    });
    const byToken = said(await seen("/either", [...FORGED, bearing()]));
    expect(byToken).toEqual({ ...NOBODY, "x-groups": ["admin"], "x-user-id": ["ann"] });
  });

  it("where the service that was asked leaves it out", async () => {
    const arrived = said(await seen("/asked", [...FORGED, "Cookie: a=1"]));
    expect(arrived).toMatchObject({ "x-user-id": ["ann"], "x-groups": [] });
    const { heard } = await ground.request("GET /asked", [...FORGED, "Cookie: a=2"]);
    expect(heard).toEqual(["origin GET /asked", "auth GET /check"]);
    expect(said(ground.origins.auth.last())["x-user-id"]).toEqual([]);
  });

  it.each(["/must", "/may", "/either", "/asked"])(
    "where the credential is wrong, nothing arrives: %s",
    async (path) => {
      ground.origins.auth.on("/check", (_, response) => void response.writeHead(401).end());
      const wrong = ["Authorization: Bearer a.b.c", "Cookie: a=3", ...FORGED];
      const { answer, heard } = await ground.request(`GET ${path}`, wrong);
      expect([answer.status, heard.filter((line) => line.startsWith("origin"))]).toEqual([401, []]);
    },
  );

  it("where the gateway sets it by itself", async () => {
    const arrived = await seen("/keyed/a", ["X-Gateway-Key: guess", "X-Zone: outer", "CDN-Loop: "]);
    expect(fieldsOf(arrived, "x-gateway-key")).toEqual([GATEWAY_KEY]);
    expect(fieldsOf(arrived, "x-zone")).toEqual(["inner"]);
  });
});

describe("S8: aliases and what poses as a proxy", () => {
  it.each(["X_User_Id: root", "x-USER-id: root", "X-User_Id: root", "x_user-id: root", "X-USER-ID: root"])(
    "of an identity are dropped: %s",
    async (field) => {
      const arrived = await seen("/must", [field, bearing()]);
      expect(aliases(arrived, "x-user-id")).toEqual([["x-user-id", "ann"]]);
    },
  );

  it.each([
    ...[
      "For",
      "Host",
      "Proto",
      "Port",
      "Prefix",
      "Server",
      "Scheme",
      "Ssl",
      "User",
      "Groups",
      "Uri",
      "Method",
      "Client-Cert",
    ].map((name) => `X-Forwarded-${name}: evil`),
    "X_Forwarded_Proto: evil",
    "x_forwarded_for: evil",
    "X-Forwarded_Host: evil",
    "X-Forwarded: evil",
    "Forwarded: for=evil",
    "X-Real-IP: evil",
    "X-Client-IP: evil",
    "X-Original-URL: /evil",
    "X-Original-Host: evil",
    "X-Original-Forwarded-For: evil",
    "X-Rewrite-URL: /evil",
    "True-Client-IP: evil",
    "CF-Connecting-IP: evil",
    "X-HTTP-Method-Override: evil",
  ])("of a proxy are dropped, in any case: %s", async (field) => {
    for (const spelled of [field, field.toLowerCase(), field.toUpperCase()]) {
      const { fields } = await seen("/plain/a", [spelled, "X-Kept: kept"]);
      expect(fieldOf({ fields }, "x-kept")).toBe("kept");
      expect(fields.filter(([, value]) => /evil/i.test(value))).toEqual([]);
    }
  });
});

describe("S9: a field that comes twice", () => {
  it("is read by a policy as the upstream reads it", async () => {
    const token = bearing();
    expect(fieldsOf(await seen("/reads", [token, "X-Kind: reader"]), "x-kind")).toEqual(["reader"]);
    for (const kinds of [["reader", "admin"], ["admin", "reader"], ["reader", ""], ["reader, admin"]]) {
      const { answer, heard } = await ground.request(
        "GET /reads",
        [token].concat(kinds.map((kind) => `X-Kind: ${kind}`)),
      );
      expect([statusOf(answer), heard]).toEqual(["403 forbidden", []]);
    }
  });

  it.each([
    ["two good tokens", (good: string) => [good, good]],
    ["a good and a bad one", (good: string) => [good, "Authorization: Bearer x"]],
    ["a bad and a good one", (good: string) => ["Authorization: Bearer x", good]],
    ["another scheme before it", (good: string) => ["Authorization: Basic YTpi", good]],
    ["another scheme behind it", (good: string) => [good, "Authorization: Basic YTpi"]],
    ["an empty one behind it", (good: string) => [good, "Authorization:"]],
  ])("is no credential: %s", async (_, fields) => {
    const good = bearing();
    for (const path of ["/must", "/may"]) {
      const { answer, heard } = await ground.request(`GET ${path}`, fields(good));
      expect([answer.status, heard]).toEqual([401, []]);
    }
    expect((await ground.request("GET /must", [good])).answer.status).toBe(200);
  });

  it("is no key", async () => {
    const key = `X-Api-Key: ${API_KEY}`;
    expect((await ground.request("GET /either", [key])).answer.status).toBe(200);
    for (const fields of [
      [key, key],
      [key, "X-Api-Key: other"],
      ["X-Api-Key: other", key],
    ]) {
      const { answer, heard } = await ground.request("GET /either", fields);
      expect([answer.status, heard]).toEqual([401, []]);
    }
  });

  it.each([
    [[HOST, HOST]],
    [[HOST, "evil.example.com"]],
    [["evil.example.com", HOST]],
    [[HOST, ""]],
    [[`${HOST}, evil.example.com`]],
    [[`${HOST} evil.example.com`]],
    [[`evil.example.com@${HOST}`]],
  ])("is no host, nor is a list: %j", async (hosts) => {
    const text = `GET /plain/a HTTP/1.1\r\n${hosts.map((host) => `Host: ${host}\r\n`).join("")}Connection: close\r\n\r\n`;
    const { answer, heard } = await ground.send(text);
    expect([answer.status >= 400 && answer.status < 500, heard]).toEqual([true, []]);
    expect((await ground.send(textOf("GET /plain/a"))).answer.status).toBe(200);
  });
});

describe("S9: an empty field before another", () => {
  // workerd forgets an empty field of these names when another follows: policy and upstream see one, as if it stood alone.
  it("is not there, for anybody", async () => {
    const arrived = await seen("/must", ["Authorization:", bearing()]);
    expect(fieldsOf(arrived, "x-user-id")).toEqual(["ann"]);
    expect(fieldsOf(arrived, "authorization")).toEqual([]);
    const { answer, heard } = await ground.request("GET /must", [
      "Authorization:",
      "Authorization: Bearer x",
    ]);
    expect([answer.status, heard]).toEqual([401, []]);
  });
});

describe("S10: the address that limits count", () => {
  const limited = (clientIp: string, url: string): string => `
gateway:
  name: limits
  hosts: { public: ${HOST} }
  clientIp: ${clientIp}
upstreams: { origin: ${upstream(url)} }
apis:
  limits:
    public: true
    upstream: origin
    policies: { rateLimit: { limits: [{ name: per-ip, rate: 5/1h, key: ip, store: isolate }] } }
    routes: { one: { match: { path: /one } }, all: { match: { path: "/all/{name}" }, policies: { rateLimit: none } } }
`;
  const hop = "{ forwardedFor: { trustedHops: 1 } }";
  let peers: readonly Served[];

  beforeAll(async () => {
    const { url } = ground.origins.origin;
    peers = await Promise.all(
      ["connection", hop, "{ forwardedFor: { trustedHops: 2 } }"].map((setting) =>
        serveText(limited(setting, url)),
      ),
    );
  });
  afterAll(() => Promise.all((peers ?? []).map((peer) => peer.stop())));

  const statuses = async (gateway: number, requests: readonly (readonly string[])[]): Promise<number[]> => {
    const found: number[] = [];
    for (const fields of requests)
      found.push((await ask(peers[gateway]!.port, textOf("GET /one", fields))).status);
    return found;
  };
  const FULL = [200, 200, 200, 200, 200, 429, 429];
  const numbered = (field: (number: number) => string | readonly string[]) =>
    FULL.map((_, index) => [field(index)].flat());

  it("is that of the connection, whatever each request claims", async () => {
    const claims = numbered((number) => [
      `X-Forwarded-For: 192.0.2.${number}`,
      `X-Real-IP: 192.0.2.${number}`,
      `CF-Connecting-IP: 192.0.2.${number}`,
      `True-Client-IP: 192.0.2.${number}`,
      `Forwarded: for=192.0.2.${number}`,
    ]);
    expect(await statuses(0, claims)).toEqual(FULL);
    expect((await ask(peers[0]!.port, textOf("GET /all/a"))).status).toBe(200);
  });

  it("is read from the right: one bucket for what the last proxy saw, another for another", async () => {
    expect(
      await statuses(
        1,
        numbered((number) => `X-Forwarded-For: 192.0.2.${number}, 198.51.100.1`),
      ),
    ).toEqual(FULL);
    const inFields = numbered((number) => [
      `X-Forwarded-For: 192.0.2.${number}`,
      "X-Forwarded-For: 198.51.100.2",
    ]);
    expect(await statuses(1, inFields)).toEqual(FULL);
    expect(await statuses(1, [["X-Forwarded-For: 198.51.100.3"]])).toEqual([200]);
  });

  it("is the one before the last behind two proxies", async () => {
    const fields = numbered((number) => `X-Forwarded-For: 192.0.2.${number}, 198.51.100.1, 10.0.0.${number}`);
    expect(await statuses(2, fields)).toEqual(FULL);
    expect(await statuses(2, [["X-Forwarded-For: 198.51.100.9, 10.0.0.1"]])).toEqual([200]);
  });

  it("of IPv6 counts by its /64, however it is written", async () => {
    const spelled = [
      "2001:db8::1",
      "2001:db8:0:0:ffff::2",
      "2001:DB8::0:3",
      "[2001:db8::4]:99",
      "2001:db8::1.2.3.4",
      "2001:0db8::",
      "2001:db8:0:0:1:2:3:4",
    ];
    expect(
      await statuses(
        1,
        spelled.map((address) => [`X-Forwarded-For: ${address}`]),
      ),
    ).toEqual(FULL);
    expect(await statuses(1, [["X-Forwarded-For: 2001:db8:0:1::1"]])).toEqual([200]);
  });

  it("of IPv4 is one with its form in IPv6", async () => {
    const spelled = [
      "203.0.113.7",
      "::ffff:203.0.113.7",
      "::FFFF:cb00:7107",
      "203.0.113.7:80",
      "0:0:0:0:0:ffff:203.0.113.7",
      "203.0.113.7",
      "::ffff:203.0.113.7",
    ];
    expect(
      await statuses(
        1,
        spelled.map((address) => [`X-Forwarded-For: ${address}`]),
      ),
    ).toEqual(FULL);
  });

  it("that no proxy told is one bucket, not one for each text", async () => {
    const tooFew = numbered((number) => `X-Forwarded-For: 192.0.2.${number}`);
    expect(await statuses(2, tooFew)).toEqual(FULL);
    expect(
      await statuses(
        1,
        numbered((number) => `X-Real-IP: 192.0.2.${number}`),
      ),
    ).toEqual(FULL);
  });
});
