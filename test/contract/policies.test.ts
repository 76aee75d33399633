import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/json.ts";
import { at, codesOf, contractOfApis, fieldsOf } from "./contracting.ts";

const NOBODY = "public: true, ";

/** The document of one route of any policies. */
const documentOf = (policies: string, more = "", { open = true, method = "POST" } = {}): Json =>
  contractOfApis(
    `apis:
  a:
    routes:
      one: { ${open ? NOBODY : ""}match: { path: /one, methods: [${method}] }, respond: { status: 204 }, policies: { ${policies} } }
`,
    { more },
  ).document;

const CONSUMERS = `consumers: { acme: { plan: gold, keys: [{ id: k1, sha256: "${"a".repeat(64)}" }] } }
plans: { gold: { rate: 100/1m, quota: 5000/month } }
apis: { members: { upstream: plain, routes: { all: { match: { pathPrefix: /members }, policies: { apiKey: {} } } } } }
`;
const KEYED = "apiKey: {}";
const REDIS = "gateway: { stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } } }\n";

describe("what the gateway answers by a policy", () => {
  const rows: readonly (readonly [
    sentence: string,
    policies: string,
    status: number,
    codes: readonly string[],
    fields: readonly string[],
    words?: { readonly more?: string; readonly open?: boolean; readonly method?: string },
  ])[] = [
    ["an address that may not call", "ipAccess: { deny: [192.0.2.1] }", 403, ["ip-refused"], []],
    ["a country that may not call", "geoAccess: { deny: [DE] }", 403, ["country-refused"], []],
    ["a page of another origin", "csrf: {}", 403, ["csrf-refused"], []],
    ["a body that is too large", "bodyLimit: { max: 1KiB }", 413, ["body-too-large"], []],
    [
      "a body of another type",
      "bodyLimit: { contentTypes: [application/json] }",
      415,
      ["unsupported-media-type"],
      ["Accept"],
    ],
    [
      "too many fields",
      "bodyLimit: { maxHeaders: { count: 9 } }",
      431,
      ["header-fields-too-large"],
      [],
      { method: "GET" },
    ],
    [
      "a limit that is used up",
      "rateLimit: { limits: [{ name: few, rate: 3/1m, key: ip }] }",
      429,
      ["rate-limited"],
      ["RateLimit", "RateLimit-Policy", "Retry-After"],
    ],
    [
      "a quota that is used up",
      "quota: { limits: [{ name: few, quota: 3/month, key: ip }] }",
      429,
      ["quota-exceeded"],
      ["RateLimit", "RateLimit-Policy", "Retry-After"],
    ],
    [
      "too many requests at once",
      "concurrency: { max: 2, key: route }",
      429,
      ["too-many-at-once"],
      ["Retry-After"],
    ],
    [
      "a token that is not good, or none",
      "jwt: {}",
      401,
      [
        "credential-missing",
        "token-audience",
        "token-claims",
        "token-expired",
        "token-issuer",
        "token-malformed",
        "token-not-yet-valid",
        "token-signature",
        "token-type",
      ],
      ["WWW-Authenticate"],
      { open: false },
    ],
    [
      "a token without the scope",
      "jwt: { scopes: { all: [a] } }",
      403,
      ["insufficient-scope"],
      ["WWW-Authenticate"],
      { open: false },
    ],
    [
      "a token without the claim",
      "jwt: { claims: { roles: admin } }",
      403,
      ["insufficient-claims"],
      ["WWW-Authenticate"],
      { open: false },
    ],
    ["an issuer without keys", "jwt: {}", 503, ["issuer-unavailable"], ["Retry-After"], { open: false }],
    [
      "a key that is not good, or none",
      KEYED,
      401,
      ["credential-missing", "key-expired", "key-malformed", "key-unknown"],
      ["WWW-Authenticate"],
      { open: false, more: CONSUMERS },
    ],
    [
      "a consumer who may not",
      "apiKey: { consumers: [acme] }",
      403,
      ["consumer-not-allowed"],
      [],
      { open: false, more: CONSUMERS },
    ],
    [
      "a password that is not good, or none",
      "basicAuth: {}",
      401,
      ["credential-missing", "key-expired", "key-malformed", "key-unknown"],
      ["WWW-Authenticate"],
      { open: false, more: CONSUMERS },
    ],
    [
      "a signature that is not good, or none",
      "hmac: { scheme: rfc9421, secrets: [{ env: KEY }] }",
      401,
      [
        "credential-missing",
        "digest-mismatch",
        "signature-expired",
        "signature-incomplete",
        "signature-invalid",
        "signature-malformed",
        "signature-replayed",
      ],
      ["WWW-Authenticate"],
      { open: false },
    ],
    [
      "a signed body that is too large",
      "hmac: { scheme: github, secrets: [{ env: KEY }] }",
      413,
      ["body-too-large"],
      [],
      { open: false },
    ],
    [
      "a certificate that is not good, or none",
      `clientCertificate: { fingerprints: { partner: ["${"b".repeat(64)}"] } }`,
      401,
      ["certificate-invalid", "certificate-unknown", "credential-missing"],
      ["WWW-Authenticate"],
      { open: false },
    ],
    [
      "an authorization server that is away",
      'introspection: { url: "https://login.example.com/ask", client: { id: gateway, secret: { env: ASK } } }',
      503,
      ["introspection-unavailable"],
      ["Retry-After"],
      { open: false },
    ],
    [
      "a service that refuses",
      'forwardAuth: { url: "https://auth.example.com/check", identity: x-user }',
      403,
      ["auth-refused"],
      ["WWW-Authenticate"],
      { open: false },
    ],
    [
      "a caller who may not",
      "jwt: { issuers: [main] }, authorize: { allow: \"identity.subject == '1'\" }",
      403,
      ["forbidden"],
      [],
      { open: false },
    ],
    [
      "a caller without a plan",
      "apiKey: {}, rateLimit: { limits: [{ name: plan, rate: plan, key: identity }] }",
      403,
      ["caller-without-plan"],
      [],
      { open: false, more: CONSUMERS },
    ],
    [
      "a body that is not to be edited",
      "body: { request: { edits: [{ op: remove, path: /internal }] } }",
      422,
      ["body-edit-failed"],
      [],
    ],
    [
      "a path that is read in two ways",
      "requestId: {}",
      400,
      ["host-refused", "path-refused"],
      [],
      { method: "GET" },
    ],
  ];

  const whole = rows.map(
    ([sentence, policies, status, codes, fields, words = {}]) =>
      [sentence, policies, status, codes, fields, words] as const,
  );

  it.each(whole)("%s", (_, policies, status, codes, fields, { more = "", ...words }) => {
    const method = words.method ?? "POST";
    const document = documentOf(policies, more, words);
    expect(codesOf(document, "/one", method.toLowerCase(), status)).toEqual(codes);
    const others = new Set(fieldsOf(documentOf("requestId: {}"), "/one", "post", 400));
    expect(
      fieldsOf(document, "/one", method.toLowerCase(), status).filter((name) => !others.has(name)),
    ).toEqual(fields);
  });

  it.each([
    ["a dry run", "rateLimit: { dryRun: true, limits: [{ name: few, rate: 3/1m, key: ip }] }"],
    ["an access log", "accessLog: {}"],
    ["fixed security fields", "securityHeaders: {}"],
  ])("%s adds no answer", (_, policies) => {
    expect(at(documentOf(policies), "paths", "/one", "post", "responses")).toEqual(
      at(documentOf(""), "paths", "/one", "post", "responses"),
    );
  });

  it("a body is not spoken of where the method has none", () => {
    const document = documentOf("bodyLimit: { max: 1KiB }, csrf: {}", "", { method: "GET" });
    expect(Object.keys(at(document, "paths", "/one", "get", "responses") as object)).toEqual(["204", "400"]);
  });
});

