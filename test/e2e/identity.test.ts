import { createHash, createHmac, generateKeyPairSync, sign as signWith } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { httpbis } from "http-message-signatures";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Served, serve } from "../support/served.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";
import { ask, dial, fieldOf, fieldsOf, problemOf, type RawAnswer, requestText } from "./wire.ts";

// hmac, introspection, forwardAuth and clientCertificate in the production bundle on plain workerd.

const HOST = "api.example.com";
const SECRETS = {
  HOOK_KEY: "it's a secret to everybody",
  PARTNER_KEY: "0123456789abcdef0123456789abcdef",
  CLIENT_SECRET: "gateway secret",
};
const PARTNER = generateKeyPairSync("ed25519");
const DIGITS = "ab".repeat(32);

const policies = (origin: string, auth: string): string => `
gateway: { name: proven, hosts: { public: ${HOST} }, clientIp: cloudflare }
consumers:
  acme: { attributes: { tenant: a1 } }
upstreams:
  stage: { targets: { only: { url: "${origin}", network: private } } }
apis:
  github:
    upstream: stage
    routes: { all: { match: { pathPrefix: /github }, policies: { hmac: { scheme: github, secrets: [{ env: HOOK_KEY }], maxBody: 64KiB } } } }
  stripe:
    upstream: stage
    routes: { all: { match: { pathPrefix: /stripe }, policies: { hmac: { scheme: stripe, secrets: [{ env: HOOK_KEY }] } } } }
  signed:
    upstream: stage
    policies:
      bodyLimit: { max: 32KiB }
      hmac:
        scheme: rfc9421
        secrets: [{ env: PARTNER_KEY, id: k1, consumer: acme }]
        keys: [{ jwk: ${JSON.stringify({ ...PARTNER.publicKey.export({ format: "jwk" }), kid: "k2" })} }]
        forward: { x-tenant: attributes.tenant, x-key: key }
    routes: { all: { match: { pathPrefix: /signed } } }
  opaque:
    upstream: stage
    policies:
      introspection:
        url: "${auth}/introspect"
        client: { id: gateway, secret: { env: CLIENT_SECRET } }
        audiences: [shop]
        timeout: 500ms
        forward: { x-user-id: sub }
    routes:
      all: { match: { pathPrefix: /opaque } }
      write: { match: { pathPrefix: /opaque/write }, policies: { introspection: { inherit: true, scopes: { all: [write] } } } }
  asked:
    upstream: stage
    policies:
      forwardAuth: { url: "${auth}/check", identity: x-user-id, forward: [x-user-id, x-groups], timeout: 500ms }
    routes:
      all: { match: { pathPrefix: /asked } }
      login: { match: { pathPrefix: /asked/login }, policies: { forwardAuth: { inherit: true, redirects: true } } }
  certified:
    upstream: stage
    policies: { clientCertificate: { fingerprints: { acme: ["${DIGITS}"] }, forward: { x-subject: subject } } }
    routes: { all: { match: { pathPrefix: /certified } } }
`;

let stage: Stage;
let auth: Stage;
let served: Served;

beforeAll(async () => {
  stage = await startStage();
  auth = await startStage();
  const args = Object.entries(SECRETS).flatMap(([name, value]) => ["--var", `${name}=${value}`]);
  served = await serve({ files: { "a.yaml": policies(stage.url, auth.url) }, args });
});
afterAll(async () => {
  await served.stop();
  await stage.stop();
  await auth.stop();
});

/** What reached the upstream of a request: its fields and its body. */
let arrived: { readonly fields: RawAnswer["fields"]; readonly body: string } | undefined;
beforeEach(() => {
  arrived = undefined;
});

const collect = (request: IncomingMessage, then: (body: string) => void): void => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.once("end", () => then(Buffer.concat(chunks).toString("utf8")));
};

const send = async (
  method: string,
  target: string,
  fields: readonly string[] = [],
  body = "",
): Promise<RawAnswer> => {
  stage.on(target.split("?")[0]!, (request, response) =>
    collect(request, (text) => {
      arrived = { fields: stage.last().fields, body: text };
      response.end("served");
    }),
  );
  const framing = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return ask(
    served.port,
    requestText(
      `${method} ${target}`,
      [...fields, ...framing, "Connection: close"],
      Buffer.from(body).toString("latin1"),
    ),
  );
};

/** Status, and the code of a problem. */
const outcome = (answer: RawAnswer): string =>
  answer.status === 200
    ? "200"
    : `${answer.status} ${answer.body.length > 0 ? problemOf(answer)["code"] : ""}`.trim();

