import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recorderOf } from "../support/public-document.ts";
import type { Recorder } from "../support/recorder.ts";
import { freePort, run, type Served, serve } from "../support/served.ts";
import { ROOT } from "./project.ts";
import { type Handle, type Stage, startStage } from "./stage.ts";

/** Every answer of the shop's public document is brought about here, and held against the document when it comes. */

const POLICIES = path.join(ROOT, "policies");
const OPENAPI = path.join(ROOT, "openapi");

let recorder: Recorder;
const started: Served[] = [];
const stages: Stage[] = [];

beforeAll(async () => {
  recorder = await recorderOf("local");
});

afterAll(async () => {
  for (const served of started) await served.stop();
  for (const stage of stages) await stage.stop();
});

interface Words {
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** In place of JSON. */
  readonly body?: string;
}

type Ask = (method: string, target: string, words?: Words) => Promise<Response>;

/** Asks a gateway; whatever it answers has to be documented. */
const asking =
  ({ url }: Served): Ask =>
  async (method, target, { token, headers = {}, json, body } = {}) => {
    const response = await fetch(url + target, {
      method,
      redirect: "manual",
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...((json ?? body) !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined ? { body } : json !== undefined && { body: JSON.stringify(json) }),
    });
    return recorder.expectDocumented(method, response);
  };

const tokenOf = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(["token", "--env", "local", ...args]);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.trim();
};

const ORDER = { items: [{ sku: "LAMP-BRASS", quantity: 1 }] };
const NO_ORDER = "6f1c2f0e-0000-4c7e-9d55-0f5a1c0b7a01";

/** One request for each operation that would be answered well. */
const OPERATIONS: readonly (readonly [method: string, target: string, json?: unknown])[] = [
  ["GET", "/orders"],
  ["POST", "/orders", ORDER],
  ["GET", `/orders/${NO_ORDER}`],
  ["POST", `/orders/${NO_ORDER}/cancel`],
  ["GET", "/users"],
  ["POST", "/users", { name: "Mary Somerville", email: "mary@example.com" }],
  ["GET", "/users/42"],
  ["PATCH", "/users/42", { name: "Ada" }],
];

