import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryCounter } from "../../src/adapters/memory/counter.ts";
import type { Json } from "../../src/core/json.ts";
import type { FilterFactory, Handler } from "../../src/core/policy.ts";
import type { Counter } from "../../src/core/ports.ts";
import { rateLimit } from "../../src/policies/rate-limit/policy.ts";
import { FakeClock, fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";
import { type At, clientAnswer, compilePolicy, type Place } from "./compiling.ts";

const IDENTIFIED: Place = { identity: { policies: ["jwt"] } };
const EARLY = "before-identity";
const LATE = "after-identity";

interface Caller {
  readonly ip?: string;
  readonly host?: string;
  readonly id?: string;
  readonly kind?: string;
  readonly headers?: Record<string, string>;
  readonly status?: number;
}

/** Both stages of one route over one counter, with nothing but a fake identity step between them. */
const gateway = async (
  instances: readonly At[],
  place: Place = IDENTIFIED,
  counter?: (inner: Counter) => Counter,
) => {
  const clock = new FakeClock();
  const counted: string[][] = [];
  const memory = new MemoryCounter(clock);
  const ports = fakePorts({
    clock,
    isolateCounter: counter?.(memory) ?? memory,
    metrics: {
      count: (name, labels) => void counted.push([name, ...labels]),
      observe: () => undefined,
      gauge: () => undefined,
    },
  });
  const { filter } = (await rateLimit.filter()) as { filter: FilterFactory<Json> };
  const chain = [EARLY, LATE].reduceRight<Handler>(
    (next, stage) => {
      const { step, faults } = compilePolicy(rateLimit, instances, stage, place);
      if (faults.length > 0) throw new Error(JSON.stringify(faults));
      return step === undefined ? next : filter(step, ports, fakeSite())!(next);
    },
    () => new Response(null, { headers: { "x-upstream": "1" } }),
  );
  const ask = async (caller: Caller = {}): Promise<Response> => {
    const request = new Request(`https://${caller.host ?? "api.example.com"}/`, {
      headers: caller.headers ?? {},
    });
    const exchange = fakeExchange(request, {
      clientIp: caller.ip ?? "192.0.2.1",
      identity: caller.id === undefined ? undefined : { kind: caller.kind ?? "jwt", id: caller.id },
    });
    const inner = caller.status === undefined ? chain : failing(caller.status);
    return clientAnswer(exchange, await inner(exchange));
  };
  /** The early stage around something that answers with this status. */
  const failing = (status: number): Handler => {
    const { step } = compilePolicy(rateLimit, instances, EARLY, place);
    return filter(step!, ports, fakeSite())!(() => new Response(null, { status }));
  };
  const passed = async (requests: number, caller: Caller = {}): Promise<number> => {
    const answers = await Promise.all(Array.from({ length: requests }, () => ask(caller)));
    return answers.filter(({ status }) => status !== 429).length;
  };
  return { ask, passed, clock, counted, records: ports.records };
};

const on = (...limits: object[]): At[] => [{ config: { limits } }];
const perIp = { name: "per-ip", rate: "5/1m", key: "ip" };

describe("a request over its limit", () => {
  it("is answered with 429, when to come back, and where it stands", async () => {
    const { ask, passed, clock } = await gateway(on(perIp));
    await passed(5);
    clock.advance(18_500);
    const answer = await ask();
    expect(answer.status).toBe(429);
    expect(answer.headers.get("retry-after")).toBe("42");
    expect(answer.headers.get("ratelimit-policy")).toBe('"per-ip";q=5;w=60');
    expect(answer.headers.get("ratelimit")).toBe('"per-ip";r=0;t=42');
    expect(answer.headers.has("x-upstream")).toBe(false);
    expect(await answer.json()).toMatchObject({
      code: "rate-limited",
      status: 429,
      "violated-policies": ["per-ip"],
    });
  });

  it("passes again when it was told to come back", async () => {
    const { ask, passed, clock } = await gateway(on(perIp));
    await passed(5);
    const { headers } = await ask();
    clock.advance(Number(headers.get("retry-after")) * 1000);
    expect((await ask()).status).toBe(200);
  });

  it("is counted in the metrics by names alone", async () => {
    const { passed, counted } = await gateway(on(perIp));
    await passed(6);
    expect(counted).toEqual([["postern_rate_limited_total", "shop", "shop.route", "per-ip", "enforced"]]);
  });
});

it("every answer tells where the caller stands, on the gateway's own terms", async () => {
  const { ask } = await gateway(on(perIp));
  const answer = await ask();
  expect(answer.headers.get("ratelimit-policy")).toBe('"per-ip";q=5;w=60');
  expect(answer.headers.get("ratelimit")).toBe('"per-ip";r=4;t=60');
});

it("of parallel requests at the limit, exactly as many pass as it says (S34)", async () => {
  for (const algorithm of ["slidingWindow", "tokenBucket", "fixedWindow"]) {
    const { passed } = await gateway(on({ ...perIp, algorithm }));
    expect(await passed(50)).toBe(5);
  }
});

describe("keys", () => {
  const cases: readonly (readonly [string, object, Caller, Caller, boolean])[] = [
    ["one address", { key: "ip" }, { ip: "192.0.2.1" }, { ip: "192.0.2.1" }, true],
    ["two addresses", { key: "ip" }, { ip: "192.0.2.1" }, { ip: "192.0.2.2" }, false],
    ["two addresses of one /64", { key: "ip" }, { ip: "2001:db8::1" }, { ip: "2001:db8:0:0:ffff::2" }, true],
    ["addresses of two /64", { key: "ip" }, { ip: "2001:db8::1" }, { ip: "2001:db8:0:1::1" }, false],
    [
      "an IPv4 address and its IPv6 spelling",
      { key: "ip" },
      { ip: "10.0.0.1" },
      { ip: "::ffff:10.0.0.1" },
      true,
    ],
    ["two callers whose address nobody knows", { key: "ip" }, { ip: "" }, { ip: "" }, true],
    [
      "a spoofed X-Forwarded-For (S10)",
      { key: "ip" },
      { headers: { "x-forwarded-for": "1.1.1.1" } },
      { headers: { "x-forwarded-for": "2.2.2.2" } },
      true,
    ],
    ["one host", { key: "host" }, { ip: "192.0.2.1" }, { ip: "192.0.2.2" }, true],
    ["two hosts", { key: "host" }, { host: "a.example.com" }, { host: "b.example.com" }, false],
    [
      "one value of a field",
      { key: { header: "X-Key" } },
      { headers: { "x-key": "a" } },
      { headers: { "x-key": "a" }, ip: "192.0.2.2" },
      true,
    ],
    [
      "two values of a field",
      { key: { header: "x-key" } },
      { headers: { "x-key": "a" } },
      { headers: { "x-key": "b" } },
      false,
    ],
    [
      "two callers without the field",
      { key: { header: "x-key" } },
      { ip: "192.0.2.1" },
      { ip: "192.0.2.2" },
      true,
    ],
    [
      "long values that differ at the end",
      { key: { header: "x-key" } },
      { headers: { "x-key": `${"a".repeat(65_536)}1` } },
      { headers: { "x-key": `${"a".repeat(65_536)}2` } },
      false,
    ],
    [
      "long values that differ in length",
      { key: { header: "x-key" } },
      { headers: { "x-key": "a".repeat(1000) } },
      { headers: { "x-key": "a".repeat(1001) } },
      false,
    ],
    ["one identity", { key: "identity" }, { id: "a", ip: "192.0.2.1" }, { id: "a", ip: "192.0.2.2" }, true],
    ["two identities", { key: "identity" }, { id: "a" }, { id: "b" }, false],
    ["nobody, from one address", { key: "identity" }, { ip: "192.0.2.1" }, { ip: "192.0.2.1" }, true],
    ["nobody, from two addresses", { key: "identity" }, { ip: "192.0.2.1" }, { ip: "192.0.2.2" }, false],
    [
      "the anonymous identity, from two addresses",
      { key: "identity" },
      { id: "anonymous", kind: "anonymous" },
      { id: "anonymous", kind: "anonymous", ip: "192.0.2.2" },
      false,
    ],
    [
      "an identity that is called like an address",
      { key: "identity" },
      { ip: "192.0.2.1" },
      { id: "192.0.2.1", ip: "192.0.2.9" },
      false,
    ],
    [
      "an identity that is called like the key of an address",
      { key: "identity" },
      { ip: "192.0.2.1" },
      { id: "ip\n192.0.2.1", ip: "192.0.2.9" },
      false,
    ],
  ];

  it.each(cases)("%s", async (_, key, first, second, shared) => {
    const { passed } = await gateway(on({ name: "one", rate: "1/1m", ...key }));
    expect(await passed(2, first)).toBe(1);
    expect(await passed(1, second)).toBe(shared ? 0 : 1);
  });
});

describe("several limits", () => {
  it("all have to pass, and a refusal charges none", async () => {
    const { ask, passed, clock } = await gateway(
      on({ name: "burst", rate: "2/1s", key: "ip" }, { name: "daily", rate: "10/1d", key: "host" }),
    );
    expect(await passed(20)).toBe(2);
    clock.advance(1000);
    const answer = await ask();
    expect(answer.headers.get("ratelimit-policy")).toBe('"burst";q=2;w=1, "daily";q=10;w=86400');
    expect(answer.headers.get("ratelimit")).toBe('"burst";r=1;t=1, "daily";r=7;t=86400');
  });

  it("Retry-After is the longest wait of those that refuse", async () => {
    const { ask, passed } = await gateway(
      on({ name: "burst", rate: "2/1s", key: "ip" }, { name: "hourly", rate: "2/1h", key: "ip" }),
    );
    await passed(2);
    const answer = await ask();
    expect(answer.headers.get("retry-after")).toBe("3600");
    expect(await answer.json()).toMatchObject({ "violated-policies": ["burst", "hourly"] });
  });

  it("of all levels hold, each with buckets of the node where it is written", async () => {
    const outer = {
      config: { limits: [{ name: "all", rate: "3/1m", key: "ip" }] },
      level: "gateway",
      node: "gateway",
    } as const;
    const inner = (node: string): At => ({
      config: { limits: [{ name: "own", rate: "2/1m", key: "ip" }] },
      node,
    });
    const clock = new FakeClock();
    const memory = new MemoryCounter(clock);
    const one = await gateway([outer, inner("apis.shop.routes.one")], IDENTIFIED, () => memory);
    const two = await gateway([outer, inner("apis.shop.routes.two")], IDENTIFIED, () => memory);
    expect([await one.passed(5), await two.passed(5)]).toEqual([2, 1]);
  });

  it("before and after identity are told of in one answer; a refusal by the first never asks the second", async () => {
    const { ask, passed } = await gateway(
      on({ name: "ip", rate: "3/1m", key: "ip" }, { name: "id", rate: "5/1m", key: "identity" }),
    );
    const answer = await ask({ id: "a" });
    expect(answer.headers.get("ratelimit-policy")).toBe('"ip";q=3;w=60, "id";q=5;w=60');
    expect(answer.headers.get("ratelimit")).toBe('"ip";r=2;t=60, "id";r=4;t=60');
    await passed(10, { id: "a" });
    expect((await ask({ id: "a", ip: "192.0.2.2" })).headers.get("ratelimit")).toBe(
      '"ip";r=2;t=60, "id";r=1;t=60',
    );
  });

  it("of an upstream are replaced, whichever stage speaks first", async () => {
    for (const key of ["ip", "identity"]) {
      const { step } = compilePolicy(
        rateLimit,
        on({ name: "a", rate: "5/1m", key }),
        key === "ip" ? EARLY : LATE,
        IDENTIFIED,
      );
      expect(step).toMatchObject({ fields: "set" });
    }
  });
});

describe("cost", () => {
  it("takes so many units a request, and is told in units", async () => {
    const { ask, passed } = await gateway(on({ ...perIp, rate: "10/1m", cost: 3 }));
    expect((await ask()).headers.get("ratelimit")).toBe('"per-ip";r=6;t=60');
    expect(await passed(10)).toBe(2);
  });

  it("slows a token bucket down by as much", async () => {
    const { passed, clock } = await gateway(
      on({ ...perIp, rate: "60/1m", burst: 9, cost: 3, algorithm: "tokenBucket" }),
    );
    expect(await passed(10)).toBe(3);
    clock.advance(6000);
    expect(await passed(10)).toBe(2);
  });

  it("of limits that are decided together may differ", async () => {
    const { passed } = await gateway(
      on(
        { name: "a", rate: "10/1m", key: "ip", cost: 3 },
        { name: "b", rate: "100/1m", key: "ip", cost: 50 },
      ),
    );
    expect(await passed(10)).toBe(2);
  });
});

describe("count: auth-failures", () => {
  const guessing = { name: "guessing", rate: "3/5m", key: "ip", count: "auth-failures" };

  it("charges answers of 401 only, and then refuses whatever comes", async () => {
    const { ask, passed } = await gateway(on(guessing));
    for (const status of [200, 403, 404, 500, 200, 403]) expect((await ask({ status })).status).toBe(status);
    for (const status of [401, 401, 401]) expect((await ask({ status })).status).toBe(401);
    const answer = await ask();
    expect(answer.status).toBe(429);
    expect(answer.headers.get("ratelimit")).toBe('"guessing";r=0;t=300');
    expect(answer.headers.get("retry-after")).toBe("300");
    expect(await passed(1, { ip: "192.0.2.2" })).toBe(1);
  });

  it("says nothing of itself to those who do not guess", async () => {
    const { ask } = await gateway(on(guessing));
    expect((await ask()).headers.has("ratelimit-policy")).toBe(false);
  });

  it("is asked before other limits, which a guesser who is locked out does not use up", async () => {
    const { ask, passed } = await gateway(on({ name: "host", rate: "10/1m", key: "host" }, guessing));
    for (let index = 0; index < 3; index++) await ask({ status: 401 });
    expect(await passed(50)).toBe(0);
    expect((await ask({ ip: "192.0.2.2" })).headers.get("ratelimit")).toBe('"host";r=6;t=60');
  });

  it("lets the guesser back after the time", async () => {
    const { ask, clock } = await gateway(on(guessing));
    for (let index = 0; index < 3; index++) await ask({ status: 401 });
    clock.advance(300_000);
    expect((await ask()).status).toBe(200);
  });
});

describe("dryRun", () => {
  const both: At[] = [
    { config: { limits: [{ name: "real", rate: "5/1m", key: "ip" }] }, level: "gateway", node: "gateway" },
    { config: { limits: [{ name: "trial", rate: "2/1m", key: "ip" }], dryRun: true } },
  ];

  it("refuses nobody, and holds the other limits as they are", async () => {
    const { passed, counted } = await gateway(both);
    expect(await passed(10)).toBe(5);
    expect(counted.filter((labels) => labels.at(-1) === "dry-run")).toHaveLength(8);
  });

  it("tells the log, and the client nothing", async () => {
    const { ask, passed, records } = await gateway(both);
    await passed(2);
    expect((await ask()).headers.get("ratelimit-policy")).toBe('"real";q=5;w=60');
    expect(records).toEqual([
      {
        time: "2026-01-01T00:00:00.000Z",
        event: "rate-limit-dry-run",
        requestId: "00000000-0000-4000-8000-000000000000",
        route: "shop.route",
        limits: ["trial"],
      },
    ]);
  });

  it("of failures refuses nobody either", async () => {
    const { ask, counted } = await gateway([
      { config: { limits: [{ name: "g", rate: "1/1m", key: "ip", count: "auth-failures" }], dryRun: true } },
    ]);
    for (let index = 0; index < 3; index++) expect((await ask({ status: 401 })).status).toBe(401);
    expect(counted).toHaveLength(2);
  });
});

it("works alike with a store that takes its time", async () => {
  const slow = (inner: Counter): Counter => ({ take: async (...given) => inner.take(...given) });
  const { passed, ask } = await gateway(
    on(perIp, { name: "g", rate: "1/1m", key: "host", count: "auth-failures" }),
    IDENTIFIED,
    slow,
  );
  expect(await passed(20)).toBe(5);
  expect((await ask({ status: 401, ip: "192.0.2.2" })).status).toBe(401);
  expect((await ask({ ip: "192.0.2.3" })).status).toBe(429);
});

it("no mixture of callers gets more than each one's limit", () => {
  const callers = fc.array(
    fc.record({
      ip: fc.constantFrom("192.0.2.1", "192.0.2.2", "2001:db8::1"),
      id: fc.constantFrom("a", "b"),
    }),
    { maxLength: 60 },
  );
  return fc.assert(
    fc.asyncProperty(callers, async (requests) => {
      const { ask } = await gateway(
        on({ name: "ip", rate: "5/1m", key: "ip" }, { name: "id", rate: "4/1m", key: "identity" }),
      );
      const passed: { ip: string; id: string }[] = [];
      for (const caller of requests) if ((await ask(caller)).status === 200) passed.push(caller);
      for (const group of Map.groupBy(passed, ({ ip }) => ip).values())
        expect(group.length).toBeLessThanOrEqual(5);
      for (const group of Map.groupBy(passed, ({ id }) => id).values())
        expect(group.length).toBeLessThanOrEqual(4);
    }),
    { numRuns: 30 },
  );
});

describe("where a limit applies", () => {
  const byIdentity = { limits: [{ name: "id", rate: "5/1m", key: "identity" }] };
  const open: Place = { identity: { policies: [] } };

  it("one by identity from above does not hold on public routes, and nothing is wrong with that", () => {
    const result = compilePolicy(rateLimit, [{ config: byIdentity, level: "gateway" }], LATE, open);
    expect(result).toEqual({ step: undefined, faults: [] });
  });

  it("each key is in its own stage", () => {
    const instances = on(perIp, { name: "id", rate: "5/1m", key: "identity" });
    const names = (stage: string) =>
      (
        compilePolicy(rateLimit, instances, stage, IDENTIFIED).step as {
          groups: { limits: { name: string }[] }[];
        }
      ).groups.flatMap(({ limits }) => limits.map(({ name }) => name));
    expect([names(EARLY), names(LATE)]).toEqual([["per-ip"], ["id"]]);
  });

  it.each([
    ["one by identity written at a public route", byIdentity, LATE, open, "identity-key-on-public-route"],
    [
      "one by address where the gateway knows none",
      { limits: [perIp] },
      EARLY,
      { gateway: { clientIp: undefined } },
      "client-ip-unknown",
    ],
    [
      "one by identity where anonymous callers have no address",
      byIdentity,
      LATE,
      { identity: { policies: ["jwt"], anonymous: true }, gateway: { clientIp: undefined } },
      "client-ip-unknown",
    ],
  ] as const)("is a fault for %s", (_, config, stage, place, code) => {
    const { faults } = compilePolicy(rateLimit, [{ config }], stage, place as Place);
    expect(faults).toMatchObject([{ code, at: "limits.0.key" }]);
  });

  it("is none for one by identity where every caller has one", () => {
    const { faults } = compilePolicy(rateLimit, [{ config: byIdentity }], LATE, {
      identity: { policies: ["jwt"] },
      gateway: { clientIp: undefined },
    });
    expect(faults).toEqual([]);
  });

  it("a name that a level above has is a fault of the inner one, told once", () => {
    const instances: At[] = [
      { config: { limits: [perIp] }, level: "gateway", node: "gateway" },
      { config: { limits: [{ ...perIp, name: "other" }, perIp] }, node: "apis.shop" },
    ];
    expect(compilePolicy(rateLimit, instances, EARLY).faults).toMatchObject([
      { code: "duplicate-limit", at: "limits.1.name", node: "apis.shop" },
    ]);
    expect(compilePolicy(rateLimit, instances, LATE).faults).toEqual([]);
  });
});

describe("what the policy refuses", () => {
  it.each([
    ["a burst without a bucket", { ...perIp, burst: 10 }, "burst-without-bucket", "limits.0.burst"],
    ["a request that costs more than there is", { ...perIp, cost: 6 }, "cost-over-rate", "limits.0.cost"],
    [
      "a request that costs more than the burst",
      { ...perIp, algorithm: "tokenBucket", burst: 2, cost: 3 },
      "cost-over-rate",
      "limits.0.cost",
    ],
    [
      "failures by identity",
      { ...perIp, key: "identity", count: "auth-failures" },
      "failures-by-identity",
      "limits.0.key",
    ],
    [
      "a rate that cannot be counted",
      { ...perIp, rate: "1000000000/30d" },
      "rate-too-large",
      "limits.0.rate",
    ],
    ["a rate without a time", { ...perIp, rate: "100" }, "bad-quantity", "limits.0.rate"],
    ["a rate of nothing", { ...perIp, rate: "0/1m" }, "bad-quantity", "limits.0.rate"],
    ["a key that is none", { ...perIp, key: "cookie" }, "invalid_union", "limits.0.key"],
    ["a store that is none", { ...perIp, store: "disk" }, "invalid_value", "limits.0.store"],
    ["a name that fields cannot hold", { ...perIp, name: 'a"b' }, "invalid_format", "limits.0.name"],
    ["a prototype for a name", { ...perIp, name: "__proto__" }, "invalid_format", "limits.0.name"],
    ["an unknown key", { ...perIp, window: "1m" }, "unrecognized_keys", "limits.0"],
  ])("%s", (_, limit, code, at) => {
    expect(compilePolicy(rateLimit, [{ config: { limits: [limit] } }], EARLY).faults).toMatchObject([
      { code, at },
    ]);
  });

  it("two limits of one name, and none at all", () => {
    expect(compilePolicy(rateLimit, on(perIp, perIp), EARLY).faults).toMatchObject([
      { code: "duplicate-limit", at: "limits.1.name" },
    ]);
    expect(compilePolicy(rateLimit, on(), EARLY).faults).toMatchObject([{ at: "limits" }]);
  });
});

it("asks the counter for nothing that it need not", async () => {
  const asked: number[] = [];
  const watch = (inner: Counter): Counter => ({
    take: (keys, limits, cost) => {
      asked.push(keys.length);
      return inner.take(keys, limits, cost);
    },
  });
  const { ask } = await gateway(on(perIp, { name: "host", rate: "9/1m", key: "host" }), IDENTIFIED, watch);
  await ask();
  expect(asked).toEqual([2]);
});
