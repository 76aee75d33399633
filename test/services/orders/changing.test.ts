import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { freshDatabase } from "../client.ts";
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
  UNKNOWN,
} from "./client.ts";

const count = async (table: "orders" | "order_items"): Promise<number | null> =>
  env.DB.prepare(`SELECT COUNT(*) AS count FROM ${table}`).first<number>("count");

beforeEach(freshDatabase);

describe("placing an order", () => {
  it("answers 201 with its place, its entity tag, and the sum at the prices of the moment", async () => {
    const items = [
      { sku: "LANTERN-IRON", quantity: 2 },
      { sku: "CANDLE-WAX", quantity: 12 },
    ];
    const { status, headers, body } = await place({ items, note: "Knock twice.\nThanks" });
    expect(status).toBe(201);
    expect(headers.get("location")).toBe(`/orders/${body.id}`);
    expect(body).toMatchObject({
      customerId: "42",
      status: "pending",
      items: [
        { sku: "LANTERN-IRON", quantity: 2, unitPrice: 4900, currency: "EUR" },
        { sku: "CANDLE-WAX", quantity: 12, unitPrice: 450, currency: "EUR" },
      ],
      currency: "EUR",
      total: 15_200,
      note: "Knock twice.\nThanks",
    });
    const shown = await get(body.id);
    expect(shown.body).toEqual(body);
    expect(shown.headers.get("etag")).toBe(headers.get("etag"));
  });

  it("keeps its prices when a product's price changes", async () => {
    const { body } = await place({ items: [{ sku: "LAMP-BRASS", quantity: 1 }] });
    await env.DB.prepare("UPDATE products SET unit_price = 9900 WHERE sku = 'LAMP-BRASS'").run();
    expect((await get(body.id)).body).toEqual(body);
    expect((await place({ items: [{ sku: "LAMP-BRASS", quantity: 1 }] })).body.total).toBe(9900);
  });

  it("takes every product at once, and fifty of them", async () => {
    const more = Array.from({ length: 50 }, (_, index) => `EXTRA-${index}`);
    const insert = env.DB.prepare(
      "INSERT INTO products (sku, name, unit_price, currency) VALUES (?1, ?1, 1, 'EUR')",
    );
    await env.DB.batch(more.map((sku) => insert.bind(sku)));
    const { status, body } = await place({ items: more.map((sku) => ({ sku, quantity: 1000 })) });
    expect(status).toBe(201);
    expect(body.total).toBe(50_000);
    expect(body.items.map(({ sku }) => sku)).toEqual(more);
  });

  it.each([
    ["one product that does not exist", ["LAMP-BRASS", "LAMP-GOLD"], ["#/items/1/sku"]],
    ["several that do not exist", ["NONE-1", "LAMP-BRASS", "NONE-2"], ["#/items/0/sku", "#/items/2/sku"]],
  ])("answers 422 for %s and leaves nothing behind", async (_, skus, pointers) => {
    const before = [await count("orders"), await count("order_items")];
    const items = skus.map((sku) => ({ sku, quantity: 1 }));
    const answer = await ask<{ errors: { pointer: string }[] }>("POST", "/orders", {
      json: { items },
      ...as("42"),
    });
    expect(answer).toMatchObject({ status: 422, body: { code: "unknown-product" } });
    expect(answer.body.errors.map(({ pointer }) => pointer)).toEqual(pointers);
    expect([await count("orders"), await count("order_items")]).toEqual(before);
  });

  it("answers 422 for products of several currencies and leaves nothing behind", async () => {
    const before = [await count("orders"), await count("order_items")];
    const items = ["LAMP-BRASS", "GUIDE-AUDIO"].map((sku) => ({ sku, quantity: 1 }));
    expect(await place({ items })).toMatchObject({ status: 422, body: { code: "mixed-currencies" } });
    expect([await count("orders"), await count("order_items")]).toEqual(before);
    expect((await place({ items: items.slice(1) })).body).toMatchObject({ currency: "USD", total: 500 });
  });

  const lamp = { sku: "LAMP-BRASS", quantity: 1 };
  it.each([
    [{}, ["#/items"]],
    [{ items: [] }, ["#/items"]],
    [{ items: lamp }, ["#/items"]],
    [{ items: [lamp, lamp] }, ["#/items/1/sku"]],
    [
      { items: [{ sku: "lamp", quantity: 0 }, {}] },
      ["#/items/0/sku", "#/items/0/quantity", "#/items/1/sku", "#/items/1/quantity"],
    ],
    [{ items: [{ sku: "LAMP-BRASS", quantity: 1.5 }] }, ["#/items/0/quantity"]],
    [{ items: [{ sku: "LAMP-BRASS", quantity: 1001 }] }, ["#/items/0/quantity"]],
    [{ items: [{ sku: "LAMP-BRASS", quantity: "1" }] }, ["#/items/0/quantity"]],
    [{ items: [{ ...lamp, unitPrice: 1 }] }, ["#/items/0/unitPrice"]],
    [{ items: [lamp], total: 1, customerId: "1" }, ["#/total", "#/customerId"]],
    [{ items: [lamp], note: null }, ["#/note"]],
    [{ items: [lamp], note: "\u0000" }, ["#/note"]],
  ])("answers 422 for %j and names each fault", async (json, pointers) => {
    const answer = await ask<{ errors: { pointer: string }[] }>("POST", "/orders", { json, ...as("42") });
    expect(answer).toMatchObject({ status: 422, body: { code: "invalid-body" } });
    expect(answer.body.errors.map(({ pointer }) => pointer)).toEqual(pointers);
  });

  it("answers 422 for more than fifty lines, or a note of more than 500 characters", async () => {
    const items = Array.from({ length: 51 }, (_, index) => ({ sku: `SKU-${index}`, quantity: 1 }));
    expect(await place({ items, note: "x".repeat(501) })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: "#/items" }, { pointer: "#/note" }] },
    });
  });
});

