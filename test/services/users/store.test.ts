import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { findUser, updateUser } from "../../../src/services/users/store.ts";
import { freshDatabase } from "../client.ts";

const now = new Date("2026-09-01T00:00:00.000Z");

beforeEach(freshDatabase);

// What only a request can meet that comes between the two steps of another: the store decides by itself, in one step.
describe("the store changes no user", () => {
  it.each([
    ["that is not there", "43", { name: "Nobody" }, undefined, "missing"],
    ["that has another version than the expected", "42", { name: "Ada King" }, 2, "changed"],
    ["to the address of another", "42", { email: "GRACE@example.com" }, 1, "email-taken"],
  ])("%s", async (_, id, patch, version, outcome) => {
    const before = await findUser(env.DB, "42");
    expect(await updateUser(env.DB, id, patch, version, now)).toEqual({ outcome });
    expect(await findUser(env.DB, "42")).toEqual(before);
  });
});
