import { describe, expect, it } from "vitest";
import { FakeEdge } from "../../policies/cache/harness.ts";
import { isOfWire, playAlone, TIERS, unmetIn } from "./alone.ts";
import { CASES } from "./cases/index.ts";
import { OWN } from "./cases/own.ts";
import { PRIVATE } from "./cases/private.ts";

// The cases against the policy alone, with a clock of our own: each tier by itself, and all together.

describe.each(Object.keys(TIERS) as (keyof typeof TIERS)[])("the cases with %s", (name) => {
  const tiers = TIERS[name];

  it("pass but for what is listed", async () => {
    const failures: Record<string, string> = {};
    for (const one of [...CASES, ...OWN]) {
      if (one.kind === "check" || isOfWire(one)) continue;
      const failure = await playAlone(one, { tiers }, new FakeEdge());
      if (failure !== undefined) failures[one.id] = failure;
    }
    expect(Object.keys(failures).toSorted(), JSON.stringify(failures, null, 1)).toEqual(unmetIn(name));
  });

  it.each(PRIVATE.map((one) => [one.id, one] as const))("for one caller: %s", async (_, one) => {
    expect(await playAlone(one, { tiers, perCaller: true }, new FakeEdge(), true)).toBeUndefined();
  });
});
