import { beforeEach } from "vitest";
import kept from "../../../openapi/orders.yaml?raw";
import { Fault, Problem } from "../../../src/services/http/problem.ts";
import { document } from "../../../src/services/orders/app.ts";
import worker from "../../../src/services/orders/index.ts";
import * as schemas from "../../../src/services/orders/schemas.ts";
import { clientOf, freshDatabase } from "../client.ts";
import { describeDocument } from "../documents.ts";
import { ORDERS_CREDENTIAL } from "../gateway.ts";
import { describeBodies, describeService } from "../protocol.ts";

const client = clientOf(worker, document(), ORDERS_CREDENTIAL, {});
const headers = { "x-user-id": "42" };
const order = "/orders/6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a04";

beforeEach(freshDatabase);

describeService(client, {
  path: "/orders",
  headers,
  allowed: [
    ["/healthz", "GET, HEAD"],
    ["/orders", "GET, HEAD, POST"],
    [order, "GET, HEAD"],
    [`${order}/cancel`, "POST"],
  ],
});

describeBodies(
  client,
  { method: "POST", path: "/orders", valid: { items: [{ sku: "LAMP-BRASS", quantity: 1 }] }, success: 201 },
  headers,
);

describeDocument(document(), "src/services/orders", kept, { ...schemas, Fault, Problem }, [
  "health",
  "listOrders",
  "createOrder",
  "getOrder",
  "cancelOrder",
]);
