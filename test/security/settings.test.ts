import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { policyOrder } from "../../src/policies/index.ts";
import { issuerSchema } from "../../src/policies/jwt/issuer.ts";
import { freePort, run, writeWorkspace } from "../support/served.ts";
import { quotas, rateLimits } from "./limit-rows.ts";
import { fields, guard, keysOf, outcomesOf, type Row, routesOf } from "./setting-rows.ts";
import { compact, type Ground, HOST, hs256, now, startGround, statusOf, upstream } from "./support.ts";

// S17: a security setting that has no effect is found. Each row is one request to two routes that differ in one setting.

const SECRET = "a secret of thirty-two bytes and more";
const OTHER = "another secret, of thirty-two bytes too";
const KEYS = { acme: "a".repeat(48), small: "b".repeat(48), old: "c".repeat(48) };
const digestOf = (key: string): string => createHash("sha256").update(key).digest("hex");

const tokenOf = (claims: object = {}, header: object = {}, secret = SECRET): string =>
  compact(
    { alg: "HS256", ...header },
    { iss: "jobs", aud: "shop", sub: "ann", exp: now() + 300, ...claims },
    hs256(secret),
  );
const FIXED = tokenOf();
const bearer =
  (...token: Parameters<typeof tokenOf>) =>
  () => ({ fields: [`Authorization: Bearer ${tokenOf(...token)}`] });
const key = (name: keyof typeof KEYS, ...more: string[]) => fields(`X-Api-Key: ${KEYS[name]}`, ...more);
const basic = (name: keyof typeof KEYS, ...more: string[]) =>
  fields(`Authorization: Basic ${btoa(`${name}:${KEYS[name]}`)}`, ...more);

const jwt = (
  of: string,
  setting: string,
  request: Row["request"],
  outcomes: Row["outcomes"],
  sees?: string,
): Row => ({
  of: `jwt.${of}`,
  without: "jwt: { issuers: [jobs] }",
  with: `jwt: { issuers: [jobs], ${setting} }`,
  request,
  outcomes,
  ...(sees === undefined ? {} : { sees }),
});
/** Two issuers that differ in one setting. */
const issuer = (of: string, request: Row["request"], outcomes: Row["outcomes"]): Row => ({
  of: `issuers.${of}`,
  without: "jwt: { issuers: [jobs] }",
  with: `jwt: { issuers: [${of}] }`,
  request,
  outcomes,
});
const consumer = (kind: "apiKey" | "basicAuth", request: typeof key): Row[] => {
  const row = (
    of: string,
    setting: string,
    outcomes: Row["outcomes"],
    asked: Row["request"],
    sees?: string,
  ): Row => ({
    of: `${kind}.${of}`,
    without: `${kind}: {}`,
    with: `${kind}: { ${setting} }`,
    request: asked,
    outcomes,
    ...(sees === undefined ? {} : { sees }),
  });
  const carrier = kind === "apiKey" ? "x-api-key" : "authorization";
  const credential = request("acme")().fields[0]!;
  return [
    row("consumers", "consumers: [small, old]", ["200", "403 consumer-not-allowed"], request("acme")),
    row("plans", "plans: [free]", ["200", "403 consumer-not-allowed"], request("acme")),
    row(
      "forward",
      "forward: { x-consumer: name }",
      ["200 forged", "200 acme"],
      request("acme", "X-Consumer: forged"),
      "x-consumer",
    ),
    row(
      "forwardCredential",
      "forwardCredential: true",
      ["200 -", `200 ${credential.slice(credential.indexOf(":") + 2)}`],
      request("acme"),
      carrier,
    ),
  ];
};
const from = (place: string, request: Row["request"]): Row => ({
  of: `apiKey.from.${place.split(":")[0]}`,
  without: "apiKey: { from: { header: x-nothing } }",
  with: `apiKey: { from: { ${place} } }`,
  request,
  outcomes: ["401 credential-missing", "200"],
});
const post =
  (body: string, ...more: string[]) =>
  () => ({ line: "POST", fields: more, body });
const PAGE = "Origin: https://shop.example.com";
const cors = (
  of: string,
  setting: string,
  outcomes: Row["outcomes"],
  tells: string,
  ...more: string[]
): Row => ({
  of: `cors.${of}`,
  without: "cors: { origins: [https://shop.example.com] }",
  with: `cors: { origins: [https://shop.example.com], ${setting} }`,
  request: () => ({ line: more.length > 0 ? "OPTIONS" : "GET", fields: [PAGE, ...more] }),
  outcomes,
  tells,
});
const PREFLIGHT = "Access-Control-Request-Method: GET";
const USUAL =
  "authorization, content-type, idempotency-key, if-match, if-modified-since, if-none-match, if-unmodified-since, range, x-api-key, x-requested-with";

