import { describe, expect, it } from "vitest";
import { deprecation } from "../../src/policies/deprecation/policy.ts";
import { fakeExchange, fakePorts } from "../support/ports.ts";
import { clientAnswer, compilePolicy, linkPolicy } from "./compiling.ts";

const fieldsFor = async (config: unknown, upstream: Record<string, string> = {}) => {
  const exchange = fakeExchange(new Request("https://api.example.com/"));
  const filter = await linkPolicy(deprecation, config, fakePorts());
  const answer = clientAnswer(
    exchange,
    await filter(() => new Response(null, { headers: upstream }))(exchange),
  );
  return Object.fromEntries(answer.headers);
};

describe("deprecation", () => {
  it.each([
    ["since when, as a structured date", { since: "2026-06-01" }, { deprecation: "@1780272000" }],
    [
      "until when, as an HTTP date",
      { since: "2026-06-01", sunset: "2027-06-01" },
      { deprecation: "@1780272000", sunset: "Tue, 01 Jun 2027 00:00:00 GMT" },
    ],
    [
      "what to read, for both relations",
      { since: "2026-06-01", sunset: "2027-06-01", link: "https://docs.example.com/v2" },
      {
        deprecation: "@1780272000",
        sunset: "Tue, 01 Jun 2027 00:00:00 GMT",
        link: '<https://docs.example.com/v2>; rel="deprecation"; type="text/html", <https://docs.example.com/v2>; rel="sunset"; type="text/html"',
      },
    ],
  ])("tells %s", async (_, config, expected) => {
    expect(await fieldsFor(config)).toEqual(expected);
  });

  it("replaces what the service says of it, and leaves its other links", async () => {
    const upstream = { deprecation: "@1", link: '</orders?page=2>; rel="next"' };
    expect(await fieldsFor({ since: "2026-06-01" }, upstream)).toEqual({
      deprecation: "@1780272000",
      link: upstream.link,
    });
  });

  it.each([
    ["a date that is none", { since: "2026-02-30" }, "bad-date", "since"],
    ["a date in another form", { since: "June 2026" }, "bad-date", "since"],
    ["an end before the beginning", { since: "2026-06-01", sunset: "2026-05-31" }, "bad-date", "sunset"],
    ["a link to no page", { since: "2026-06-01", link: "javascript:alert(1)" }, undefined, "link"],
  ])("refuses %s", (_, config, code, at) => {
    const { faults } = compilePolicy(deprecation, [{ config }]);
    expect(faults).toHaveLength(1);
    expect(faults[0]!.at).toBe(at);
    if (code !== undefined) expect(faults[0]!.code).toBe(code);
    expect(faults[0]!.remedy).not.toBe("");
  });
});
