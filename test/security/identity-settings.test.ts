import { createHmac, generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { policyOrder } from "../../src/policies/index.ts";
import { keysOf, outcomesOf, type Row, routesOf } from "./setting-rows.ts";
import { type Ground, HOST, now, startGround, upstream } from "./support.ts";

// S17 for the policies that verify signatures or ask somebody: each setting of theirs has its effect.

const SECRET = "a secret of thirty-two bytes and more";
const OTHER = "another secret, of thirty-two bytes too";
const ED = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });

const mac = (text: string): string => createHmac("sha256", SECRET).update(text).digest("hex");
let made = 0;
/** A body that no other request has, so that none is a replay. */
const hub =
  (size = 1) =>
  () => {
    const body = `${++made}`.padEnd(size, "x");
    return { line: "POST", fields: [`X-Hub-Signature-256: sha256=${mac(body)}`], body };
  };
const stripe = (ageSeconds: number) => () => {
  const [time, body] = [now() - ageSeconds, `${++made}`];
  return { line: "POST", fields: [`Stripe-Signature: t=${time},v1=${mac(`${time}.${body}`)}`], body };
};
/** A signature of RFC 9421 over a GET. */
const message: Row["request"] = (path) => {
  const parameters = `("@method" "@authority" "@path");created=${now()};keyid="k1";nonce="${++made}"`;
  const base = `"@method": GET\n"@authority": ${HOST}\n"@path": ${path}\n"@signature-params": ${parameters}`;
  const signature = createHmac("sha256", SECRET).update(base).digest("base64");
  return { fields: [`Signature-Input: sig1=${parameters}`, `Signature: sig1=:${signature}:`] };
};
const withField = <T extends { readonly fields: readonly string[] }>(request: T, field: string): T => ({
  ...request,
  fields: [...request.fields, field],
});
const SAME = { line: "POST", fields: [`X-Hub-Signature-256: sha256=${mac("same")}`], body: "same" };

const hmac = (
  of: string,
  setting: string,
  request: Row["request"],
  outcomes: Row["outcomes"],
  sees?: string,
): Row => ({
  of: `hmac.${of}`,
  without: "hmac: { scheme: github, secrets: [{ env: SECRET }] }",
  with: `hmac: { scheme: github, ${/secrets:/.test(setting) ? "" : "secrets: [{ env: SECRET }], "}${setting} }`,
  request,
  outcomes,
  ...(sees === undefined ? {} : { sees }),
});
const signed = (of: string, setting: string, outcomes: Row["outcomes"]): Row => ({
  of: `hmac.${of}`,
  without: "hmac: { scheme: rfc9421, secrets: [{ env: SECRET, id: k1 }] }",
  with: `hmac: { scheme: rfc9421, ${setting} }`,
  request: message,
  outcomes,
});

const opaque = (url: string) => {
  const base = `url: "${url}/introspect"`;
  return (
    of: string,
    setting: string,
    outcomes: Row["outcomes"],
    fields = ["Authorization: Bearer opaque"],
    more: Partial<Row> = {},
  ): Row => {
    const client = "client: { id: gateway, secret: { env: SECRET } }";
    const own = [/\burl:/.test(setting) ? "" : base, /\bclient:/.test(setting) ? "" : client, setting];
    return {
      of: `introspection.${of}`,
      without: `introspection: { ${base}, ${client} }`,
      with: `introspection: { ${own.filter((part) => part !== "").join(", ")} }`,
      request: () => ({ fields }),
      outcomes,
      ...more,
    };
  };
};
const asked = (url: string) => {
  const base = { url: `url: "${url}/check"`, identity: "identity: x-user-id" };
  return (
    of: string,
    setting: string,
    outcomes: Row["outcomes"],
    fields = ["Authorization: Bearer opaque"],
    more: Partial<Row> = {},
  ): Row => {
    const own = [
      /\burl:/.test(setting) ? "" : base.url,
      /\bidentity:/.test(setting) ? "" : base.identity,
      setting,
    ];
    return {
      of: `forwardAuth.${of}`,
      without: `forwardAuth: { ${base.url}, ${base.identity} }`,
      with: `forwardAuth: { ${own.filter((part) => part !== "").join(", ")} }`,
      request: () => ({ fields }),
      outcomes,
      ...more,
    };
  };
};

