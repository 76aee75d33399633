import { describe, expect, it } from "vitest";
import { compareObjects } from "../../src/cli/bound-objects.ts";
import { CommandFailed } from "../../src/cli/failure.ts";
import type { Plan } from "../../src/core/plan.ts";

const plan = (healthCheck?: object): Plan =>
  ({ upstreams: { orders: { ...(healthCheck && { healthCheck }) } } }) as unknown as Plan;

const ours = { binding: "POSTERN_HEALTH", className: "HealthChecks" };
const foreign = { binding: "ROOMS", className: "Room" };

describe("the Durable Objects of wrangler.toml", () => {
  it.each([
    ["none, and no health check", plan(), []],
    ["others, and no health check", plan(), [foreign]],
    ["ours, and a health check", plan({}), [foreign, ours]],
  ])("fit the bundle: %s", (_, it, objects) => {
    expect(compareObjects(it, { objects })).toBeUndefined();
  });

  it.each([
    ["none", []],
    ["others", [foreign]],
    ["ours under another name", [{ ...ours, binding: "CHECKS" }]],
  ])("may be missing, with a note: %s", (_, objects) => {
    expect(compareObjects(plan({}), { objects })).toMatch(/POSTERN_HEALTH here: each isolate/);
  });

  it("may not be of a class that the bundle does not export", () => {
    const compare = () => compareObjects(plan(), { objects: [ours] });
    expect(compare).toThrow(CommandFailed);
    expect(compare).toThrow(/does not export: no upstream has a healthCheck/);
  });
});
