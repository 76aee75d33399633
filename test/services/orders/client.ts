import { document } from "../../../src/services/orders/app.ts";
import worker from "../../../src/services/orders/index.ts";
import { Order, OrderPage } from "../../../src/services/orders/schemas.ts";
import { clientOf } from "../client.ts";
import { ORDERS_CREDENTIAL } from "../gateway.ts";

export const { ask, send } = clientOf(worker, document(), ORDERS_CREDENTIAL, { Order, OrderPage });

/** The orders of the seed: four of the customer 42, from the oldest to the newest, one of somebody else, and none. */
const seeded = (number: number): string => `6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a0${number}`;
export const DELIVERED = seeded(1);
export const SHIPPED = seeded(2);
export const CONFIRMED = seeded(3);
export const PENDING = seeded(4);
export const OF_ANOTHER = seeded(5);
export const UNKNOWN = seeded(9);

/** What names the caller, as the gateway does. */
export const as = (caller: string, more: Record<string, string> = {}) => ({
  headers: { "x-user-id": caller, ...more },
});

export const get = (id: string, caller = "42") => ask<Order>("GET", `/orders/${id}`, as(caller));

export const place = (json: unknown, caller = "42") => ask<Order>("POST", "/orders", { json, ...as(caller) });

export const cancel = (id: string, caller = "42", more: Record<string, string> = {}) =>
  ask<Order>("POST", `/orders/${id}/cancel`, as(caller, more));