const corsSettings: readonly Row[] = [
  {
    ...cors("origins", "", ["200 -", "200 https://shop.example.com"], "access-control-allow-origin"),
    without: "cors: { origins: [https://other.example.com] }",
    with: "cors: { origins: [https://shop.example.com] }",
  },
  cors(
    "methods",
    "methods: [PUT]",
    ["204 GET, HEAD, POST, PUT, PATCH, DELETE", "204 PUT"],
    "access-control-allow-methods",
    PREFLIGHT,
  ),
  cors(
    "headers",
    "headers: [x-mine]",
    [`204 ${USUAL}`, "204 x-mine"],
    "access-control-allow-headers",
    PREFLIGHT,
  ),
  cors("exposeHeaders", "exposeHeaders: [etag]", ["200 -", "200 etag"], "access-control-expose-headers"),
  cors("credentials", "credentials: true", ["200 -", "200 true"], "access-control-allow-credentials"),
  cors("maxAge", "maxAge: 5m", ["204 600", "204 300"], "access-control-max-age", PREFLIGHT),
];

const header = (of: string, setting: string, name: string, outcomes: Row["outcomes"]): Row => ({
  of: `securityHeaders.${of}`,
  without: "securityHeaders: {}",
  with: `securityHeaders: { ${of}: ${setting} }`,
  request: fields(),
  outcomes,
  tells: name,
});

const headerSettings: readonly Row[] = [
  header("contentTypeOptions", "none", "x-content-type-options", ["200 nosniff", "200 -"]),
  header("frame", "sameorigin", "x-frame-options", ["200 DENY", "200 SAMEORIGIN"]),
  header("referrer", "origin", "referrer-policy", ["200 no-referrer", "200 origin"]),
  header("csp", '"sandbox"', "content-security-policy", [
    "200 default-src 'none'; frame-ancestors 'none'",
    "200 sandbox",
  ]),
  header("permissions", "geolocation=()", "permissions-policy", ["200 -", "200 geolocation=()"]),
  header("openerPolicy", "same-origin", "cross-origin-opener-policy", ["200 -", "200 same-origin"]),
  header("resourcePolicy", "same-site", "cross-origin-resource-policy", ["200 -", "200 same-site"]),
];

