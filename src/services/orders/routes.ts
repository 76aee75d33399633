import { createRoute, z } from "@hono/zod-openapi";
import * as answers from "../http/answers.ts";
import { readBody } from "../http/body.ts";
import { PageQuery } from "../http/page.ts";
import { CallerHeader, requireCaller } from "./caller.ts";
import { NewOrder, Order, OrderId, OrderPage } from "./schemas.ts";

const tags = ["orders"];
const params = z.object({ orderId: OrderId });
const caller = { "x-user-id": CallerHeader };
const jsonOf = <T>(schema: T) => ({ "application/json": { schema } });
const noCaller = answers.problemAnswer("The request names no customer.");
const unknownOrder = answers.problemAnswer("The customer has no such order.");

export const listOrders = createRoute({
  method: "get",
  path: "/orders",
  operationId: "listOrders",
  tags,
  summary: "List the caller's orders",
  description:
    "In pages, the newest order first. Following `nextCursor` to its end shows every order that was there at the " +
    "beginning exactly once, whatever is ordered meanwhile.",
  middleware: requireCaller,
  request: { query: PageQuery, headers: z.object({ ...caller, "if-none-match": answers.IfNoneMatch }) },
  responses: {
    200: { description: "A page.", headers: { ETag: answers.etag }, content: jsonOf(OrderPage) },
    304: answers.notModified,
    400: answers.invalidParameter,
    401: noCaller,
    500: answers.unexpectedFailure,
  },
});

export const createOrder = createRoute({
  method: "post",
  path: "/orders",
  operationId: "createOrder",
  tags,
  summary: "Place an order",
  description:
    "At the prices of the moment. An order is placed wholly or not at all; a property that the schema does not name " +
    "is refused.",
  middleware: [requireCaller, readBody],
  request: { headers: z.object(caller), body: { required: true, content: jsonOf(NewOrder) } },
  responses: {
    201: {
      description: "Placed.",
      headers: { Location: answers.location, ETag: answers.etag },
      content: jsonOf(Order),
    },
    400: answers.malformedBody,
    401: noCaller,
    413: answers.contentTooLarge,
    415: answers.unsupportedMediaType,
    422: answers.problemAnswer(
      "The body does not fit its schema, a product does not exist, or the products have several currencies; " +
        "`errors` lists where.",
    ),
    500: answers.unexpectedFailure,
  },
});

export const getOrder = createRoute({
  method: "get",
  path: "/orders/{orderId}",
  operationId: "getOrder",
  tags,
  summary: "Show an order",
  description: "Somebody else's order is answered like one that does not exist.",
  middleware: requireCaller,
  request: { params, headers: z.object({ ...caller, "if-none-match": answers.IfNoneMatch }) },
  responses: {
    200: { description: "The order.", headers: { ETag: answers.etag }, content: jsonOf(Order) },
    304: answers.notModified,
    400: answers.invalidParameter,
    401: noCaller,
    404: unknownOrder,
    500: answers.unexpectedFailure,
  },
});

export const cancelOrder = createRoute({
  method: "post",
  path: "/orders/{orderId}/cancel",
  operationId: "cancelOrder",
  tags,
  summary: "Cancel an order",
  description: "While it is pending or confirmed. Takes no body.",
  middleware: requireCaller,
  request: { params, headers: z.object({ ...caller, "if-match": answers.IfMatch }) },
  responses: {
    200: {
      description: "The order, cancelled.",
      headers: { ETag: answers.etag, "Content-Location": answers.contentLocation },
      content: jsonOf(Order),
    },
    400: answers.invalidParameter,
    401: noCaller,
    404: unknownOrder,
    409: answers.problemAnswer("The order is shipped, delivered or cancelled already."),
    412: answers.preconditionFailed,
    500: answers.unexpectedFailure,
  },
});
