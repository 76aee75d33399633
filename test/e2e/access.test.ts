import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, postern, type Served, serve, writeWorkspace } from "../support/served.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";
import { ask, parseAnswer, problemOf, type RawAnswer, requestText } from "./wire.ts";

// Who may come in by address, country and origin, as the production bundle on plain workerd decides it.

const SECRET = "a secret of thirty-two bytes and more";
const CLOSE = "Connection: close";

let stage: Stage;
const gateways = {} as Record<"connection" | "oneHop" | "twoHops" | "cloudflare", Served>;

const policies = (clientIp: string, development = false): string => `
gateway:
  name: doors
  hosts: { public: api.example.com }
  clientIp: ${clientIp}
issuers:
  main: { issuer: https://issuer.example.com/, audiences: [doors], algorithms: [HS256], secret: { env: SIGNING_SECRET } }
upstreams:
  stage: { targets: { only: { url: "${stage.url}", network: private } }, timeout: 5s }
apis:
  doors:
    public: true
    upstream: stage
    routes:
      open: { match: { path: /open } }
      loopback: { match: { path: /loopback }, policies: { ipAccess: { allow: [127.0.0.0/8] } } }
      mapped: { match: { path: /mapped }, policies: { ipAccess: { allow: ["::ffff:127.0.0.1"] } } }
      six: { match: { path: /six }, policies: { ipAccess: { allow: ["::1"] } } }
      office: { match: { path: /office }, policies: { ipAccess: { allow: [192.0.2.0/24, "2001:db8::/32"] } } }
      others: { match: { path: /others }, policies: { ipAccess: { deny: [203.0.113.0/24] } } }
      ${development ? "" : "home: { match: { path: /home }, policies: { geoAccess: { allow: [DE] } } }"}
      ${development ? "" : "away: { match: { path: /away }, policies: { geoAccess: { deny: [KP] } } }"}
  sessions:
    upstream: stage
    websocket: true
    policies: { jwt: { from: { cookie: session } }, csrf: { origins: [https://partner.example.com] } }
    routes: { all: { match: { pathPrefix: /session } } }
`;

beforeAll(async () => {
  stage = await startStage();
  const started = async (clientIp: string): Promise<Served> =>
    serve({
      files: { "a.yaml": policies(clientIp, clientIp !== "cloudflare") },
      args: ["--var", `SIGNING_SECRET=${SECRET}`],
    });
  gateways.connection = await started("connection");
  gateways.oneHop = await started("{ forwardedFor: { trustedHops: 1 } }");
  gateways.twoHops = await started("{ forwardedFor: { trustedHops: 2 } }");
  gateways.cloudflare = await started("cloudflare");
});

afterAll(async () => {
  for (const served of Object.values(gateways)) expect(await served.stop()).toBe(0);
  await stage.stop();
});

/** The status of an answer; the upstream must have heard of the request exactly where it is 200. */
const statusOf = async (
  gateway: keyof typeof gateways,
  line: string,
  fields: readonly string[] = [],
): Promise<number | string> => {
  const before = stage.asked.length;
  const answer = await ask(gateways[gateway].port, requestText(line, [CLOSE, ...fields]));
  expect(stage.asked.length - before).toBe(answer.status === 200 ? 1 : 0);
  return answer.status === 200 ? 200 : String(problemOf(answer)["code"]);
};

const FORGED = [
  "X-Forwarded-For: 192.0.2.1",
  "X-Real-IP: 192.0.2.1",
  "Forwarded: for=192.0.2.1",
  "True-Client-IP: 192.0.2.1",
  "CF-Connecting-IP: 192.0.2.1",
  "X_Forwarded_For: 192.0.2.1",
];

describe("an address by the connection", () => {
  it.each([
    ["/open", 200],
    ["/loopback", 200],
    ["/mapped", 200],
    ["/others", 200],
    ["/six", "ip-refused"],
    ["/office", "ip-refused"],
  ])("of 127.0.0.1 at %s", async (path, expected) => {
    expect(await statusOf("connection", `GET ${path}`)).toBe(expected);
  });

  it.each(FORGED)("is not what a client says: %s (S10, S38)", async (field) => {
    expect(await statusOf("connection", "GET /office", [field])).toBe("ip-refused");
    expect(await statusOf("connection", "GET /loopback", [field])).toBe(200);
  });

  it("is refused without a word on the lists, and as a problem", async () => {
    const answer = await ask(gateways.connection.port, requestText("GET /office", [CLOSE]));
    expect(answer.status).toBe(403);
    expect(problemOf(answer)).toMatchObject({ status: 403, code: "ip-refused" });
    expect(answer.body.toString()).not.toMatch(/192\.0|2001:|127\.0/);
  });

  it("refuses before a body is read", async () => {
    const body = "x".repeat(1000);
    const fields = [CLOSE, `Content-Length: ${body.length * 1000}`];
    const answer = await ask(gateways.connection.port, requestText("POST /office", fields, body));
    expect(answer.status).toBe(403);
  });
});

