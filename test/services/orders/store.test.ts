import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { cancelOrder, findOrder } from "../../../src/services/orders/store.ts";
import { freshDatabase } from "../client.ts";
import { PENDING, UNKNOWN } from "./client.ts";

const now = new Date("2026-09-01T00:00:00.000Z");

beforeEach(freshDatabase);

// What only a request can meet that comes between the two steps of another: the store decides by itself, in one step.
describe("the store cancels no order", () => {
  it.each([
    ["of somebody else", PENDING, "1", undefined, "missing"],
    ["that is not there", UNKNOWN, "42", undefined, "missing"],
    ["that has another version than the expected", PENDING, "42", 2, "changed"],
  ])("%s", async (_, id, customerId, version, outcome) => {
    expect(await cancelOrder(env.DB, id, customerId, version, now)).toEqual({ outcome });
    expect((await findOrder(env.DB, PENDING, "42"))?.record.status).toBe("pending");
  });
});
