import { describe, expect, it, vi } from "vitest";
import type { Authenticator, Identity, Verdict } from "../../src/core/identity.ts";
import type { CompileContext, Fault, Path } from "../../src/core/policy.ts";
import { filter, type Step } from "../../src/policies/identity/filter.ts";
import { identity } from "../../src/policies/identity/policy.ts";
import { fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";

const passed = (kind: string): Verdict => ({
  outcome: "passed",
  identity: { kind, id: `${kind}:1` },
  edits: [{ op: "set", name: `x-${kind}`, value: "1" }],
});
const absent: Verdict = { outcome: "absent" };
const refused = (over: object = {}): Verdict => ({
  outcome: "refused",
  status: 401,
  code: "token-expired",
  detail: "The token has expired.",
  challenge: 'Bearer error="invalid_token"',
  ...over,
});

/** Runs the identity step over authenticators that say what a test wants, each at once or later. */
const run = async (
  verdicts: Record<string, Verdict>,
  any: Step["any"],
  { later = false, next = () => new Response("served") as Response } = {},
) => {
  const asked: string[] = [];
  const counted: unknown[] = [];
  const metrics = { count: (...it: unknown[]) => void counted.push(it), observe: vi.fn(), gauge: vi.fn() };
  const site = fakeSite(
    {},
    {
      authenticator: (policy): Authenticator => ({
        kind: policy,
        challenge: policy,
        always: [{ op: "remove", name: `x-${policy}` }],
        authenticate: () => {
          asked.push(policy);
          return later ? Promise.resolve(verdicts[policy]!) : verdicts[policy]!;
        },
      }),
    },
  );
  const authenticators = Object.keys(verdicts).map((policy) => ({ policy, step: {} }));
  const linked = filter({ authenticators, any }, fakePorts({ metrics }), site)!;
  const exchange = fakeExchange(new Request("https://api.example.com/"));
  const answer = linked(next)(exchange);
  return { answer, response: await answer, exchange, asked, counted };
};

/** `jwt` and `apiKey` as alternatives, in this order. */
const EITHER = [[0], [1]];
const BOTH = [[0, 1]];
const OR_NOBODY = [[0], [1], []];

describe.each([
  ["at once", false],
  ["later", true],
])("identity, when verdicts come %s", (_, later) => {
  const cases: [string, Record<string, Verdict>, Step["any"], number, Partial<Identity> | undefined][] = [
    ["the first of two", { jwt: passed("jwt"), apiKey: absent }, EITHER, 200, { kind: "jwt" }],
    ["the second of two", { jwt: absent, apiKey: passed("apiKey") }, EITHER, 200, { kind: "apiKey" }],
    [
      "both: the first listed counts",
      { jwt: passed("jwt"), apiKey: passed("apiKey") },
      [[1], [0]],
      200,
      { kind: "apiKey" },
    ],
    ["neither", { jwt: absent, apiKey: absent }, EITHER, 401, undefined],
    ["a wrong first", { jwt: refused(), apiKey: passed("apiKey") }, EITHER, 401, undefined],
    ["a wrong second", { jwt: passed("jwt"), apiKey: refused() }, EITHER, 401, undefined],
    ["a wrong one, where anybody may come", { jwt: refused(), apiKey: absent }, OR_NOBODY, 401, undefined],
    [
      "none, where anybody may come",
      { jwt: absent, apiKey: absent },
      OR_NOBODY,
      200,
      { kind: "anonymous", id: "" },
    ],
    [
      "one, where anybody may come",
      { jwt: absent, apiKey: passed("apiKey") },
      OR_NOBODY,
      200,
      { kind: "apiKey" },
    ],
    ["all that must pass", { jwt: passed("jwt"), apiKey: passed("apiKey") }, BOTH, 200, { kind: "jwt" }],
    ["one of all that must pass", { jwt: passed("jwt"), apiKey: absent }, BOTH, 401, undefined],
    ["the other of all that must pass", { jwt: absent, apiKey: passed("apiKey") }, BOTH, 401, undefined],
    [
      "a pair or a third: the third",
      { cert: passed("cert"), hmac: absent, key: passed("key") },
      [[0, 1], [2]],
      200,
      { kind: "key" },
    ],
    [
      "not enough rights",
      { jwt: refused({ status: 403, code: "insufficient-scope" }) },
      [[0]],
      403,
      undefined,
    ],
    ["nobody can say", { jwt: refused({ status: 503, code: "issuer-unavailable" }) }, [[0]], 503, undefined],
  ];
  it.each(cases)("%s", async (_, verdicts, any, status, wanted) => {
    const next = vi.fn(() => new Response("served"));
    const { response, exchange } = await run(verdicts, any, { later, next });
    expect(response.status).toBe(status);
    expect(next).toHaveBeenCalledTimes(status === 200 ? 1 : 0);
    if (wanted === undefined) expect(exchange.identity).toBeUndefined();
    else expect(exchange.identity).toMatchObject(wanted);
  });

  it("passes on an answer that is no verdict on a credential, counts it, and asks no further", async () => {
    const response = new Response(null, { status: 413 });
    const answered: Verdict = { outcome: "answered", code: "body-too-large", response };
    const next = vi.fn();
    const it = await run({ hmac: answered, apiKey: passed("apiKey") }, EITHER, { later, next });
    expect(it.response).toBe(response);
    expect([it.asked, it.counted]).toEqual([["hmac"], [["postern_auth_failures_total", ["body-too-large"]]]]);
    expect(next).not.toHaveBeenCalled();
  });

  it("asks no further once a credential was refused", async () => {
    expect((await run({ jwt: refused(), apiKey: absent }, EITHER, { later })).asked).toEqual(["jwt"]);
  });

  it("deletes what every policy can set, then sets what the chosen alternative says", async () => {
    const { exchange } = await run({ jwt: passed("jwt"), apiKey: passed("apiKey") }, EITHER, { later });
    expect(exchange.requestEdits).toEqual([
      { op: "remove", name: "x-jwt" },
      { op: "remove", name: "x-apiKey" },
      { op: "set", name: "x-jwt", value: "1" },
    ]);
  });

  it("sets what each of all that must pass says", async () => {
    const { exchange } = await run({ jwt: passed("jwt"), apiKey: passed("apiKey") }, BOTH, { later });
    expect(exchange.requestEdits.slice(2).map(({ op }) => op)).toEqual(["set", "set"]);
  });
});

describe("the answer to", () => {
  const challenges = (response: Response) => response.headers.get("www-authenticate");

  it("no credential names one challenge for each alternative", async () => {
    const { response, counted } = await run({ jwt: absent, apiKey: absent }, EITHER);
    expect(challenges(response)).toBe("jwt, apiKey");
    expect(await response.json()).toMatchObject({ status: 401, code: "credential-missing" });
    expect(counted).toEqual([["postern_auth_failures_total", ["credential-missing"]]]);
  });
  it("no credential names a challenge once, though two alternatives begin with it", async () => {
    const { response } = await run({ jwt: absent, apiKey: absent, hmac: absent }, [
      [0, 1],
      [0, 2],
    ]);
    expect(challenges(response)).toBe("jwt");
  });
  it("half of a pair asks for the other half", async () => {
    const { response } = await run({ cert: passed("cert"), hmac: absent }, BOTH);
    expect(challenges(response)).toBe("hmac");
  });
  it("a wrong credential says why, and what else would do", async () => {
    const { response, counted } = await run({ jwt: refused(), apiKey: absent }, OR_NOBODY);
    expect(challenges(response)).toBe('Bearer error="invalid_token", apiKey');
    expect(await response.json()).toMatchObject({ code: "token-expired", detail: "The token has expired." });
    expect(counted).toEqual([["postern_auth_failures_total", ["token-expired"]]]);
  });
  it("a wrong credential without a challenge of its own has its policy's", async () => {
    const { response } = await run({ jwt: refused({ challenge: undefined }) }, [[0]]);
    expect(challenges(response)).toBe("jwt");
  });
  it("too few rights names the missing scope only", async () => {
    const verdict = refused({ status: 403, challenge: 'Bearer error="insufficient_scope", scope="a"' });
    const { response } = await run({ jwt: verdict, apiKey: absent }, EITHER);
    expect(challenges(response)).toBe('Bearer error="insufficient_scope", scope="a"');
  });
  it("a credential that nobody can judge says when to come back", async () => {
    const verdict = refused({ status: 503, challenge: undefined, retryAfterSeconds: 30 });
    const { response } = await run({ jwt: verdict }, [[0]]);
    expect(response.headers.get("retry-after")).toBe("30");
    expect(challenges(response)).toBeNull();
  });
  it("every refusal is not to be stored", async () => {
    const { response } = await run({ jwt: absent }, [[0]]);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  });
});

it("makes no promise where no verdict needs one", async () => {
  const { answer } = await run({ jwt: passed("jwt"), apiKey: absent }, EITHER);
  expect(answer).toBeInstanceOf(Response);
});

it("is not installed where no policy proves identity", () => {
  expect(filter({ authenticators: [], any: [[]] }, fakePorts(), fakeSite())).toBeUndefined();
});

describe("the identity policy", () => {
  const compile = (config: object | undefined, attached = ["jwt", "apiKey", "hmac"], steps = attached) => {
    const faults: { at: Path; code: string; severity?: string }[] = [];
    const context = {
      route: { id: "shop.route" },
      identity: { policies: attached, steps: steps.map((policy) => ({ policy, step: {} })) },
      report: (_: unknown, at: Path, { code, severity }: Fault) =>
        faults.push({ at, code, ...(severity && { severity }) }),
    } as unknown as CompileContext;
    const instances =
      config === undefined
        ? []
        : [{ config: identity.schema.parse(config), level: "api", node: "apis.shop", path: [] } as const];
    return { step: identity.compile(instances, context, "only") as unknown as Step | undefined, faults };
  };
  it("asks for all that are attached when it is not written", () => {
    expect(compile(undefined).step?.any).toEqual([[0, 1, 2]]);
  });
  it("adds nothing where nothing is attached", () => {
    expect(compile(undefined, []).step).toBeUndefined();
  });
  it.each<[string, unknown[], number[][]]>([
    ["alternatives", ["apiKey", "jwt", "hmac"], [[1], [0], [2]]],
    ["lists of which all must pass", [["hmac", "jwt"], "apiKey"], [[2, 0], [1]]],
    ["anybody", [["hmac", "jwt"], "apiKey", "anonymous"], [[2, 0], [1], []]],
  ])("takes %s", (_, any, wanted) => {
    const { step, faults } = compile({ any });
    expect(step?.any).toEqual(wanted);
    expect(faults).toEqual([]);
  });
  it("says which name is not attached, and asks for nothing less because of it", () => {
    const { step, faults } = compile({ any: [["jwt", "basicAuth"], "apiKey", "hmac"] });
    expect(faults).toEqual([{ at: ["any", 0], code: "unknown-name" }]);
    expect(step?.any).toEqual([[1], [2]]);
  });
  it("never opens a route because a step is missing", () => {
    expect(compile(undefined, ["jwt", "apiKey"], ["jwt"]).step?.any).toEqual([]);
    expect(compile({ any: ["apiKey"] }, ["apiKey"], []).step?.any).toEqual([]);
  });
  it("warns of an attached policy that no alternative names", () => {
    expect(compile({ any: ["jwt", "apiKey"] }).faults).toEqual([
      { at: ["any"], code: "unused-name", severity: "warning" },
    ]);
  });
  it.each([
    ["no alternative", { any: [] }],
    ["an empty list", { any: [[]] }],
    ["anonymous among what must pass together", { any: [["jwt", "anonymous"]] }],
    ["an unknown key", { all: ["jwt"] }],
  ])("refuses %s", (_, config) => {
    expect(identity.schema.safeParse(config).success).toBe(false);
  });
});
