import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Served, serve } from "../support/served.ts";
import { type RawStage, type Stage, startRawStage, startStage } from "./stage.ts";
import { until } from "./until.ts";
import { ask, dial, fieldOf, problemOf, type RawAnswer, requestText } from "./wire.ts";

const SECRET = "a secret of thirty-two bytes and more";
const CLOSE = "Connection: close";

/** Gateways over the same two upstreams: `open` for everybody, `guarded` behind a token. */
let open: Stage;
let guarded: Stage;
let canary: RawStage;
const gateways = {} as Record<"strict" | "keeping" | "anyHost", Served>;

const policies = (paths: string, host: string): string => `
gateway:
  name: hostile
  hosts: { public: "${host}" }
  clientIp: connection
  paths: ${paths}
issuers:
  main: { issuer: https://issuer.example.com/, audiences: [hostile], algorithms: [HS256], secret: { env: SIGNING_SECRET } }
upstreams:
  open: { targets: { only: { url: "${open.url}", network: private } }, timeout: 5s }
  based: { targets: { only: { url: "${open.url}/base", network: private } }, timeout: 5s }
  guarded: { targets: { only: { url: "${guarded.url}", network: private } }, timeout: 5s }
apis:
  open:
    public: true
    upstream: open
    policies: { headers: { request: { set: { x-route-path: "{request.path}" } } } }
    routes:
      root: { match: { path: / } }
      info: { match: { pathPrefix: /info } }
      stripped: { match: { pathPrefix: /api }, rewrite: { prefix: / } }
      based: { match: { pathPrefix: /based }, upstream: based }
      named: { match: { path: "/named/{name}" }, rewrite: { path: "/internal/{params.name}/end" } }
      moved: { match: { pathPrefix: /moved }, redirect: { status: 308, prefix: /info } }
  guarded:
    upstream: guarded
    policies: { jwt: {} }
    routes:
      admin: { match: { pathPrefix: /admin } }
      tenant:
        match: { path: "/tenants/{tenant}/{rest...}" }
        policies: { authorize: { allow: "params.tenant == identity.subject" } }
`;

const DEVELOPMENT = `
environments: { local: { development: true, gateway: { hosts: { public: "*" } } } }
`;

beforeAll(async () => {
  [open, guarded] = [await startStage(), await startStage()];
  canary = await startRawStage((socket) => socket.destroy());
  const args = ["--var", `SIGNING_SECRET=${SECRET}`];
  const [reject, keep] = ["{}", "{ encodedSlash: keep, matrixParameters: keep }"];
  gateways.strict = await serve({ files: { "a.yaml": policies(reject, "api.example.com") }, args });
  gateways.keeping = await serve({ files: { "a.yaml": policies(keep, "api.example.com") }, args });
  const anyHost = policies(reject, "any.example.com") + DEVELOPMENT;
  gateways.anyHost = await serve({ files: { "a.yaml": anyHost }, args: [...args, "--env", "local"] });
});

afterAll(async () => {
  expect(canary.accepted()).toBe(0);
  for (const served of Object.values(gateways)) expect(await served.stop()).toBe(0);
  for (const server of [open, guarded, canary]) await server.stop();
});

const tokenOf = (subject: string): Promise<string> =>
  new SignJWT({})
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer("https://issuer.example.com/")
    .setAudience("hostile")
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime("5m")
    .sign(new TextEncoder().encode(SECRET));

interface Outcome {
  readonly answer: RawAnswer;
  /** What the open upstream was asked. */
  readonly asked: readonly string[];
}

/** Sends bytes; whatever they are, the guarded upstream and the canary must hear nothing. */
const send = async (text: string, gateway: keyof typeof gateways = "strict"): Promise<Outcome> => {
  const before = [open.asked.length, guarded.asked.length] as const;
  const answer = await ask(gateways[gateway].port, text);
  expect(guarded.asked.slice(before[1])).toEqual([]);
  expect(canary.accepted()).toBe(0);
  return { answer, asked: open.asked.slice(before[0]) };
};

