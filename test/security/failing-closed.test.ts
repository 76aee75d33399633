import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Stage, startStage } from "../e2e/stage.ts";
import { until } from "../e2e/until.ts";
import { ask } from "../e2e/wire.ts";
import { freePort, type Served } from "../support/served.ts";
import {
  compact,
  type Ground,
  HOST,
  hs256,
  now,
  type Outcome,
  serveText,
  startGround,
  statusOf,
  textOf,
  upstream,
} from "./support.ts";

// S16: whatever a decision needs and is not there, the decision is no. Each beside the same request where it is there.

const SECRET = "a secret of thirty-two bytes and more";
const SHORT = "too short";
const API_KEY = "0123456789abcdef0123456789abcdef0123456789abcdef";
const digest = createHash("sha256").update(API_KEY).digest("hex");

const policies = (urls: Record<"origin" | "auth", string>, dead: string): string => `
gateway: { name: closed, hosts: { public: ${HOST} }, clientIp: { forwardedFor: { trustedHops: 1 } } }
issuers:
  jobs: { issuer: jobs, audiences: [shop], algorithms: [HS256], secret: { env: SECRET }, claims: { level: int, roles: strings } }
  weak: { issuer: weak, audiences: [shop], algorithms: [HS256], secret: { env: SHORT } }
  dead: { issuer: dead, audiences: [shop], algorithms: [ES256], jwks: { url: "${dead}/jwks.json" } }
consumers:
  acme: { keys: [{ id: k1, sha256: "${digest}" }] }
upstreams: { origin: ${upstream(urls.origin)} }
apis:
  tokens:
    upstream: origin
    policies: { jwt: {} }
    routes:
      must: { match: { path: /must } }
      may: { match: { path: /may }, policies: { identity: { any: [jwt, anonymous] } } }
      either: { match: { path: /either }, policies: { apiKey: {}, identity: { any: [apiKey, jwt] } } }
      level: { match: { path: /level }, policies: { authorize: { allow: "claims.level > 3" } } }
      notLevel: { match: { path: /not-level }, policies: { authorize: { allow: "!(claims.level > 3)" } } }
      roles: { match: { path: /roles }, policies: { authorize: { allow: "claims.roles.exists(role, role == 'admin')" } } }
      header: { match: { path: /header }, policies: { authorize: { allow: "request.headers['x-level'] != 'low'" } } }
  asked:
    upstream: origin
    policies:
      introspection: { url: "${urls.auth}/introspect", client: { id: gateway, secret: { env: SECRET } }, timeout: 500ms }
    routes:
      known: { match: { path: /opaque } }
      unknown: { match: { path: /opaque/dead }, policies: { introspection: { inherit: true, url: "${dead}/introspect" } } }
      maybe: { match: { path: /opaque/maybe }, policies: { introspection: { inherit: true, url: "${dead}/introspect" }, identity: { any: [introspection, anonymous] } } }
  checked:
    upstream: origin
    policies: { forwardAuth: { url: "${urls.auth}/check", identity: x-user-id, timeout: 500ms } }
    routes:
      known: { match: { path: /checked } }
      unknown: { match: { path: /checked/dead }, policies: { forwardAuth: { inherit: true, url: "${dead}/check" } } }
  addressed:
    public: true
    upstream: origin
    routes:
      allowed: { match: { path: /allowed }, policies: { ipAccess: { allow: [0.0.0.0/0, "::/0"] } } }
      denied: { match: { path: /denied }, policies: { ipAccess: { deny: [203.0.113.0/24] } } }
`;

let ground: Ground<"origin" | "auth">;

beforeAll(async () => {
  const dead = `http://127.0.0.1:${await freePort()}`;
  ground = await startGround(["origin", "auth"], (urls) => policies(urls, dead), { SECRET, SHORT });
});
afterAll(() => ground?.stop());
beforeEach(() => {
  const { auth } = ground.origins;
  auth.on("/introspect", (request, response) => {
    request.resume().once("end", () => response.end(JSON.stringify({ active: true, sub: "ann" })));
  });
  auth.on("/check", (_, response) => void response.setHeader("x-user-id", "ann").end());
});

const tokenOf = (claims: object, secret = SECRET): string =>
  `Authorization: Bearer ${compact({ alg: "HS256" }, { aud: "shop", sub: "ann", exp: now() + 300, ...claims }, hs256(secret))}`;

