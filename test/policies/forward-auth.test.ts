import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Exchange } from "../../src/core/exchange.ts";
import { authenticator, type Step } from "../../src/policies/forward-auth/filter.ts";
import { forwardAuth } from "../../src/policies/forward-auth/policy.ts";
import { fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";
import { compilePolicy, upstreamHeaders } from "./compiling.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const step: Step = {
  service: {
    url: "https://auth.example.com/check?for=shop",
    network: "public",
    timeoutMs: 2000,
    requestHeaders: ["authorization", "cookie"],
  },
  identity: "x-user-id",
  forward: ["x-user-id", "x-groups"],
  redirects: false,
  forwardCredential: false,
};

const said = (status: number, headers: Record<string, string> = {}): Response =>
  new Response(status === 204 || (status >= 300 && status < 400) ? null : "words", { status, headers });

/** A service whose answers a test sets, and a policy that asks it. */
const world = (over: Partial<Step> = {}) => {
  const calls: { url: string; init: RequestInit }[] = [];
  const service = { answer: (): Response | Promise<Response> => said(200, { "x-user-id": "42" }) };
  const ports = fakePorts({
    network: (url, init) => {
      calls.push({ url, init: init! });
      return service.answer();
    },
  });
  const policy = authenticator({ ...step, ...over }, ports, fakeSite());
  return { policy, calls, service, ports };
};

const presenting = (
  headers: Record<string, string> = { cookie: "session=1" },
  over: Partial<Exchange> = {},
) =>
  fakeExchange(
    new Request("https://api.example.com/a/../b?x=1", { method: "POST", body: "secret", headers }),
    { scheme: "https", ...over },
  );

/** The headers for the upstream, as the identity step has them edited. */
const upstreamOf = async ({ policy }: ReturnType<typeof world>, headers: Record<string, string>) => {
  const exchange = presenting(headers);
  const verdict = await policy.authenticate(exchange);
  exchange.requestEdits.push(...policy.always, ...(verdict.outcome === "passed" ? verdict.edits : []));
  return Object.fromEntries(upstreamHeaders(exchange));
};

describe("the service", () => {
  it("sees what the request is, the fields that the policy names, and nothing else of it", async () => {
    const { policy, calls } = world();
    await policy.authenticate(
      presenting({
        cookie: "session=1",
        authorization: "Bearer x",
        "x-forwarded-uri": "/public",
        "x-forwarded-method": "GET",
        "x-forwarded-for": "10.0.0.1",
        "content-type": "text/plain",
        "x-user-id": "root",
      }),
    );
    const { url, init } = calls[0]!;
    expect(url).toBe("https://auth.example.com/check?for=shop");
    expect(init).toMatchObject({ method: "GET", redirect: "manual" });
    expect(init.body).toBeUndefined();
    expect(init.headers).toEqual({
      cookie: "session=1",
      authorization: "Bearer x",
      "x-forwarded-method": "POST",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "api.example.com",
      "x-forwarded-uri": "/b?x=1",
      "x-forwarded-for": "192.0.2.1",
    });
  });

  it("sees a field that came twice as the upstream would", async () => {
    const { policy, calls } = world();
    const exchange = presenting();
    exchange.request.headers.append("authorization", "Bearer a");
    exchange.request.headers.append("authorization", "Bearer b");
    await policy.authenticate(exchange);
    expect((calls[0]!.init.headers as Record<string, string>)["authorization"]).toBe("Bearer a, Bearer b");
  });

  it("is told no address where the gateway knows none", async () => {
    const { policy, calls } = world();
    await policy.authenticate(presenting(undefined, { clientIp: "" }));
    expect(calls[0]!.init.headers).not.toHaveProperty("x-forwarded-for");
  });

  it("is not asked for who presents nothing", async () => {
    const { policy, calls } = world();
    expect(policy.authenticate(presenting({ "x-user-id": "42" }))).toEqual({ outcome: "absent" });
    expect(calls).toEqual([]);
  });

  it("is asked each time: nothing is kept", async () => {
    const { policy, calls, service } = world();
    await policy.authenticate(presenting());
    service.answer = () => said(401);
    expect(await policy.authenticate(presenting())).toMatchObject({ status: 401 });
    expect(calls).toHaveLength(2);
  });
});

