import { describe, expect, it } from "vitest";
import { compileExpression } from "../../src/compiler/expression.ts";
import type { Exchange } from "../../src/core/exchange.ts";
import type { Identity } from "../../src/core/identity.ts";
import type { CompileContext, Handler, Instance } from "../../src/core/policy.ts";
import { filter, type Step } from "../../src/policies/authorize/filter.ts";
import { authorize } from "../../src/policies/authorize/policy.ts";
import { fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";

const names = {
  params: ["userId", "tenant"],
  claims: { roles: "strings", tenant: "string", level: "int" },
  hasConsumers: true,
};

/** What the compiler offers to the policy; faults are kept. */
const contextOf = (over: { policies?: readonly string[]; faults?: string[] } = {}): CompileContext =>
  ({
    gateway: { name: 'sh"op', clientIp: "cloudflare", development: false },
    identity: { policies: over.policies ?? ["jwt"], anonymous: false, steps: [] },
    expression: (text: string, _instance: Instance<unknown>, at: readonly string[]) => {
      const { expression, faults } = compileExpression(text, names);
      over.faults?.push(...faults.map((fault) => `${at.join(".")} ${fault.code}`));
      return expression;
    },
  }) as unknown as CompileContext;

const compile = (allow: readonly string[], context = contextOf()): Step | undefined => {
  const levels = ["gateway", "api", "route"] as const;
  const instances = allow.map((text, index) => ({
    config: authorize.schema.parse({ allow: text }),
    level: levels[index]!,
    node: levels[index]!,
    path: [],
  }));
  return authorize.compile(instances, context, "only") as Step | undefined;
};

const passed = new Response("from the upstream");
const ports = fakePorts();

/** The answer to an exchange under one or several expressions. */
const answer = (
  allow: string | readonly string[],
  exchange: Exchange,
  next: Handler = () => passed,
): Response | Promise<Response> => {
  const step = compile(typeof allow === "string" ? [allow] : allow)!;
  const travelled = JSON.parse(JSON.stringify(step)) as Step;
  return filter(travelled, ports, fakeSite())!(next)(exchange);
};

const token = (claims: Record<string, unknown>): Identity => ({
  kind: "jwt",
  id: "main 42",
  issuer: "main",
  subject: "42",
  claims,
});
const acme: Identity = {
  kind: "apiKey",
  id: "acme",
  consumer: { name: "acme", plan: "gold", attributes: { tenant: "acme" } },
};
const anonymous: Identity = { kind: "anonymous", id: "" };

const exchangeOf = (
  identity: Identity | undefined,
  over: Partial<Exchange> = {},
  init: RequestInit = {},
  url = "https://api.example.com/users/42",
): Exchange =>
  fakeExchange(new Request(url, init), { identity, params: { userId: "42", tenant: "acme" }, ...over });

const TENANT = "(identity.kind == 'jwt' ? claims.tenant : consumer.attributes.tenant) == params.tenant";
const OWNER = "identity.subject == params.userId || 'admin' in claims.roles";

describe("lets pass only what is true", () => {
  it.each<
    readonly [sentence: string, allow: string | readonly string[], identity: Identity, passes: boolean]
  >([
    ["a token of the tenant", TENANT, token({ tenant: "acme" }), true],
    ["a token of another tenant", TENANT, token({ tenant: "bolt" }), false],
    ["a token without a tenant", TENANT, token({}), false],
    ["a token whose tenant is a list", TENANT, token({ tenant: ["acme"] }), false],
    ["a key of the tenant", TENANT, acme, true],
    ["the owner", OWNER, token({}), true],
    ["an admin", OWNER, { ...token({ roles: ["admin"] }), subject: "7" }, true],
    ["somebody else", OWNER, { ...token({ roles: ["reader"] }), subject: "7" }, false],
    ["somebody without roles", OWNER, { ...token({}), subject: "7" }, false],
    ["a text where roles are a list", "'admin' in claims.roles", token({ roles: "admin" }), false],
    ["a text that contains the role", "'adm' in claims.roles", token({ roles: ["admin"] }), false],
    ["a text that is no bool", "claims.aud", token({ aud: "true" }), false],
    ["a number that is no bool", "claims.aud", token({ aud: 1 }), false],
    ["a claim that is true", "claims.aud", token({ aud: true }), true],
    ["the absence of what is missing", "claims.tenant != 'evil'", token({}), false],
    ["the negation of an error", "!(claims.tenant == 'evil')", token({}), false],
    ["what has() says of a missing claim", "!has(claims.tenant)", token({}), true],
    ["a level that is high enough", "claims.level >= 3", token({ level: 3 }), true],
    ["a level that is too low", "claims.level >= 3", token({ level: 2 }), false],
    ["a level that is a text", "claims.level >= 3", token({ level: "3" }), false],
    ["a level that is a fraction", "claims.level >= 3", token({ level: 3.5 }), false],
    ["all levels", [TENANT, "claims.level > 1", OWNER], token({ tenant: "acme", level: 2 }), true],
    ["all levels but one", [TENANT, "claims.level > 1", OWNER], token({ tenant: "acme", level: 1 }), false],
    ["all levels but the outermost", [TENANT, "claims.level > 0"], token({ level: 1 }), false],
  ])("%s", async (_, allow, identity, passes) => {
    let calls = 0;
    const response = await answer(allow, exchangeOf(identity), () => {
      calls++;
      return passed;
    });
    expect([response.status, calls]).toEqual(passes ? [200, 1] : [403, 0]);
    if (passes) expect(response).toBe(passed);
  });

  it("answers without a promise where what comes after does", () => {
    expect(answer("claims.level > 1", exchangeOf(token({ level: 2 })))).toBe(passed);
    expect(answer("claims.level > 1", exchangeOf(token({ level: 1 })))).toBeInstanceOf(Response);
  });
});

describe("refuses", () => {
  const SECRET = "claims.tenant == 'the-secret-tenant'";
  it.each<readonly [who: string, identity: Identity | undefined, status: number, code: string]>([
    ["nobody with 401", undefined, 401, "credential-missing"],
    ["an anonymous caller with 401", anonymous, 401, "credential-missing"],
    ["a known caller with 403", token({ tenant: "acme" }), 403, "forbidden"],
    ["a consumer with 403", acme, 403, "forbidden"],
  ])("%s, and does not say why", async (_, identity, status, code) => {
    const exchange = exchangeOf(identity);
    const response = await answer(SECRET, exchange);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("www-authenticate")).toBe(status === 401 ? 'Bearer realm="sh\\"op"' : null);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({ status, code });
    expect(body).not.toMatch(/secret|claims|tenant|acme/);
    expect(exchange.problemCode).toBe(code);
  });
  it("anybody where it asks for the id of somebody, and they are nobody", async () => {
    const over = { params: { userId: "", tenant: "acme" } };
    expect((await answer("identity.id == params.userId", exchangeOf(anonymous, over))).status).toBe(401);
    expect((await answer("has(identity.id)", exchangeOf(anonymous))).status).toBe(401);
  });
  it("and counts what it refused by its code", async () => {
    const counted: string[] = [];
    const metrics = {
      count: (name: string, labels: readonly string[]) => void counted.push(`${name} ${labels}`),
    };
    const step = compile(["false"])!;
    const handler = filter(step, fakePorts({ metrics } as never), fakeSite())!(() => passed);
    await handler(exchangeOf(acme));
    await handler(exchangeOf(undefined));
    expect(counted).toEqual([
      "postern_auth_failures_total forbidden",
      "postern_auth_failures_total credential-missing",
    ]);
  });
  it("nobody where the expression needs nobody's name, unless it is true", async () => {
    const fromOffice = "client.ip == '192.0.2.1'";
    expect((await answer(fromOffice, exchangeOf(undefined))).status).toBe(200);
    expect((await answer(fromOffice, exchangeOf(undefined, { clientIp: "192.0.2.2" }))).status).toBe(401);
    expect((await answer(fromOffice, exchangeOf(undefined, { clientIp: "" }))).status).toBe(401);
  });
  it("whoever presents claims with names of JavaScript (S25)", async () => {
    const hostile = JSON.parse(
      '{"__proto__":{"tenant":"acme","roles":["admin"]},"constructor":{"tenant":"acme"}}',
    );
    expect((await answer(TENANT, exchangeOf(token(hostile)))).status).toBe(403);
    expect((await answer("claims.aud.tenant == 'acme'", exchangeOf(token({ aud: hostile })))).status).toBe(
      403,
    );
    const params = JSON.parse('{"__proto__":{"tenant":"acme"}}');
    expect((await answer("params.tenant == 'acme'", exchangeOf(token({}), { params }))).status).toBe(403);
  });
});

