import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recorderOf } from "../support/public-document.ts";
import type { Recorder } from "../support/recorder.ts";
import { run, type Served, serve } from "../support/served.ts";
import { descendants, isAlive } from "./processes.ts";
import { ROOT } from "./project.ts";
import { until } from "./until.ts";

const OWN_ORIGIN = "https://www.shop.example.com";
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let shop: Served;
/** Holds every answer against the public document. */
let recorder: Recorder;
/** A token of user 42 with every scope, one without scopes to order, and one of somebody else. */
const tokens = {} as Record<"ada" | "reader" | "grace" | "admin", string>;

/** A token as a person would make it. */
const token = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(["token", "--env", "local", ...args]);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.trim();
};

beforeAll(async () => {
  recorder = await recorderOf("local");
  shop = await serve({
    folders: { policies: path.join(ROOT, "policies"), openapi: path.join(ROOT, "openapi") },
    args: ["--env", "local"],
  });
  tokens.ada = await token("--sub", "42", "--scope", "users.read users.write orders.read orders.write");
  tokens.reader = await token("--sub", "42", "--scope", "users.read", "--scope", "orders.read");
  tokens.grace = await token("--sub", "1", "--scope", "users.read orders.read orders.write");
  tokens.admin = await token("--sub", "9", "--scope", "users.read users.write", "--claim", 'roles=["admin"]');
});

afterAll(async () => {
  const started = descendants(shop.process.pid!);
  expect(started.length).toBeGreaterThan(1);
  expect(await shop.stop()).toBe(0);
  await until("the end of all that was started", () => !started.some(isAlive));
});

interface Words {
  readonly as?: keyof typeof tokens;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

const ask = async (
  target: string,
  { as, method = "GET", headers = {}, json }: Words = {},
): Promise<Response> => {
  const response = await fetch(shop.url + target, {
    method,
    headers: {
      ...(as !== undefined && { authorization: `Bearer ${tokens[as]}` }),
      ...(json !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    redirect: "manual",
  });
  return recorder.expectDocumented(method, response);
};

/** An order that was just placed. */
const order = async (as: keyof typeof tokens, note?: string): Promise<Record<string, unknown>> => {
  const json = { items: [{ sku: "LAMP-BRASS", quantity: 1 }], ...(note !== undefined && { note }) };
  const response = await ask("/orders", { as, method: "POST", json });
  expect(response.status).toBe(201);
  return (await response.json()) as Record<string, unknown>;
};

const expectProblem = async (response: Response, status: number, code: string): Promise<void> => {
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.headers.get("cache-control")).toBe("no-store");
  const id = response.headers.get("x-request-id")!;
  expect(id).toMatch(UUID);
  expect(await response.json()).toMatchObject({
    status,
    code,
    title: expect.any(String),
    instance: `urn:uuid:${id}`,
  });
};

const corsFields = ({ headers }: Response): string[] =>
  [...headers.keys()].filter((name) => name.startsWith("access-control-"));

describe("a customer", () => {
  it("reads their own record", async () => {
    const response = await ask("/users/42", { as: "ada" });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ id: "42", name: "Ada Lovelace" });
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("x-request-id")).toMatch(UUID);
    expect(response.headers.get("ratelimit")).toContain('"per-ip"');
  });

  it("places an order, finds it in the list and reads it", async () => {
    const before = (await (await ask("/orders", { as: "ada" })).json()) as { items: { id: string }[] };
    const placed = await order("ada", "to the gate, please");
    expect(placed).toMatchObject({ customerId: "42", status: "pending", total: 6400 });
    expect(before.items.map(({ id }) => id)).not.toContain(placed["id"]);
    const after = (await (await ask("/orders", { as: "ada" })).json()) as { items: { id: string }[] };
    expect(after.items[0]!.id).toBe(placed["id"]);
    const read = await ask(`/orders/${placed["id"]}`, { as: "ada" });
    expect(read.status).toBe(200);
    expect(await read.json()).toEqual(placed);
  });

  it("sees an order that they cancelled as cancelled, although it was read before", async () => {
    const { id } = await order("ada");
    expect(await (await ask(`/orders/${id}`, { as: "ada" })).json()).toMatchObject({ status: "pending" });
    expect((await ask(`/orders/${id}/cancel`, { as: "ada", method: "POST" })).status).toBe(200);
    expect(await (await ask(`/orders/${id}`, { as: "ada" })).json()).toMatchObject({ status: "cancelled" });
  });

  it("sees a change of their record at once, although it was read before", async () => {
    await ask("/users/42", { as: "ada" });
    const json = { name: "Countess of Lovelace" };
    const changed = await ask("/users/42", { as: "ada", method: "PATCH", json });
    expect(changed.status).toBe(200);
    expect(await (await ask("/users/42", { as: "ada" })).json()).toMatchObject(json);
  });

