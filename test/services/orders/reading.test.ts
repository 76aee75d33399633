import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Order } from "../../../src/services/orders/schemas.ts";
import { freshDatabase, walk } from "../client.ts";
import {
  as,
  ask,
  CONFIRMED,
  cancel,
  DELIVERED,
  get,
  OF_ANOTHER,
  PENDING,
  place,
  SHIPPED,
  send,
  UNKNOWN,
} from "./client.ts";

beforeEach(freshDatabase);

describe("the caller", () => {
  const operations: [method: string, path: string][] = [
    ["GET", "/orders"],
    ["POST", "/orders"],
    ["GET", `/orders/${PENDING}`],
    ["POST", `/orders/${PENDING}/cancel`],
  ];

  it.each(operations)("is required by %s %s, whatever else is wrong", async (method, path) => {
    const answer = await send(method, `${path}?limit=0`);
    expect(answer).toMatchObject({ status: 401, body: { code: "not-authenticated" } });
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="orders"');
    expect(answer.headers.get("vary")).toBe("x-user-id");
  });

  it.each(["", "a b", "42, 1", "x".repeat(256)])("cannot be %j", async (caller) => {
    expect((await send("GET", "/orders", as(caller))).status).toBe(401);
  });

  it("makes every answer vary", async () => {
    for (const path of ["/orders", `/orders/${PENDING}`, `/orders/${UNKNOWN}`]) {
      expect((await send("GET", path, as("42"))).headers.get("vary")).toBe("x-user-id");
    }
  });
});

describe("showing an order", () => {
  it("shows one of the caller's with its lines in order", async () => {
    const { status, headers, body } = await get(DELIVERED);
    expect(status).toBe(200);
    expect(headers.get("etag")).toBe('"v4"');
    expect(body).toEqual({
      id: DELIVERED,
      customerId: "42",
      status: "delivered",
      items: [
        { sku: "LAMP-BRASS", quantity: 1, unitPrice: 6400, currency: "EUR" },
        { sku: "CANDLE-WAX", quantity: 2, unitPrice: 450, currency: "EUR" },
      ],
      currency: "EUR",
      total: 7300,
      note: null,
      createdAt: "2026-02-02T10:15:00.000Z",
      updatedAt: "2026-02-06T16:40:00.000Z",
    });
  });

  it.each([
    ["that is not there", UNKNOWN],
    ["of somebody else", OF_ANOTHER],
  ])("answers 404 for one %s", async (_, id) => {
    expect(await get(id)).toMatchObject({
      status: 404,
      body: { code: "not-found", detail: "The customer has no such order." },
    });
  });

  it.each(["1", "not-a-uuid", `${PENDING}x`])("answers 400 for the id %s", async (id) => {
    expect(await get(id)).toMatchObject({ status: 400, body: { errors: [{ parameter: "orderId" }] } });
  });

  it.each([
    ['"v1"', 304],
    ['W/"v1"', 304],
    ["*", 304],
    ['"v2"', 200],
  ])("with If-None-Match: %s answers %i", async (field, status) => {
    const answer = await send("GET", `/orders/${PENDING}`, as("42", { "if-none-match": field }));
    expect(answer.status).toBe(status);
    expect(answer.headers.get("etag")).toBe('"v1"');
    expect(answer.headers.get("vary")).toBe("x-user-id");
  });

  it("answers 404, not 304, to somebody else who knows the entity tag", async () => {
    const answer = await send("GET", `/orders/${OF_ANOTHER}`, as("42", { "if-none-match": '"v1"' }));
    expect(answer.status).toBe(404);
  });
});

describe("listing orders", () => {
  it("shows the caller's only, the newest first", async () => {
    const idsOf = async (caller: string) =>
      (await ask<{ items: Order[] }>("GET", "/orders", as(caller))).body.items.map(({ id }) => id);
    expect(await idsOf("42")).toEqual([PENDING, CONFIRMED, SHIPPED, DELIVERED]);
    expect(await idsOf("1")).toEqual([OF_ANOTHER]);
    expect(await idsOf("nobody")).toEqual([]);
  });

  it("shows the same of an order as when it is asked for alone", async () => {
    const { body } = await ask<{ items: Order[] }>("GET", "/orders", as("42"));
    for (const order of body.items) expect(order).toEqual((await get(order.id)).body);
  });

  it.each([1, 2, 3, 7, 100])("in pages of %i shows each once, although others are placed", async (limit) => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-09-01T00:00:00.000Z") });
    for (let quantity = 1; quantity <= 10; quantity++)
      await place({ items: [{ sku: "BELL-HAND", quantity }] });
    vi.useRealTimers();
    const { body: before } = await ask<{ items: Order[] }>("GET", "/orders?limit=100", as("42"));
    const meanwhile = () => place({ items: [{ sku: "KEY-BLANK", quantity: 1 }] });
    const pages = await walk<Order>(ask, "/orders", limit, as("42"), meanwhile);
    expect(pages.flat().map(({ id }) => id)).toEqual(before.items.map(({ id }) => id));
    for (const page of pages.slice(0, -1)) expect(page).toHaveLength(limit);
  });

  it("gives nothing away to a caller who holds the cursor of another", async () => {
    type Page = { items: Order[]; nextCursor: string };
    const { body } = await ask<Page>("GET", "/orders?limit=1", as("42"));
    const others = await ask<Page>("GET", `/orders?cursor=${body.nextCursor}`, as("1"));
    expect(others.body.items).toEqual([]);
  });

  it.each([
    ["limit=0", ["limit"]],
    ["limit=101&cursor=x", ["limit", "cursor"]],
    ["cursor=", ["cursor"]],
  ])("answers 400 for ?%s", async (query, parameters) => {
    const answer = await ask<{ errors: { parameter: string }[] }>("GET", `/orders?${query}`, as("42"));
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map(({ parameter }) => parameter)).toEqual(parameters);
  });

  it("answers 304 to a client that holds the page, until one of its orders changes", async () => {
    const etag = (await send("GET", "/orders", as("42"))).headers.get("etag") ?? "";
    const again = () => send("GET", "/orders", as("42", { "if-none-match": etag }));
    expect((await again()).status).toBe(304);
    await cancel(PENDING);
    expect((await again()).status).toBe(200);
  });
});