const ROWS: readonly Row[] = [
  {
    of: "jwt.issuers",
    without: "jwt: {}",
    with: "jwt: { issuers: [jobs] }",
    request: bearer({}, {}, OTHER),
    outcomes: ["200", "401 token-signature"],
  },
  jwt("audiences", "audiences: [staff]", bearer(), ["200", "401 token-audience"]),
  jwt("claims", "claims: { level: [1, 2] }", bearer({ level: 3 }), ["200", "403 insufficient-claims"]),
  jwt("scopes.all", "scopes: { all: [read, write] }", bearer({ scope: "read" }), [
    "200",
    "403 insufficient-scope",
  ]),
  jwt("scopes.any", "scopes: { any: [admin, write] }", bearer({ scope: "read" }), [
    "200",
    "403 insufficient-scope",
  ]),
  jwt(
    "forward",
    "forward: { x-user-id: sub }",
    () => ({ fields: [...bearer()().fields, "X-User-Id: forged"] }),
    ["200 forged", "200 ann"],
    "x-user-id",
  ),
  {
    ...jwt("forwardCredential", "forwardCredential: true", fields(`Authorization: Bearer ${FIXED}`), [
      "200 -",
      `200 Bearer ${FIXED}`,
    ]),
    sees: "authorization",
  },
  jwt("from.header", "from: { header: x-token }", () => ({ fields: [`X-Token: ${tokenOf()}`] }), [
    "401 credential-missing",
    "200",
  ]),
  jwt("from.cookie", "from: { cookie: session }", () => ({ fields: [`Cookie: session=${tokenOf()}`] }), [
    "401 credential-missing",
    "200",
  ]),
  jwt("from.query", "from: { query: access_token }", () => ({ line: `GET ?access_token=${tokenOf()}` }), [
    "401 credential-missing",
    "200",
  ]),
  issuer("issuer", bearer(), ["200", "401 token-issuer"]),
  issuer("audiences", bearer(), ["200", "401 token-audience"]),
  issuer("algorithms", bearer(), ["200", "401 token-signature"]),
  issuer("secret", bearer(), ["200", "401 token-signature"]),
  issuer("type", bearer(), ["200", "401 token-type"]),
  issuer("clockSkew", bearer({ exp: now() - 5 }), ["401 token-expired", "200"]),
  issuer("maxLifetime", bearer({ iat: now() }), ["200", "401 token-claims"]),
  issuer("jwks", bearer(), ["200", "401 token-signature"]),
  ...consumer("apiKey", key),
  ...consumer("basicAuth", basic),
  from("header: x-other", fields(`X-Other: ${KEYS.acme}`)),
  from("query: api_key", () => ({ line: `GET ?api_key=${KEYS.acme}` })),
  from("cookie: api-key", fields(`Cookie: api-key=${KEYS.acme}`)),
  from("scheme: ApiKey", fields(`Authorization: ApiKey ${KEYS.acme}`)),
  {
    of: "identity.any",
    without: "jwt: {}, apiKey: {}",
    with: "jwt: {}, apiKey: {}, identity: { any: [jwt, apiKey] }",
    request: key("acme"),
    outcomes: ["401 credential-missing", "200"],
  },
  {
    of: "authorize.allow",
    without: "jwt: { issuers: [jobs] }",
    with: `jwt: { issuers: [jobs] }, authorize: { allow: "identity.subject == 'bob'" }`,
    request: bearer(),
    outcomes: ["200", "403 forbidden"],
  },
  guard("ipAccess.allow", "ipAccess: { allow: [192.0.2.0/24] }", fields(), ["200", "403 ip-refused"]),
  guard("ipAccess.deny", "ipAccess: { deny: [127.0.0.0/8] }", fields(), ["200", "403 ip-refused"]),
  guard("bodyLimit.max", "bodyLimit: { max: 1KiB }", post("x".repeat(1025)), ["200", "413 body-too-large"]),
  guard(
    "bodyLimit.maxHeaders.count",
    "bodyLimit: { maxHeaders: { count: 20 } }",
    fields(...Array.from({ length: 30 }, (_, number) => `X-${number}: 1`)),
    ["200", "431 header-fields-too-large"],
  ),
  guard(
    "bodyLimit.maxHeaders.size",
    "bodyLimit: { maxHeaders: { size: 1KiB } }",
    fields(`X-Large: ${"x".repeat(1100)}`),
    ["200", "431 header-fields-too-large"],
  ),
  guard(
    "bodyLimit.contentTypes",
    "bodyLimit: { contentTypes: [application/json] }",
    post("x", "Content-Type: text/plain"),
    ["200", "415 unsupported-media-type"],
  ),
  {
    of: "csrf.origins",
    without: "jwt: { from: { cookie: session } }, csrf: {}",
    with: "jwt: { from: { cookie: session } }, csrf: { origins: [https://partner.example.com] }",
    request: () => ({
      line: "POST",
      fields: [`Cookie: session=${tokenOf()}`, "Origin: https://partner.example.com"],
      body: "x",
    }),
    outcomes: ["403 csrf-refused", "200"],
  },
  ...rateLimits,
  ...quotas,
  ...corsSettings,
  ...headerSettings,
];

const policies = (urls: Record<"origin", string>): string => `
gateway: { name: settings, hosts: { public: ${HOST} }, clientIp: connection, stores: { redis: { url: { env: REDIS_URL }, token: { env: SECRET } } } }
plans: { free: { rate: 1000/1h }, gold: { rate: 5000/1h } }
issuers:
  jobs: { issuer: jobs, audiences: [shop, staff], algorithms: [HS256], secret: { env: SECRET }, claims: { level: int } }
  issuer: { issuer: jobs/, audiences: [shop], algorithms: [HS256], secret: { env: SECRET } }
  audiences: { issuer: jobs, audiences: [staff], algorithms: [HS256], secret: { env: SECRET } }
  algorithms: { issuer: jobs, audiences: [shop], algorithms: [HS384], secret: { env: LONG } }
  secret: { issuer: jobs, audiences: [shop], algorithms: [HS256], secret: { env: OTHER } }
  type: { issuer: jobs, audiences: [shop], algorithms: [HS256], secret: { env: SECRET }, type: at+jwt }
  clockSkew: { issuer: jobs, audiences: [shop], algorithms: [HS256], secret: { env: SECRET }, clockSkew: 5m }
  maxLifetime: { issuer: jobs, audiences: [shop], algorithms: [HS256], secret: { env: SECRET }, maxLifetime: 1m }
  jwks: { issuer: jobs, audiences: [shop], algorithms: [EdDSA], jwks: { keys: [{ kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo }] } }
consumers:
  acme: { plan: gold, keys: [{ id: k1, sha256: "${digestOf(KEYS.acme)}" }] }
  small: { plan: free, keys: [{ id: k1, sha256: "${digestOf(KEYS.small)}" }] }
  old: { plan: free, keys: [{ id: k1, sha256: "${digestOf(KEYS.old)}", expires: 2020-01-01 }] }
upstreams: { origin: ${upstream(urls.origin)} }
apis:
  all:
    upstream: origin
    routes:
${routesOf(ROWS)}
`;