describe("what is said of counts in Redis", () => {
  const LIMIT = "rateLimit: { limits: [{ name: few, rate: 3/1m, key: ip, store: redis }]";
  const QUOTA = "quota: { limits: [{ name: few, quota: 3/month, key: ip, store: redis }]";

  it.each([
    ["a limit", LIMIT, "", false],
    ["a limit that refuses without it", LIMIT, "onStoreFailure: refuse", true],
    ["a quota", QUOTA, "", false],
    ["a quota that allows without it", QUOTA, "onStoreFailure: allow", false],
    ["a quota that refuses without it", QUOTA, "onStoreFailure: refuse", true],
  ])("%s", (_, policy, onStoreFailure, mayBeUnavailable) => {
    const document = documentOf(`${policy}${onStoreFailure === "" ? "" : `, ${onStoreFailure}`} }`, REDIS);
    expect(codesOf(document, "/one", "post", 503)).toEqual(mayBeUnavailable ? ["limits-unavailable"] : []);
    if (mayBeUnavailable) expect(fieldsOf(document, "/one", "post", 503)).toContain("Retry-After");
  });

  it.each([
    ["", true],
    ["onStoreFailure: refuse", true],
    ["onStoreFailure: allow", false],
  ])("fields of a quota are there for sure with %j: %s", (onStoreFailure, required) => {
    const document = documentOf(`${QUOTA}${onStoreFailure === "" ? "" : `, ${onStoreFailure}`} }`, REDIS);
    const field = at(document, "paths", "/one", "post", "responses", "204", "headers", "RateLimit");
    expect((field as { required?: boolean }).required ?? false).toBe(required);
  });
});