/** Status and code; the origin hears of what is served, and of nothing else. */
const outcomeOf = ({ answer, heard }: Outcome): string => {
  const reached = heard.filter((line) => line.startsWith("origin"));
  expect(reached).toHaveLength(answer.status === 200 ? 1 : 0);
  return statusOf(answer);
};
const get = async (path: string, ...fields: string[]): Promise<string> =>
  outcomeOf(await ground.request(`GET ${path}`, fields));

describe("S16: the keys of an issuer", () => {
  const good = tokenOf({ iss: "jobs" });
  const unjudged = `Authorization: Bearer ${compact({ alg: "ES256", kid: "k" }, { iss: "dead", aud: "shop", sub: "ann", exp: now() + 300 }, () => Buffer.alloc(64, 1))}`;

  it.each(["/must", "/may", "/either"])(
    "that cannot be fetched let nobody in, nor in as anybody else: %s",
    async (path) => {
      expect(await get(path, good)).toBe("200");
      expect(await get(path, unjudged)).toBe("503 issuer-unavailable");
      expect(await get(path, unjudged)).toBe("503 issuer-unavailable");
    },
  );

  it("that cannot be fetched are not made up for by another credential", async () => {
    expect(await get("/either", `X-Api-Key: ${API_KEY}`)).toBe("200");
    expect(await get("/either", `X-Api-Key: ${API_KEY}`, unjudged)).toBe("503 issuer-unavailable");
    expect(await get("/either", "X-Api-Key: wrong", good)).toMatch(/^401 /);
    expect(await get("/may")).toBe("200");
  });

  it.each([SHORT, ""])("that are too short to be any sign nothing: %j", async (secret) => {
    expect(await get("/must", tokenOf({ iss: "weak" }, secret))).toBe("503 issuer-unavailable");
    expect(await get("/may", tokenOf({ iss: "weak" }, secret))).toBe("503 issuer-unavailable");
  });
});

describe("S16: a service that decides", () => {
  const bearer = "Authorization: Bearer opaque";

  it("that is not there decides nothing", async () => {
    expect(await get("/opaque", bearer)).toBe("200");
    expect(await get("/opaque/dead", bearer)).toBe("503 introspection-unavailable");
    expect(await get("/opaque/maybe", bearer)).toBe("503 introspection-unavailable");
    expect(await get("/opaque/maybe")).toBe("200");
    expect(await get("/checked", bearer)).toBe("200");
    expect(await get("/checked/dead", bearer)).toBe("503 auth-unavailable");
  });

  it.each([
    ["fails", (status: (code: number) => void) => status(500)],
    ["is unavailable", (status: (code: number) => void) => status(503)],
    ["sends elsewhere", (status: (code: number) => void) => status(307)],
    ["knows no such path", (status: (code: number) => void) => status(404)],
  ])("that %s decides nothing", async (name, answer) => {
    for (const path of ["/introspect", "/check"]) {
      ground.origins.auth.on(path, (_, response) =>
        answer(
          (code) =>
            void response
              .writeHead(code, { location: "/", "x-user-id": "ann" })
              .end('{"active":true,"sub":"ann"}'),
        ),
      );
    }
    const token = `Authorization: Bearer ${name.replaceAll(" ", "-")}`;
    expect(await get("/opaque", token)).toBe("503 introspection-unavailable");
    expect(await get("/checked", token)).toBe("503 auth-unavailable");
  });
});

describe("S16: an expression that cannot be decided", () => {
  const level = (value: unknown): string => tokenOf({ iss: "jobs", level: value });
  it.each([
    ["/level", 4, "200"],
    ["/level", 3, "403 forbidden"],
    ["/level", undefined, "403 forbidden"],
    ["/level", "9", "403 forbidden"],
    ["/level", null, "403 forbidden"],
    ["/level", [9], "403 forbidden"],
    ["/not-level", 3, "200"],
    ["/not-level", undefined, "403 forbidden"],
    ["/not-level", "9", "403 forbidden"],
    ["/not-level", null, "403 forbidden"],
  ])("is no: %s with %j", async (path, value, expected) => {
    expect(await get(path, level(value))).toBe(expected);
  });

  it.each([
    [["user", "admin"], "200"],
    ["admin", "403 forbidden"],
    [{ admin: true }, "403 forbidden"],
    [undefined, "403 forbidden"],
  ])("is no: roles %j", async (roles, expected) => {
    expect(await get("/roles", tokenOf({ iss: "jobs", roles }))).toBe(expected);
  });

  it("is no: a header that is not there", async () => {
    expect(await get("/header", tokenOf({ iss: "jobs" }), "X-Level: high")).toBe("200");
    expect(await get("/header", tokenOf({ iss: "jobs" }), "X-Level: low")).toBe("403 forbidden");
    expect(await get("/header", tokenOf({ iss: "jobs" }))).toBe("403 forbidden");
  });
});

