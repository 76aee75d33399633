import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RawStage, startRawStage } from "../e2e/stage.ts";
import {
  compact,
  type Ground,
  hs256,
  now,
  type Outcome,
  startGround,
  statusOf,
  upstream,
} from "./support.ts";

// S1–S5: a path is read once. Router, policies and upstream see the same one, or the request is refused.

const SECRET = "a secret of thirty-two bytes and more";

const policies = (urls: Record<"open" | "admin", string>, paths: string): string => `
gateway: { name: paths, hosts: { public: api.example.com }, clientIp: connection, paths: ${paths} }
issuers:
  main: { issuer: paths, audiences: [paths], algorithms: [HS256], secret: { env: SECRET } }
upstreams:
  open: ${upstream(urls.open)}
  admin: ${upstream(urls.admin)}
apis:
  open:
    public: true
    upstream: open
    policies: { headers: { request: { set: { x-seen: "{request.path}" } } } }
    routes:
      info: { match: { pathPrefix: /info } }
      stripped: { match: { pathPrefix: /api }, rewrite: { prefix: / } }
      named: { match: { path: "/named/{name}" }, rewrite: { path: "/inner/{params.name}/end" } }
  users:
    upstream: open
    policies: { jwt: {}, authorize: { allow: "request.path.startsWith('/users/' + identity.subject + '/')" } }
    routes: { one: { match: { path: "/users/{user}/{rest...}" } } }
  admin:
    upstream: admin
    policies: { jwt: {} }
    routes: { all: { match: { pathPrefix: /admin } } }
`;

type Origins = Ground<"open" | "admin">;
let strict: Origins;
let keeping: Origins;
let canary: RawStage;

beforeAll(async () => {
  canary = await startRawStage((socket) => socket.destroy());
  const start = (paths: string) =>
    startGround(["open", "admin"], (urls) => policies(urls, paths), { SECRET });
  strict = await start("{}");
  keeping = await start("{ encodedSlash: keep, matrixParameters: keep }");
});
afterAll(async () => {
  await Promise.all([strict.stop(), keeping.stop(), canary.stop()]);
});

const bearing = (subject: string): string =>
  `Authorization: Bearer ${compact(
    { alg: "HS256" },
    { iss: "paths", aud: "paths", sub: subject, exp: now() + 300 },
    hs256(SECRET),
  )}`;

/** What became of a request: what its origin heard, or how it was refused. Without a token the admin origin hears nothing, ever. */
const fateOf = ({ answer, heard }: Outcome, ground: Origins = strict): string => {
  expect(heard.filter((line) => line.startsWith("admin"))).toEqual([]);
  expect(canary.accepted()).toBe(0);
  if (answer.status !== 200) {
    expect(heard).toEqual([]);
    return statusOf(answer);
  }
  expect(heard).toHaveLength(1);
  const sent = heard[0]!.split(" ").at(-1)!;
  const seen = ground.origins.open.last().fields.find(([name]) => name === "x-seen")?.[1];
  // What policies saw is what the upstream is asked, unless the route rewrites.
  if (sent.startsWith("/info")) expect(seen).toBe(sent.split("?")[0]);
  return sent;
};

const GUARDED = "401 credential-missing";
const REFUSED = "400 path-refused";
const NO_ROUTE = "404 no-route";

describe("a harmless path", () => {
  it.each([
    ["/info/a", "/info/a"],
    ["/info/a.b/..c/d..", "/info/a.b/..c/d.."],
    ["/info/%41%2D", "/info/A-"],
    ["/api/x", "/x"],
    ["/named/x", "/inner/x/end"],
    ["/admin/x", GUARDED],
    ["/users/ann/x", GUARDED],
  ])("is served as it stands, or guarded: GET %s", async (path, expected) => {
    expect(fateOf(await strict.request(`GET ${path}`))).toBe(expected);
  });

  it("reaches the admin origin with a token", async () => {
    const { answer, heard } = await strict.request("GET /info/../admin/x", [bearing("ann")]);
    expect([answer.status, heard]).toEqual([200, ["admin GET /admin/x"]]);
  });
});

describe("S1: dot segments", () => {
  it.each([
    ["/info/../admin", GUARDED],
    ["/info/%2e%2e/admin", GUARDED],
    ["/info/.%2E/admin", GUARDED],
    ["/info/%2E%2E/admin", GUARDED],
    ["/info/x/../../admin/y", GUARDED],
    ["/info/%252e%252e/admin", REFUSED],
    ["/admin/../info/a", "/info/a"],
    ["/admin/%2e%2e/info/a", "/info/a"],
  ])("are gone before anything looks: GET %s", async (path, expected) => {
    expect(fateOf(await strict.request(`GET ${path}`))).toBe(expected);
  });

  it.each([
    ["/users/ann/x", "200"],
    ["/users/ann/../bob/x", "403 forbidden"],
    ["/users/ann/%2e%2e/bob/x", "403 forbidden"],
    ["/users/ann/.%2E/bob/x", "403 forbidden"],
    ["/users/bob/../ann/x", "200"],
  ])("mean the same to an expression as to the upstream: GET %s as ann", async (path, expected) => {
    const { answer, heard } = await strict.request(`GET ${path}`, [bearing("ann")]);
    expect(statusOf(answer)).toBe(expected);
    expect(heard).toEqual(expected === "200" ? ["open GET /users/ann/x"] : []);
  });
});