  it("has the second read from the cache", async () => {
    const { id } = await order("ada");
    const first = await ask(`/orders/${id}`, { as: "ada" });
    const second = await ask(`/orders/${id}`, { as: "ada" });
    expect(first.headers.get("cache-status")).toMatch(/^postern; fwd=(?:uri-)?miss; stored/);
    expect(second.headers.get("cache-status")).toMatch(/^postern; hit; ttl=\d+/);
    expect(second.headers.get("age")).toMatch(/^\d+$/);
    expect(await second.text()).toBe(await first.text());
    expect(second.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
  });

  it("is told 304 when what they hold is current", async () => {
    const etag = (await ask("/users/1", { as: "grace" })).headers.get("etag")!;
    for (let time = 0; time < 2; time++) {
      const response = await ask("/users/1", { as: "grace", headers: { "if-none-match": etag } });
      expect([response.status, await response.text()]).toEqual([304, ""]);
    }
  });

  it("gets none of what is stored for another", async () => {
    const { id } = await order("ada");
    for (let time = 0; time < 2; time++) expect((await ask(`/orders/${id}`, { as: "ada" })).status).toBe(200);
    expect((await ask(`/orders/${id}`, { as: "grace" })).status).toBe(404);
    expect((await ask(`/orders/${id}`)).status).toBe(401);
    const list = (await (await ask("/orders", { as: "grace" })).json()) as {
      items: { customerId: string }[];
    };
    expect(new Set(list.items.map(({ customerId }) => customerId))).toEqual(new Set(["1"]));
  });

  it("cannot be somebody else by a header", async () => {
    const headers = { "x-user-id": "1", "X-User-ID": "1", x_user_id: "1" };
    const json = { items: [{ sku: "KEY-BLANK", quantity: 1 }] };
    const response = await ask("/orders", { as: "ada", method: "POST", json, headers });
    expect(await response.json()).toMatchObject({ customerId: "42" });
  });
});

describe("refusals", () => {
  it("a stranger is asked who they are", async () => {
    for (const target of ["/users/42", "/orders", "/users", "/orders/6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a01"]) {
      const response = await ask(target);
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="shop"');
      await expectProblem(response, 401, "credential-missing");
    }
  });

  it.each([
    ["words", "hello"],
    ["a token without signature", "eyJhbGciOiJub25lIn0.eyJzdWIiOiI0MiJ9."],
    ["a token with another signature", ""],
  ])("%s are no token", async (_, text) => {
    const wrong = text === "" ? `${tokens.ada.slice(0, -8)}AAAAAAAA` : text;
    const response = await ask("/users/42", { headers: { authorization: `Bearer ${wrong}` } });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
  });

  it("a token for somebody else's API is none here", async () => {
    const foreign = await token("--sub", "42", "--scope", "users.read", "--aud", "another-api");
    const headers = { authorization: `Bearer ${foreign}` };
    await expectProblem(await ask("/users/42", { headers }), 401, "token-audience");
  });

  it("a token without the scope is not enough", async () => {
    const json = { items: [{ sku: "LAMP-BRASS", quantity: 1 }] };
    const response = await ask("/orders", { as: "reader", method: "POST", json });
    expect(response.headers.get("www-authenticate")).toMatch(
      /error="insufficient_scope".*scope="orders\.write"/,
    );
    await expectProblem(response, 403, "insufficient-scope");
  });

  it("another's record is forbidden, unless to an admin", async () => {
    await expectProblem(await ask("/users/7", { as: "ada" }), 403, "forbidden");
    expect((await ask("/users/7", { as: "admin" })).status).toBe(200);
  });

  it("the list of users is for admins, and is not stored", async () => {
    expect((await ask("/users", { as: "ada" })).status).toBe(403);
    const response = await ask("/users", { as: "admin" });
    expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
  });

  it("an unknown path is 404, another method 405, and both say so in JSON", async () => {
    await expectProblem(await ask("/nothing", { as: "ada" }), 404, "no-route");
    const response = await ask("/users/42", { as: "ada", method: "DELETE" });
    expect(response.headers.get("allow")).toMatch(/GET/);
    await expectProblem(response, 405, "method-not-allowed");
  });

  it("what the documents call internal is not there", async () => {
    for (const target of ["/healthz", "/users/healthz"])
      expect([401, 403, 404]).toContain((await ask(target)).status);
    await expectProblem(await ask("/healthz", { as: "admin" }), 404, "no-route");
  });

  it("a service's own problem passes, with the same request id", async () => {
    const response = await ask("/orders/6f1c2f0e-0000-4c7e-9d55-0f5a1c0b7a01", { as: "ada" });
    expect(response.headers.get("proxy-status")).toBe(null);
    const { instance } = (await response.clone().json()) as { instance: string };
    expect([response.status, instance]).toEqual([404, `urn:uuid:${response.headers.get("x-request-id")}`]);
  });

  it("a body that is too large is 413", async () => {
    const json = { items: [], note: "x".repeat(1_100_000) };
    await expectProblem(await ask("/orders", { as: "ada", method: "POST", json }), 413, "body-too-large");
  });
});

