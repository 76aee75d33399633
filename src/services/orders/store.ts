import type { D1Database } from "@cloudflare/workers-types";
import type { Position, Stored } from "../http/page.ts";
import type { NewOrder, Order, OrderItem } from "./schemas.ts";

/** How ordering ended. `lines` are the indexes of the items whose product does not exist. */
export type Placement =
  | { readonly outcome: "placed"; readonly stored: Stored<Order> }
  | { readonly outcome: "unknown-product"; readonly lines: readonly number[] }
  | { readonly outcome: "mixed-currencies" };

/** How cancelling ended. `changed` means that the expected version is no longer the current one. */
export type Cancellation =
  | { readonly outcome: "cancelled"; readonly stored: Stored<Order> }
  | { readonly outcome: "missing" | "changed" }
  | { readonly outcome: "not-cancellable"; readonly status: Order["status"] };

interface OrderRow {
  readonly id: string;
  readonly customer_id: string;
  readonly status: Order["status"];
  readonly note: string | null;
  readonly currency: string;
  readonly total: number;
  readonly created_at: string;
  readonly updated_at: string;
  readonly version: number;
  /** The lines as a JSON array, so that a page of orders is one query. */
  readonly items: string;
}

const toStored = (row: OrderRow): Stored<Order> => ({
  record: {
    id: row.id,
    customerId: row.customer_id,
    status: row.status,
    items: JSON.parse(row.items) as OrderItem[],
    currency: row.currency,
    total: row.total,
    note: row.note,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  },
  version: row.version,
});

const ORDERS = `
  SELECT orders.*, (
    SELECT json_group_array(
      json_object('sku', sku, 'quantity', quantity, 'unitPrice', unit_price, 'currency', orders.currency)
      ORDER BY line)
    FROM order_items WHERE order_id = orders.id
  ) AS items
  FROM orders`;

// Somebody else's order is answered like one that does not exist: the customer is part of every condition.
const SELECT_ORDER = `${ORDERS} WHERE id = ?1 AND customer_id = ?2`;

// A row value compares as a whole, so that one range of the index orders_by_customer is read.
const LIST_ORDERS = `${ORDERS}
  WHERE customer_id = ?1 AND (created_at, id) < (?2, ?3)
  ORDER BY created_at DESC, id DESC LIMIT ?4`;

// The lines come as one JSON array: the number of parameters does not grow with them, and no SQL is put together.
// Prices are read where the sum is made, so that no change of a price comes between. Where a product is missing, or
// two have different currencies, no row is inserted, and then none by INSERT_ITEMS either.
const INSERT_ORDER = `
  INSERT INTO orders (id, customer_id, status, note, currency, total, created_at, updated_at)
  SELECT ?1, ?2, 'pending', ?3, MIN(product.currency), SUM(product.unit_price * (item.value ->> 'quantity')), ?4, ?4
  FROM json_each(?5) AS item JOIN products AS product ON product.sku = item.value ->> 'sku'
  HAVING COUNT(*) = json_array_length(?5) AND COUNT(DISTINCT product.currency) = 1`;

const INSERT_ITEMS = `
  INSERT INTO order_items (order_id, line, sku, quantity, unit_price)
  SELECT orders.id, item.key, product.sku, item.value ->> 'quantity', product.unit_price
  FROM orders, json_each(?2) AS item JOIN products AS product ON product.sku = item.value ->> 'sku'
  WHERE orders.id = ?1`;

const MISSING_LINES = `
  SELECT item.key AS line FROM json_each(?1) AS item
  WHERE NOT EXISTS (SELECT 1 FROM products WHERE sku = item.value ->> 'sku') ORDER BY line`;

const CANCEL_ORDER = `
  UPDATE orders SET status = 'cancelled', updated_at = ?3, version = version + 1
  WHERE id = ?1 AND customer_id = ?2 AND status IN ('pending', 'confirmed') AND (?4 IS NULL OR version = ?4)
  RETURNING id`;

/**
 * The customer's order with this id, or undefined. Rejects when the database fails, as all functions of this file do.
 */
export const findOrder = async (
  db: D1Database,
  id: string,
  customerId: string,
): Promise<Stored<Order> | undefined> => {
  const row = await db.prepare(SELECT_ORDER).bind(id, customerId).first<OrderRow>();
  return row === null ? undefined : toStored(row);
};

/** At most `limit` orders of a customer, the newest first, from the beginning or after a position. */
export const listOrders = async (
  db: D1Database,
  customerId: string,
  after: Position | undefined,
  limit: number,
): Promise<readonly Stored<Order>[]> => {
  // Every time of creation begins with a digit, which sorts before the tilde.
  const { createdAt, id } = after ?? { createdAt: "~", id: "" };
  const list = db.prepare(LIST_ORDERS).bind(customerId, createdAt, id, limit);
  const { results } = await list.all<OrderRow>();
  return results.map(toStored);
};

/** Places an order under a new id, at the prices of the moment: wholly, in one transaction, or not at all. */
export const insertOrder = async (
  db: D1Database,
  customerId: string,
  order: NewOrder,
  now: Date,
): Promise<Placement> => {
  const id = crypto.randomUUID();
  const lines = JSON.stringify(order.items);
  const [, , placed, missing] = await db.batch([
    db.prepare(INSERT_ORDER).bind(id, customerId, order.note ?? null, now.toISOString(), lines),
    db.prepare(INSERT_ITEMS).bind(id, lines),
    db.prepare(SELECT_ORDER).bind(id, customerId),
    db.prepare(MISSING_LINES).bind(lines),
  ]);
  const [row] = (placed?.results ?? []) as OrderRow[];
  if (row !== undefined) return { outcome: "placed", stored: toStored(row) };
  const unknown = ((missing?.results ?? []) as { line: number }[]).map(({ line }) => line);
  return unknown.length > 0
    ? { outcome: "unknown-product", lines: unknown }
    : { outcome: "mixed-currencies" };
};

/**
 * Cancels an order which is pending or confirmed and has the expected version, or whichever it has when none is
 * expected. One transaction, so that the reason for a cancellation that did not happen is that of the same moment.
 */
export const cancelOrder = async (
  db: D1Database,
  id: string,
  customerId: string,
  expectedVersion: number | undefined,
  now: Date,
): Promise<Cancellation> => {
  const [cancelled, current] = await db.batch([
    db.prepare(CANCEL_ORDER).bind(id, customerId, now.toISOString(), expectedVersion ?? null),
    db.prepare(SELECT_ORDER).bind(id, customerId),
  ]);
  const [row] = (current?.results ?? []) as OrderRow[];
  if (row === undefined) return { outcome: "missing" };
  if ((cancelled?.results.length ?? 0) > 0) return { outcome: "cancelled", stored: toStored(row) };
  const isStale = expectedVersion !== undefined && row.version !== expectedVersion;
  return isStale ? { outcome: "changed" } : { outcome: "not-cancellable", status: row.status };
};