describe("an address of a listener for both versions", () => {
  let port: number;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    const folders = await writeWorkspace({ files: { "a.yaml": policies("connection", true) } });
    port = await freePort();
    const { policies: from, openapi } = folders;
    const child = postern([
      ...["serve", "--host", "::", "--port", String(port), "--policies", from, "--openapi", openapi],
      ...["--var", `SIGNING_SECRET=${SECRET}`],
    ]);
    let printed = "";
    child.stdout!.setEncoding("utf8").on("data", (text: string) => (printed += text));
    const ended = new Promise((resolve) => child.once("close", resolve));
    await until("the gateway", () => printed.includes("ready on"), 30_000);
    stop = async () => {
      child.kill("SIGTERM");
      await ended;
    };
  });
  afterAll(() => stop());

  const from = async (host: string, path: string): Promise<RawAnswer> => {
    const socket = connect(port, host);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.write(requestText(`GET ${path}`, [CLOSE]));
    await new Promise((resolve, reject) => socket.once("end", resolve).once("error", reject));
    socket.destroy();
    return parseAnswer(Buffer.concat(chunks), "GET", true)!;
  };

  it.each([
    ["127.0.0.1, which comes as IPv4-mapped", "127.0.0.1", "/loopback", 200],
    ["127.0.0.1, listed as IPv4-mapped", "127.0.0.1", "/mapped", 200],
    ["127.0.0.1, which is not ::1", "127.0.0.1", "/six", 403],
    ["::1", "::1", "/six", 200],
    ["::1, which is not 127.0.0.1", "::1", "/loopback", 403],
    ["::1, nor its mapped form", "::1", "/mapped", 403],
  ])("of %s (S35)", async (_, host, path, expected) => {
    expect((await from(host, path)).status).toBe(expected);
  });
});

describe("an address behind proxies", () => {
  it.each<[string, string, string[], number | string]>([
    ["is the one that the proxy appended", "/office", ["192.0.2.7"], 200],
    ["is not what the client wrote before", "/office", ["192.0.2.7, 198.51.100.1"], "ip-refused"],
    [
      "is not what the client wrote, in any number",
      "/office",
      ["192.0.2.7, ".repeat(50) + "198.51.100.1"],
      "ip-refused",
    ],
    ["is not in a field of the client's above", "/office", ["192.0.2.7", "198.51.100.1"], "ip-refused"],
    ["is in the field of the proxy below", "/office", ["198.51.100.1", "192.0.2.7"], 200],
    ["is refused where it is listed", "/others", ["203.0.113.9"], "ip-refused"],
    ["cannot be talked away", "/others", ["192.0.2.7, 203.0.113.9"], "ip-refused"],
    ["may have a port", "/office", ["192.0.2.7:5000"], 200],
    ["may stand in brackets", "/office", ["[2001:db8::1]:5000"], 200],
    ["may be IPv4-mapped", "/office", ["::ffff:192.0.2.7"], 200],
    ["may be IPv4-mapped in hexadecimal", "/others", ["::FFFF:CB00:7109"], "ip-refused"],
    ["may be written at length", "/office", ["2001:0DB8:0000:0000:0000:0000:0000:0001"], 200],
    ["may have a zone", "/office", ["2001:db8::1%eth0"], 200],
    ["with an octet that may be octal is none", "/others", ["010.0.0.1"], "ip-refused"],
    ["that is not one is none", "/others", ["unknown"], "ip-refused"],
    ["that is empty is none", "/others", [""], "ip-refused"],
    ["that nobody told is none", "/others", [], "ip-refused"],
    ["that nobody told is none for an open list too", "/loopback", [], "ip-refused"],
    ["is not needed where no list asks for it", "/open", [], 200],
  ])("%s (S10, S35)", async (_, path, values, expected) => {
    const fields = values.map((value) => `X-Forwarded-For: ${value}`);
    expect(await statusOf("oneHop", `GET ${path}`, fields)).toBe(expected);
  });

  it.each<[string, string, number | string]>([
    ["is that before the last", "192.0.2.7, 10.0.0.1", 200],
    ["is not the last", "198.51.100.1, 192.0.2.7", "ip-refused"],
    ["is not what the client wrote before it", "192.0.2.7, 198.51.100.1, 10.0.0.1", "ip-refused"],
    ["is none where one proxy was left out", "192.0.2.7", "ip-refused"],
  ])("behind two %s (S10)", async (_, value, expected) => {
    expect(await statusOf("twoHops", "GET /office", [`X-Forwarded-For: ${value}`])).toBe(expected);
  });

  it.each(FORGED.slice(1))("is not read from %s", async (field) => {
    expect(await statusOf("oneHop", "GET /office", [field])).toBe("ip-refused");
  });
});

