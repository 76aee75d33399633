import { beforeEach, describe, expect, it, vi } from "vitest";
import type { User } from "../../../src/services/users/schemas.ts";
import { freshDatabase } from "../client.ts";
import { ask, patch, post, send } from "./client.ts";

beforeEach(freshDatabase);

describe("creating a user", () => {
  it("answers 201 with the place and the entity tag of the new user", async () => {
    const { status, headers, body } = await post({ name: "Mary Somerville", email: "mary@example.com" });
    expect(status).toBe(201);
    expect(headers.get("location")).toBe(`/users/${body.id}`);
    expect(body.updatedAt).toBe(body.createdAt);
    const shown = await send("GET", `/users/${body.id}`);
    expect(shown.body).toEqual(body);
    expect(shown.headers.get("etag")).toBe(headers.get("etag"));
  });

  it.each(["ada@example.com", "ADA@Example.com"])("answers 409 for the taken address %s", async (email) => {
    expect(await post({ name: "Another Ada", email })).toMatchObject({
      status: 409,
      body: { code: "email-taken", errors: [{ pointer: "#/email" }] },
    });
  });

  it.each([
    [{}, ["#/name", "#/email"]],
    [[], ["#"]],
    [null, ["#"]],
    ["text", ["#"]],
    [{ name: "", email: "x" }, ["#/name", "#/email"]],
    [{ name: " Ada", email: "a@example.com" }, ["#/name"]],
    [{ name: "A\nda", email: "a@example.com" }, ["#/name"]],
    [{ name: "A\u0000da", email: "a@example.com" }, ["#/name"]],
    [{ name: "A\ud800da", email: "a@example.com" }, ["#/name"]],
    [{ name: 1, email: null }, ["#/name", "#/email"]],
    [{ name: "Ada", email: "a@example.com", role: "admin", "a/b~c d": 1 }, ["#/role", "#/a~1b~0c%20d"]],
    [JSON.parse('{"name":"Ada","email":"a@example.com","__proto__":{"a":1}}'), ["#/__proto__"]],
  ])("answers 422 for %j and names each fault", async (json, pointers) => {
    const answer = await ask<{ errors: { pointer: string }[] }>("POST", "/users", { json });
    expect(answer).toMatchObject({ status: 422, body: { code: "invalid-body" } });
    expect(answer.body.errors.map(({ pointer }) => pointer)).toEqual(pointers);
  });

  it("answers 422 for what is too long, and takes what is just not", async () => {
    const domain = `@${"d".repeat(60)}.${"d".repeat(60)}.${"d".repeat(60)}.example`;
    const email = (length: number) => "e".repeat(length - domain.length) + domain;
    expect(await post({ name: "x".repeat(121), email: email(255) })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: "#/name" }, { pointer: "#/email" }] },
    });
    expect((await post({ name: "x".repeat(120), email: email(254) })).status).toBe(201);
  });

  it("keeps text of any language as it is", async () => {
    const { body } = await post({ name: "Софья Ковалевская 👩‍🔬", email: "sofia@example.com" });
    expect((await ask<User>("GET", `/users/${body.id}`)).body.name).toBe("Софья Ковалевская 👩‍🔬");
  });

  it("takes text that looks like SQL for text", async () => {
    const name = "'); DROP TABLE users; --";
    const { body } = await post({ name, email: "bobby@example.com" });
    expect(body.name).toBe(name);
    expect((await send("GET", "/users/42")).status).toBe(200);
  });

  it("lets one of two win who want the same address at the same time", async () => {
    const answers = await Promise.all([1, 2].map(() => post({ name: "Twin", email: "twin@example.com" })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  });
});

describe("changing a user", () => {
  it("changes what the body names, the time and the entity tag, and leaves the rest", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-08-01T12:00:00.000Z") });
    const { status, headers, body } = await patch("42", { name: "Ada King" });
    vi.useRealTimers();
    expect(status).toBe(200);
    expect(headers.get("etag")).toBe('"v2"');
    expect(body).toEqual({
      id: "42",
      name: "Ada King",
      email: "ada@example.com",
      createdAt: "2026-01-17T09:00:00.000Z",
      updatedAt: "2026-08-01T12:00:00.000Z",
    });
    expect((await send("GET", "/users/42")).body).toEqual(body);
  });

  it("lets a user change the case of their own address", async () => {
    expect(await patch("42", { email: "Ada@Example.com" })).toMatchObject({
      status: 200,
      body: { email: "Ada@Example.com" },
    });
  });

  it.each([
    ["an address that is taken", "42", { email: "GRACE@example.com" }, 409, "email-taken"],
    ["a user that is not there", "43", { name: "Nobody" }, 404, "not-found"],
    ["nothing", "42", {}, 422, "invalid-body"],
    ["a property that must not be changed", "42", { id: "1" }, 422, "invalid-body"],
    ["the removal of a property", "42", { name: null }, 422, "invalid-body"],
  ])("refuses %s", async (_, id, json, status, code) => {
    expect(await patch(id, json)).toMatchObject({ status, body: { code } });
    expect((await send("GET", "/users/42")).headers.get("etag")).toBe('"v1"');
  });

  it.each([
    ['"v1"', 200],
    ["*", 200],
    ['"v7", "v1"', 200],
    ['W/"v1"', 412],
    ['"v2"', 412],
    ["v1", 412],
  ])("with If-Match: %s answers %i", async (field, status) => {
    const answer = await patch("42", { name: "Ada King" }, { "if-match": field });
    expect(answer.status).toBe(status);
    if (status === 412) expect(answer.body).toMatchObject({ code: "precondition-failed" });
  });

  it("answers 404, not 412, when there is no user to compare with", async () => {
    expect((await patch("43", { name: "Nobody" }, { "if-match": '"v1"' })).status).toBe(404);
  });

  it("lets one of two win who change the same version at the same time", async () => {
    const changes = ["one", "two"].map((name) => patch("42", { name }, { "if-match": '"v1"' }));
    expect((await Promise.all(changes)).map(({ status }) => status).sort()).toEqual([200, 412]);
  });
});
