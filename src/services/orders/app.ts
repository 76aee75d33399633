import type { Context } from "hono";
import { ifMatch, isUnchanged, versionTag } from "../http/conditional.ts";
import { bySignature } from "../http/gateway-signature.ts";
import { toPage } from "../http/page.ts";
import { problem } from "../http/problem.ts";
import { createService, documentOf, refuseOtherMethods } from "../http/service.ts";
import { pointer } from "../http/validation.ts";
import * as routes from "./routes.ts";
import * as store from "./store.ts";

/** The orders service: the operations of routes.ts over the database of store.ts. */
export const app = createService({
  secret: "ORDERS_KEY",
  holds: bySignature(["x-user-id", "content-type"]),
});

const unknownOrder = (c: Context) => problem(c, 404, "not-found", "The customer has no such order.");
const stale = (c: Context) =>
  problem(c, 412, "precondition-failed", "The order has changed: `If-Match` does not name its version.");

app.openapi(routes.listOrders, async (c) => {
  const { limit, cursor } = c.req.valid("query");
  const customerId = c.req.valid("header")["x-user-id"];
  const { page, etag } = await toPage(await store.listOrders(c.env.DB, customerId, cursor, limit + 1), limit);
  return isUnchanged(c, etag) ? c.body(null, 304, { etag }) : c.json(page, 200, { etag });
});

app.openapi(routes.createOrder, async (c) => {
  const customerId = c.req.valid("header")["x-user-id"];
  const placement = await store.insertOrder(c.env.DB, customerId, c.req.valid("json"), new Date());
  if (placement.outcome === "unknown-product") {
    return problem(c, 422, "unknown-product", "The order names products that do not exist.", {
      errors: placement.lines.map((line) => ({
        pointer: pointer(["items", line, "sku"]),
        detail: "No such product",
      })),
    });
  }
  if (placement.outcome === "mixed-currencies") {
    return problem(c, 422, "mixed-currencies", "An order has one currency.", {
      errors: [{ pointer: pointer(["items"]), detail: "Names products of several currencies" }],
    });
  }
  const { record, version } = placement.stored;
  return c.json(record, 201, { location: "/orders/" + record.id, etag: versionTag(version) });
});

app.openapi(routes.getOrder, async (c) => {
  const { orderId } = c.req.valid("param");
  const stored = await store.findOrder(c.env.DB, orderId, c.req.valid("header")["x-user-id"]);
  if (stored === undefined) return unknownOrder(c);
  const etag = versionTag(stored.version);
  return isUnchanged(c, etag) ? c.body(null, 304, { etag }) : c.json(stored.record, 200, { etag });
});

app.openapi(routes.cancelOrder, async (c) => {
  const { orderId } = c.req.valid("param");
  const customerId = c.req.valid("header")["x-user-id"];
  const current = await store.findOrder(c.env.DB, orderId, customerId);
  if (current === undefined) return unknownOrder(c);
  const precondition = ifMatch(c, versionTag(current.version));
  if (precondition === "failed") return stale(c);
  // The version that was compared is the one to be cancelled, should somebody come between.
  const expected = precondition === "met" ? current.version : undefined;
  const cancellation = await store.cancelOrder(c.env.DB, orderId, customerId, expected, new Date());
  switch (cancellation.outcome) {
    case "cancelled":
      return c.json(cancellation.stored.record, 200, {
        etag: versionTag(cancellation.stored.version),
        "content-location": "/orders/" + orderId,
      });
    case "missing":
      return unknownOrder(c);
    case "changed":
      return stale(c);
    case "not-cancellable":
      return problem(c, 409, "not-cancellable", `The order is ${cancellation.status}.`);
  }
});

refuseOtherMethods(app);

/** The OpenAPI document of this service, as the generator makes it. */
export const document = () =>
  documentOf(app, {
    title: "Orders",
    description: "The orders of the shop; each customer sees their own.",
    tag: { name: "orders", description: "What customers ordered." },
  });
