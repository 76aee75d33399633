import { describe, expect, it } from "vitest";
import { requestId } from "../../src/policies/request-id/policy.ts";
import { fakeExchange, fakePorts } from "../support/ports.ts";
import { clientAnswer, compilePolicy, linkPolicy, upstreamHeaders } from "./compiling.ts";

const OWN = "00000000-0000-4000-8000-000000000000";
const GIVEN = "5f0c954e-8a3b-4f6e-9d0c-2a7d5f3f9b11";

const run = async (config: unknown, headers: Record<string, string>) => {
  const exchange = fakeExchange(new Request("https://api.example.com/", { headers }));
  const filter = await linkPolicy(requestId, config, fakePorts());
  const answer = clientAnswer(exchange, await filter(() => new Response("ok"))(exchange));
  return { exchange, answer, upstream: upstreamHeaders(exchange) };
};

describe("requestId", () => {
  it("tells the gateway's own id to the upstream and to the client", async () => {
    const { exchange, answer, upstream } = await run({}, {});
    expect(exchange.requestId).toBe(OWN);
    expect(upstream.get("x-request-id")).toBe(OWN);
    expect(answer.headers.get("x-request-id")).toBe(OWN);
  });

  it("replaces a client's id unless it is trusted", async () => {
    const { exchange, upstream } = await run({}, { "X-Request-ID": GIVEN });
    expect(exchange.requestId).toBe(OWN);
    expect(upstream.get("x-request-id")).toBe(OWN);
  });

  it("takes over a trusted id that is a UUID, as it is written", async () => {
    for (const id of [GIVEN, GIVEN.toUpperCase()]) {
      const { exchange, answer, upstream } = await run({ trust: true }, { "x-request-id": id });
      expect(exchange.requestId).toBe(id);
      expect(upstream.get("x-request-id")).toBe(id);
      expect(answer.headers.get("x-request-id")).toBe(id);
    }
  });

  it.each([
    ["another word", "abc-123"],
    ["a UUID and more", `${GIVEN}0`],
    ["two UUIDs, as two fields are joined", `${GIVEN}, ${GIVEN}`],
    ["braces", `{${GIVEN}}`],
    ["no hyphens", GIVEN.replaceAll("-", "")],
    ["an escape sequence", `${GIVEN.slice(0, 35)}\x1b`],
    ["JSON", '{"a":1}'],
    ["nothing", ""],
    ["64 KiB", "a".repeat(65_536)],
  ])("does not take over %s, though trusted", async (_, id) => {
    const { exchange, upstream } = await run({ trust: true }, { "x-request-id": id });
    expect(exchange.requestId).toBe(OWN);
    expect(upstream.get("x-request-id")).toBe(OWN);
  });

  it("uses the field that the policy names", async () => {
    const { upstream, answer } = await run({ header: "X-Correlation-Id" }, {});
    expect(upstream.get("x-correlation-id")).toBe(OWN);
    expect(answer.headers.has("x-request-id")).toBe(false);
  });

  it.each([
    ["an underscore", { header: "x_request_id" }, "header"],
    ["an unknown key", { trusted: true }, ""],
    ["a text for a truth", { trust: "yes" }, "trust"],
  ])("refuses %s", (_, config, at) => {
    expect(compilePolicy(requestId, [{ config }]).faults).toMatchObject([{ at }]);
  });
});
