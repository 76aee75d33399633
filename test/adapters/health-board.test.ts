import { describe, expect, it, vi } from "vitest";
import { healthPort } from "../../src/adapters/cloudflare/health-board.ts";

/** A namespace of Durable Objects whose objects answer, throw or reject. */
const namespace = (read: (upstream: string) => Promise<Readonly<Record<string, boolean>>>) => {
  const named: string[] = [];
  const getByName = vi.fn((name: string) => {
    named.push(name);
    return { read };
  });
  return { named, env: { POSTERN_HEALTH: { getByName } } };
};

describe("the board", () => {
  it.each([
    ["nothing", {}],
    ["a text of that name", { POSTERN_HEALTH: "yes" }],
    ["null, as for a variable that is not set", { POSTERN_HEALTH: null }],
    ["something else of that name", { POSTERN_HEALTH: { fetch: () => {} } }],
  ])("is not there where the platform has %s", (_, env) => {
    expect(healthPort(env)).toEqual({});
  });

  it("asks one object for each upstream, by its name", async () => {
    const { env, named } = namespace(async (upstream) => ({ [`target of ${upstream}`]: true }));
    const { health } = healthPort(env);
    expect(named).toEqual([]);
    expect(await health!.read("orders")).toEqual({ "target of orders": true });
    expect(await health!.read("users")).toEqual({ "target of users": true });
    expect(named).toEqual(["orders", "users"]);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("Durable Object is overloaded."))],
    [
      "throws",
      () => {
        throw new Error("no such method");
      },
    ],
  ])("rejects, and never throws, where the object %s", async (_, read) => {
    const reading = healthPort(namespace(read).env).health!.read("orders");
    await expect(reading).rejects.toThrow();
  });
});