describe("pages of other origins", () => {
  it("the shop's own page may read answers, hits and refusals included", async () => {
    const headers = { origin: OWN_ORIGIN };
    const answers = [
      await ask("/users/42", { as: "ada", headers }),
      await ask("/users/42", { as: "ada", headers }),
      await ask("/users/42", { headers }),
      await ask("/nothing", { headers }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 404]);
    for (const response of answers) {
      expect(response.headers.get("access-control-allow-origin")).toBe(OWN_ORIGIN);
      expect(response.headers.get("access-control-allow-credentials")).toBe("true");
      expect(response.headers.get("vary")).toMatch(/\borigin\b/i);
    }
  });

  it.each([
    "https://evil.example.com",
    "https://www.shop.example.com.evil.com",
    "http://www.shop.example.com",
    "null",
  ])("a page of %s may not, and each answer varies", async (origin) => {
    for (const as of ["ada", undefined] as const) {
      const response = await ask("/users/42", { ...(as && { as }), headers: { origin } });
      expect(corsFields(response)).toEqual([]);
      expect(response.headers.get("vary")).toMatch(/\borigin\b/i);
    }
  });

  it("a preflight is answered without a token", async () => {
    const headers = {
      origin: OWN_ORIGIN,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    };
    const response = await ask("/orders", { method: "OPTIONS", headers });
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(response.headers.get("access-control-allow-origin")).toBe(OWN_ORIGIN);
    expect(response.headers.get("access-control-allow-methods")).toContain("POST");
    expect(response.headers.get("access-control-max-age")).toBe("600");
    const foreign = await ask("/orders", {
      method: "OPTIONS",
      headers: { ...headers, origin: "https://evil.example.com" },
    });
    expect(corsFields(foreign)).toEqual([]);
  });
});

describe("the two copies of the orders service", () => {
  it("share 1,000 requests 90 to 10, within two points", async () => {
    const counts = new Map<string, number>();
    const json = { items: [{ sku: "KEY-BLANK", quantity: 1 }] };
    let left = 1000;
    const client = async (): Promise<void> => {
      while (left-- > 0) {
        const response = await ask("/orders", { as: "ada", method: "POST", json });
        expect(response.status).toBe(201);
        await response.arrayBuffer();
        const name = response.headers.get("x-served-by") ?? "nobody";
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: 16 }, client));
    expect([...counts.keys()].sort()).toEqual(["first", "second"]);
    expect(Math.abs(counts.get("first")! - 900)).toBeLessThanOrEqual(20);
  });
});

describe("the control routes", () => {
  it("tell of health, and of nothing else without a token", async () => {
    const health = await ask("/__postern/health");
    expect(await health.json()).toMatchObject({ status: "ok", gateway: "shop" });
    for (const target of ["/__postern/metrics", "/__postern/plan", "/__postern/", "/__postern/health/x"]) {
      const response = await ask(target, { headers: { authorization: "Bearer guess" } });
      expect([target, response.status]).toEqual([target, 404]);
      expect(await response.text()).not.toMatch(/postern_|matcher/);
    }
  });
});

describe("a gateway of its own", () => {
  it("refuses with 429 and Retry-After what is over a limit, and unknown hosts, and shows metrics to the token only", async () => {
    const policies = `
gateway:
  name: limited
  hosts: { public: 127.0.0.1 }
  clientIp: connection
  control: { token: { env: CONTROL_TOKEN } }
  policies:
    requestId: {}
    rateLimit: { limits: [{ name: few, rate: 3/1m, key: ip }] }
apis:
  hello:
    public: true
    routes: { hello: { match: { path: /hello }, respond: { status: 200, body: "hello" } } }
`;
    const served = await serve({
      files: { "a.yaml": policies },
      args: ["--var", "CONTROL_TOKEN=open sesame"],
    });
    try {
      const statuses: number[] = [];
      for (let time = 0; time < 3; time++) statuses.push((await fetch(`${served.url}/hello`)).status);
      expect(statuses).toEqual([200, 200, 200]);
      const response = await fetch(`${served.url}/hello`, { headers: { "x-forwarded-for": "203.0.113.9" } });
      const after = Number(response.headers.get("retry-after"));
      expect(after).toBeGreaterThan(0);
      expect(after).toBeLessThanOrEqual(60);
      expect(response.headers.get("ratelimit")).toBe(`"few";r=0;t=${after}`);
      await expectProblem(response, 429, "rate-limited");
      const unknown = await fetch(served.url.replace("127.0.0.1", "localhost") + "/hello").catch(
        () => undefined,
      );
      expect([404, 429]).toContain(unknown?.status);
      for (const authorization of ["", "Bearer close sesame", "Basic open sesame"])
        expect(
          (await fetch(`${served.url}/__postern/metrics`, { headers: { authorization } })).status,
        ).not.toBe(200);
      const headers = { authorization: "Bearer open sesame" };
      const metrics = await (await fetch(`${served.url}/__postern/metrics`, { headers })).text();
      expect(metrics).toMatch(/postern_requests_total\{[^}]*route="hello\.hello"[^}]*status="200"[^}]*\} 3/);
      const plan = await (await fetch(`${served.url}/__postern/plan`, { headers })).text();
      expect(plan).toContain("CONTROL_TOKEN");
      expect(plan).not.toContain("sesame");
    } finally {
      expect(await served.stop()).toBe(0);
    }
  });
});