describe("the shop with its services", () => {
  let ask: Ask;
  const tokens = {} as Record<"ada" | "admin" | "nobody", string>;

  beforeAll(async () => {
    const shop = await serve({ folders: { policies: POLICIES, openapi: OPENAPI }, args: ["--env", "local"] });
    started.push(shop);
    ask = asking(shop);
    tokens.ada = await tokenOf("--sub", "42", "--scope", "users.read users.write orders.read orders.write");
    tokens.admin = await tokenOf(
      "--sub",
      "9",
      "--scope",
      "users.read users.write",
      "--claim",
      'roles=["admin"]',
    );
    tokens.nobody = await tokenOf("--sub", "42");
  });

  /** The status of an answer. */
  const status = async (method: string, target: string, words?: Words): Promise<number> =>
    (await ask(method, target, words)).status;

  it.each(OPERATIONS.map(([method, target, json]) => ({ method, target, json })))(
    "$method $target asks who calls, and what for",
    async ({ method, target, json }) => {
      expect(await status(method, target, { json })).toBe(401);
      expect(await status(method, target, { json, token: tokens.nobody })).toBe(403);
    },
  );

  it.each(["/orders", `/orders/${NO_ORDER}`, "/users", "/users/42"])(
    "GET %s with what is current is 304",
    async (target) => {
      const token = target.startsWith("/users") ? tokens.admin : tokens.ada;
      const { id } = (await (await ask("POST", "/orders", { token: tokens.ada, json: ORDER })).json()) as {
        id: string;
      };
      const found = target.replace(NO_ORDER, id);
      const first = await ask("GET", found, { token });
      expect(first.status).toBe(200);
      const headers = { "if-none-match": first.headers.get("etag")! };
      expect(await status("GET", found, { token, headers })).toBe(304);
    },
  );

  it.each([
    ["GET", "/orders?limit=0", undefined, 422],
    ["POST", "/orders", "{}", 422],
    ["GET", "/orders/1", undefined, 422],
    ["POST", "/orders/1/cancel", undefined, 422],
    ["GET", "/users?limit=0", undefined, 422],
    ["POST", "/users", "{}", 422],
    ["GET", "/users/a_b", undefined, 422],
    ["PATCH", "/users/42", "{}", 422],
    ["POST", "/orders", "{", 400],
    ["POST", "/users", "{", 400],
    ["PATCH", "/users/42", "{", 400],
    ["GET", "/orders?cursor=forged", undefined, 400],
    ["GET", "/users?cursor=forged", undefined, 400],
  ])("%s %s with what does not fit is refused", async (method, target, body, expected) => {
    const token = target.startsWith("/users") ? tokens.admin : tokens.ada;
    expect(await status(method, target, { token, ...(body !== undefined && { body }) })).toBe(expected);
  });

  it.each([
    ["GET", "/orders/%2e%2fx"],
    ["GET", "/users/a%2Fb"],
    ["POST", "/orders/a%2Fb/cancel"],
  ])("%s %s, which is read in two ways, is 400", async (method, target) => {
    expect(await status(method, target, { token: tokens.ada })).toBe(400);
  });

  it("what is not there is 404", async () => {
    expect(await status("GET", `/orders/${NO_ORDER}`, { token: tokens.ada })).toBe(404);
    expect(await status("POST", `/orders/${NO_ORDER}/cancel`, { token: tokens.ada })).toBe(404);
    expect(await status("GET", "/users/nobody", { token: tokens.admin })).toBe(404);
    expect(await status("PATCH", "/users/nobody", { token: tokens.admin, json: { name: "No" } })).toBe(404);
  });

  it("an order is placed, not cancelled under another version, cancelled, and not again", async () => {
    const placed = await ask("POST", "/orders", { token: tokens.ada, json: ORDER });
    expect(placed.status).toBe(201);
    const { id } = (await placed.json()) as { id: string };
    const cancel = (headers = {}): Promise<number> =>
      status("POST", `/orders/${id}/cancel`, { token: tokens.ada, headers });
    expect(await cancel({ "if-match": '"other"' })).toBe(412);
    expect(await cancel()).toBe(200);
    expect(await cancel()).toBe(409);
  });

  it("a user is created once, and changed where nobody else has changed them", async () => {
    const json = { name: "Mary Somerville", email: "mary@example.com" };
    const created = await ask("POST", "/users", { token: tokens.admin, json });
    expect(created.status).toBe(201);
    const { id } = (await created.json()) as { id: string };
    expect(await status("POST", "/users", { token: tokens.admin, json })).toBe(409);
    const change = (its: object, headers = {}): Promise<number> =>
      status("PATCH", `/users/${id}`, { token: tokens.admin, json: its, headers });
    expect(await change({ name: "Mary" })).toBe(200);
    expect(await change({ name: "Mary" }, { "if-match": '"other"' })).toBe(412);
    expect(await change({ email: "ada@example.com" })).toBe(409);
  });

  it.each([
    ["POST", "/orders"],
    ["POST", `/orders/${NO_ORDER}/cancel`],
    ["POST", "/users"],
    ["PATCH", "/users/42"],
  ])("%s %s with a body that is too large is 413", async (method, target) => {
    const token = target.startsWith("/users") ? tokens.admin : tokens.ada;
    expect(await status(method, target, { token, json: { note: "x".repeat(1_100_000) } })).toBe(413);
  });

  it.each([
    ["POST", "/orders"],
    ["POST", "/users"],
    ["PATCH", "/users/42"],
  ])("%s %s takes JSON, and of that what fits", async (method, target) => {
    const token = target.startsWith("/users") ? tokens.admin : tokens.ada;
    const headers = { "content-type": "text/plain" };
    expect(await status(method, target, { token, body: "{}", headers })).toBe(415);
    expect(await status(method, target, { token, json: { strange: 1 } })).toBe(422);
  });
});

/** The shop's policies, with an environment more. */
const shopWith = async (environment: string): Promise<Record<string, string>> => {
  const names = (await readdir(POLICIES)).filter((name) => name.endsWith(".yaml"));
  const files = await Promise.all(
    names.map(async (name) => [name, await readFile(path.join(POLICIES, name), "utf8")] as const),
  );
  return { ...Object.fromEntries(files), "trial.yaml": environment };
};

const documents = async (): Promise<Record<string, string>> => ({
  "users.yaml": await readFile(path.join(OPENAPI, "users.yaml"), "utf8"),
  "orders.yaml": await readFile(path.join(OPENAPI, "orders.yaml"), "utf8"),
});