describe("reads the request", () => {
  it.each<readonly [allow: string, passes: boolean]>([
    ["request.method == 'POST' && request.scheme == 'https' && request.host == 'api.example.com'", true],
    ["request.path == '/users/42'", true],
    ["request.headers['x-role'] == 'reader, admin'", true],
    ["request.headers['x-role'] == 'reader'", false],
    ["request.headers['x-none'] == 'a'", false],
    ["!('x-none' in request.headers)", true],
    ["request.headers[claims.scope] == 'a'", false],
    ["request.headers.exists(name, name.startsWith('x-r'))", true],
    ["request.query.debug == '1'", true],
    ["request.query.debug == '2'", false],
    ["request.query.tenant == 'a b'", true],
    ["request.query.all(name, request.query[name] != '2')", true],
    ["has(request.query.none)", false],
    ["request.query['__proto__'] == 'x'", true],
    ["has(request.query.constructor)", false],
  ])("%s is %s", async (allow, passes) => {
    const exchange = exchangeOf(
      token({ scope: "no field name!" }),
      {},
      {
        method: "POST",
        headers: [
          ["x-role", "reader"],
          ["x-role", "admin"],
        ],
      },
      "https://api.example.com/users/42?debug=1&debug=2&%74enant=a+b&__proto__=x",
    );
    expect((await answer(allow, exchange)).status).toBe(passes ? 200 : 403);
  });

  const cf = (it: unknown) => {
    const exchange = exchangeOf(token({}));
    Object.defineProperty(exchange.request, "cf", { value: it });
    return exchange;
  };
  const verified = {
    certVerified: "SUCCESS",
    certRevoked: "0",
    certFingerprintSHA256: "ab12",
    certSubjectDN: "CN=acme",
    certIssuerDN: "CN=ca",
    certSerial: "01",
  };
  it.each<readonly [sentence: string, allow: string, cf: unknown, passes: boolean]>([
    ["a certificate", "client.certificate.subject == 'CN=acme'", { tlsClientAuth: verified }, true],
    ["its fingerprint", "client.certificate.fingerprint == 'ab12'", { tlsClientAuth: verified }, true],
    ["that there is one", "has(client.certificate)", { tlsClientAuth: verified }, true],
    ["that there is none", "has(client.certificate)", { tlsClientAuth: { certVerified: "NONE" } }, false],
    [
      "a revoked certificate",
      "client.certificate.subject == 'CN=acme'",
      { tlsClientAuth: { ...verified, certRevoked: "1" } },
      false,
    ],
    [
      "a certificate that is not verified",
      "client.certificate.subject == 'CN=acme'",
      { tlsClientAuth: { ...verified, certVerified: "FAILED:self signed certificate" } },
      false,
    ],
  ])("%s", async (_, allow, it, passes) => {
    expect((await answer(allow, cf(it))).status).toBe(passes ? 200 : 403);
  });

  it.each([
    ["a country", "client.country == 'CH'", "CH", true],
    ["another one", "client.country == 'CH'", "DE", false],
    ["no country", "client.country != 'CH'", "", false],
    ["a country that Cloudflare does not know", "client.country != 'CH'", "XX", false],
    ["that there is none", "!has(client.country)", "XX", true],
  ])("%s of the client", async (_, allow, clientCountry, passes) => {
    const exchange = Object.assign(exchangeOf(token({})), { clientCountry });
    expect((await answer(allow, exchange)).status).toBe(passes ? 200 : 403);
  });

  it("and the time of the gateway's clock", async () => {
    const fresh = "now - timestamp(claims.iat) < duration('10m')";
    const issued = ports.clock.now() / 1000 - 599;
    expect((await answer(fresh, exchangeOf(token({ iat: issued })))).status).toBe(200);
    ports.clock.advance(1000);
    expect((await answer(fresh, exchangeOf(token({ iat: issued })))).status).toBe(403);
  });
});