const target = (line: string, gateway?: keyof typeof gateways): Promise<Outcome> =>
  send(requestText(line, [CLOSE]), gateway);

/** What is expected: a refusal with one of these statuses, or the path at which the open upstream is asked. */
type Expected = readonly number[] | string;

const expectOutcome = ({ answer, asked }: Outcome, expected: Expected): void => {
  if (typeof expected === "string") {
    expect([answer.status, asked.map((line) => line.split(" ")[1])]).toEqual([200, [expected]]);
  } else {
    expect(asked).toEqual([]);
    expect(expected).toContain(answer.status);
  }
};

const REFUSED = [400];
const UNKNOWN = [404];
/** The guarded route took it, and asks for a token. */
const GUARDED = [401];

describe("the controls", () => {
  it.each<[string, Expected]>([
    ["/info/a", "/info/a"],
    ["/info", "/info"],
    ["/info/a?b=/../c&d=%2F", "/info/a?b=/../c&d=%2F"],
    ["/api/x", "/x"],
    ["/api", "/"],
    ["/based/x", "/base/based/x"],
    ["/named/x", "/internal/x/end"],
    ["/info/%41%7e%2D", "/info/A~-"],
    ["/info/a%20b", "/info/a%20b"],
    ["/info/\xc3\xa9", "/info/%C3%A9"],
    ["/info/%e2%82%ac", "/info/%E2%82%AC"],
    ["/info/a:b@c,d=e!$&'()*+", "/info/a:b@c,d=e!$&'()*+"],
    ["/admin", GUARDED],
    ["/admin/x", GUARDED],
    ["/tenants/alice/x", GUARDED],
    ["/nothing", UNKNOWN],
  ])("GET %s", async (path, expected) => expectOutcome(await target(`GET ${path}`), expected));

  it("a token opens the guarded route, and the upstream sees the path that the route saw", async () => {
    const fields = [CLOSE, `Authorization: Bearer ${await tokenOf("alice")}`];
    for (const path of ["/admin/x", "/tenants/alice/x"]) {
      expect((await ask(gateways.strict.port, requestText(`GET ${path}`, fields))).status).toBe(200);
      expect(guarded.last().url).toBe(path);
    }
    const other = await ask(gateways.strict.port, requestText("GET /tenants/bob/x", fields));
    expect(other.status).toBe(403);
  });
});

describe("dot segments (S1)", () => {
  it.each<[string, Expected]>([
    ["/info/../admin", GUARDED],
    ["/info/%2e%2e/admin", GUARDED],
    ["/info/%2E%2E/admin", GUARDED],
    ["/info/.%2E/admin", GUARDED],
    ["/info/%2e./admin", GUARDED],
    ["/info/x/../../admin/y", GUARDED],
    ["/info/./../admin", GUARDED],
    ["/info//../admin", GUARDED],
    ["/../admin", GUARDED],
    ["/info/..", "/"],
    ["/info/../../../../etc/passwd", UNKNOWN],
    ["/./info/./a", "/info/a"],
    ["/../../info/a", "/info/a"],
    ["/admin/../info/a", "/info/a"],
    ["/admin/%2e%2e/info/a", "/info/a"],
    ["/info/...", "/info/..."],
    ["/info/..a", "/info/..a"],
    ["/info/a..", "/info/a.."],
    ["/info/%2e%2e%2e/admin", "/info/.../admin"],
    ["/info/.%00./admin", REFUSED],
    ["/info/..%00/admin", REFUSED],
  ])("GET %s", async (path, expected) => expectOutcome(await target(`GET ${path}`), expected));
});

const SEPARATORS = ["2f", "5c", "00", "3b", "25", "3f", "23"];

