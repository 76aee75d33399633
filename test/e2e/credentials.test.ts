import { createHash, createHmac } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import type { TLSSocket } from "node:tls";
import { httpbis } from "http-message-signatures";
import { jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run, type Served, serve, writeWorkspace } from "../support/served.ts";
import { authority } from "./certificates.ts";
import { descendants, listeningPorts } from "./processes.ts";
import { ROOT } from "./project.ts";
import { type Stage, startStage } from "./stage.ts";
import { ask, fieldsOf, requestText } from "./wire.ts";

const SECRETS = {
  HEADER_KEY: "open sesame, said the gateway",
  TOKEN_KEY: "0123456789abcdef0123456789abcdef",
  SIGNATURE_KEY: "fedcba9876543210fedcba9876543210",
};

const policies = (url: string): string => `
gateway:
  name: proven
  hosts: { local: 127.0.0.1 }
  clientIp: connection
upstreams:
  keyed:
    targets: { only: { url: "${url}", network: private } }
    credential: { header: x-gateway-key, value: { env: HEADER_KEY } }
  bearer:
    targets: { only: { url: "${url}", network: private } }
    credential: { header: authorization, scheme: Bearer, value: { env: HEADER_KEY } }
  tokened:
    targets: { only: { url: "${url}", network: private } }
    credential: { jwt: { key: { env: TOKEN_KEY }, algorithm: HS256, audience: stage, keyId: k1 } }
  signed:
    targets: { only: { url: "${url}/base", network: private } }
    retry: {}
    credential:
      signature: { key: { env: SIGNATURE_KEY }, algorithm: hmac-sha256, keyId: k2, headers: [x-user-id] }
apis:
  keyed: { public: true, upstream: keyed, routes: { all: { match: { pathPrefix: /keyed } } } }
  bearer: { public: true, upstream: bearer, routes: { all: { match: { pathPrefix: /bearer } } } }
  tokened: { public: true, upstream: tokened, routes: { all: { match: { pathPrefix: /tokened } } } }
  signed: { public: true, upstream: signed, routes: { all: { match: { pathPrefix: /signed } } } }
`;

const vars = (secrets: Readonly<Record<string, string>>): string[] =>
  Object.entries(secrets).flatMap(([name, value]) => ["--var", `${name}=${value}`]);

