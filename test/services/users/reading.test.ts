import { beforeEach, describe, expect, it, vi } from "vitest";
import type { User } from "../../../src/services/users/schemas.ts";
import { freshDatabase, walk } from "../client.ts";
import { ask, patch, post, send } from "./client.ts";

beforeEach(freshDatabase);

describe("showing a user", () => {
  it("shows one that was seeded", async () => {
    const { status, headers, body } = await send("GET", "/users/42");
    expect(status).toBe(200);
    expect(headers.get("etag")).toBe('"v1"');
    expect(body).toEqual({
      id: "42",
      name: "Ada Lovelace",
      email: "ada@example.com",
      createdAt: "2026-01-17T09:00:00.000Z",
      updatedAt: "2026-01-17T09:00:00.000Z",
    });
  });

  it("answers 404 for one that is not there", async () => {
    expect(await send("GET", "/users/43")).toMatchObject({ status: 404, body: { code: "not-found" } });
  });

  it.each(["a.b", "a%20b", "x".repeat(37), "%00", "'--"])("answers 400 for the id %s", async (id) => {
    expect(await send("GET", `/users/${id}`)).toMatchObject({
      status: 400,
      body: { code: "invalid-parameter", errors: [{ parameter: "userId" }] },
    });
  });

  it.each([
    ['"v1"', 304],
    ['W/"v1"', 304],
    ['"v0", W/"v1" ,"v2"', 304],
    ["*", 304],
    ['"v2"', 200],
    ["v1", 200],
    ['"v1', 200],
    ['"a,\\"v1"', 200],
    ["", 200],
  ])("with If-None-Match: %s answers %i", async (field, status) => {
    const answer = await send("GET", "/users/42", { headers: { "if-none-match": field } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("etag")).toBe('"v1"');
    if (status === 304) expect(answer.body).toBeUndefined();
  });

  it("answers 404, not 304, when there is no user to compare with", async () => {
    expect((await send("GET", "/users/43", { headers: { "if-none-match": "*" } })).status).toBe(404);
  });
});

describe("listing users", () => {
  it("shows all that were seeded, the oldest first, on one page of 20", async () => {
    const { body } = await ask<{ items: User[]; nextCursor: string | null }>("GET", "/users");
    const ids = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "42"];
    expect(body.items.map(({ id }) => id)).toEqual(ids);
    expect(body.nextCursor).toBeNull();
  });

  it.each([1, 4, 13, 100])("in pages of %i shows each user once, although others join", async (limit) => {
    const { body: before } = await ask<{ items: User[] }>("GET", "/users");
    let joined = 0;
    const join = async () => {
      if (joined < 3) await post({ name: "Joins", email: `joins-${joined++}@example.com` });
    };
    const pages = await walk<User>(ask, "/users", limit, {}, join);
    const ids = pages.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.slice(0, 13)).toEqual(before.items.map(({ id }) => id));
    for (const page of pages.slice(0, -1)) expect(page).toHaveLength(limit);
  });

  it("keeps users apart that were created in the same millisecond", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-07-01T00:00:00.000Z") });
    for (const letter of "abcdef") await post({ name: letter, email: `${letter}@twins.example.com` });
    vi.useRealTimers();
    const users = (await walk<User>(ask, "/users", 2)).flat();
    expect(new Set(users.map(({ id }) => id)).size).toBe(19);
    expect(new Set(users.slice(13).map(({ createdAt }) => createdAt)).size).toBe(1);
  });

  it.each([
    ["limit=0", ["limit"]],
    ["limit=101", ["limit"]],
    ["limit=", ["limit"]],
    ["limit=-1", ["limit"]],
    ["limit=1.5", ["limit"]],
    ["limit=1e1", ["limit"]],
    ["limit=ten", ["limit"]],
    ["limit=1&limit=2", ["limit"]],
    ["cursor=", ["cursor"]],
    ["cursor=%21", ["cursor"]],
    ["cursor=MjAyNg", ["cursor"]],
    ["cursor=a&cursor=b", ["cursor"]],
    ["limit=0&cursor=x", ["limit", "cursor"]],
  ])("answers 400 for ?%s", async (query, parameters) => {
    const answer = await ask<{ code: string; errors: { parameter: string }[] }>("GET", `/users?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe("invalid-parameter");
    expect(answer.body.errors.map(({ parameter }) => parameter)).toEqual(parameters);
  });

  it("answers 400 for a cursor that is longer than any of ours", async () => {
    expect((await send("GET", `/users?cursor=${"a".repeat(201)}`)).status).toBe(400);
  });

  it("has an entity tag which changes with what is on the page, and with nothing else", async () => {
    const tagOf = async (target: string) => (await send("GET", target)).headers.get("etag");
    const [first, second] = [await tagOf("/users?limit=5"), await tagOf("/users?limit=4")];
    expect(first).toMatch(/^"[0-9a-f]{32}"$/);
    expect(second).not.toBe(first);
    await patch("42", { name: "Ada King" });
    expect(await tagOf("/users?limit=5")).toBe(first);
    await patch("3", { name: "Katherine Goble" });
    expect(await tagOf("/users?limit=5")).not.toBe(first);
  });

  it("answers 304 to a client that holds the page, and to no other", async () => {
    const etag = (await send("GET", "/users")).headers.get("etag") ?? "";
    const again = () => send("GET", "/users", { headers: { "if-none-match": etag } });
    expect(await again()).toMatchObject({ status: 304, body: undefined });
    await post({ name: "New", email: "new@example.com" });
    expect((await again()).status).toBe(200);
  });
});
