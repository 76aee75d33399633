import { beforeAll, describe, expect, it } from "vitest";
import type { CompileContext, Fault, IssuerInfo, Path } from "../../src/core/policy.ts";
import type { Step } from "../../src/policies/jwt/filter.ts";
import {
  compileIssuer,
  type IssuerDocument,
  issuerInfo,
  issuerSchema,
} from "../../src/policies/jwt/issuer.ts";
import { jwt } from "../../src/policies/jwt/policy.ts";
import { makeKey, type SigningKey } from "./jwt-support.ts";

const URL_OF_KEYS = "https://login.example.com/.well-known/jwks.json";
const main = {
  issuer: "https://login.example.com/",
  audiences: ["shop-api", "staff-api"],
  algorithms: ["RS256", "ES256"],
  jwks: { url: URL_OF_KEYS },
};
const { jwks: _, ...keyless } = main;

let es: SigningKey;
let rs: SigningKey;
beforeAll(async () => {
  [es, rs] = await Promise.all([makeKey("ES256"), makeKey("RS256")]);
});

const typed = (entry: object): IssuerDocument => issuerSchema.parse(entry);

/** Places and codes of what is wrong with an entry. */
const faultsOf = (entry: object): string[] =>
  (issuerSchema.safeParse(entry).error?.issues ?? []).map((issue) =>
    [issue.path.join("."), (issue as { params?: { code: string } }).params?.code ?? issue.code].join(" "),
  );