const CODES = ["2f", "5c", "00", "3b", "25", "3f", "23"];

describe("S2: encoded separators", () => {
  const spelled = CODES.flatMap((code) => [code, code.toUpperCase()]);
  const paths = [...new Set(spelled)].flatMap((code) => [
    `/info/a%${code}b`,
    `/info/..%${code}admin`,
    `/admin%${code}x`,
    `/info/a%25${code}b`,
    `/info/..%25${code}admin`,
  ]);
  it.each([...paths, "/info/%252f", "/info/%25252F"])("are refused: GET %s", async (path) => {
    expect(fateOf(await strict.request(`GET ${path}`))).toBe(REFUSED);
  });

  it.each([
    ["/named/a%2Fb", "/inner/a%2Fb/end"],
    ["/named/a%2fb", "/inner/a%2Fb/end"],
    ["/named/..%2F..%2Fadmin", "/inner/..%2F..%2Fadmin/end"],
    ["/named/a%5Cb", "/inner/a%5Cb/end"],
    ["/info/..%2fadmin", "/info/..%2Fadmin"],
    ["/info%2Fa", NO_ROUTE],
    ["/info%2F..%2Fadmin", NO_ROUTE],
    ["/admin%2Fx", NO_ROUTE],
    ["/info/%2e%2e/admin", GUARDED],
  ])("that are kept stay in one parameter, and are no boundary: GET %s", async (path, expected) => {
    expect(fateOf(await keeping.request(`GET ${path}`), keeping)).toBe(expected);
  });

  it("that are kept are kept for expressions too", async () => {
    const { answer, heard } = await keeping.request("GET /users/ann%2F..%2Fbob/x", [bearing("ann")]);
    expect([statusOf(answer), heard]).toEqual(["403 forbidden", []]);
  });
});

describe("S3: a prefix that is taken off", () => {
  it.each([
    ["/api/a/b", "/a/b"],
    ["/api../x", NO_ROUTE],
    ["/api./x", NO_ROUTE],
    ["/api%2e%2e/x", NO_ROUTE],
    ["/api%2e/x", NO_ROUTE],
    ["/api/../admin/x", GUARDED],
    ["/api/%2e%2e/admin/x", GUARDED],
    ["/api//x", "/x"],
    ["/api/..%2fadmin", REFUSED],
  ])("leaves a path that is normalized: GET %s", async (path, expected) => {
    expect(fateOf(await strict.request(`GET ${path}`))).toBe(expected);
  });

  it("leaves one whatever came: every short path over the dangerous pieces", async () => {
    const pieces = ["", ".", "..", "%2e", "a", "%2e.", "...", "admin"];
    for (const one of pieces) {
      for (const other of pieces) {
        const sent = fateOf(await strict.request(`GET /api/${one}/${other}`));
        if (sent.startsWith("/")) expect(sent).toBe(new URL(sent, "http://x").pathname);
        if (sent.startsWith("/")) expect(sent).not.toMatch(/\/\/|%2e/i);
      }
    }
  });
});

describe("S4: path parameters", () => {
  it.each(["/admin;x=y", "/admin;/x", "/info;x", "/info/a;b=c", "/info/..;/admin", "/;/admin"])(
    "are refused: GET %s",
    async (path) => {
      expect(fateOf(await strict.request(`GET ${path}`))).toBe(REFUSED);
    },
  );

  it.each([
    ["/info/a;b=c", "/info/a;b=c"],
    ["/admin/x;y", GUARDED],
    ["/info/..;/admin", GUARDED],
    ["/admin;x=y", NO_ROUTE],
  ])("that are kept are part of their segment for all alike: GET %s", async (path, expected) => {
    expect(fateOf(await keeping.request(`GET ${path}`), keeping)).toBe(expected);
  });
});

describe("S5: targets that are not canonical", () => {
  it.each([
    ["admin/x", "400"],
    ["//HOST/x", NO_ROUTE],
    ["//admin/x", GUARDED],
    ["//info//a", "/info/a"],
    ["/a*b", NO_ROUTE],
    ["/info/a*b", "/info/a*b"],
    ["/inf*", NO_ROUTE],
    ["*", "400 host-refused"],
    ["/admin#/../info", GUARDED],
    ["/info/../admin#", GUARDED],
    ["/info\\..\\admin", REFUSED],
    ["/\\HOST/x", REFUSED],
  ])("are refused, or read literally: GET %s", async (target, expected) => {
    const line = `GET ${target.replace("HOST", `127.0.0.1:${canary.port}`)}`;
    expect(fateOf(await strict.request(line))).toBe(expected);
  });

  it.each([
    ["http://HOST/info/a", "/info/a"],
    ["http://HOST/admin", GUARDED],
    ["http://HOST/info/../admin", GUARDED],
    ["http://api.example.com/admin", GUARDED],
    ["https://HOST@api.example.com/admin", GUARDED],
  ])("in absolute form are read by their path and the Host field: GET %s", async (target, expected) => {
    const line = `GET ${target.replace("HOST", `127.0.0.1:${canary.port}`)}`;
    expect(fateOf(await strict.request(line))).toBe(expected);
  });
});