/** Serves the shop in an environment of the test's own, with a stage in place of its services. */
const serveTrial = async (environment: string, stage: Stage): Promise<Ask> => {
  stages.push(stage);
  const at = `127.0.0.1:${stage.port}`;
  const served = await serve({
    files: await shopWith(`environments:\n  trial:\n    development: true\n${environment}`),
    openapi: await documents(),
    args: [
      ...["--env", "trial", "--binding", `USERS=${at}`],
      ...["--binding", `ORDERS=${at}`, "--binding", `ORDERS_SECOND=${at}`],
      ...["--var", `USERS_KEY=${"u".repeat(32)}`, "--var", `ORDERS_KEY=${"o".repeat(32)}`],
    ],
  });
  started.push(served);
  return asking(served);
};

const HERE = `    gateway: { hosts: { public: "*" }, clientIp: connection, policies: { rateLimit: { limits: LIMITS } } }\n`;
const limits = (perIp: string): string =>
  HERE.replace(
    "LIMITS",
    `[{ name: per-ip, rate: ${perIp}, key: ip, store: isolate }, { name: guessing, rate: 1000/5m, key: ip, store: isolate, count: auth-failures }]`,
  );

describe("the shop with services that fail", () => {
  const how: { handle: Handle } = { handle: () => {} };
  let ask: Ask;
  let token: string;

  beforeAll(async () => {
    const stage = await startStage();
    for (const [, target] of OPERATIONS)
      stage.on(target, (request, response) => how.handle(request, response));
    const environment = `${limits("60000/1m")}    issuers: { main: { jwks: local } }
    upstreams: { users: { timeout: 500ms }, orders: { timeout: 500ms, outlierDetection: { consecutiveErrors: 1000 } } }
`;
    ask = await serveTrial(environment, stage);
    token = await tokenOf(
      ...["--sub", "42", "--claim", 'roles=["admin"]'],
      ...["--scope", "users.read users.write orders.read orders.write"],
    );
  });

  const fault: Handle = (request, response) => {
    request.resume().once("end", () => {
      response.writeHead(500, { "content-type": "application/problem+json" });
      response.end(
        JSON.stringify({
          type: "urn:shop:problem:internal",
          title: "Internal error",
          status: 500,
          detail: "The service failed.",
          instance: "urn:uuid:7d4f5a52-3f4e-4f0a-9d0e-0f3a5a1f6a11",
          code: "internal",
        }),
      );
    });
  };

  /** An answer that ends before its end; tried again, a connection that breaks at once is 503. */
  const broken: Handle = (request, response) => {
    if (request.method !== "GET" || request.url === "/users") return void request.socket.destroy();
    response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
    response.write("{");
    setTimeout(() => request.socket.destroy(), 20);
  };

  it.each([
    [500, fault],
    [502, broken],
    [504, () => {}],
  ] as const)("every operation may be answered with %d", async (status, handle) => {
    how.handle = handle;
    for (const [method, target, json] of OPERATIONS)
      expect([target, (await ask(method, target, { token, json })).status]).toEqual([target, status]);
  });
});

describe("the shop with an issuer that is away, and a limit", () => {
  /** Well-formed, of the right issuer, and signed by nobody knows whom. */
  const token = (): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = {
      iss: "https://login.shop.example.com/",
      sub: "42",
      aud: "shop-api",
      exp: Math.floor(Date.now() / 1000) + 600,
    };
    return `${part({ alg: "ES256", kid: "one" })}.${part(claims)}.${Buffer.alloc(64, 7).toString("base64url")}`;
  };

  it("every operation is answered with 503, and with 429 once the limit is used up", async () => {
    const nobody = await freePort();
    const environment = `${limits(`${OPERATIONS.length}/10m`)}    issuers: { main: { jwks: { url: "http://127.0.0.1:${nobody}/keys" } } }\n`;
    const ask = await serveTrial(environment, await startStage());
    for (const expected of [503, 429])
      for (const [method, target, json] of OPERATIONS)
        expect([target, (await ask(method, target, { token: token(), json })).status]).toEqual([
          target,
          expected,
        ]);
  });
});

describe("the public document", () => {
  it("promises nothing that did not come", () => {
    expect(recorder.documented.length).toBeGreaterThan(80);
    expect(recorder.missing).toEqual([]);
  });
});