let ground: Ground<"origin">;
beforeAll(async () => {
  ground = await startGround(["origin"], policies, {
    SECRET,
    OTHER,
    LONG: SECRET.repeat(2),
    // Nobody listens there.
    REDIS_URL: `http://127.0.0.1:${await freePort()}`,
  });
});
afterAll(() => ground?.stop());

describe("S17: a setting has its effect", () => {
  it.each(ROWS.map((row, index) => [row.of, row, index] as const))("%s", async (_, row, index) => {
    expect(await outcomesOf(ground, row, index)).toEqual(row.outcomes);
  });

  it("consumers.keys.expires", async () => {
    const index = ROWS.findIndex(({ of }) => of === "apiKey.plans");
    const answers = [KEYS.small, KEYS.old].map(async (one) =>
      statusOf((await ground.request(`GET /r${index}/without`, [`X-Api-Key: ${one}`])).answer),
    );
    expect(await Promise.all(answers)).toEqual(["200", "401 key-expired"]);
  });
});

describe("S17: no setting is left out", () => {
  const tested = new Set(ROWS.map(({ of }) => of));
  const types = new Map(policyOrder.map(({ type }) => [type.name as string, type]));
  /** Strict-Transport-Security is sent over https alone, which plain workerd does not speak here. */
  const elsewhere = new Set(
    ["maxAge", "includeSubDomains", "preload"].map((key) => `securityHeaders.hsts.${key}`),
  );
  it.each([
    ...["jwt", "apiKey", "basicAuth", "identity", "authorize", "ipAccess", "bodyLimit", "csrf"],
    ...["rateLimit", "quota", "cors", "securityHeaders"],
  ])("%s", (name) => {
    const keys = keysOf(types.get(name)!.schema as z.ZodType).map((one) => `${name}.${one}`);
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((one) => !tested.has(one) && !elsewhere.has(one))).toEqual([]);
  });

  it("issuers", () => {
    // What expressions may read, who a subject is and how often it may ask open nothing; how keys are fetched is S14.
    const others = ["claims", "subjects", "plan"];
    const keys = new Set(keysOf(issuerSchema).map((one) => one.split(".")[0]!));
    expect([...keys].filter((one) => !others.includes(one) && !tested.has(`issuers.${one}`))).toEqual([]);
  });
});

describe("S17: a key that nobody knows is an error", () => {
  const text = (typo: Readonly<Record<string, string>>): string => `
gateway: { name: typos, hosts: { public: ${HOST} }, clientIp: connection, ${typo["gateway"] ?? ""} paths: { ${typo["paths"] ?? ""} } }
issuers: { jobs: { issuer: jobs, audiences: [shop], algorithms: [HS256], ${typo["issuer"] ?? ""} secret: { env: SECRET } } }
consumers: { acme: { ${typo["consumer"] ?? ""} keys: [{ ${typo["key"] ?? ""} id: k1, sha256: "${digestOf(KEYS.acme)}" }] } }
upstreams: { origin: { ${typo["upstream"] ?? ""} targets: { only: { ${typo["target"] ?? ""} url: "http://127.0.0.1:1", network: private } } } }
apis:
  all:
    upstream: origin
    ${typo["api"] ?? ""}
    policies: { jwt: { ${typo["jwt"] ?? ""} }, apiKey: { ${typo["apiKey"] ?? ""} }, ${typo["policies"] ?? ""} identity: { ${typo["identity"] ?? ""} any: [jwt, apiKey] }, ipAccess: { ${typo["ipAccess"] ?? ""} allow: [127.0.0.1] } }
    routes: { a: { ${typo["route"] ?? ""} match: { ${typo["match"] ?? ""} path: /a } } }
`;
  const typos: Readonly<Record<string, string>> = {
    gateway: "clientIP: connection,",
    paths: "encodedslash: reject,",
    issuer: "maxlifetime: 1h,",
    consumer: "plans: [],",
    key: "expire: 2020-01-01,",
    upstream: "credentials: {},",
    target: "tls: {},",
    api: "policy: {}",
    jwt: "audience: [shop],",
    apiKey: "consumer: [acme],",
    policies: "authorise: {},",
    identity: "all: [jwt],",
    ipAccess: "block: [10.0.0.0/8],",
    route: "policie: {},",
    match: "method: [GET],",
  };
  const check = async (typo: Readonly<Record<string, string>>) => {
    const { policies: folder, openapi } = await writeWorkspace({ files: { "a.yaml": text(typo) } });
    return run(["check", "--policies", folder, "--openapi", openapi]);
  };

  it("and without one the policies are good", async () => {
    expect((await check({})).code).toBe(0);
  });

  it("wherever it stands, and all of them are told at once", async () => {
    const { code, stdout, stderr } = await check(typos);
    expect(code).toBe(1);
    for (const typo of Object.values(typos)) expect(stdout + stderr).toContain(`"${typo.split(":")[0]}"`);
  });
});