const hex = (data: string): string => createHmac("sha256", SECRETS.HOOK_KEY).update(data).digest("hex");
const now = (): number => Math.floor(Date.now() / 1000);

describe("a webhook", () => {
  it("of GitHub arrives byte for byte, without its signature, and once", async () => {
    const body = JSON.stringify({ action: "opened", text: "ö€", at: Math.random() });
    const fields = [`X-Hub-Signature-256: sha256=${hex(body)}`, "Content-Type: application/json"];
    expect(outcome(await send("POST", "/github/a", fields, body))).toBe("200");
    expect(arrived!.body).toBe(body);
    expect(fieldOf(arrived!, "content-length")).toBe(String(Buffer.byteLength(body)));
    expect(fieldsOf(arrived!, "x-hub-signature-256")).toEqual([]);
    const again = await send("POST", "/github/b", fields, body);
    expect(outcome(again)).toBe("401 signature-replayed");
    expect(fieldOf(again, "www-authenticate")).toBe('Signature realm="proven"');
  });

  it("that comes in chunks is read, and sent on with its length", async () => {
    const body = `chunked ${Math.random()}`;
    const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    stage.on("/github/chunked", (request, response) =>
      collect(request, (text) => {
        arrived = { fields: stage.last().fields, body: text };
        response.end();
      }),
    );
    const fields = [
      "Transfer-Encoding: chunked",
      `X-Hub-Signature-256: sha256=${hex(body)}`,
      "Connection: close",
    ];
    const answer = await ask(served.port, requestText("POST /github/chunked", fields, chunks));
    expect(answer.status).toBe(200);
    expect(arrived!.body).toBe(body);
    expect(fieldOf(arrived!, "content-length")).toBe(String(body.length));
  });

  it.each<[string, () => string[], string, string]>([
    ["without a signature", () => [], "x", "401 credential-missing"],
    ["with a wrong one", () => [`X-Hub-Signature-256: sha256=${hex("y")}`], "x", "401 signature-invalid"],
    [
      "with two",
      () => [`X-Hub-Signature-256: sha256=${hex("x")}`, `x-hub-signature-256: sha256=${hex("x")}`],
      "x",
      "401 signature-malformed",
    ],
    [
      "with one under an underscore",
      () => [`X_Hub_Signature_256: sha256=${hex("x")}`],
      "x",
      "401 credential-missing",
    ],
    [
      "that is too large",
      () => [`X-Hub-Signature-256: sha256=${hex("x".repeat(65_537))}`],
      "x".repeat(65_537),
      "413 body-too-large",
    ],
  ])("%s is refused, and the upstream hears nothing of it", async (_, fields, body, expected) => {
    expect(outcome(await send("POST", "/github", fields(), body))).toBe(expected);
    expect(arrived).toBeUndefined();
  });

  it("of Stripe is good for five minutes", async () => {
    const body = `{"id":${Math.random()}}`;
    const field = (t: number): string[] => [`Stripe-Signature: t=${t},v1=${hex(`${t}.${body}`)}`];
    expect(outcome(await send("POST", "/stripe", field(now()), body))).toBe("200");
    expect(fieldsOf(arrived!, "stripe-signature")).toEqual([]);
    expect(outcome(await send("POST", "/stripe", field(now() - 301), body))).toBe("401 signature-expired");
  });
});

