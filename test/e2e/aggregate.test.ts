import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Served, serve } from "../support/served.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";
import { fieldOf } from "./wire.ts";

let users: Stage;
let orders: Stage;
let served: Served;

const policies = (): string => `
gateway:
  name: pages
  hosts: { public: api.example.com, local: 127.0.0.1 }
  clientIp: connection
upstreams:
  users: { targets: { only: { url: "${users.url}/v1", network: private } }, timeout: 2s }
  orders: { targets: { only: { url: "${orders.url}", network: private } }, timeout: 2s, retry: { retries: 1 } }
apis:
  pages:
    public: true
    policies:
      requestId: {}
      accessLog: {}
      headers: { response: { set: { x-served: "yes" } } }
    routes:
      page:
        match: { path: "/pages/{userId}", methods: [GET] }
        aggregate:
          calls:
            user: { upstream: users, path: "/users/{params.userId}" }
            orders: { upstream: orders, path: /orders, query: { user: "{params.userId}" }, timeout: 300ms, pick: /items, fallback: [] }
          maxBody: 64KiB
      six:
        match: { path: /six, methods: [GET] }
        aggregate:
          calls:
            ${[1, 2, 3, 4, 5, 6].map((number) => `c${number}: { upstream: users, path: /c${number} }`).join("\n            ")}
`;

beforeAll(async () => {
  users = await startStage();
  orders = await startStage();
  served = await serve({ files: { "gateway.yaml": policies() } });
});

afterAll(async () => {
  expect(await served.stop()).toBe(0);
  for (const stage of [users, orders]) await stage.stop();
});

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(served.url + path, { headers });

describe("an aggregate on the production bundle", () => {
  it("is one answer made of two, as their services wrote them", async () => {
    users.on("/v1/users/42", (_request, response) => response.end('{"id":12345678901234567890,"b":1,"a":2}'));
    orders.on("/orders", (_request, response) => response.end('{"items":[1.0],"next":null}'));
    const answer = await get("/pages/42", { "if-none-match": "*", "x-client": "1" });
    expect([answer.status, answer.headers.get("x-served")]).toEqual([200, "yes"]);
    expect(await answer.text()).toBe('{"orders":[1.0],"user":{"id":12345678901234567890,"b":1,"a":2}}');
    expect(orders.last()).toMatchObject({ method: "GET", url: "/orders?user=42" });
    for (const stage of [users, orders]) {
      expect(fieldOf(stage.last(), "accept")).toBe("application/json");
      expect(fieldOf(stage.last(), "x-client")).toBe("1");
      expect(fieldOf(stage.last(), "if-none-match")).toBeUndefined();
      expect(fieldOf(stage.last(), "x-request-id")).toBe(answer.headers.get("x-request-id"));
    }
  });

  it("reads what a service compressed unasked, and counts what it really is", async () => {
    const coded = { "content-encoding": "gzip" };
    users.on("/v1/users/43", (_request, response) =>
      response.writeHead(200, coded).end(gzipSync('{"id":43}')),
    );
    expect(await (await get("/pages/43")).json()).toMatchObject({ user: { id: 43 } });
    const bomb = gzipSync(`"${" ".repeat(10 * 1024 * 1024)}"`);
    expect(bomb.byteLength).toBeLessThan(64 * 1024);
    users.on("/v1/users/44", (_request, response) => response.writeHead(200, coded).end(bomb));
    const answer = await get("/pages/44");
    expect(await answer.json()).toMatchObject({
      status: 502,
      calls: [{ name: "user", reason: "too-large" }],
    });
  });

  it("does without a call that is late, and says so", async () => {
    users.on("/v1/users/45", (_request, response) => response.end("{}"));
    orders.on("/orders", (_request, response) => {
      response.writeHead(200);
      response.write('{"items":[');
    });
    const answer = await get("/pages/45");
    expect([
      answer.status,
      answer.headers.get("postern-partial"),
      answer.headers.get("cache-control"),
    ]).toEqual([200, "orders", "no-store"]);
    expect(await answer.json()).toEqual({ orders: [], user: {} });
    orders.on("/orders", (_request, response) => response.end('{"items":[]}'));
  });

  it("is no more than what a call is without which it cannot be", async () => {
    users.on("/v1/users/46", (_request, response) => response.writeHead(404).end('{"secret":1}'));
    const answer = await get("/pages/46");
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({
      status: 404,
      code: "aggregate-failed",
      calls: [{ name: "user", reason: "status", status: 404 }],
    });
    expect(text).not.toContain("secret");
    await until("the record", () =>
      /"path":"\/pages\/46"[^\n]*"target":"orders=only user=only"[^\n]*"problem":"aggregate-failed"/.test(
        served.output(),
      ),
    );
  });

  it("has six calls under way at once", async () => {
    const waiting: (() => void)[] = [];
    for (const number of [1, 2, 3, 4, 5, 6])
      users.on(`/v1/c${number}`, (_request, response) => waiting.push(() => response.end(String(number))));
    const answer = get("/six");
    await until("all calls", () => waiting.length === 6);
    for (const finish of waiting) finish();
    expect(await (await answer).json()).toEqual({ c1: 1, c2: 2, c3: 3, c4: 4, c5: 5, c6: 6 });
  });
});