describe("encoded separators (S2)", () => {
  const shapes = (code: string): string[] => [
    `/info/a%${code}b`,
    `/info%${code}admin`,
    `/info/..%${code}admin`,
    `/info/..%${code}..%${code}admin`,
    `/admin%${code}`,
    `/%${code}admin`,
    `/info/a%25${code}b`,
    `/info/..%25${code}admin`,
    `/info/%2525${code}`,
  ];
  const paths = SEPARATORS.flatMap((code) => [...shapes(code), ...shapes(code.toUpperCase())]);

  it.each([...new Set(paths)])("GET %s is refused", async (path) => {
    const outcome = await target(`GET ${path}`);
    expectOutcome(outcome, REFUSED);
    expect(problemOf(outcome.answer)).toMatchObject({ status: 400, code: "path-refused" });
  });

  it.each<[string, Expected]>([
    ["/info/a%2Fb", "/info/a%2Fb"],
    ["/info/a%2fb", "/info/a%2Fb"],
    ["/info/..%2fadmin", "/info/..%2Fadmin"],
    ["/info/a%5Cb", "/info/a%5Cb"],
    ["/info/%252e%252e/admin", "/info/%252e%252e/admin"],
    ["/named/a%2Fb", "/internal/a%2Fb/end"],
    ["/named/..%2F..%2Fadmin", "/internal/..%2F..%2Fadmin/end"],
    ["/named/%2e%2e", "/"],
    ["/info%2Fadmin", UNKNOWN],
    ["/info%2F..%2Fadmin", UNKNOWN],
    ["/%2Fadmin", UNKNOWN],
    ["/admin%2Fx", UNKNOWN],
    ["/info/%2e%2e/admin", GUARDED],
    ["/info/..;/admin", GUARDED],
    ["/info/a;b=c", "/info/a;b=c"],
    ["/admin;x=y", UNKNOWN],
    ["/admin/x;y", GUARDED],
    ["/info/%zz", REFUSED],
    ["/info/\\..\\admin", REFUSED],
  ])("where the gateway keeps them, they stay inside one segment: GET %s", async (path, expected) =>
    expectOutcome(await target(`GET ${path}`, "keeping"), expected),
  );
});

describe("a path that changes after the decision (S3)", () => {
  it.each<[string, Expected]>([
    ["/api../x", UNKNOWN],
    ["/api./x", UNKNOWN],
    ["/api%2e%2e/x", UNKNOWN],
    ["/api/../admin/x", GUARDED],
    ["/api/./../admin/x", GUARDED],
    ["/api//admin/x", "/admin/x"],
    ["/api/", "/"],
    ["/api//", "/"],
    ["/api/..", "/"],
    ["/api/%2e%2e", "/"],
    ["/api/@host/x", "/@host/x"],
    ["/api/:8080/x", "/:8080/x"],
    ["/based/../admin/x", GUARDED],
    ["/based/..", "/"],
    ["/named/..", "/"],
    ["/named/%2e%2e/x", UNKNOWN],
    ["/named/.", UNKNOWN],
  ])("GET %s", async (path, expected) => expectOutcome(await target(`GET ${path}`), expected));

  it("a redirect leads to no other host", async () => {
    for (const path of [
      "//evil.example.com",
      "/.evil.example.com",
      "@evil.example.com",
      "/..//evil.example.com",
      "/%2e%2e//evil",
    ]) {
      const { answer } = await target(`GET /moved${path}`);
      const location = fieldOf(answer, "location");
      if (location === undefined) expect([400, 404]).toContain(answer.status);
      else expect(new URL(location)).toMatchObject({ host: "api.example.com", protocol: "http:" });
    }
  });
});

describe("path parameters (S4)", () => {
  it.each([
    "/admin;x=y",
    "/admin;/x",
    "/info/;x",
    "/info/a;b=c",
    "/info/..;/admin",
    "/info/..;x=y/admin",
    "/;/admin",
    "/info;/../admin",
  ])("GET %s is refused", async (path) => expectOutcome(await target(`GET ${path}`), REFUSED));
});