describe("a service behind the gateway sees", () => {
  let stage: Stage;
  let served: Served;

  beforeAll(async () => {
    stage = await startStage();
    served = await serve({ files: { "a.yaml": policies(stage.url) }, args: vars(SECRETS) });
  });
  afterAll(async () => {
    await served.stop();
    await stage.stop();
  });

  const send = async (
    method: string,
    target: string,
    fields: readonly string[] = [],
    body = "",
  ): Promise<void> => {
    const framing = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
    const all = [...fields, ...framing, "Connection: close"];
    const answer = await ask(served.port, requestText(`${method} ${target}`, all, body, "127.0.0.1"));
    expect(answer.status).toBe(200);
  };

  it.each([
    ["nothing of it", []],
    ["another value", ["X-Gateway-Key: guess"]],
    ["several", ["x-gateway-key: a", "X-GATEWAY-KEY: b", "X_Gateway_Key: c"]],
    ["a Connection field that names it", ["X-Gateway-Key: guess", "Connection: x-gateway-key"]],
  ])("the gateway's secret, once, when the client sends %s", async (_, fields) => {
    await send("GET", "/keyed", fields);
    expect(fieldsOf(stage.last(), "x-gateway-key")).toEqual([SECRETS.HEADER_KEY]);
    expect(fieldsOf(stage.last(), "x_gateway_key")).toEqual([]);
  });

  it("it as a Bearer token, and none of the client's", async () => {
    await send("GET", "/bearer", ["Authorization: Bearer of-a-client"]);
    expect(fieldsOf(stage.last(), "authorization")).toEqual([`Bearer ${SECRETS.HEADER_KEY}`]);
  });

  it("a token that names gateway and route", async () => {
    await send("GET", "/tokened", ["X-Gateway-Token: forged", "Connection: x-gateway-token"]);
    const [token, ...others] = fieldsOf(stage.last(), "x-gateway-token");
    expect(others).toEqual([]);
    const key = new TextEncoder().encode(SECRETS.TOKEN_KEY);
    const options = { issuer: "proven", audience: "stage", algorithms: ["HS256"], typ: "postern+jwt" };
    const { payload, protectedHeader } = await jwtVerify(token!, key, options);
    expect(payload).toMatchObject({ route: "tokened.all" });
    expect(payload.exp! - payload.iat!).toBe(60);
    expect(protectedHeader.kid).toBe("k1");
  });

  /** What a verifier that others wrote says of the request as it came. */
  const judged = async (): Promise<unknown> => {
    const { method, url, fields } = stage.last();
    const headers: Record<string, string[]> = {};
    for (const [name, value] of fields) (headers[name] ??= []).push(value);
    return httpbis.verifyMessage(
      {
        keyLookup: async ({ keyid }) =>
          keyid === "k2"
            ? {
                id: "k2",
                verify: async (data, signature) =>
                  createHmac("sha256", SECRETS.SIGNATURE_KEY).update(data).digest().equals(signature),
              }
            : null,
        requiredFields: ["@method", "@authority", "@path", "@query"],
        requiredParams: ["created", "expires", "nonce", "tag"],
      },
      { method, url: `http://${headers["host"]![0]}${url}`, headers },
    );
  };

  it.each([
    ["a path and no query", "GET", "/signed", []],
    ["a query", "GET", "/signed?a=1&b=%20", []],
    ["an empty query", "GET", "/signed?", []],
    ["characters that fetch escapes", "GET", "/signed/a'b^c{d}|e?q='^{}|", []],
    ["escapes", "GET", "/signed/%E2%82%AC/%7e?q=%e2%82%ac", []],
    ["a field that is covered", "GET", "/signed", ["X-User-Id: 42"]],
    ["one that came twice", "GET", "/signed", ["X-User-Id: 42", "X-User-Id:   43  "]],
    [
      "a signature of the client's",
      "GET",
      "/signed",
      ['Signature-Input: a=("@method")', "Signature: a=:AAAA:"],
    ],
    ["another method", "DELETE", "/signed/7", []],
  ])("a good signature of a request with %s", async (_, method, target, fields) => {
    await send(method, target, fields);
    expect(await judged()).toBe(true);
    expect(fieldsOf(stage.last(), "signature")).toHaveLength(1);
  });

  it("a good signature of a body that is streamed, and of its digest where the gateway holds it", async () => {
    await send("POST", "/signed", ["Content-Type: application/json"], '{"a":1}');
    expect(await judged()).toBe(true);
    expect(fieldsOf(stage.last(), "content-digest")).toEqual([]);
    await send("PUT", "/signed", ["Content-Type: application/json"], '{"a":1}');
    expect(await judged()).toBe(true);
    const digest = createHash("sha256").update('{"a":1}').digest("base64");
    expect(fieldsOf(stage.last(), "content-digest")).toEqual([`sha-256=:${digest}:`]);
    expect(fieldsOf(stage.last(), "signature-input")[0]).toContain('"content-type" "content-digest"');
  });
});

describe("postern serve", () => {
  const tried = async (secrets: Readonly<Record<string, string>>, more: string[] = []): Promise<string> => {
    const {
      folder,
      policies: files,
      openapi,
    } = await writeWorkspace({
      files: { "a.yaml": policies("http://127.0.0.1:9") },
    });
    const { code, stderr } = await run([
      "serve",
      "--policies",
      files,
      "--openapi",
      openapi,
      "--port",
      "18999",
      ...vars(secrets),
      ...more,
    ]);
    await rm(folder, { recursive: true, force: true });
    expect(code).toBe(2);
    return stderr;
  };

  it("does not start without a secret", async () => {
    const { TOKEN_KEY: _, ...others } = SECRETS;
    expect(await tried(others)).toContain("A secret is not set: TOKEN_KEY.");
  });

  it.each([
    [
      "HEADER_KEY",
      "short",
      'The secret HEADER_KEY, the credential of the upstream "bearer", has 5 characters',
    ],
    [
      "TOKEN_KEY",
      "twenty-two characters.",
      'The secret TOKEN_KEY, the credential of the upstream "tokened", has 22 bytes',
    ],
    [
      "SIGNATURE_KEY",
      "x".repeat(31),
      'The secret SIGNATURE_KEY, the credential of the upstream "signed", has 31 bytes',
    ],
  ])("does not start with a weak %s, and does not say what it is", async (name, value, why) => {
    const words = await tried({ ...SECRETS, [name]: value });
    expect(words).toContain("The gateway did not start.");
    expect(words).toContain(why);
    expect(words).not.toContain(value);
  });
});