describe("words of Cloudflare where there is no Cloudflare (S38)", () => {
  const fields = [
    "CF-Connecting-IP: 192.0.2.7",
    "CF-IPCountry: DE",
    "CF-Ray: 1-FRA",
    "X-Forwarded-For: 192.0.2.7",
  ];

  it.each([
    ["/open", 200],
    ["/office", "ip-refused"],
    ["/others", "ip-refused"],
    ["/home", "country-refused"],
    ["/away", "country-refused"],
  ])("are not believed at %s", async (path, expected) => {
    expect(await statusOf("cloudflare", `GET ${path}`, fields)).toBe(expected);
    expect(await statusOf("cloudflare", `GET ${path}`)).toBe(expected);
  });
});

describe("a request in the name of a visitor", () => {
  const COOKIE = "Cookie: session=abc";
  const EVIL = "Origin: https://evil.example";
  const PARTNER = "Origin: https://partner.example.com";
  const UPGRADE = [
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  /** It comes as far as the token, which is none. */
  const IDENTITY = "token-malformed";

  it.each<[string, string, readonly string[], string]>([
    ["from another site", "POST", [COOKIE, "Sec-Fetch-Site: cross-site", EVIL], "csrf-refused"],
    ["from a sister domain", "DELETE", [COOKIE, "Sec-Fetch-Site: same-site", EVIL], "csrf-refused"],
    ["from another site in an older browser", "POST", [COOKIE, EVIL], "csrf-refused"],
    ["from a frame that hides its origin", "POST", [COOKIE, "Origin: null"], "csrf-refused"],
    ["from the same origin", "POST", [COOKIE, "Sec-Fetch-Site: same-origin"], IDENTITY],
    [
      "from the same origin in an older browser",
      "POST",
      [COOKIE, "Origin: http://api.example.com"],
      IDENTITY,
    ],
    ["from a partner", "POST", [COOKIE, "Sec-Fetch-Site: cross-site", PARTNER], IDENTITY],
    ["from no browser", "POST", [COOKIE], IDENTITY],
    ["that changes nothing", "GET", [COOKIE, "Sec-Fetch-Site: cross-site", EVIL], IDENTITY],
    ["by a method that is overridden", "POST", [COOKIE, "X-HTTP-Method-Override: GET", EVIL], "csrf-refused"],
    ["by a method that would be overridden", "GET", [COOKIE, "X-HTTP-Method-Override: POST", EVIL], IDENTITY],
    [
      "that is nobody's, without a cookie",
      "POST",
      ["Sec-Fetch-Site: cross-site", EVIL],
      "credential-missing",
    ],
  ])("%s", async (_, method, fields, expected) => {
    expect(await statusOf("connection", `${method} /session/a`, fields)).toBe(expected);
  });

  it.each<[string, readonly string[], string]>([
    ["of another site", [COOKIE, EVIL], "csrf-refused"],
    ["of another site in a newer browser", [COOKIE, "Sec-Fetch-Site: cross-site", EVIL], "csrf-refused"],
    ["of a partner", [COOKIE, PARTNER], IDENTITY],
    ["of the same origin", [COOKIE, "Origin: http://api.example.com"], IDENTITY],
  ])("a WebSocket that a page %s opens", async (_, fields, expected) => {
    const text = requestText("GET /session/a", ["Connection: Upgrade", ...UPGRADE, ...fields]);
    const answer = await ask(gateways.connection.port, text);
    expect(String(problemOf(answer)["code"])).toBe(expected);
  });
});