describe("a signed request", () => {
  /** Signs what goes over the wire, with a signer that others wrote. */
  const signed = async (
    method: string,
    target: string,
    { body = "", keyid = "k1", secret = SECRETS.PARTNER_KEY, created = now(), fields = [] as string[] } = {},
  ): Promise<string[]> => {
    const digest = `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
    const message = await httpbis.signMessage(
      {
        key: {
          sign: async (data) =>
            keyid === "k2"
              ? signWith(null, data, PARTNER.privateKey)
              : createHmac("sha256", secret).update(data).digest(),
        },
        params: ["created", "keyid", "nonce"],
        paramValues: { created: new Date(created * 1000), keyid, nonce: String(Math.random()) },
        fields: [
          "@method",
          "@authority",
          "@path",
          ...(target.includes("?") ? ["@query"] : []),
          ...(body === "" ? [] : ["content-digest"]),
          ...fields,
        ],
      },
      { method, url: `http://${HOST}${target}`, headers: body === "" ? {} : { "content-digest": digest } },
    );
    return Object.entries(message.headers as Record<string, string>).map(
      ([name, value]) => `${name}: ${value}`,
    );
  };

  it.each([
    ["GET", "/signed/a?x=1&y=%20", ""],
    ["GET", "/signed/%E2%82%AC/%7Ea/b'c", ""],
    ["DELETE", "/signed/1", ""],
    ["POST", "/signed/1", '{"a":1}'],
    ["PUT", "/signed/1?", "text"],
  ])("%s %s passes, and says whose it is", async (method, target, body) => {
    const fields = await signed(method, target, { body });
    const answer = await send(
      method,
      target,
      [...fields, "X-Tenant: forged", "X_Tenant: forged", "X-Key: forged"],
      body,
    );
    // The stage knows targets by their path as the gateway writes it.
    expect([outcome(answer), stage.asked.at(-1)]).toEqual([
      "200",
      expect.stringContaining(`${method} /signed`),
    ]);
    const seen = stage.last();
    expect([fieldsOf(seen, "x-tenant"), fieldsOf(seen, "x-key"), fieldsOf(seen, "signature")]).toEqual([
      ["a1"],
      ["k1"],
      [],
    ]);
    expect(outcome(await send(method, target, fields, body))).toBe("401 signature-replayed");
  });

  it("by a public key passes, for a caller of its own", async () => {
    expect(outcome(await send("GET", "/signed/k2", await signed("GET", "/signed/k2", { keyid: "k2" })))).toBe(
      "200",
    );
    expect([fieldsOf(arrived!, "x-tenant"), fieldsOf(arrived!, "x-key")]).toEqual([[], ["k2"]]);
  });

  it.each<[string, () => Promise<RawAnswer>, string]>([
    [
      "of another path",
      async () => send("GET", "/signed/b", await signed("GET", "/signed/a")),
      "401 signature-invalid",
    ],
    [
      "of another path that means this one",
      async () => send("GET", "/signed/%2e/a", await signed("GET", "/signed/a")),
      "401 signature-invalid",
    ],
    [
      "of another query",
      async () => send("GET", "/signed/a?x=2", await signed("GET", "/signed/a?x=1")),
      "401 signature-invalid",
    ],
    [
      "of no query",
      async () => send("GET", "/signed/a?x=2", await signed("GET", "/signed/a")),
      "401 signature-incomplete",
    ],
    [
      "of another method",
      async () => send("DELETE", "/signed/a", await signed("GET", "/signed/a")),
      "401 signature-invalid",
    ],
    [
      "of another body",
      async () => send("POST", "/signed/a", await signed("POST", "/signed/a", { body: "a" }), "b"),
      "401 digest-mismatch",
    ],
    [
      "of no body",
      async () => send("POST", "/signed/a", await signed("POST", "/signed/a"), "b"),
      "401 signature-incomplete",
    ],
    [
      "of another time",
      async () => send("GET", "/signed/a", await signed("GET", "/signed/a", { created: now() - 301 })),
      "401 signature-expired",
    ],
    [
      "by a key that nobody knows",
      async () => send("GET", "/signed/a", await signed("GET", "/signed/a", { keyid: "k3" })),
      "401 signature-invalid",
    ],
    [
      "by a key of the same id",
      async () => send("GET", "/signed/a", await signed("GET", "/signed/a", { secret: "x".repeat(32) })),
      "401 signature-invalid",
    ],
    [
      "that is two",
      async () =>
        send("GET", "/signed/a", [
          ...(await signed("GET", "/signed/a")),
          ...(await signed("GET", "/signed/a")),
        ]),
      "401 signature-malformed",
    ],
    [
      "over the size of bodies",
      async () => send("POST", "/signed/a", [], "x".repeat(40_000)),
      "413 body-too-large",
    ],
  ])("with a signature %s is refused", async (_, request, expected) => {
    expect(outcome(await request())).toBe(expected);
    expect(arrived).toBeUndefined();
  });

  it("whose body proves too large for the route on its way is refused at once", async () => {
    const body = "x".repeat(40_000);
    const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    const fields = await signed("POST", "/signed/a", { body });
    const text = requestText(
      "POST /signed/a",
      [...fields, "Transfer-Encoding: chunked", "Connection: close"],
      chunks,
    );
    expect(outcome(await ask(served.port, text))).toBe("413 body-too-large");
    expect(outcome(await send("GET", "/signed/after", await signed("GET", "/signed/after")))).toBe("200");
  });
});