describe("tells the log, and nobody else, why it refused", () => {
  it.each<[string, string, string]>([
    ["an expression that is false", "1 == claims.level", "gateway.policies.authorize is false"],
    [
      "one that asks for what is not there",
      "claims.tenant == 'a'",
      "gateway.policies.authorize cannot be decided",
    ],
  ])("%s", async (_, allow, refusal) => {
    const exchange = exchangeOf(token({ level: 2 }));
    const response = await answer(allow, exchange);
    expect(exchange.refusal).toBe(refusal);
    expect(await response.text()).not.toContain("authorize");
  });
  it("nothing where it lets pass", async () => {
    const exchange = exchangeOf(token({ level: 2 }));
    await answer("claims.level == 2", exchange);
    expect(exchange.refusal).toBeUndefined();
  });
});

describe("compiles", () => {
  it("to JSON, outermost level first", () => {
    expect(compile(["claims.level > 1", "claims.tenant == 'a'"])).toEqual({
      allow: [
        { node: "gateway", expression: [">", ["as", "integer", ["at", ["name", "claims"], "level"]], 1] },
        { node: "api", expression: ["==", ["as", "string", ["at", ["name", "claims"], "tenant"]], "a"] },
      ],
      challenge: 'Bearer realm="sh\\"op"',
    });
  });
  it("to nothing where nothing is left to decide", () => {
    expect(compile(["true", "1 == 1"])).toBeUndefined();
    expect(compile([])).toBeUndefined();
  });
  it("what is always false to a refusal", async () => {
    expect((await answer(["1 == 2"], exchangeOf(token({})))).status).toBe(403);
  });
  it("an expression at fault to a refusal, with a diagnostic at its key", async () => {
    const faults: string[] = [];
    const step = compile(["claims.rolez == 'a'", "true"], contextOf({ faults }));
    expect(faults).toEqual(["allow expression-unknown-name"]);
    expect(step?.allow).toEqual([{ node: "gateway", expression: false }]);
  });
  it.each<readonly [policies: readonly string[], challenge: string]>([
    [["jwt"], 'Bearer realm="sh\\"op"'],
    [["jwt", "introspection"], 'Bearer realm="sh\\"op"'],
    [["basicAuth", "jwt"], 'Basic realm="sh\\"op", Bearer realm="sh\\"op"'],
    [["apiKey"], 'ApiKey realm="sh\\"op"'],
    [[], 'Bearer realm="sh\\"op"'],
  ])("for %o the challenge is %s", (policies, challenge) => {
    expect(compile(["false"], contextOf({ policies }))?.challenge).toBe(challenge);
  });
  it.each<readonly [config: unknown, message: RegExp]>([
    [{}, /takes a CEL expression/],
    [{ allow: true }, /takes a CEL expression/],
    [{ allow: ["a"] }, /takes a CEL expression/],
    [{ allow: "true", deny: "false" }, /deny/],
  ])("not %o", (config, message) => {
    const parsed = authorize.schema.safeParse(config);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues[0]?.message).toMatch(message);
  });
});
