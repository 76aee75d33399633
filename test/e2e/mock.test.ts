import { afterAll, beforeAll, expect, it } from "vitest";
import { run, type Served, serve } from "../support/served.ts";
import { ROOT } from "./project.ts";

// The shop without its services: `postern serve --mock`.

let served: Served;
let token: string;

beforeAll(async () => {
  const folders = { policies: "policies", openapi: "openapi" };
  served = await serve({ folders, args: ["--env", "local", "--mock"], cwd: ROOT });
  token = (
    await run(["token", "--env", "local", "--sub", "42", "--scope", "users.read orders.read orders.write"])
  ).stdout.trim();
});

afterAll(async () => {
  expect(await served.stop()).toBe(0);
});

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(served.url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });

it("answers from the documents' examples", async () => {
  const response = await ask("/users/42");
  expect(response.status).toBe(200);
  expect(response.headers.get("x-mock")).toBe("users.getUser");
  expect(await response.json()).toMatchObject({ id: "42", email: "ada@example.com" });
});

it("answers with what the client prefers, also where the first answer is stored", async () => {
  const response = await ask("/users/42", { headers: { prefer: "code=404" } });
  expect(response.status).toBe(404);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
});

it("asks who calls, as the gateway will", async () => {
  expect((await fetch(`${served.url}/users/42`)).status).toBe(401);
  expect((await ask("/users/43")).status).toBe(403);
});

it("takes what is sent", async () => {
  const body = JSON.stringify({ items: [{ sku: "CANDLE-WAX", quantity: 2 }] });
  const headers = { "content-type": "application/json" };
  const response = await ask("/orders", { method: "POST", body, headers });
  expect(response.status).toBe(201);
  expect(await response.json()).toMatchObject({ status: "pending" });
});