const json = (value: unknown) => (request: IncomingMessage, response: ServerResponse) =>
  collect(request, () => response.end(JSON.stringify(value)));

describe("an opaque token", () => {
  const bearing = (token: string): string[] => [`Authorization: Bearer ${token}`, "X-User-Id: forged"];

  it("is asked for once, however many requests bring it, and does not travel on", async () => {
    const asked: string[] = [];
    auth.on("/introspect", (request, response) =>
      collect(request, (body) => {
        asked.push(`${request.headers.authorization} ${body}`);
        setTimeout(
          () => response.end(JSON.stringify({ active: true, sub: "42", aud: "shop", scope: "read" })),
          50,
        );
      }),
    );
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => send("GET", "/opaque", bearing("good"))),
    );
    expect(answers.map(outcome)).toEqual(Array(20).fill("200"));
    expect(asked).toEqual([
      `Basic ${Buffer.from("gateway:gateway+secret").toString("base64")} token=good&token_type_hint=access_token`,
    ]);
    expect(fieldsOf(arrived!, "x-user-id")).toEqual(["42"]);
    expect(fieldsOf(arrived!, "authorization")).toEqual([]);
    const scoped = await send("GET", "/opaque/write", bearing("good"));
    expect(outcome(scoped)).toBe("403 insufficient-scope");
    expect(fieldOf(scoped, "www-authenticate")).toContain('error="insufficient_scope"');
    expect(asked).toHaveLength(1);
  });

  it("is waited for by others where the one that asked first goes away", async () => {
    let asked = 0;
    auth.on("/introspect", (request, response) =>
      collect(request, () => {
        asked++;
        setTimeout(() => response.end(JSON.stringify({ active: true, sub: "7", aud: "shop" })), 250);
      }),
    );
    const first = await dial(served.port);
    first.send(requestText("GET /opaque/first", bearing("left-alone")));
    await until("the question", () => asked === 1);
    const others = Array.from({ length: 3 }, () => send("GET", "/opaque/other", bearing("left-alone")));
    first.socket.destroy();
    expect((await Promise.all(others)).map(outcome)).toEqual(["200", "200", "200"]);
    expect(asked).toBe(1);
  });

  it.each<[string, (request: IncomingMessage, response: ServerResponse) => void, string]>([
    ["is not active", json({ active: false }), "401 token-inactive"],
    ["is for somebody else", json({ active: true, sub: "42", aud: "other" }), "401 token-audience"],
    ["may be active", json({ active: "true", sub: "42", aud: "shop" }), "503 introspection-unavailable"],
    [
      "is known to a server that fails",
      (_, response) => void response.writeHead(500).end(),
      "503 introspection-unavailable",
    ],
    [
      "is known elsewhere",
      (_, response) => void response.writeHead(302, { location: "/good" }).end(),
      "503 introspection-unavailable",
    ],
    ["is known to a server that hangs", () => {}, "503 introspection-unavailable"],
    [
      "is known to a server that hangs up",
      (request) => request.socket.destroy(),
      "503 introspection-unavailable",
    ],
    [
      "is known to one that never ends",
      (_, response) => void response.write('{"active":true,'),
      "503 introspection-unavailable",
    ],
  ])("that %s lets nobody in", async (name, handle, expected) => {
    auth.on("/introspect", handle);
    auth.on("/good", json({ active: true, sub: "42", aud: "shop" }));
    expect(outcome(await send("GET", "/opaque", bearing(name.replaceAll(" ", "-"))))).toBe(expected);
    expect(arrived).toBeUndefined();
  });

  it.each([
    ["none", [], "401 credential-missing"],
    ["Basic", ["Authorization: Basic Zm9vOmJhcg=="], "401 credential-missing"],
    ["two", ["Authorization: Bearer good", "Authorization: Bearer good"], "401 token-malformed"],
    ["a tab", ["Authorization: Bearer\tgood"], "401 token-malformed"],
    ["two blanks", ["Authorization: Bearer  good"], "401 token-malformed"],
  ])("is one and of the scheme: %s", async (_, fields, expected) => {
    const answer = await send("GET", "/opaque", fields);
    expect(outcome(answer)).toBe(expected);
    expect(fieldOf(answer, "www-authenticate")).toMatch(/^Bearer realm="proven"/);
  });
});