describe("cancelling an order", () => {
  it.each([
    ["pending", PENDING],
    ["confirmed", CONFIRMED],
  ])("cancels one that is %s", async (_, id) => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-09-01T00:00:00.000Z") });
    const before = await get(id);
    const { status, headers, body } = await cancel(id);
    vi.useRealTimers();
    expect(status).toBe(200);
    expect(body).toEqual({ ...before.body, status: "cancelled", updatedAt: "2026-09-01T00:00:00.000Z" });
    expect(headers.get("etag")).not.toBe(before.headers.get("etag"));
    expect(headers.get("content-location"), "caches forget the order").toBe("/orders/" + id);
    expect((await get(id)).body).toEqual(body);
  });

  it.each([
    ["shipped", SHIPPED],
    ["delivered", DELIVERED],
  ])("answers 409 for one that is %s", async (status, id) => {
    expect(await cancel(id)).toMatchObject({
      status: 409,
      body: { code: "not-cancellable", detail: `The order is ${status}.` },
    });
    expect((await get(id)).body.status).toBe(status);
  });

  it("answers 409 the second time, and changes nothing then", async () => {
    const first = await cancel(PENDING);
    expect(first.status).toBe(200);
    expect(await cancel(PENDING)).toMatchObject({ status: 409, body: { code: "not-cancellable" } });
    expect((await get(PENDING)).headers.get("etag")).toBe(first.headers.get("etag"));
  });

  it("lets one of two win at the same time", async () => {
    const answers = await Promise.all([cancel(PENDING), cancel(PENDING)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it.each([
    ["that is not there", UNKNOWN],
    ["of somebody else", OF_ANOTHER],
  ])("answers 404 for one %s", async (_, id) => {
    expect(await cancel(id)).toMatchObject({ status: 404, body: { code: "not-found" } });
    expect((await get(OF_ANOTHER, "1")).body.status).toBe("pending");
  });

  it.each([
    ['"v1"', 200],
    ["*", 200],
    ['W/"v1"', 412],
    ['"v2"', 412],
  ])("with If-Match: %s answers %i", async (field, status) => {
    expect((await cancel(PENDING, "42", { "if-match": field })).status).toBe(status);
  });

  it("answers 400 for an id that is none", async () => {
    expect(await cancel("1")).toMatchObject({ status: 400, body: { errors: [{ parameter: "orderId" }] } });
  });
});
