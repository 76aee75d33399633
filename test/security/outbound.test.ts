import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RawStage, type Stage, startRawStage, startStage } from "../e2e/stage.ts";
import { ask, dial, fieldOf, requestText } from "../e2e/wire.ts";
import type { Served } from "../support/served.ts";
import { HOST, serveText, statusOf, upstream } from "./support.ts";

// S28 and S37: calls go to the hosts that the policies name. A canary listens on the same machine, and hears nothing.

let stage: Stage;
let canary: RawStage;
let relay: RawStage;
let gateway: Served;
let relayTo = 0;

const policies = (): string => `
gateway:
  name: outbound
  hosts: { public: ${HOST}, local: 127.0.0.1, tenants: "{tenant}.shop.example.com" }
  clientIp: connection
upstreams:
  stage: ${upstream(stage.url)}
  based: ${upstream(`${stage.url}/base`)}
  itself: ${upstream(relay.url)}
apis:
  open:
    public: true
    upstream: stage
    policies: { headers: { request: { set: { x-name: "{params.name}", x-query: "{request.query}" } } } }
    routes:
      root: { match: { pathPrefix: / }, policies: { headers: none } }
      based: { match: { pathPrefix: /based }, upstream: based, rewrite: { prefix: / }, policies: { headers: none } }
      named: { match: { path: "/named/{name}" }, rewrite: { path: "/{params.name}" } }
      rest: { match: { path: "/rest/{name...}" }, rewrite: { path: "/{params.name}" } }
      tenant: { match: { path: /tenant, hosts: [tenants] }, rewrite: { path: "/{params.tenant}" }, policies: { headers: none } }
      moved: { match: { path: "/moved/{name}" }, redirect: { status: 308, path: "/{params.name}" }, policies: { headers: none } }
      itself: { match: { pathPrefix: /itself }, upstream: itself, policies: { headers: none } }
`;

beforeAll(async () => {
  stage = await startStage();
  canary = await startRawStage((socket) =>
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ncanary")),
  );
  relay = await startRawStage(async (socket) => {
    socket.pause();
    const other = await dial(relayTo);
    socket.pipe(other.socket);
    other.socket.pipe(socket);
  });
  gateway = await serveText(policies());
  relayTo = gateway.port;
});
afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  for (const server of [stage, canary, relay]) await server.stop();
});

const get = (target: string, fields: readonly string[] = [], host = HOST) =>
  ask(gateway.port, requestText(`GET ${target}`, [...fields, "Connection: close"], "", host));

it("the canary can be heard (the control)", async () => {
  expect((await ask(canary.port, requestText("GET /"))).body.toString()).toBe("canary");
  const served = await serveText(`
gateway: { hosts: { public: ${HOST} } }
upstreams: { canary: ${upstream(canary.url)} }
apis: { open: { public: true, upstream: canary, routes: { all: { match: { pathPrefix: / } } } } }
`);
  const before = canary.accepted();
  expect((await ask(served.port, requestText("GET /", ["Connection: close"]))).body.toString()).toBe(
    "canary",
  );
  expect(canary.accepted()).toBe(before + 1);
  await served.stop();
});

/** Hosts that a request might lead to; CANARY stands for the listener. */
const ELSEWHERE = [
  "CANARY",
  "user@CANARY",
  "user:word@CANARY",
  "localhost:PORT",
  "[::1]:PORT",
  "0x7f.1:PORT",
  "2130706433:PORT",
  "169.254.169.254",
];
const FORMS = [
  ...[
    "//HOST/x",
    "///HOST/x",
    "/\\HOST/x",
    "/\\\\HOST/x",
    "\\\\HOST\\x",
    "/\\/HOST/x",
    "/%5cHOST/x",
    "/%2f/HOST/x",
    "/%2fHOST/x",
    "/.//HOST/x",
    "/..//HOST/x",
  ],
  ...[
    "http://HOST/x",
    "https://HOST/x",
    "HTTP://HOST",
    "http:/HOST/x",
    "http:HOST/x",
    "//HOST",
    "@HOST/x",
    ":80@HOST/x",
    "/@HOST/x",
    "/:@HOST/",
    "/x@HOST",
  ],
  ...[
    "/based//HOST/x",
    "/based/\\HOST/x",
    "/based@HOST/x",
    "/based/@HOST/x",
    "/based/..//HOST/x",
    "/based/http://HOST/x",
    "/based.HOST/x",
  ],
  ...[
    "/named/HOST",
    "/named/@HOST",
    "/named/%2f%2fHOST",
    "/named/%40HOST",
    "/named/http:",
    "/named/%0d%0aHost:%20HOST",
    "/named//HOST",
  ],
  ...[
    "/rest//HOST/x",
    "/rest/@HOST",
    "/rest/%2f%2fHOST",
    "/rest/http://HOST/",
    "/rest/..//HOST",
    "/x?//HOST",
    "/x?url=http://HOST/",
    "/x?@HOST",
    "?@HOST",
    "/x#@HOST",
  ],
];

