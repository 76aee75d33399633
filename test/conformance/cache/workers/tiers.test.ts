import { describe, expect, it } from "vitest";
import { edgeCache } from "../../../../src/adapters/cloudflare/edge-cache.ts";
import { isOfWire, playAlone, TIERS, unmetIn } from "../alone.ts";
import { CASES } from "../cases/index.ts";
import { OWN } from "../cases/own.ts";

// The cases in the Workers runtime: its Request, Response and Headers, and its Cache API as the data centre's cache.

const edge = edgeCache({ now: () => Date.now() })!;

/** A Request takes no method that the runtime does not know. */
const UNKNOWN = ["invalidate-M-SEARCH", "invalidate-M-SEARCH-failed"];

it("has a cache behind the Cache API", async () => {
  expect(await edge.get("a")).toBeUndefined();
  await edge.put("a", new Response("stored"), 60_000);
  expect(await (await edge.get("a"))?.text()).toBe("stored");
});

describe.each(Object.keys(TIERS) as (keyof typeof TIERS)[])("the cases with %s", (name) => {
  it("pass but for what is listed", async () => {
    const failures: Record<string, string> = {};
    for (const one of [...CASES, ...OWN]) {
      if (one.kind === "check" || isOfWire(one)) continue;
      const failure = await playAlone(one, { tiers: TIERS[name] }, edge);
      if (failure !== undefined) failures[one.id] = failure;
    }
    expect(Object.keys(failures).toSorted(), JSON.stringify(failures, null, 1)).toEqual(
      [...unmetIn(name), ...UNKNOWN].toSorted(),
    );
  }, 60_000);
});