describe("a service that lets in", () => {
  it.each([200, 204, 299])("with %d says who it is", async (status) => {
    const { policy, service } = world();
    service.answer = () => said(status, { "x-user-id": "4:2" });
    expect(await policy.authenticate(presenting())).toMatchObject({
      outcome: "passed",
      identity: {
        kind: "forwardAuth",
        id: "https%3A%2F%2Fauth.example.com:4:2",
        issuer: "https://auth.example.com",
        subject: "4:2",
      },
    });
  });

  it.each([
    ["nobody", {}],
    ["a name that is empty", { "x-user-id": "" }],
    ["a name without end", { "x-user-id": "x".repeat(513) }],
  ])("and says %s lets nobody in", async (_, headers) => {
    const { policy, service, ports } = world();
    service.answer = () => said(200, headers);
    expect(await policy.authenticate(presenting())).toMatchObject({ status: 503, code: "auth-unavailable" });
    expect(ports.records).toMatchObject([{ reason: "no name in x-user-id" }]);
  });

  it.each<[string, Response | undefined, Record<string, string>]>([
    [
      "what it says",
      said(200, { "x-user-id": "42", "x-groups": "a, b" }),
      { "x-user-id": "42", "x-groups": "a, b" },
    ],
    [
      "nothing of the client's where it leaves something out",
      said(200, { "x-user-id": "42" }),
      { "x-user-id": "42" },
    ],
    ["nothing of the client's where it refuses", said(401), {}],
    ["nothing of the client's where it is away", said(500), {}],
  ])("the upstream sees %s, and no credential", async (_, answer, expected) => {
    const it = world();
    it.service.answer = () => answer!;
    const headers = {
      cookie: "session=1",
      authorization: "Basic eA==",
      "X-User-Id": "root",
      "x-groups": "admin",
    };
    const { "content-type": _type, ...seen } = await upstreamOf(it, headers);
    expect(seen).toEqual(expected);
  });

  it("the upstream sees nothing of a name that is not forwarded, and the credential where it may", async () => {
    const it = world({ forward: [], forwardCredential: true });
    const { "content-type": _type, ...seen } = await upstreamOf(it, { cookie: "a=1", "x-user-id": "root" });
    expect(seen).toEqual({ cookie: "a=1" });
  });

  it("its word for a credential's field stands in its place", async () => {
    const it = world({ forward: ["authorization"] });
    it.service.answer = () => said(200, { "x-user-id": "42", authorization: "Bearer inner" });
    expect(await upstreamOf(it, { authorization: "Bearer outer" })).toMatchObject({
      authorization: "Bearer inner",
    });
  });
});

describe("a service that does not let in", () => {
  it.each<[string, number, Record<string, string>, object]>([
    [
      "401 with a challenge",
      401,
      { "www-authenticate": 'Basic realm="us"' },
      { status: 401, code: "auth-refused", challenge: 'Basic realm="us"' },
    ],
    ["401 without one", 401, {}, { status: 401, challenge: 'Bearer realm="shop"' }],
    [
      "401 with one without end",
      401,
      { "www-authenticate": "x".repeat(1025) },
      { status: 401, challenge: 'Bearer realm="shop"' },
    ],
    ["403", 403, {}, { status: 403, code: "auth-refused" }],
    [
      "403 with a challenge",
      403,
      { "www-authenticate": "Bearer error=x" },
      { status: 403, challenge: "Bearer error=x" },
    ],
    ["another refusal", 404, {}, { status: 503, code: "auth-unavailable", retryAfterSeconds: 5 }],
    ["a limit of its own", 429, {}, { status: 503 }],
    ["a failure", 500, {}, { status: 503 }],
    ["a redirect", 302, { location: "https://login.example.com/" }, { status: 503 }],
    ["a redirect with a name", 302, { location: "/", "x-user-id": "42" }, { status: 503 }],
    ["304", 304, { "x-user-id": "42" }, { status: 503 }],
  ])("%s", async (_, status, headers, verdict) => {
    const { policy, service } = world();
    service.answer = () => said(status, headers);
    expect(await policy.authenticate(presenting())).toMatchObject({ outcome: "refused", ...verdict });
  });

  it("because it cannot be reached", async () => {
    const { policy, service, ports } = world();
    service.answer = () => Promise.reject(new TypeError("connection refused"));
    for (const _ of [1, 2])
      expect(await policy.authenticate(presenting())).toMatchObject({
        status: 503,
        code: "auth-unavailable",
      });
    expect(ports.records).toHaveLength(1);
  });

  it("in time", async () => {
    const { policy, service, calls } = world();
    service.answer = () => new Promise(() => {});
    const verdict = policy.authenticate(presenting());
    await vi.advanceTimersByTimeAsync(1999);
    expect(calls[0]!.init.signal!.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await verdict).toMatchObject({ status: 503, code: "auth-unavailable" });
    expect(calls[0]!.init.signal!.aborted).toBe(true);
  });

  it("because there is no network", async () => {
    const ports = fakePorts({ fetch: { open: () => undefined } });
    const policy = authenticator(step, ports, fakeSite());
    expect(await policy.authenticate(presenting())).toMatchObject({ status: 503 });
  });
});

