import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fakeExchange } from "../../support/ports.ts";
import { upstreamHeaders } from "../compiling.ts";
import { bearing, codeOf, good, NOW, step, world } from "./support.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

describe("an authorization server", () => {
  it("is asked as RFC 7662 says, by a client that proves itself, and no redirect is followed", async () => {
    const { ask, calls, opened } = world();
    expect(codeOf(await ask("t0k.en-_~+/=="))).toBe("passed");
    expect(opened).toEqual([{ network: "public" }]);
    const { url, init } = calls[0]!;
    expect([url, init!.method, init!.redirect]).toEqual([
      "https://login.example.com/introspect",
      "POST",
      "manual",
    ]);
    expect(init!.body).toBe("token=t0k.en-_%7E%2B%2F%3D%3D&token_type_hint=access_token");
    const headers = new Headers(init!.headers);
    expect(headers.get("content-type")).toBe("application/x-www-form-urlencoded");
    expect(atob(headers.get("authorization")!.slice(6))).toBe("gate+way:s%3Ae%25c+r%2Bt");
  });

  it.each<[string, object, string, number]>([
    ["an active token", good, "passed", 200],
    ["one without an end", { active: true, sub: "42" }, "passed", 200],
    ["one of a client for itself", { active: true, client_id: "app" }, "passed", 200],
    ["one of a type that is Bearer in other letters", { ...good, token_type: "bearer" }, "passed", 200],
    ["one that is not active", { active: false }, "token-inactive", 401],
    ["one that is not active, whatever else it says", { ...good, active: false }, "token-inactive", 401],
    ["active as a text", { ...good, active: "true" }, "introspection-unavailable", 503],
    ["active as a number", { ...good, active: 1 }, "introspection-unavailable", 503],
    ["nothing of active", { sub: "42" }, "introspection-unavailable", 503],
    ["a list", [good], "introspection-unavailable", 503],
    ["one that has expired", { ...good, exp: NOW }, "token-expired", 401],
    ["one that expires now", { ...good, exp: NOW + 0.001 }, "passed", 200],
    ["one that is not good yet", { ...good, nbf: NOW + 1 }, "token-not-yet-valid", 401],
    ["one that is good since now", { ...good, nbf: NOW }, "passed", 200],
    ["an end as a text", { ...good, exp: String(NOW + 9) }, "token-claims", 401],
    ["an end that is nothing", { ...good, exp: null }, "token-claims", 401],
    ["a beginning as a boolean", { ...good, nbf: false }, "token-claims", 401],
    ["an issue date as a list", { ...good, iat: [] }, "token-claims", 401],
    ["nobody", { active: true }, "token-claims", 401],
    ["somebody without a name", { active: true, sub: "" }, "token-claims", 401],
    ["somebody whose name is a number", { active: true, sub: 42, client_id: "app" }, "token-claims", 401],
    ["one that has to be proven", { ...good, token_type: "DPoP" }, "token-type", 401],
    ["a type that is no text", { ...good, token_type: ["Bearer"] }, "token-type", 401],
  ])("that says %s", async (_, answer, code, status) => {
    const { ask, server } = world();
    server.answer = () => Response.json(answer);
    const verdict = await ask("token");
    expect(codeOf(verdict)).toBe(code);
    if (verdict.outcome === "refused") {
      expect(verdict.status).toBe(status);
      expect(verdict.challenge?.startsWith('Bearer realm="shop", error="invalid_token"')).toBe(
        status === 401 || undefined,
      );
    }
  });

  it.each<[string, () => Response | Promise<Response>]>([
    ["fails", () => new Response("no", { status: 500 })],
    ["does not know the gateway", () => Response.json({ error: "invalid_client" }, { status: 401 })],
    ["answers with another success", () => Response.json(good, { status: 201 })],
    [
      "redirects",
      () => new Response(null, { status: 302, headers: { location: "https://evil.example.com/" } }),
    ],
    ["answers nothing", () => new Response(null, { status: 200 })],
    ["answers no JSON", () => new Response("<html>")],
    ["answers half of it", () => new Response('{"active":true,"sub":')],
    ["answers no UTF-8", () => new Response(new Uint8Array([0x22, 0xff, 0x22]))],
    ["answers too much", () => new Response(JSON.stringify({ ...good, x: "x".repeat(65_536) }))],
    ["cannot be reached", () => Promise.reject(new TypeError("connection refused"))],
    ["answers null", () => new Response("null")],
  ])("that %s lets nobody in, and is asked again", async (_, answer) => {
    const { ask, server, calls, ports } = world();
    server.answer = answer;
    const verdict = await ask("token");
    expect(verdict).toMatchObject({ status: 503, code: "introspection-unavailable", retryAfterSeconds: 5 });
    expect(verdict).not.toHaveProperty("challenge");
    expect(codeOf(await ask("token"))).toBe("introspection-unavailable");
    expect(calls).toHaveLength(2);
    // Once for a while, and without a word of the token or the answer.
    expect(ports.records).toHaveLength(1);
    expect(JSON.stringify(ports.records)).not.toMatch(/token"|"42|<html>/);
    server.answer = () => Response.json(good);
    expect(codeOf(await ask("token"))).toBe("passed");
  });

  it("that does not answer in time lets nobody in, and its call is given up", async () => {
    const { ask, server, calls } = world();
    server.answer = () => new Promise(() => {});
    const verdict = ask("token");
    await vi.advanceTimersByTimeAsync(1999);
    expect(calls[0]!.init!.signal!.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(codeOf(await verdict)).toBe("introspection-unavailable");
    expect(calls[0]!.init!.signal!.aborted).toBe(true);
  });

  it("is not asked for what cannot be a token", async () => {
    const { ask, calls, policy } = world();
    for (const token of ["", " a", "a b", "a,b", "ü", "a=b", "x".repeat(8193), '"a"', "a, Bearer b"])
      expect([token, codeOf(await ask(token))]).toEqual([token, "token-malformed"]);
    for (const authorization of ["Basic dG9rZW4=", "Token token"]) {
      const request = new Request("https://api.example.com/", { headers: { authorization } });
      expect(codeOf(await policy.authenticate(fakeExchange(request)))).toBe("absent");
    }
    expect(calls).toHaveLength(0);
  });
});

describe("an answer", () => {
  it("is believed for a minute, at once", async () => {
    const { ask, calls, clock, policy } = world();
    await ask("token");
    clock.advance(59_999);
    expect(policy.authenticate(bearing("token"))).toMatchObject({ outcome: "passed" });
    expect(calls).toHaveLength(1);
    clock.advance(1);
    await ask("token");
    expect(calls).toHaveLength(2);
  });

  it("is believed no longer than the token lives", async () => {
    const { ask, calls, clock, server } = world();
    server.answer = () => Response.json({ ...good, exp: NOW + 10 });
    await ask("token");
    clock.advance(9_999);
    expect(codeOf(await ask("token"))).toBe("passed");
    clock.advance(1);
    expect(codeOf(await ask("token"))).toBe("token-expired");
    expect(calls).toHaveLength(2);
  });

  it("that a token is not good is believed for ten seconds", async () => {
    const { ask, calls, clock, server } = world();
    server.answer = () => Response.json({ active: false });
    await ask("token");
    clock.advance(9_999);
    expect(codeOf(await ask("token"))).toBe("token-inactive");
    expect(calls).toHaveLength(1);
    clock.advance(1);
    server.answer = () => Response.json(good);
    expect(codeOf(await ask("token"))).toBe("passed");
  });

  it("is not kept where it may not be", async () => {
    const { ask, calls } = world({ server: { ...step.server, cacheForMs: 0 } });
    await ask("token");
    await ask("token");
    expect(calls).toHaveLength(2);
  });

  it("is not believed for longer because the server is away", async () => {
    const { ask, clock, server } = world();
    await ask("token");
    server.answer = () => new Response(null, { status: 503 });
    expect(codeOf(await ask("token"))).toBe("passed");
    clock.advance(60_000);
    expect(codeOf(await ask("token"))).toBe("introspection-unavailable");
  });

  it("is one token's alone, to the last letter", async () => {
    const { ask, calls, server } = world();
    await ask("token");
    server.answer = () => Response.json({ active: false });
    for (const other of ["token1", "toke", "Token", "token="])
      expect(codeOf(await ask(other))).toBe("token-inactive");
    expect(codeOf(await ask("token"))).toBe("passed");
    expect(calls).toHaveLength(5);
  });

  it("of one server is nothing to another, and of one server it is for all its policies", async () => {
    const { ask, calls, link } = world();

    await ask("token");
    await ask("token", link({ scopes: { any: [], all: ["users.read"] } }));
    expect(calls).toHaveLength(1);
    await ask("token", link({ server: { ...step.server, clientId: "other" } }));
    expect(calls).toHaveLength(2);
  });

  it("is not crowded out by guesses", async () => {
    const { ask, calls, server } = world();
    await ask("token");
    server.answer = () => Response.json({ active: false });
    for (let at = 0; at < 2000; at++) await ask(`guess-${at}`.padEnd(1000, "x"));
    const before = calls.length;
    expect(codeOf(await ask("token"))).toBe("passed");
    expect(calls).toHaveLength(before);
  });
});

describe("many requests with one token", () => {
  it("ask once, under the request that began", async () => {
    const { ask, calls, server, deferred } = world();
    let deliver = (_: Response): void => {};
    server.answer = () => new Promise((resolve) => (deliver = resolve));
    const verdicts = Array.from({ length: 20 }, () => ask("token"));
    await vi.advanceTimersByTimeAsync(1);
    deliver(Response.json(good));
    expect((await Promise.all(verdicts)).map(codeOf)).toEqual(Array(20).fill("passed"));
    expect([calls.length, deferred.length]).toEqual([1, 1]);
  });

  it("do not wait without end for one that is gone, timers and all", async () => {
    const { ask, server, clock, calls } = world();
    server.answer = () => new Promise(() => {});
    void ask("token");
    await vi.advanceTimersByTimeAsync(1);
    vi.clearAllTimers();
    const verdict = ask("token");
    clock.advance(3000);
    await vi.advanceTimersByTimeAsync(3000);
    expect(codeOf(await verdict)).toBe("introspection-unavailable");
    server.answer = () => Response.json(good);
    expect(codeOf(await ask("token"))).toBe("passed");
    expect(calls).toHaveLength(2);
  });
});

describe("what a policy asks of a good token", () => {
  it.each<[string, object, Parameters<typeof world>[0], string]>([
    ["one of the audiences", { aud: "shop" }, { audiences: ["shop", "staff"] }, "passed"],
    ["one of its audiences", { aud: ["x", "staff"] }, { audiences: ["shop", "staff"] }, "passed"],
    ["another audience", { aud: "shops" }, { audiences: ["shop"] }, "token-audience"],
    ["no audience", {}, { audiences: ["shop"] }, "token-audience"],
    ["audiences that are none", { aud: [1, "shop"] }, { audiences: ["shop"] }, "token-audience"],
    ["the issuer", { iss: "https://login.example.com/" }, { issuer: "https://login.example.com/" }, "passed"],
    [
      "the issuer without its slash",
      { iss: "https://login.example.com" },
      { issuer: "https://login.example.com/" },
      "token-issuer",
    ],
    ["no issuer", {}, { issuer: "https://login.example.com/" }, "token-issuer"],
    ["a scope", {}, { scopes: { any: ["users.write", "x"], all: ["users.read"] } }, "passed"],
    ["no such scope", {}, { scopes: { any: [], all: ["users"] } }, "insufficient-scope"],
    ["none of the scopes", {}, { scopes: { any: ["a", "b"], all: [] } }, "insufficient-scope"],
    ["scopes as a list", { scope: ["a", "b"] }, { scopes: { any: ["b"], all: [] } }, "passed"],
    [
      "scopes that are no text",
      { scope: { b: 1 } },
      { scopes: { any: ["b"], all: [] } },
      "insufficient-scope",
    ],
  ])("%s", async (_, claims, over, code) => {
    const { ask, server } = world(over);
    server.answer = () => Response.json({ ...good, ...claims });
    const verdicts = [await ask("token"), await ask("token")];
    expect(verdicts.map(codeOf)).toEqual([code, code]);
    if (code === "insufficient-scope")
      expect(verdicts[0]).toMatchObject({
        status: 403,
        challenge: expect.stringMatching(/error="insufficient_scope".*, scope="[^"]+"$/),
      });
  });
});

describe("who calls", () => {
  it.each<[string, object, object, object]>([
    [
      "a person",
      { sub: "a:b" },
      {},
      { id: "https%3A%2F%2Flogin.example.com%2Fintrospect:a:b", subject: "a:b" },
    ],
    ["a client", { sub: undefined }, {}, { id: "https%3A%2F%2Flogin.example.com%2Fintrospect/client:app" }],
    ["a person of an issuer", { iss: "main" }, { issuer: "main" }, { id: "main:42", issuer: "main" }],
  ])("is %s", async (_, claims, over, identity) => {
    const { ask, server } = world(over);
    server.answer = () => Response.json({ ...good, ...claims });
    const verdict = await ask("token");
    expect(verdict).toMatchObject({ identity: { kind: "introspection", ...identity } });
    // A client is no person, though it may have a person's name.
    if (verdict.outcome === "passed")
      expect("subject" in verdict.identity).toBe(!("sub" in claims && claims.sub === undefined));
    expect(verdict.outcome === "passed" && verdict.identity.claims!["scope"]).toBe(good.scope);
  });

  it("stands in the headers that the policy names, and the client's are deleted whatever comes", async () => {
    const { link } = world();
    const policy = link({ forward: { "x-user-id": "sub", "x-none": "none", "x-proto": "__proto__" } });
    expect(policy.always).toEqual([
      { op: "remove", name: "x-user-id" },
      { op: "remove", name: "x-none" },
      { op: "remove", name: "x-proto" },
      { op: "remove", name: "authorization" },
    ]);
    const exchange = bearing("token");
    exchange.request.headers.set("x-none", "forged");
    const verdict = await policy.authenticate(exchange);
    exchange.requestEdits.push(...policy.always, ...(verdict.outcome === "passed" ? verdict.edits : []));
    expect([...upstreamHeaders(exchange)]).toEqual([["x-user-id", "42"]]);
  });
});