describe("targets that are not canonical (S5, S37)", () => {
  it.each<[string, Expected]>([
    ["admin/x", REFUSED],
    ["info/a", REFUSED],
    ["", REFUSED],
    ["?x", REFUSED],
    ["@evil.example.com/x", REFUSED],
    ["\\info\\a", REFUSED],
    ["\\\\CANARY\\x", REFUSED],
    ["/\\CANARY/x", REFUSED],
    ["/\\/CANARY/x", REFUSED],
    ["/info/\\a", REFUSED],
    ["/info\\..\\admin", REFUSED],
    ["//CANARY/x", UNKNOWN],
    ["///CANARY/x", UNKNOWN],
    ["//CANARY/../info/a", "/info/a"],
    ["//admin/x", GUARDED],
    ["//info//a", "/info/a"],
    ["/api//CANARY/x", "/CANARY/x"],
    ["/api/http://CANARY/x", "/http:/CANARY/x"],
    ["/info/@CANARY/x", "/info/@CANARY/x"],
    ["/info/a?url=http://CANARY/", "/info/a?url=http://CANARY/"],
    ["/a*b", UNKNOWN],
    ["/info/*", "/info/*"],
    ["/info/a b", REFUSED],
    ["/info/\ta", REFUSED],
    ["/info/\0a", REFUSED],
    ["/info/\x7fa", REFUSED],
    ["/info/\xff", REFUSED],
    ["/info/\xc0\xaf", REFUSED],
    ["/info/\xed\xa0\x80", REFUSED],
    ["/info/%", REFUSED],
    ["/info/%4", REFUSED],
    ["/info/%zz", REFUSED],
    ["/info/%u002f", REFUSED],
    ["/info/%ff", "/info/%FF"],
    ["/info/%c0%ae%c0%ae/admin", "/info/%C0%AE%C0%AE/admin"],
    ["/info/%0d%0aX-Injected:%20yes", "/info/%0D%0AX-Injected:%20yes"],
    ["/info/a?b=%0d%0aX-Injected:%20yes", "/info/a?b=%0d%0aX-Injected:%20yes"],
  ])("GET %s", async (path, expected) => {
    const named = (text: string): string => text.replace("CANARY", `127.0.0.1:${canary.port}`);
    const outcome = await target(`GET ${named(path)}`);
    expectOutcome(outcome, typeof expected === "string" ? named(expected) : expected);
    if (outcome.asked.length > 0) expect(fieldOf(open.last(), "x-injected")).toBe(undefined);
  });

  it.each(["/info/a#b", "/info/a#/../../admin", "/info/a?b#c"])(
    "a fragment is refused, or cut off for all alike: GET %s",
    async (path) => {
      const { answer, asked } = await target(`GET ${path}`);
      if (answer.status === 200) expect(asked).toEqual([`GET ${path.split("#")[0]}`]);
      else expect([400, asked]).toEqual([answer.status, []]);
    },
  );

  it("a fragment hides no guarded route", async () => {
    for (const path of ["/admin#/info", "/admin/#", "/info/../admin#"])
      expectOutcome(await target(`GET ${path}`), [400, 401]);
  });

  it.each(["GET *", "OPTIONS *", "POST *"])("%s is no path", async (line) =>
    expectOutcome(await target(line), [400, 404, 405]),
  );

  it.each([
    "http://CANARY/admin",
    "http://CANARY/info/../admin",
    "https://CANARY/admin",
    "http://api.example.com/admin",
    "ws://CANARY/admin",
  ])("an absolute target is refused, or its path is guarded as any other: GET %s", async (url) => {
    expectOutcome(
      await target(`GET ${url.replace("CANARY", `127.0.0.1:${canary.port}`)}`),
      [400, 401, 404, 421],
    );
  });

  it.each([
    "http://CANARY/info/a",
    "http://user:word@CANARY/info/a",
    "http://CANARY:80@api.example.com/info/a",
    "ftp://CANARY/info/a",
  ])("an absolute target sends the gateway nowhere else: GET %s", async (url) => {
    const { answer, asked } = await target(`GET ${url.replace("CANARY", `127.0.0.1:${canary.port}`)}`);
    if (answer.status === 200) expect(asked).toEqual(["GET /info/a"]);
    else expect([400, 404, 421]).toContain(answer.status);
  });

  it.each([
    ["a CR in the target", "GET /info/a\rX-Injected: yes HTTP/1.1\r\nHost: api.example.com\r\n\r\n"],
    ["a LF in the target", "GET /info/a\nX-Injected: yes HTTP/1.1\r\nHost: api.example.com\r\n\r\n"],
    [
      "a line break in the target",
      "GET /info/a\r\nX-Injected: yes HTTP/1.1\r\nHost: api.example.com\r\n\r\n",
    ],
    ["no version", "GET /info/a\r\n\r\n"],
    ["a version of its own", "GET /info/a HTTP/9.9\r\nHost: api.example.com\r\n\r\n"],
    ["a field without a colon", "GET /info/a HTTP/1.1\r\nHost: api.example.com\r\nX-Nothing\r\n\r\n"],
    [
      "a space before the colon",
      "GET /info/a HTTP/1.1\r\nHost: api.example.com\r\nContent-Length : 5\r\n\r\n",
    ],
    ["a folded field", "GET /info/a HTTP/1.1\r\nHost: api.example.com\r\nX-A: b\r\n  c\r\n\r\n"],
    ["a NUL in a field", "GET /info/a HTTP/1.1\r\nHost: api.example.com\r\nX-A: b\0c\r\n\r\n"],
  ])("%s is refused, or injects nothing", async (_, text) => {
    const { answer, asked } = await send(text);
    if (answer.status === 200) {
      expect(asked).toEqual(["GET /info/a"]);
      expect(fieldOf(open.last(), "x-injected")).toBe(undefined);
    } else expect([400, 404, 501, 505]).toContain(answer.status);
  });

  it.each([
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["the greeting of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"],
  ])("%s ends the connection", async (_, text) => {
    const before = open.asked.length;
    const wire = await dial(gateways.strict.port);
    wire.send(text);
    await until("the end of the connection", wire.closed);
    expect(wire.bytes().toString("latin1")).toMatch(/^$|^HTTP\/1\.1 [45]/);
    expect(open.asked.length).toBe(before);
  });

  it("a target of 100 KB is answered", async () => {
    const { answer } = await target(`GET /info/${"a".repeat(100_000)}`);
    expect([200, 400, 414, 431]).toContain(answer.status);
  });
});