describe("a service that sends people to where they sign in", () => {
  it.each([302, 303, 307])(
    "with %d is asked for everybody, and its Location alone is passed on",
    async (status) => {
      const { policy, service } = world({ redirects: true });
      const location = "https://login.example.com/?back=%2Fb";
      service.answer = () => said(status, { location, "set-cookie": "a=1", "x-internal": "1" });
      const verdict = await policy.authenticate(presenting({}));
      expect(verdict).toMatchObject({ outcome: "answered", code: "auth-redirected" });
      const { response } = verdict as Extract<typeof verdict, { outcome: "answered" }>;
      expect([response.status, await response.text()]).toEqual([status, ""]);
      expect(Object.fromEntries(response.headers)).toEqual({ location, "cache-control": "no-store" });
    },
  );

  it.each([
    [301, { location: "/" }],
    [308, { location: "/" }],
    [302, {}],
    [200, { location: "/" }],
  ])("with %d and %o does not", async (status, headers) => {
    const { policy, service } = world({ redirects: true });
    service.answer = () => said(status, headers as Record<string, string>);
    expect(await policy.authenticate(presenting({}))).toMatchObject({ outcome: "refused", status: 503 });
  });
});

describe("forwardAuth in a policy file", () => {
  const least = { url: "https://auth.example.com/check", identity: "X-User-Id" };
  const compile = (config: object) => compilePolicy(forwardAuth, [{ config: { ...least, ...config } }]);

  it("has defaults", () => {
    expect(compile({})).toEqual({
      faults: [],
      step: { ...step, service: { ...step.service, url: least.url }, forward: [] },
    });
  });

  it.each<[object, object]>([
    [{ url: "http://127.0.0.1/" }, { service: { network: "private" } }],
    [{ timeout: "1s" }, { service: { timeoutMs: 1000 } }],
    [{ requestHeaders: ["Cookie"] }, { service: { requestHeaders: ["cookie"] } }],
    [{ forward: ["X-Groups"] }, { forward: ["x-groups"] }],
    [{ redirects: true }, { redirects: true }],
    [{ forwardCredential: true }, { forwardCredential: true }],
  ])("%o", (config, expected) => {
    const { step: made, faults } = compile(config);
    expect(faults).toEqual([]);
    expect(made).toMatchObject(expected);
  });

  it.each<[string, object, string]>([
    ["clear text", { url: "http://auth.example.com/" }, "insecure-url"],
    ["nobody's name", { identity: undefined }, "invalid_type"],
    ["a field that the gateway writes", { requestHeaders: ["X-Forwarded-Proto"] }, "reserved-header"],
    ["a field of the client's connection", { requestHeaders: ["connection"] }, "reserved-header"],
    ["a field of the connection", { forward: ["host"] }, "bad-name"],
    ["no field of the client", { requestHeaders: [] }, "too_small"],
    ["a key that is none", { cacheFor: "1m" }, "unrecognized_keys"],
  ])("with %s is refused", (_, config, code) => {
    expect(compile(config).faults.map((fault) => fault.code)).toEqual([code]);
  });
});