describe("a service that is asked", () => {
  const fields = [
    "Cookie: session=1",
    "X-User-Id: root",
    "x-groups: admin",
    "X-Forwarded-Uri: /public",
    "X-Forwarded-Method: OPTIONS",
  ];

  it("sees the request and not its body; the upstream sees what it says", async () => {
    let seen: IncomingMessage["headers"] = {};
    auth.on("/check", (request, response) =>
      collect(request, (body) => {
        seen = { ...request.headers, body };
        response.writeHead(204, { "x-user-id": "42" }).end();
      }),
    );
    expect(outcome(await send("POST", "/asked/a?x=1", fields, "secret"))).toBe("200");
    expect(seen).toMatchObject({
      cookie: "session=1",
      "x-forwarded-method": "POST",
      "x-forwarded-uri": "/asked/a?x=1",
      "x-forwarded-host": HOST,
      "x-forwarded-proto": "http",
      body: "",
    });
    expect(seen).not.toHaveProperty("x-user-id");
    expect(arrived!.body).toBe("secret");
    expect(fieldsOf(arrived!, "x-user-id")).toEqual(["42"]);
    expect([fieldsOf(arrived!, "x-groups"), fieldsOf(arrived!, "cookie")]).toEqual([[], []]);
  });

  it.each<[string, (request: IncomingMessage, response: ServerResponse) => void, string]>([
    [
      "refuses",
      (_, response) => void response.writeHead(401, { "www-authenticate": 'Basic realm="us"' }).end("words"),
      "401 auth-refused",
    ],
    ["forbids", (_, response) => void response.writeHead(403).end(), "403 auth-refused"],
    [
      "redirects",
      (_, response) => void response.writeHead(302, { location: "/", "x-user-id": "42" }).end(),
      "503 auth-unavailable",
    ],
    [
      "fails",
      (_, response) => void response.writeHead(500, { "x-user-id": "42" }).end(),
      "503 auth-unavailable",
    ],
    ["hangs", () => {}, "503 auth-unavailable"],
    ["hangs up", (request) => request.socket.destroy(), "503 auth-unavailable"],
    ["knows nobody", (_, response) => void response.writeHead(200).end(), "503 auth-unavailable"],
  ])("and %s lets nobody in", async (_, handle, expected) => {
    auth.on("/check", handle);
    const answer = await send("GET", "/asked", fields);
    expect(outcome(answer)).toBe(expected);
    if (expected.startsWith("401")) expect(fieldOf(answer, "www-authenticate")).toBe('Basic realm="us"');
    expect(answer.body.toString()).not.toContain("words");
    expect(arrived).toBeUndefined();
  });

  it("sends people to where they sign in, on the route that says so", async () => {
    auth.on(
      "/check",
      (_, response) => void response.writeHead(302, { location: "https://login.example.com/" }).end(),
    );
    const answer = await send("GET", "/asked/login");
    expect([answer.status, fieldOf(answer, "location"), answer.body.length]).toEqual([
      302,
      "https://login.example.com/",
      0,
    ]);
    expect(outcome(await send("GET", "/asked"))).toBe("401 credential-missing");
  });
});

describe("a client certificate", () => {
  it.each([
    ["nothing of it", []],
    [
      "fields of Cloudflare's",
      [
        `Cf-Cert-Presented: true`,
        "Cf-Cert-Verified: true",
        `Cf-Client-Cert-Sha256: ${DIGITS}`,
        `cf-cert-fingerprint-sha256: ${DIGITS}`,
      ],
    ],
    ["a field of RFC 9440", ["Client-Cert: :AAAA:"]],
    ["fields of the edge", ["CF-Connecting-IP: 192.0.2.1", "CF-Ray: 1-FRA"]],
  ])("is nobody's on plain workerd, who sends %s", async (_, fields) => {
    const answer = await send("GET", "/certified", fields);
    expect(outcome(answer)).toBe("401 credential-missing");
    expect(fieldOf(answer, "www-authenticate")).toBe('Certificate realm="proven"');
    expect(arrived).toBeUndefined();
  });

  it("is nothing that an upstream hears of from a client", async () => {
    auth.on("/check", (_, response) => void response.writeHead(200, { "x-user-id": "42" }).end());
    const told = [
      "Cf-Cert-Verified: SUCCESS",
      "cf-client-cert-der-base64: AAAA",
      "Client-Cert: :AAAA:",
      "CLIENT-CERT-CHAIN: :AAAA:",
    ];
    expect(outcome(await send("GET", "/asked/told", ["Cookie: a=1", ...told]))).toBe("200");
    expect(arrived!.fields.filter(([name]) => /cert/.test(name))).toEqual([]);
  });
});
