import { describe, expect, it } from "vitest";
import { type Problem, problem } from "../../../src/core/problem.ts";
import { answer, Gateway } from "./harness.ts";

const UNREACHABLE: Problem = {
  status: 502,
  code: "upstream-failed",
  title: "Bad gateway",
  proxyError: "connection_terminated",
};
const OPEN: Problem = {
  status: 503,
  code: "circuit-open",
  title: "Service unavailable",
  headers: { "retry-after": "7" },
  proxyError: "destination_unavailable",
};
const LATE: Problem = { status: 504, code: "upstream-timeout", title: "Gateway timeout" };

/** A gateway that has an entry of five seconds ago, and whose way to the origin fails. */
const cutOff = async (directives: string, how: Problem, step = {}): Promise<Gateway> => {
  const gateway = new Gateway(step).answers(() =>
    answer({ "cache-control": directives, etag: '"a"' }, "old"),
  );
  await gateway.send("/a");
  gateway.advance(5);
  gateway.origin = (_sent, exchange) => problem(exchange, how);
  return gateway;
};

describe("an origin that cannot be asked about what is stored (RFC 9111 section 5.2.2.2)", () => {
  it.each<[string, string, object]>([
    ["must-revalidate", "max-age=1, must-revalidate, stale-if-error=60", {}],
    ["proxy-revalidate", "max-age=1, proxy-revalidate", { staleIfErrorMs: 60_000 }],
    ["s-maxage", "s-maxage=1", { staleIfErrorMs: 60_000 }],
    ["no-cache", "no-cache", { staleIfErrorMs: 60_000 }],
    ["the end of its window", "max-age=1, stale-if-error=3", {}],
    ["no window at all", "max-age=1", {}],
  ])("is 504 where %s forbids what is stale", async (_why, directives, step) => {
    for (const how of [UNREACHABLE, OPEN]) {
      const gateway = await cutOff(directives, how, step);
      const seen = await gateway.send("/a");
      expect([seen.status, seen.problemCode]).toEqual([504, "not-revalidated"]);
      expect(seen.cacheStatus).toBe("postern; fwd=stale");
      expect(seen.headers.get("proxy-status")).toBe(
        `postern; error=${how.proxyError}; details="not-revalidated"`,
      );
      expect(seen.headers.get("retry-after")).toBe(how.headers?.["retry-after"] ?? null);
      expect(seen.headers.get("cache-control")).toBe("no-store");
    }
  });

  it("is stale for the stated time, then 504, then what is stored again", async () => {
    const gateway = await cutOff("max-age=1, stale-if-error=60", UNREACHABLE);
    expect((await gateway.send("/a")).text).toBe("old");
    gateway.advance(60);
    expect((await gateway.send("/a")).status).toBe(504);
    gateway.answers(() => answer({ "cache-control": "max-age=60" }, null, 304));
    expect((await gateway.send("/a")).text).toBe("old");
  });

  it("holds for HEAD, without a body", async () => {
    const gateway = await cutOff("max-age=1", UNREACHABLE);
    const seen = await gateway.send("/a", { method: "HEAD" });
    expect([seen.status, seen.text]).toEqual([504, ""]);
  });

  it.each<[string, string, Problem]>([
    ["a timeout is 504 anyway, in its own words", "max-age=1", LATE],
    ["what is fresh could have been used, had the client let it", "max-age=60", UNREACHABLE],
  ])("%s", async (_sentence, directives, how) => {
    const gateway = await cutOff(directives, how, { clientDirectives: true });
    const seen = await gateway.send("/a", { headers: { "cache-control": "no-cache" } });
    expect([seen.status, seen.problemCode]).toEqual([how.status, how.code]);
  });

  it.each([500, 502, 503, 504])("what the origin itself says with %i is passed on", async (status) => {
    const gateway = await cutOff("max-age=1, must-revalidate", UNREACHABLE);
    gateway.answers(() => answer({ "proxy-status": "inner; error=dns_error" }, "its words", status));
    const seen = await gateway.send("/a");
    expect([seen.status, seen.text]).toEqual([status, "its words"]);
  });

  it("where nothing is stored, the failure is told as it is", async () => {
    const gateway = await cutOff("max-age=1", UNREACHABLE);
    const seen = await gateway.send("/b");
    expect([seen.status, seen.problemCode]).toEqual([502, "upstream-failed"]);
  });
});