describe("hosts (S5, S9, S37)", () => {
  const withHost = (host: string): string => requestText("GET /info/a", [CLOSE], "", host);

  it.each(["api.example.com", "API.Example.COM", "api.example.com:8080", "api.example.com."])(
    "%s is ours",
    async (host) => expectOutcome(await send(withHost(host)), "/info/a"),
  );

  it.each([
    "evil.example.com",
    "api.example.com.evil.com",
    "xapi.example.com",
    "api-example.com",
    "127.0.0.1",
    "[::1]",
    "localhost",
    "api.example.com..",
    ".api.example.com",
    "api.example.com%00",
    "xn--api.example.com",
  ])("%s is not", async (host) => expectOutcome(await send(withHost(host)), [400, 404, 421]));

  /** Not even where every host is taken: RFC 9112 section 3.2 asks for 400. */
  const NO_HOSTS = [
    "user@api.example.com",
    "api.example.com@127.0.0.1",
    "api.example.com/info",
    "api.example.com?x",
    "api.example.com#x",
    "api.example.com\\x",
    "api.example.com x",
    "api.example.com, evil.example.com",
    "api.example.com:80:80",
    "api.example.com:abc",
    "<api.example.com>",
    "api.example.com\xff",
    "*",
  ];

  it.each(NO_HOSTS)("%s is no host", async (host) => expectOutcome(await send(withHost(host)), [400, 404]));

  it.each(NO_HOSTS)("%s is no host where every host is taken, either", async (host) =>
    expectOutcome(await send(withHost(host), "anyHost"), REFUSED),
  );

  it.each(["GET *", "OPTIONS *", "POST *"])("%s is no path where every host is taken, either", async (line) =>
    expectOutcome(await target(line, "anyHost"), [400, 404, 405]),
  );

  it("there must be one, and one only", async () => {
    const line = "GET /info/a HTTP/1.1\r\n";
    expectOutcome(await send(`${line}${CLOSE}\r\n\r\n`), REFUSED);
    expectOutcome(await send(`${line}Host:\r\n${CLOSE}\r\n\r\n`), REFUSED);
    for (const gateway of ["strict", "anyHost"] as const) {
      for (const hosts of [
        ["api.example.com", "evil.example.com"],
        ["evil.example.com", "api.example.com"],
        ["api.example.com", "api.example.com"],
      ]) {
        const text = `${line}${hosts.map((host) => `Host: ${host}\r\n`).join("")}${CLOSE}\r\n\r\n`;
        expectOutcome(await send(text, gateway), [400, 404]);
      }
    }
  });

  it("no field of a request leads elsewhere", async () => {
    const elsewhere = `127.0.0.1:${canary.port}`;
    const names = [
      "X-Forwarded-Host",
      "X-Host",
      "X-Original-URL",
      "X-Rewrite-URL",
      "X-Forwarded-Server",
      "Forwarded",
      "Origin",
      "Referer",
      "Destination",
      "Proxy",
      "X-Forwarded-Prefix",
      "X-Original-Host",
    ];
    for (const name of names)
      for (const value of [elsewhere, `http://${elsewhere}/`, `host=${elsewhere}`])
        expectOutcome(await send(requestText("GET /info/a", [`${name}: ${value}`, CLOSE])), "/info/a");
    expectOutcome(
      await send(requestText("GET /info/a", ["X-Original-URL: /admin", "X-Rewrite-URL: /admin", CLOSE])),
      "/info/a",
    );
  });
});