const rowsOf = (auth: string): readonly Row[] => {
  const [introspection, forwardAuth] = [opaque(auth), asked(auth)];
  return [
    {
      of: "hmac.scheme",
      without: "hmac: { scheme: github, secrets: [{ env: SECRET }] }",
      with: "hmac: { scheme: stripe, secrets: [{ env: SECRET }] }",
      request: hub(),
      outcomes: ["200", "401 credential-missing"],
    },
    hmac("secrets.env", "secrets: [{ env: OTHER }]", hub(), ["200", "401 signature-invalid"]),
    hmac("maxBody", "maxBody: 1KiB", hub(1025), ["200", "413 body-too-large"]),
    { ...hmac("replay", "replay: allow", () => SAME, ["401 signature-replayed", "200"]), times: 2 },
    {
      of: "hmac.forward",
      without: "hmac: { scheme: github, secrets: [{ env: SECRET, consumer: acme }] }",
      with: "hmac: { scheme: github, secrets: [{ env: SECRET, consumer: acme }], forward: { x-name: name } }",
      request: () => ({ ...withField(hub()(), "X-Name: forged") }),
      outcomes: ["200 forged", "200 acme"],
      sees: "x-name",
    },
    {
      of: "hmac.forwardCredential",
      without: "hmac: { scheme: github, secrets: [{ env: SECRET }], replay: allow }",
      with: "hmac: { scheme: github, secrets: [{ env: SECRET }], replay: allow, forwardCredential: true }",
      request: () => SAME,
      outcomes: ["200 -", `200 sha256=${mac("same")}`],
      sees: "x-hub-signature-256",
    },
    signed("secrets.id", "secrets: [{ env: SECRET, id: k2 }]", ["200", "401 signature-invalid"]),
    signed("components", "secrets: [{ env: SECRET, id: k1 }], components: [x-tenant]", [
      "200",
      "401 signature-incomplete",
    ]),
    signed("keys", `keys: [{ jwk: ${JSON.stringify({ ...ED, kid: "k1" })} }]`, [
      "200",
      "401 signature-invalid",
    ]),
    {
      of: "hmac.maxAge",
      without: "hmac: { scheme: stripe, secrets: [{ env: SECRET }] }",
      with: "hmac: { scheme: stripe, secrets: [{ env: SECRET }], maxAge: 1m }",
      request: stripe(90),
      outcomes: ["200", "401 signature-expired"],
    },
    introspection("url", `url: "${auth}/elsewhere"`, ["200", "401 token-inactive"]),
    introspection("client.id", "client: { id: other, secret: { env: SECRET } }", [
      "200",
      "503 introspection-unavailable",
    ]),
    introspection("client.secret.env", "client: { id: gateway, secret: { env: OTHER } }", [
      "200",
      "503 introspection-unavailable",
    ]),
    introspection("issuer", "issuer: https://login.example.com/", ["200", "401 token-issuer"]),
    introspection("audiences", "audiences: [staff]", ["200", "401 token-audience"]),
    introspection("scopes.all", "scopes: { all: [read, write] }", ["200", "403 insufficient-scope"]),
    introspection("scopes.any", "scopes: { any: [admin, write] }", ["200", "403 insufficient-scope"]),
    introspection(
      "from.header",
      "from: { header: x-token }",
      ["401 credential-missing", "200"],
      ["X-Token: opaque"],
    ),
    introspection(
      "from.cookie",
      "from: { cookie: session }",
      ["401 credential-missing", "200"],
      ["Cookie: session=opaque"],
    ),
    introspection("from.query", "from: { query: access_token }", ["401 credential-missing", "200"], [], {
      request: () => ({ line: "GET ?access_token=opaque" }),
    }),
    introspection(
      "forward",
      "forward: { x-user-id: sub }",
      ["200 forged", "200 ann"],
      ["Authorization: Bearer opaque", "X-User-Id: forged"],
      { sees: "x-user-id" },
    ),
    introspection("forwardCredential", "forwardCredential: true", ["200 -", "200 Bearer opaque"], undefined, {
      sees: "authorization",
    }),
    forwardAuth("url", `url: "${auth}/refuse"`, ["200", "403 auth-refused"]),
    forwardAuth("identity", "identity: x-nobody", ["200", "503 auth-unavailable"]),
    forwardAuth(
      "requestHeaders",
      "requestHeaders: [x-session]",
      ["401 credential-missing", "200"],
      ["X-Session: 1"],
    ),
    forwardAuth(
      "forward",
      "forward: [x-groups]",
      ["200 forged", "200 staff"],
      ["Cookie: a=1", "X-Groups: forged"],
      { sees: "x-groups" },
    ),
    forwardAuth("forwardCredential", "forwardCredential: true", ["200 -", "200 a=1"], ["Cookie: a=1"], {
      sees: "cookie",
    }),
    {
      ...forwardAuth("redirects", `url: "${auth}/login", redirects: true`, ["503 auth-unavailable", "302"]),
      without: `forwardAuth: { url: "${auth}/login", identity: x-user-id }`,
    },
  ];
};

