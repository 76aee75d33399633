import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  balancerFiles,
  balancerSchema,
  balancers,
  defaultBalancer,
  readsClientIp,
} from "../../src/balancers/index.ts";

const upstream = z.strictObject({ balancer: balancerSchema });
const issuesOf = (balancer: unknown) => upstream.safeParse({ balancer }).error?.issues ?? [];

describe("what an upstream may say of its balancer", () => {
  it.each([
    ["roundRobin", { name: "roundRobin" }],
    ["random", { name: "random" }],
    ["smoothWeightedRoundRobin", { name: "smoothWeightedRoundRobin" }],
    ["weightedRandom", { name: "weightedRandom" }],
    ["leastRequest", { name: "leastRequest" }],
    ["leastResponseTime", { name: "leastResponseTime" }],
    [
      { hash: { by: "header", name: "X-User" } },
      { name: "hash", by: "header", field: "x-user", fallback: "random" },
    ],
    [
      { hash: { by: "cookie", name: "Session" } },
      { name: "hash", by: "cookie", field: "Session", fallback: "random" },
    ],
    [
      { hash: { by: "param", name: "userId", fallback: "ip" } },
      { name: "hash", by: "param", field: "userId", fallback: "ip" },
    ],
    [{ hash: { by: "identity" } }, { name: "hash", by: "identity", fallback: "random" }],
    [{ hash: { by: "identity", fallback: "ip" } }, { name: "hash", by: "identity", fallback: "ip" }],
    [{ hash: { by: "ip" } }, { name: "hash", by: "ip", fallback: "random" }],
    [{ hash: { by: "ip", fallback: "random" } }, { name: "hash", by: "ip", fallback: "random" }],
  ])("%j is the plan %j", (config, plan) => {
    expect(balancerSchema.parse(config)).toEqual(plan);
  });

  it.each([
    [{ by: "header" }, "name", "A hash by header needs the name of the header."],
    [{ by: "cookie" }, "name", "A hash by cookie needs the name of the cookie."],
    [{ by: "param" }, "name", "A hash by param needs the name of the path or host parameter."],
    [{ by: "ip", name: "x" }, "name", "A hash by ip takes no name."],
    [{ by: "identity", name: "x" }, "name", "A hash by identity takes no name."],
    [{ by: "header", name: "x_user" }, "name", "This is not the name of a header field."],
    [{ by: "header", name: "" }, "name", "This is not the name of a header field."],
    [{ by: "cookie", name: "a;b" }, "name", "This is not the name of a cookie."],
    [{ by: "param", name: "{userId}" }, "name", "This is not the name of a parameter."],
    [{ by: "ip", fallback: "ip" }, "fallback", "An address cannot stand in for itself."],
  ])("{ hash: %j } is at fault in %s: %s", (settings, key, wrong) => {
    const [issue, ...more] = issuesOf({ hash: settings });
    expect(more).toEqual([]);
    expect(issue?.path).toEqual(["balancer", "hash", key]);
    expect(issue?.message).toMatch(/^[^\n]+\.\n[^\n]+\.$/);
    expect(issue?.message.split("\n")[0]).toBe(wrong);
  });

  it.each([
    ["roundRobbin"],
    ["hash"],
    [{ hash: {} }],
    [{ hash: { by: "heder", name: "x" } }],
    [{ hash: { by: "ip", weight: 1 } }],
    [{ roundRobin: {} }],
    [{ hash: { by: "ip" }, roundRobin: {} }],
    [3],
    [null],
    [["roundRobin"]],
  ])("%j is refused at the place where it stands", (config) => {
    const issues = issuesOf(config);
    expect(issues.length).toBeGreaterThan(0);
    for (const issue of issues) expect(issue.path[0]).toBe("balancer");
  });

  it("the editor's schema names every word, and describes every setting of the hash", () => {
    const text = JSON.stringify(z.toJSONSchema(balancerSchema, { io: "input" }));
    for (const name of Object.keys(balancers)) expect(text).toContain(`"${name}"`);
    for (const setting of Object.values(balancers.hash.schema.shape))
      expect(setting.description).toBeTruthy();
  });
});

describe("the map", () => {
  it.each(Object.entries(balancerFiles))("%s is a file that exports a balancer: %s", async (_name, file) => {
    const url = new URL(`../../src/balancers/${file}`, import.meta.url);
    expect(existsSync(url)).toBe(true);
    const found: { balancer?: unknown } = await import(url.href);
    expect(found.balancer).toBeTypeOf("function");
  });

  it("has a file for every name that the schema can answer, and for the default", () => {
    expect(Object.keys(balancerFiles)).toEqual(Object.keys(balancers));
    expect(balancerFiles[defaultBalancer.name]).toBe("smooth-weighted-round-robin.ts");
  });

  it.each([
    [{ hash: { by: "ip" } }, true],
    [{ hash: { by: "header", name: "x-user", fallback: "ip" } }, true],
    [{ hash: { by: "header", name: "ip" } }, false],
    ["random", false],
  ])("%j reads the client's address: %s", (config, reads) => {
    expect(readsClientIp(balancerSchema.parse(config))).toBe(reads);
  });
});