describe("methods (S27)", () => {
  it.each([
    "TRACE /info/a",
    "TRACK /info/a",
    "TRACE *",
    "FROB /info/a",
    "get /info/a",
    "Get /info/a",
    "G@T /info/a",
  ])("%s is refused", async (line) => expectOutcome(await target(line), [400, 405, 501]));

  // workerd answers by itself, with 500: a Worker that handles `connect` would have it answer 200 first.
  it.each(["/info/a", "CANARY", "api.example.com:443", "127.0.0.1:80"])(
    "CONNECT %s opens nothing",
    async (to) => {
      const text = to.replace("CANARY", `127.0.0.1:${canary.port}`);
      for (const gateway of ["strict", "anyHost"] as const)
        expectOutcome(await target(`CONNECT ${text}`, gateway), [400, 405, 500, 501]);
    },
  );

  it.each(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("%s is served", async (method) => {
    const { answer, asked } = await target(`${method} /info/a`);
    expect([answer.status, asked]).toEqual([200, [`${method} /info/a`]]);
  });

  it("no field changes the method", async () => {
    for (const name of ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]) {
      const { asked } = await send(requestText("POST /info/a", [`${name}: DELETE`, CLOSE]));
      expect([asked, fieldOf(open.last(), name.toLowerCase())]).toEqual([["POST /info/a"], undefined]);
    }
  });

  it.each([
    [
      "h2c",
      ["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "Connection: Upgrade, HTTP2-Settings"],
    ],
    ["something unknown", ["Upgrade: unheard/1", "Connection: Upgrade"]],
    [
      "websocket",
      [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ],
    ],
  ])("an upgrade to %s does not happen, and the upstream hears nothing of it", async (_, fields) => {
    const { answer } = await send(requestText("GET /info/a", fields));
    expect([200, 400, 426, 501]).toContain(answer.status);
    if (answer.status === 200) expect(fieldOf(open.last(), "upgrade")).toBe(undefined);
    const guardedAnswer = (await send(requestText("GET /admin", fields))).answer;
    expect([400, 401, 426, 501]).toContain(guardedAnswer.status);
  });
});

describe("repeated and ambiguous fields (S9, S26)", () => {
  it("two credentials are refused, also when both are good", async () => {
    const good = await tokenOf("alice");
    for (const values of [
      [good, good],
      [good, "x"],
      ["x", good],
    ]) {
      const fields = values.map((value) => `Authorization: Bearer ${value}`);
      expectOutcome(await send(requestText("GET /admin", [...fields, CLOSE])), [400, 401]);
    }
  });

  it("a decision by path and the upstream see one tenant", async () => {
    const fields = [CLOSE, `Authorization: Bearer ${await tokenOf("alice")}`];
    const paths = [
      "/tenants/alice/../bob/x",
      "/tenants/alice/%2e%2e/bob/x",
      "/tenants/alice//../bob/x",
      "/tenants/bob/../alice/x",
      "/tenants//alice/x",
      "/tenants/alice%2f..%2fbob/x",
      "/tenants/bob;alice/x",
      "/tenants/%61lice/x",
    ];
    for (const gateway of ["strict", "keeping"] as const) {
      for (const path of paths) {
        const before = guarded.asked.length;
        const answer = await ask(gateways[gateway].port, requestText(`GET ${path}`, fields));
        const asked = guarded.asked.slice(before);
        if (answer.status === 200) expect([path, asked]).toEqual([path, ["GET /tenants/alice/x"]]);
        else expect([path, [400, 403, 404].includes(answer.status), asked]).toEqual([path, true, []]);
      }
    }
  });

  const SMUGGLED = "GET /info/smuggled HTTP/1.1\r\nHost: api.example.com\r\n\r\n";
  it.each([
    ["both framings", ["Content-Length: 5", "Transfer-Encoding: chunked"], "0\r\n\r\n"],
    ["two lengths", ["Content-Length: 0", "Content-Length: 5"], ""],
    ["a list of lengths", ["Content-Length: 5, 5"], "abcde"],
    ["a signed length", ["Content-Length: +5"], "abcde"],
    ["a negative length", ["Content-Length: -1"], ""],
    ["an empty length", ["Content-Length:"], ""],
    ["a length in hexadecimal", ["Content-Length: 0x5"], "abcde"],
    ["a coding before chunked", ["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n"],
    ["chunked that is not last", ["Transfer-Encoding: chunked, identity"], "0\r\n\r\n"],
    ["an unknown coding", ["Transfer-Encoding: xchunked"], "0\r\n\r\n"],
    ["chunked twice", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], "0\r\n\r\n"],
    ["chunked with a tab", ["Transfer-Encoding:\tchunked"], "0\r\n\r\n"],
    ["a chunk of a signed size", ["Transfer-Encoding: chunked"], "+0\r\n\r\n"],
    ["a chunk that ends early", ["Transfer-Encoding: chunked"], "2\r\nabcde\r\n0\r\n\r\n"],
  ])("a request with %s is refused, or is one for the upstream as well", async (_, fields, body) => {
    const before = open.asked.length;
    const wire = await dial(gateways.strict.port);
    wire.send(requestText("POST /info/a", fields, body));
    const answer = await wire.answer("POST");
    const asked = open.asked.slice(before);
    if (answer.status === 200) {
      expect(asked).toEqual(["POST /info/a"]);
      const { fields: seen } = open.last();
      expect([
        fieldOf({ fields: seen }, "content-length"),
        fieldOf({ fields: seen }, "transfer-encoding"),
      ]).toContain(undefined);
      expect(fieldOf({ fields: seen }, "transfer-encoding") ?? "chunked").toBe("chunked");
    } else expect([400, 411, 413, 500, 501, 502]).toContain(answer.status);
    wire.socket.destroy();
  });

  it("a request with both framings ends its connection (RFC 9112 section 6.1)", async () => {
    const before = open.asked.length;
    const wire = await dial(gateways.strict.port);
    const fields = ["Content-Length: 5", "Transfer-Encoding: chunked"];
    wire.send(requestText("POST /info/a", fields, `0\r\n\r\n${SMUGGLED}`));
    await wire.answer("POST");
    wire.send(requestText("GET /info/last", [CLOSE]));
    await until("the end of the connection", wire.closed);
    expect(open.asked.slice(before)).not.toContain("GET /info/smuggled");
  });
});
