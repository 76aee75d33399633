import { z } from "@hono/zod-openapi";
import { NextCursor } from "../http/page.ts";

/** What an order can still become says whether its customer may cancel it; see store.ts. */
export const OrderStatus = z
  .enum(["pending", "confirmed", "shipped", "delivered", "cancelled"])
  .openapi("OrderStatus", {
    description: "How far an order is. Pending and confirmed ones may be cancelled.",
  });

const sku = z
  .string()
  .max(32)
  .regex(/^[A-Z0-9]+(?:-[A-Z0-9]+)*$/, "Must be upper-case letters and digits in groups joined by hyphens")
  .openapi({ description: "The product.", examples: ["LAMP-BRASS"] });

/** Halves of surrogate pairs have no UTF-8, so the database would alter them. */
const NOTE = /^(?:[^\p{Cc}\p{Cs}]|[\t\n\r])*$/u;

const quantity = z
  .int()
  .min(1)
  .max(1000)
  .openapi({ description: "How many.", examples: [1] });

const currency = z
  .string()
  .length(3)
  .openapi({ description: "ISO 4217 code of the currency.", examples: ["EUR"] });

const amount = (description: string) =>
  z
    .int()
    .min(0)
    .openapi({ description: `${description}, in minor units (cents).`, examples: [6400] });

const time = (description: string) => z.iso.datetime().openapi({ description: `${description}, in UTC.` });

const lamp = {
  id: "6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a01",
  customerId: "42",
  status: "pending" as const,
  items: [
    { sku: "LAMP-BRASS", quantity: 1, unitPrice: 6400, currency: "EUR" },
    { sku: "CANDLE-WAX", quantity: 2, unitPrice: 450, currency: "EUR" },
  ],
  currency: "EUR",
  total: 7300,
  note: null,
  createdAt: "2026-02-02T10:15:00.000Z",
  updatedAt: "2026-02-02T10:15:00.000Z",
};

export const OrderId = z.uuid().openapi({ description: "Given by the service.", examples: [lamp.id] });

export const OrderItem = z
  .object({ sku, quantity, unitPrice: amount("The price of one at the time of ordering"), currency })
  .openapi("OrderItem", { description: "A line of an order." });

export const Order = z
  .object({
    id: OrderId,
    customerId: z.string().openapi({ description: "Who ordered.", examples: ["42"] }),
    status: OrderStatus,
    items: z.array(OrderItem).openapi({ description: "The lines, as they were ordered." }),
    currency,
    total: amount("The sum of all lines"),
    note: z.string().nullable().openapi({ description: "What the customer wished to say." }),
    createdAt: time("When it was ordered"),
    updatedAt: time("When it last changed"),
  })
  .openapi("Order", { description: "What a customer ordered.", examples: [lamp] });

export const NewOrderItem = z.strictObject({ sku, quantity }).openapi("NewOrderItem", {
  description: "A line to order.",
  examples: [{ sku: "LAMP-BRASS", quantity: 1 }],
});

export const NewOrder = z
  .strictObject({
    items: z
      .array(NewOrderItem)
      .min(1)
      .max(50)
      .superRefine((items, context) => {
        const seen = new Set<string>();
        for (const [line, item] of items.entries()) {
          if (seen.has(item.sku)) {
            const message = "Is in the order already; raise the quantity there";
            context.addIssue({ code: "custom", path: [line, "sku"], message });
          }
          seen.add(item.sku);
        }
      })
      .openapi({ description: "The lines; a product is in one of them only, and all have one currency." }),
    note: z
      .string()
      .max(500)
      .regex(NOTE, "Must be text without control characters other than tabs and line breaks")
      .optional()
      // The generator writes a pattern's flags into its text: so the text is given beside it.
      .openapi({ pattern: NOTE.source, description: "What to tell those who deliver it." }),
  })
  .openapi("NewOrder", {
    description: "What an order is created from. The service knows the prices.",
    examples: [
      {
        items: [
          { sku: "LAMP-BRASS", quantity: 1 },
          { sku: "CANDLE-WAX", quantity: 2 },
        ],
      },
    ],
  });

export const OrderPage = z.object({ items: z.array(Order), nextCursor: NextCursor }).openapi("OrderPage", {
  description: "Some of the caller's orders, the newest first.",
  examples: [{ items: [lamp], nextCursor: null }],
});

export type Order = z.infer<typeof Order>;
export type OrderItem = z.infer<typeof OrderItem>;
export type NewOrder = z.infer<typeof NewOrder>;