describe("a service that was started beside the gateway", () => {
  it("answers the gateway, and refuses whoever comes around it", async () => {
    const folders = { policies: path.join(ROOT, "policies"), openapi: path.join(ROOT, "openapi") };
    const shop = await serve({ folders, args: ["--env", "local"] });
    try {
      const { stdout } = await run([
        "token",
        "--env",
        "local",
        "--sub",
        "42",
        "--scope",
        "orders.read users.read",
      ]);
      const authorization = `Bearer ${stdout.trim()}`;
      const ports = descendants(shop.process.pid!)
        .flatMap(listeningPorts)
        .filter((port) => port !== shop.port);
      const services: number[] = [];
      for (const port of ports) {
        const health = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
        if (health?.ok) services.push(port);
      }
      expect(services.length).toBeGreaterThanOrEqual(3);
      for (const target of ["/orders", "/users/42"]) {
        const through = await fetch(shop.url + target, { headers: { authorization } });
        expect([target, through.status]).toEqual([target, 200]);
        for (const port of services) {
          const headers = { authorization, "x-user-id": "42" };
          const around = await fetch(`http://127.0.0.1:${port}${target}`, { headers });
          expect([target, around.status]).toEqual([target, 401]);
          expect(await around.json()).toMatchObject({ code: "not-authenticated" });
        }
      }
    } finally {
      expect(await shop.stop()).toBe(0);
    }
  });
});

describe("a client certificate", () => {
  const ours = authority("Test authority");
  const theirs = authority("Another authority");
  const asked: (string | undefined)[] = [];
  let folder: string;
  let url: string;
  let stop: () => void;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "postern-certificates-"));
    const { certificate, key } = ours.certify("localhost");
    const server = createServer(
      { cert: certificate, key, ca: ours.certificate, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        asked.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN as string | undefined);
        response.end("well proven");
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `https://localhost:${(server.address() as AddressInfo).port}`;
    stop = () => server.close();
    await writeFile(path.join(folder, "ca.pem"), ours.certificate);
    for (const [name, from] of [
      ["gateway", ours],
      ["stranger", theirs],
    ] as const) {
      const made = from.certify(name);
      await writeFile(path.join(folder, `${name}.pem`), made.key + made.certificate);
    }
    process.env["NODE_EXTRA_CA_CERTS"] = path.join(folder, "ca.pem");
  });
  afterAll(async () => {
    delete process.env["NODE_EXTRA_CA_CERTS"];
    stop();
    await rm(folder, { recursive: true, force: true });
  });

  const files = () => ({
    "a.yaml": `
gateway: { name: certified, hosts: { local: 127.0.0.1 }, clientIp: connection }
upstreams:
  orders:
    targets: { only: { url: "${url}", network: private } }
    credential: { certificate: { binding: ORDERS_CERT } }
apis: { orders: { public: true, upstream: orders, routes: { all: { match: { pathPrefix: / } } } } }
`,
  });

  it.each([
    ["gateway", 200],
    ["stranger", 502],
  ])("of the %s is shown to the service: %d", async (name, status) => {
    asked.length = 0;
    const served = await serve({
      files: files(),
      args: ["--certificate", `ORDERS_CERT=${path.join(folder, name)}.pem`],
    });
    try {
      expect((await fetch(served.url)).status).toBe(status);
      expect(asked).toEqual(status === 200 ? ["gateway"] : []);
    } finally {
      await served.stop();
    }
  });

  it.each<[string, string[], string]>([
    ["is not named", [], "Nothing is known of the client certificate behind the binding ORDERS_CERT."],
    [
      "is not there",
      ["--certificate", "ORDERS_CERT=nowhere.pem"],
      "nowhere.pem does not hold a certificate and its private key",
    ],
  ])("whose file %s keeps the gateway from starting", async (_, args, words) => {
    const workspace = await writeWorkspace({ files: files() });
    const { code, stderr } = await run([
      "serve",
      "--policies",
      workspace.policies,
      "--openapi",
      workspace.openapi,
      "--port",
      "18998",
      ...args,
    ]);
    await rm(workspace.folder, { recursive: true, force: true });
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});