describe("an issuer", () => {
  it("is compiled with every default filled in", () => {
    expect(compileIssuer("main", typed(main))).toEqual({
      name: "main",
      issuer: "https://login.example.com/",
      audiences: ["shop-api", "staff-api"],
      algorithms: ["RS256", "ES256"],
      jwks: { url: URL_OF_KEYS, network: "public", maxAgeMs: 600_000, cooldownMs: 30_000 },
      clockSkewMs: 0,
      subjects: "main",
    });
  });
  it("is compiled with everything that can be said", () => {
    const entry = {
      ...main,
      type: "at+jwt",
      jwks: { url: URL_OF_KEYS, maxAge: "1h", cooldown: "1m", network: "private" },
      claims: { roles: "strings", tenant: "string" },
      clockSkew: "30s",
      maxLifetime: "24h",
      subjects: "other",
    };
    expect(compileIssuer("main", typed(entry))).toMatchObject({
      type: "at+jwt",
      jwks: { network: "private", maxAgeMs: 3_600_000, cooldownMs: 60_000 },
      clockSkewMs: 30_000,
      maxLifetimeMs: 86_400_000,
      subjects: "other",
    });
    expect(issuerInfo("main", compileIssuer("main", typed(entry)), typed(entry)).claims).toEqual(
      entry.claims,
    );
  });
  it("with a secret holds its name, never a value", () => {
    const jobs = { ...keyless, algorithms: ["HS256"], secret: { env: "JOBS_SECRET" } };
    expect(compileIssuer("jobs", typed(jobs))).toMatchObject({ secret: "JOBS_SECRET" });
  });
  it("with keys of its own keeps what says how they may be used", () => {
    const jwk = { ...rs.jwk, alg: "RS256", use: "sig", x5c: ["MIIB"], note: "from Ann" };
    expect(
      compileIssuer("main", typed({ ...keyless, algorithms: ["RS256"], jwks: { keys: [jwk] } })).jwks,
    ).toEqual({
      keys: [{ kty: "RSA", kid: "k1", alg: "RS256", use: "sig", n: rs.jwk["n"], e: "AQAB" }],
    });
  });
  it("may be the local one", () => {
    expect(typed({ ...main, jwks: "local" }).jwks).toBe("local");
    expect(compileIssuer("main", typed({ ...main, jwks: "local" })).jwks).toEqual({ local: true });
  });

  it.each([
    ["http://127.0.0.1:9000/jwks"],
    ["http://[::1]/jwks"],
    ["http://localhost:9000/jwks"],
    ["http://10.1.2.3/jwks"],
    ["https://192.168.0.1/jwks"],
  ])("at the private address %s may be reached there", (url) => {
    expect(compileIssuer("main", typed({ ...main, jwks: { url } })).jwks).toMatchObject({
      network: "private",
    });
  });

  it.each<[string, object, string[]]>([
    ["no keys at all", keyless, [" missing-key"]],
    ["keys and a secret", { ...main, secret: { env: "A" } }, ["secret conflicting-keys"]],
    [
      "HS256 beside public keys",
      { ...main, algorithms: ["RS256", "HS256"] },
      ["algorithms.1 algorithm-key-mismatch"],
    ],
    [
      "RS256 beside a secret",
      { ...keyless, algorithms: ["RS256"], secret: { env: "A" } },
      ["algorithms.0 algorithm-key-mismatch"],
    ],
    ["the algorithm none", { ...main, algorithms: ["none"] }, ["algorithms.0 invalid_value"]],
    ["no algorithm", { ...main, algorithms: [] }, ["algorithms too_small"]],
    ["no algorithms key", { ...main, algorithms: undefined }, ["algorithms invalid_type"]],
    ["no audience", { ...main, audiences: [] }, ["audiences too_small"]],
    ["an empty audience", { ...main, audiences: [""] }, ["audiences.0 too_small"]],
    ["an unknown key", { ...main, audience: "x" }, [" unrecognized_keys"]],
    [
      "a secret in the file",
      { ...keyless, algorithms: ["HS256"], secret: "s3cret" },
      ["secret invalid_type"],
    ],
    ["a type of claim that there is not", { ...main, claims: { a: "text" } }, ["claims.a invalid_value"]],
    ["a clock skew without unit", { ...main, clockSkew: "30" }, ["clockSkew custom"]],
  ])("is at fault with %s", (_, entry, faults) => {
    const found = faultsOf(entry);
    expect(found.map((fault) => fault.replace("bad-quantity", "custom"))).toEqual(faults);
  });

  it.each<[string, object, string]>([
    ["no URL", { url: "login.example.com" }, "jwks.url bad-url"],
    ["another scheme", { url: "ftp://login.example.com/" }, "jwks.url bad-url"],
    ["a password in it", { url: "https://a:b@login.example.com/" }, "jwks.url bad-url"],
    ["a fragment", { url: "https://login.example.com/#a" }, "jwks.url bad-url"],
    ["http to a public host", { url: "http://login.example.com/jwks" }, "jwks.url insecure-url"],
    ["http to a public address", { url: "http://203.0.114.1/jwks" }, "jwks.url insecure-url"],
    [
      "a private address said to be public",
      { url: "http://10.0.0.1/", network: "public" },
      "jwks.network private-address",
    ],
    ["a private key", { keys: [{ kty: "EC", d: "AAAA" }] }, "jwks.keys.0.d private-key"],
    ["a shared secret", { keys: [{ kty: "oct", k: "AAAA" }] }, "jwks.keys.0.kty invalid_value"],
    ["a key that is none", { keys: [{ kty: "EC", crv: "P-256" }] }, "jwks.keys.0 unfit-key"],
    ["a key for encryption", { keys: [{ kty: "RSA", use: "enc" }] }, "jwks.keys.0 unfit-key"],
    ["no key", { keys: [] }, "jwks.keys too_small"],
  ])("is at fault with a key set that is %s", (_, jwks, fault) => {
    expect(deepFaultsOf({ ...main, jwks })).toContain(fault);
  });
  it("may be reached by http in a network that the policies call private", () => {
    expect(faultsOf({ ...main, jwks: { url: "http://login.internal/jwks", network: "private" } })).toEqual(
      [],
    );
  });
  it("is at fault with a key of its own that no algorithm of it uses", () => {
    expect(faultsOf({ ...main, algorithms: ["RS256"], jwks: { keys: [rs.jwk, es.jwk] } })).toEqual([
      "jwks.keys.1 algorithm-key-mismatch",
    ]);
  });
  it("every fault of ours says what to write instead", () => {
    const faults = [keyless, { ...main, secret: { env: "A" } }, { ...main, algorithms: ["HS256"] }];
    for (const entry of faults)
      for (const issue of issuerSchema.safeParse(entry).error!.issues)
        expect(issue.message).toMatch(/^.+\.\n.+\.$/);
  });
});

/** Faults inside unions too. */
const deepFaultsOf = (entry: object): string[] => {
  type Issue = { path: PropertyKey[]; code: string; params?: { code: string }; errors?: Issue[][] };
  const flat = (issues: readonly Issue[], above: PropertyKey[] = []): string[] =>
    issues.flatMap(({ path, code, params, errors }) => [
      [[...above, ...path].join("."), params?.code ?? code].join(" "),
      ...(errors ?? []).flatMap((inner) => flat(inner, [...above, ...path])),
    ]);
  return flat((issuerSchema.safeParse(entry).error?.issues ?? []) as Issue[]);
};