describe("no target leads elsewhere (S37):", () => {
  it.each(FORMS)("%s", async (form) => {
    const before = canary.accepted();
    for (const host of ELSEWHERE) {
      const name = host.replace("CANARY", `127.0.0.1:${canary.port}`).replace("PORT", String(canary.port));
      const asked = stage.asked.length;
      const answer = await get(form.replace("HOST", name));
      expect(answer.body.toString()).not.toBe("canary");
      // What was served was served by the upstream that the policies name, under the host that they name.
      expect(stage.asked.length - asked).toBe(answer.status === 200 ? 1 : 0);
      if (answer.status === 200)
        expect(stage.last().fields.filter(([field]) => field === "host")).toEqual([
          ["host", `127.0.0.1:${stage.port}`],
        ]);
    }
    expect(canary.accepted()).toBe(before);
  });

  it("nor a host of the client's, also where it is a parameter", async () => {
    const before = canary.accepted();
    const elsewhere = `127.0.0.1:${canary.port}`;
    for (const host of [
      elsewhere,
      `${elsewhere}@shop.example.com`,
      `${elsewhere}/.shop.example.com`,
      "evil.shop.example.com",
      `a.shop.example.com:${canary.port}`,
    ]) {
      const answer = await get("/tenant", [], host);
      if (answer.status === 200) expect(stage.last().url).toMatch(/^\/[a-z]+$/);
      else expect([400, 404]).toContain(answer.status);
    }
    expect(canary.accepted()).toBe(before);
  });

  it("nor a field", async () => {
    const before = canary.accepted();
    const elsewhere = `127.0.0.1:${canary.port}`;
    const names = [
      "X-Forwarded-Host",
      "X-Original-URL",
      "X-Rewrite-URL",
      "X-Host",
      "Forwarded",
      "Proxy",
      "X-Upstream",
      "X-Name",
      "X-Target",
      "Destination",
      "Referer",
    ];
    for (const name of names)
      for (const value of [elsewhere, `http://${elsewhere}/`, `//${elsewhere}`, `host="${elsewhere}"`]) {
        expect((await get("/named/x", [`${name}: ${value}`])).status).toBe(200);
        expect(stage.last().url).toBe("/x");
      }
    expect(canary.accepted()).toBe(before);
  });

  it.each([
    "/moved/x",
    "/moved/%40CANARY",
    "/moved//CANARY",
    "/moved/CANARY",
    "/moved/@CANARY",
    "/moved/.CANARY",
  ])("nor a redirect: %s", async (path) => {
    const answer = await get(path.replace("CANARY", "evil.example"));
    if (path === "/moved/x") expect(answer.status).toBe(308);
    const location = fieldOf(answer, "location");
    if (location !== undefined) expect(new URL(location, `http://${HOST}/`).host).toBe(HOST);
  });
});

describe("what an upstream answers leads nowhere (S28):", () => {
  it.each([301, 302, 303, 307, 308])("a redirect %i is passed on, not followed", async (status) => {
    const before = canary.accepted();
    stage.on("/redirects", (_request, response) =>
      response.writeHead(status, { location: `http://127.0.0.1:${canary.port}/` }).end(),
    );
    for (const method of ["GET", "POST"]) {
      const answer = await ask(
        gateway.port,
        requestText(`${method} /redirects`, ["Connection: close", "Content-Length: 0"]),
      );
      expect([answer.status, fieldOf(answer, "location")]).toEqual([
        status,
        `http://127.0.0.1:${canary.port}/`,
      ]);
    }
    expect(canary.accepted()).toBe(before);
  });

  it.each(["refresh", "content-location", "link", "alt-svc", "x-accel-redirect", "x-sendfile"])(
    "a field %s is not acted upon",
    async (name) => {
      const before = canary.accepted();
      stage.on("/fields", (_request, response) =>
        response.writeHead(200, { [name]: `http://127.0.0.1:${canary.port}/` }).end("ours"),
      );
      expect((await get("/fields")).body.toString()).toBe("ours");
      expect(canary.accepted()).toBe(before);
    },
  );
});

describe("an address that the policies do not allow (S28)", () => {
  it.each([
    ...[
      "http://127.0.0.1:8080",
      "http://localhost:8080",
      "http://10.0.0.1",
      "http://192.168.0.1",
      "http://172.16.0.1",
      "http://169.254.169.254",
      "http://0.0.0.0:8080",
    ],
    ...[
      "http://[::1]:8080",
      "http://[fd00::1]",
      "http://[fe80::1]",
      "http://[::ffff:10.0.0.1]",
      "http://100.64.0.1",
      "http://2130706433",
      "http://0x7f.1",
    ],
  ])("is refused when the policies are read, unless they say so: %s", async (url) => {
    const text = (network: string): string => `
gateway: { hosts: { public: ${HOST} } }
upstreams: { private: { targets: { only: { url: "${url}"${network} } } } }
apis: { open: { public: true, upstream: private, routes: { all: { match: { pathPrefix: / } } } } }
`;
    await expect(serveText(text(""))).rejects.toThrow(/network: private|private-address|bad-url/);
  });

  it.each([
    "http://user:word@example.com",
    "http://{params.host}",
    "http://{request.host}/",
    "ftp://example.com",
    "//example.com",
    "http://exa mple.com",
    "http://example.com?x",
    "http://example.com#x",
  ])("nor is a URL that says more than where: %s", async (url) => {
    const text = `
gateway: { hosts: { public: ${HOST} } }
upstreams: { other: { targets: { only: { url: "${url}" } } } }
apis: { open: { public: true, upstream: other, routes: { all: { match: { pathPrefix: / } } } } }
`;
    await expect(serveText(text)).rejects.toThrow(/error/);
  });
});

describe("the gateway as its own upstream (S28)", () => {
  it("answers 508 when it meets itself, after one round", async () => {
    const before = relay.accepted();
    expect(statusOf(await get("/itself/x"))).toBe("508 loop-detected");
    expect(relay.accepted()).toBe(before + 1);
  });

  it("is not talked out of it, and serves what others went round (the control)", async () => {
    for (const field of ["Connection: CDN-Loop", "CDN-Loop: other", "CDN_Loop: x"])
      expect(statusOf(await get("/itself/x", [field]))).toBe("508 loop-detected");
    expect((await get("/x", ["CDN-Loop: other"])).status).toBe(200);
  });
});