describe("fields of answers", () => {
  it.each([
    ["requestId: {}", 204, "X-Request-Id", true],
    ["requestId: { header: x-trace }", 204, "X-Trace", true],
    ["rateLimit: { limits: [{ name: few, rate: 3/1m, key: ip }] }", 204, "RateLimit", true],
    ["cors: { origins: [https://a.example.com] }", 204, "Access-Control-Allow-Origin", false],
    ["deprecation: { since: 2026-01-01, sunset: 2027-01-01 }", 204, "Sunset", true],
    ["headers: { response: { set: { x-tier: one } } }", 204, "X-Tier", true],
    ['headers: { response: { set: { x-host: "{request.host}" } } }', 204, "X-Host", false],
  ])("%s: %d has %s", (policies, status, name, required) => {
    const header = at(
      documentOf(policies),
      "paths",
      "/one",
      "post",
      "responses",
      String(status),
      "headers",
      name,
    );
    expect(header).toBeDefined();
    expect((header as { required?: boolean }).required === true).toBe(required);
  });

  it("stand on what comes from further in, and not on refusals of policies further out", () => {
    const document = documentOf(
      "ipAccess: { deny: [192.0.2.1] }, rateLimit: { limits: [{ name: few, rate: 3/1m, key: ip }] }, bodyLimit: { max: 1B }, jwt: {}",
      "",
      { open: false },
    );
    expect(fieldsOf(document, "/one", "post", 413)).not.toContain("RateLimit");
    expect(fieldsOf(document, "/one", "post", 401)).toContain("RateLimit");
  });
});