const policies = (urls: Record<"origin" | "auth", string>): string => `
gateway: { name: settings, hosts: { public: ${HOST} }, clientIp: connection }
consumers: { acme: {} }
upstreams: { origin: ${upstream(urls.origin)} }
apis:
  all:
    upstream: origin
    routes:
${routesOf(rowsOf(urls.auth))}
`;

let ground: Ground<"origin" | "auth">;
beforeAll(async () => {
  ground = await startGround(["origin", "auth"], policies, { SECRET, OTHER });
  const { auth } = ground.origins;
  const basic = `Basic ${Buffer.from(`gateway:${SECRET.replaceAll(" ", "+").replaceAll(",", "%2C")}`).toString("base64")}`;
  const claims = { active: true, sub: "ann", iss: "https://other.example.com/", aud: "shop", scope: "read" };
  const answers = (path: string, status: number, fields: Record<string, string>, body = ""): void =>
    auth.on(path, (_, response) => void response.writeHead(status, fields).end(body));
  auth.on("/introspect", (request, response) => {
    if (request.headers.authorization !== basic) response.writeHead(401);
    request.resume().once("end", () => response.end(JSON.stringify(claims)));
  });
  answers("/elsewhere", 200, {}, '{"active":false}');
  answers("/check", 200, { "x-user-id": "ann", "x-groups": "staff" });
  answers("/refuse", 403, {});
  answers("/login", 302, { location: "https://login.example.com/" });
});
afterAll(() => ground?.stop());

/** The rows by what stands in them; the addresses are known once the ground is. */
const NAMES = rowsOf("http://127.0.0.1:1").map(({ of }) => of);

describe("S17: a setting has its effect", () => {
  it.each(NAMES.map((of, index) => [of, index] as const))("%s", async (_, index) => {
    const row = rowsOf(ground.origins.auth.url)[index]!;
    expect(await outcomesOf(ground, row, index)).toEqual(row.outcomes);
  });
});

describe("S17: no setting is left out", () => {
  // Which network may be asked, and for how long and how often, opens nothing; names are whose a key is, not what it opens.
  const OTHERS = /\.(network|timeout|cacheFor|consumer|keys\.\S+)$/;
  it.each(["hmac", "introspection", "forwardAuth"])("%s", (name) => {
    const { type } = policyOrder.find((one) => one.type.name === name)!;
    const keys = keysOf(type.schema as z.ZodType).map((one) => `${name}.${one}`);
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((one) => !OTHERS.test(one) && !NAMES.includes(one))).toEqual([]);
  });
});