/** Compiles a jwt policy over issuers, and collects what it says. */
const compile = (config: object, issuers: Record<string, object> = { main }) => {
  const faults: { at: Path; code: string; severity?: string }[] = [];
  const shared: Record<string, unknown> = {};
  const secrets: string[] = [];
  const infos = new Map<string, IssuerInfo>(
    Object.entries(issuers).map(([name, entry]) => [
      name,
      issuerInfo(name, compileIssuer(name, typed(entry)), typed(entry)),
    ]),
  );
  const context = {
    route: { id: "shop.route", methods: ["GET"], policies: new Set() },
    issuer: (name: string) => infos.get(name),
    issuerNames: [...infos.keys()],
    share: (name: string, value: unknown) => {
      shared[name] = value;
      return name;
    },
    secret: ({ env }: { env: string }) => {
      secrets.push(env);
      return env;
    },
    report: (_instance: unknown, at: Path, { code, severity }: Fault) =>
      faults.push({ at, code, ...(severity && { severity }) }),
  } as unknown as CompileContext;
  const instance = { config: jwt.schema.parse(config), level: "api", node: "apis.users", path: [] } as const;
  const step = jwt.compile([instance], context, "only") as unknown as Step;
  return { step, faults, shared, secrets };
};

const jobs = {
  issuer: "shop-jobs",
  audiences: ["shop-api"],
  algorithms: ["HS256"],
  secret: { env: "JOBS_SECRET" },
};

describe("the jwt policy", () => {
  it("is compiled with every default filled in: all issuers, Bearer", () => {
    const { step, faults, shared, secrets } = compile({}, { main, jobs });
    expect(faults).toEqual([]);
    expect(secrets).toEqual(["JOBS_SECRET"]);
    expect(Object.keys(shared)).toEqual(["issuers.main", "issuers.jobs"]);
    expect(step).toEqual({
      issuers: ["issuers.main", "issuers.jobs"],
      audiences: null,
      from: { in: "bearer", name: "authorization" },
      scopes: { any: [], all: [] },
      claims: {},
      forward: {},
      forwardCredential: false,
    });
  });
  it("is compiled with everything that can be said", () => {
    const { step, faults } = compile({
      issuers: ["main"],
      audiences: ["staff-api"],
      from: { cookie: "sid" },
      scopes: { any: ["users.read"] },
      claims: { tenant: "acme", roles: ["admin", "staff"], level: 1 },
      forward: { "X-User-Id": "sub" },
      forwardCredential: true,
    });
    expect(faults).toEqual([]);
    expect(step).toEqual({
      issuers: ["issuers.main"],
      audiences: ["staff-api"],
      from: { in: "cookie", name: "sid" },
      scopes: { any: ["users.read"], all: [] },
      claims: { tenant: ["acme"], roles: ["admin", "staff"], level: [1] },
      forward: { "x-user-id": "sub" },
      forwardCredential: true,
    });
  });
  it.each([
    [{ header: "Authorization" }, { in: "bearer", name: "authorization" }],
    [{ header: "X-Token" }, { in: "header", name: "x-token" }],
  ])("reads %j", (from, source) => {
    expect(compile({ from }).step.from).toEqual(source);
  });
  it.each<[string, object, object[], Record<string, object>?]>([
    ["an unknown issuer", { issuers: ["main", "man"] }, [{ at: ["issuers", 1], code: "unknown-name" }]],
    ["no issuer anywhere", {}, [{ at: [], code: "no-issuers" }], {}],
    [
      "an audience of nobody",
      { audiences: ["shop-api", "other"] },
      [{ at: ["audiences", 1], code: "unknown-name" }],
    ],
    [
      "audiences that leave an issuer out",
      { audiences: ["staff-api"] },
      [{ at: ["audiences"], code: "issuer-excluded", severity: "warning" }],
      { main, jobs },
    ],
    ["a header of the connection", { forward: { host: "sub" } }, [{ at: ["forward"], code: "bad-name" }]],
    ["subjects of nobody", {}, [{ at: [], code: "unknown-name" }], { main: { ...main, subjects: "man" } }],
    [
      "subjects of one who has another's",
      {},
      [{ at: [], code: "unknown-name" }],
      { main: { ...main, subjects: "b" }, b: { ...main, subjects: "c" }, c: main },
    ],
    ["subjects of another", {}, [], { main, b: { ...main, subjects: "main" } }],
  ])("with %s", (_, config, faults, issuers) => {
    expect(compile(config, issuers).faults).toEqual(faults);
  });
  it.each<[string, object]>([
    ["two places", { from: { header: "authorization", cookie: "sid" } }],
    ["no place", { from: {} }],
    ["no scopes", { scopes: {} }],
    ["two scopes in one text", { scopes: { any: ["a b"] } }],
    ["a quote in a scope", { scopes: { all: ['a"b'] } }],
    ["an underscore in a header", { forward: { x_user: "sub" } }],
    ["an empty list of issuers", { issuers: [] }],
    ["an unknown key", { scope: "a" }],
  ])("refuses %s", (_, config) => {
    expect(jwt.schema.safeParse(config).success).toBe(false);
  });
});