describe("how callers prove who they are", () => {
  const securityOf = (policies: string, more = CONSUMERS): Json | undefined =>
    at(documentOf(policies, more, { open: false }), "paths", "/one", "post", "security");

  it.each([
    ["a token", "jwt: { issuers: [main] }", [{ jwt_main: [] }]],
    ["a token of two issuers", "jwt: {}", [{ jwt_jobs_main: [] }]],
    ["a key", "apiKey: {}", [{ "apiKey_header_x-api-key": [] }]],
    ["both", "jwt: { issuers: [main] }, apiKey: {}", [{ jwt_main: [], "apiKey_header_x-api-key": [] }]],
    [
      "either",
      "jwt: { issuers: [main] }, apiKey: {}, identity: { any: [jwt, apiKey] }",
      [{ jwt_main: [] }, { "apiKey_header_x-api-key": [] }],
    ],
    [
      "a token or nothing",
      "jwt: { issuers: [main] }, identity: { any: [jwt, anonymous] }",
      [{ jwt_main: [] }, {}],
    ],
    [
      "what comes to the same",
      "jwt: { issuers: [main] }, identity: { any: [jwt, [jwt]] }",
      [{ jwt_main: [] }],
    ],
    [
      "two together, or one",
      "jwt: { issuers: [main] }, apiKey: {}, basicAuth: {}, identity: { any: [[jwt, apiKey], basicAuth] }",
      [{ jwt_main: [], "apiKey_header_x-api-key": [] }, { basicAuth: [] }],
    ],
  ])("by %s", (_, policies, expected) => {
    expect(securityOf(policies)).toEqual(expected);
  });

  it("a caller who may be nobody may be refused as such by an expression", () => {
    const policies =
      "jwt: { issuers: [main] }, identity: { any: [jwt, anonymous] }, authorize: { allow: \"identity.kind == 'jwt'\" }";
    const document = documentOf(policies, "", { open: false });
    expect(codesOf(document, "/one", "post", 401)).toContain("credential-missing");
    expect(codesOf(document, "/one", "post", 403)).toEqual(["forbidden"]);
  });

  it("nobody is asked on a public route", () => {
    expect(at(documentOf(""), "paths", "/one", "post", "security")).toEqual([]);
  });

  it.each([
    ["jwt: { issuers: [main] }", "jwt_main", { type: "http", scheme: "bearer", bearerFormat: "JWT" }],
    [
      "jwt: { issuers: [main], from: { cookie: session } }, csrf: {}",
      "jwt_main",
      { type: "apiKey", in: "cookie", name: "session" },
    ],
    [
      "apiKey: { from: { query: api_key } }",
      "apiKey_query_api_key",
      { type: "apiKey", in: "query", name: "api_key" },
    ],
    ["apiKey: { from: { scheme: Key } }", "apiKey_Key", { type: "http", scheme: "key" }],
    ["basicAuth: {}", "basicAuth", { type: "http", scheme: "basic" }],
    [
      "hmac: { scheme: github, secrets: [{ env: KEY }] }",
      "hmac_github",
      { type: "apiKey", in: "header", name: "X-Hub-Signature-256" },
    ],
    [
      `clientCertificate: { fingerprints: { partner: ["${"b".repeat(64)}"] } }`,
      "clientCertificate",
      { type: "mutualTLS" },
    ],
  ])("%s is the scheme %s", (policies, name, scheme) => {
    expect(
      at(documentOf(policies, CONSUMERS, { open: false }), "components", "securitySchemes", name),
    ).toMatchObject(scheme);
  });

  it("scopes stand in x-postern and in the words of 403", () => {
    const document = documentOf("jwt: { issuers: [main], scopes: { any: [a, b], all: [c] } }", "", {
      open: false,
    });
    expect(at(document, "paths", "/one", "post", "x-postern", "scopes")).toEqual({
      jwt_main: { all: ["c"], any: ["a", "b"] },
    });
    expect(at(document, "paths", "/one", "post", "responses", "403", "description")).toBe(
      "The token needs the scope `c` and one of the scopes `a`, `b`.",
    );
  });
});

describe("x-postern", () => {
  it("tells limits and how answers are stored", () => {
    const document = contractOfApis(
      `apis:
  a:
    policies: { jwt: {}, rateLimit: { limits: [{ name: outer, rate: 60/1m, key: ip }] } }
    routes:
      one:
        match: { path: /one, methods: [GET] }
        upstream: plain
        policies:
          rateLimit: { limits: [{ name: inner, rate: 10/1s, cost: 2, key: identity }] }
          quota: { limits: [{ name: monthly, quota: 1000/month, key: identity }] }
          concurrency: { max: 4, key: identity }
          cors: { origins: ["https://*.example.com"] }
          cache: { ttl: 10s }
`,
    ).document;
    expect(at(document, "paths", "/one", "get", "x-postern")).toEqual({
      route: "a.one",
      limits: [
        { kind: "origins", origins: ["https://*.example.com"] },
        { kind: "rate", name: "outer", quantity: 60, windowMs: 60_000, key: "ip" },
        { kind: "rate", name: "inner", quantity: 5, windowMs: 1000, key: "identity" },
        { kind: "quota", name: "monthly", quantity: 1000, period: "month" },
        { kind: "concurrency", max: 4, key: "identity" },
      ],
      cache: { scope: "caller", ttlMs: 10_000 },
    });
  });
});
