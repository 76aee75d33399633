import type { IncomingMessage, ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Served, serve } from "../support/served.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";

// Lanes and mirrors as clients and services see them, on the production bundle.

const NAMES = ["orders", "next", "shadow"] as const;

let stages: Record<(typeof NAMES)[number], Stage>;
let gateway: Served;

/** Below how many requests of these paths a stage was asked for. */
const asked = (name: (typeof NAMES)[number], path: string): number =>
  stages[name].asked.filter((line) => line.split(" ")[1]!.startsWith(path)).length;

beforeAll(async () => {
  const started = await Promise.all(NAMES.map(() => startStage()));
  stages = Object.fromEntries(NAMES.map((name, index) => [name, started[index]!])) as typeof stages;
  const route = (path: string, words: string): string =>
    `      ${path.slice(1)}: { match: { path: ${path} }, ${words} }\n`;
  const lanes = "lanes: { orders: 95%, next: 5% }";
  gateway = await serve({
    files: {
      "gateway.yaml": `gateway:
  hosts: { public: "*" }
  clientIp: connection
environments: { local: { development: true } }
upstreams:
  orders: { targets: { main: { url: "${stages.orders.url}" } } }
  next: { targets: { main: { url: "${stages.next.url}/v2" } }, retry: { retries: 2, on: [503] } }
  shadow: { targets: { main: { url: "${stages.shadow.url}" } }, timeout: 400ms }
  gone: { targets: { main: { url: "http://127.0.0.1:1" } } }
apis:
  shop:
    public: true
    routes:
${route("/dealt", `split: { ${lanes} }`)}${route("/address", `split: { ${lanes}, sticky: { by: ip } }`)}${route(
  "/cookie",
  "split: { lanes: { orders: 50%, next: 50% }, sticky: { by: cookie, name: lane, maxAge: 1h } }",
)}${route("/retried", "split: { lanes: { orders: 0%, next: 100% } }")}${route(
  "/copied",
  "upstream: orders, mirror: [{ upstream: shadow }, { upstream: gone }]",
)}`,
    },
    args: ["--env", "local"],
  });
});

afterAll(async () => {
  expect(await gateway?.stop()).toBe(0);
  await Promise.all(NAMES.map((name) => stages?.[name].stop()));
});

const ask = async (path: string, headers: Record<string, string> = {}): Promise<Response> => {
  const response = await fetch(gateway.url + path, { headers });
  await response.arrayBuffer();
  return response;
};

describe("a split", () => {
  it("of 95 to 5 is just that over 500 requests", async () => {
    for (let time = 0; time < 500; time++) expect((await ask("/dealt")).status).toBe(200);
    expect(Math.abs(asked("next", "/v2/dealt") - 25)).toBeLessThanOrEqual(1);
    expect(asked("orders", "/dealt") + asked("next", "/v2/dealt")).toBe(500);
  });

  it("by address sends one client down one lane", async () => {
    for (let time = 0; time < 40; time++) await ask("/address");
    expect([asked("orders", "/address"), asked("next", "/v2/address")].sort()).toEqual([0, 40]);
  });

  it("by cookie gives one, and keeps whoever brings it", async () => {
    const first = await ask("/cookie");
    const cookie = first.headers.get("set-cookie")!;
    expect(cookie).toMatch(/^lane=[0-9a-z]+; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
    expect(first.headers.get("cache-control")).toBe('no-cache="set-cookie"');
    const lane = asked("orders", "/cookie") === 1 ? "orders" : "next";
    for (let time = 0; time < 20; time++) {
      const again = await ask("/cookie", { cookie: cookie.split(";")[0]! });
      expect(again.headers.get("set-cookie")).toBeNull();
    }
    expect(asked(lane, lane === "orders" ? "/cookie" : "/v2/cookie")).toBe(21);
    expect(stages[lane].last().fields).toContainEqual(["cookie", cookie.split(";")[0]!]);
  });

  it("keeps retries in the lane", async () => {
    let failures = 2;
    stages.next.on("/v2/retried", (request, response) => {
      request.resume();
      response.writeHead(failures-- > 0 ? 503 : 200).end();
    });
    expect((await ask("/retried")).status).toBe(200);
    expect([asked("orders", "/retried"), asked("next", "/v2/retried")]).toEqual([0, 3]);
  });
});

describe("a mirror", () => {
  type Handle = (request: IncomingMessage, response: ServerResponse) => void;
  let shadow: Handle;
  beforeEach(() => {
    shadow = (_, response) => response.end();
    stages.shadow.on("/copied", (request, response) => {
      request.resume();
      shadow(request, response);
    });
  });

  it("gets a copy of every request, though another cannot be reached", async () => {
    for (let time = 0; time < 30; time++) expect((await ask("/copied?a=1")).status).toBe(200);
    await until("all are copied", () => asked("shadow", "/copied?a=1") === 30);
    expect(asked("orders", "/copied?a=1")).toBe(30);
  });

  it("gets no credentials", async () => {
    await ask("/copied?b", { authorization: "Bearer x", cookie: "a=b", "x-api-key": "k", "x-else": "1" });
    await until("it is copied", () => asked("shadow", "/copied?b") === 1);
    const names = (name: "orders" | "shadow"): string[] => stages[name].last().fields.map(([field]) => field);
    const secret = ["authorization", "cookie", "x-api-key"];
    expect(names("orders")).toEqual(expect.arrayContaining([...secret, "x-else"]));
    expect(names("shadow")).toContain("x-else");
    expect(names("shadow").filter((field) => secret.includes(field))).toEqual([]);
  });

  it("gets no copy of what has a body", async () => {
    await fetch(`${gateway.url}/copied?c`, { method: "POST", body: "x" });
    await ask("/copied?d");
    await until("it is copied", () => asked("shadow", "/copied?d") === 1);
    expect(asked("shadow", "/copied?c")).toBe(0);
  });

  it("that never answers delays nobody, and is let go of after its time", async () => {
    shadow = () => {};
    const begun = performance.now();
    for (let time = 0; time < 5; time++) expect((await ask("/copied?e")).status).toBe(200);
    expect(performance.now() - begun).toBeLessThan(400);
    await until("all are copied", () => asked("shadow", "/copied?e") === 5);
    await until("no connection is left", () => stages.shadow.connections() === 0);
  });

  it("that goes on for ever is not listened to", async () => {
    let open = 0;
    shadow = (_, response) => {
      open++;
      const chunks = setInterval(() => response.write("x".repeat(1024)), 5);
      response.once("close", () => {
        clearInterval(chunks);
        open--;
      });
    };
    await ask("/copied?f");
    await until("it is copied", () => asked("shadow", "/copied?f") === 1);
    await until("nobody listens", () => open === 0);
  });
});