describe("S16: an address that nobody knows", () => {
  it.each(["/allowed", "/denied"])("is on no list's good side: %s", async (path) => {
    expect(await get(path, "X-Forwarded-For: 192.0.2.1")).toBe("200");
    for (const fields of [[], ["X-Forwarded-For: unknown"], ["X-Forwarded-For: "]])
      expect(await get(path, ...fields)).toBe("403 ip-refused");
  });
});

describe("S16: a gateway that lacks something", () => {
  const text = (secret: string, extra = ""): string => `
gateway: { name: lacking, hosts: { public: ${HOST} }, clientIp: connection }
issuers: { jobs: { issuer: jobs, audiences: [shop], algorithms: [HS256], secret: ${secret} } }
upstreams: { origin: ${upstream(ground.origins.origin.url)} }
apis: { all: { upstream: origin, ${extra}policies: { jwt: {} }, routes: { all: { match: { path: /a } } } } }
`;

  it("starts with its secret", async () => {
    const served = await serveText(text("{ env: SECRET }"), { SECRET });
    expect(await served.stop()).toBe(0);
  });

  it.each([
    ["without a secret", text.bind(null, "{ env: SECRET }"), {}],
    ["with another one", text.bind(null, "{ env: SECRET }"), { OTHER: SECRET }],
    ["with a secret in the file", text.bind(null, SECRET), { SECRET }],
    ["with a reference that is a text", text.bind(null, '"{ env: SECRET }"'), { SECRET }],
    ["with a policy that nobody knows", text.bind(null, "{ env: SECRET }", "public: true, "), { SECRET }],
    ["with half a file", () => text("{ env: SECRET }").slice(0, -40), { SECRET }],
  ])("does not start %s", async (_, policy, vars) => {
    await expect(serveText(policy(), vars as Record<string, string>)).rejects.toThrow(
      "postern serve ended with",
    );
  });
});

describe("S16: a store of keys", () => {
  let store: Stage;
  let served: Served;
  beforeAll(async () => {
    store = await startStage();
    const vars = { REDIS_URL: store.url, REDIS_TOKEN: "token" };
    served = await serveText(text(ground.origins.origin.url), vars);
  });
  afterAll(() => Promise.all([served?.stop(), store?.stop()]));

  const text = (origin: string): string => `
gateway: { name: stored, hosts: { public: ${HOST} }, clientIp: connection, stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } }, consumers: redis } }
consumers: { acme: { keys: [{ id: k1, sha256: "${digest}" }] } }
upstreams: { origin: ${upstream(origin)} }
apis:
  all:
    upstream: origin
    policies: { apiKey: {} }
    routes: { must: { match: { path: /must } }, may: { match: { path: /may }, policies: { identity: { any: [apiKey, anonymous] } } } }
`;
  const record = JSON.stringify({ result: JSON.stringify({ consumer: "acme" }) });
  const answers: [string, number, string][] = [
    ["fails", 500, '{"error":"ERR"}'],
    ["wants another token", 401, '{"error":"Unauthorized"}'],
    ["answers with an error", 200, '{"error":"ERR"}'],
    ["answers with a page", 200, "<html>"],
    ["has a record that cannot be read", 200, '{"result":"acme"}'],
    ["has a record of nobody", 200, '{"result":"{}"}'],
  ];

  const answer = (status: number, body: string): void =>
    store.on("/", (request, response) => {
      request.resume().once("end", () => response.writeHead(status).end(body));
    });
  const present = async (path: string, key: string): Promise<string> =>
    statusOf(await ask(served.port, textOf(`GET ${path}`, [`X-Api-Key: ${key}`])));

  it.each(answers.map(([name, ...rest], index) => [name, index, ...rest] as const))(
    "that %s lets nobody in, and no one as anybody else",
    async (_, index, status, body) => {
      const stored = "defghi"[index]!.repeat(48);
      answer(status, body);
      for (const path of ["/must", "/may"])
        expect(await present(path, stored)).toBe("503 consumers-unavailable");
      expect(await present("/must", API_KEY)).toBe("200");
      answer(200, record);
      await until(
        "the store to be asked again",
        async () => (await present("/must", stored)) === "200",
        5000,
      );
    },
  );
});
