import { describe, expect, it } from "vitest";
import { type Compiled, compiled, planOf, sourcesOf } from "../support/compiling.ts";

interface Words {
  readonly credential?: string;
  readonly targets?: string;
  /** More keys of the upstream, of the gateway, of the api and of its route. */
  readonly upstream?: string;
  readonly gateway?: string;
  readonly api?: string;
  readonly route?: string;
}

const HEADER = "{ header: X-Gateway-Key, value: { env: ORDERS_KEY } }";

/** A route to the upstream "orders", which has the credential, and one to "users", which has none. */
const gateway = ({
  credential = HEADER,
  targets = '{ main: { url: "https://orders.example.com" } }',
  upstream = "",
  gateway: more = "",
  api = "",
  route = "",
}: Words): Compiled =>
  compiled(
    sourcesOf({
      "a.yaml": `
gateway:
  name: shop
  hosts: { public: api.example.com }
  clientIp: connection
  ${more}
upstreams:
  users: { targets: { main: { binding: USERS } } }
  orders:
    ${targets === "" ? "" : `targets: ${targets}`}
    credential: ${credential}
    ${upstream}
issuers:
  main: { issuer: main, audiences: [shop], algorithms: [HS256], secret: { env: SECRET } }
apis:
  orders:
    upstream: orders
    policies: { jwt: { issuers: [main] }${api} }
    routes:
      one:
        match: { path: /orders }
        ${route}
  users:
    public: true
    upstream: users
    routes:
      two: { match: { path: /users }, policies: { headers: { request: { set: { x-gateway-key: "1", signature: "2" } } } } }
`,
    }),
  );

describe("a credential in the plan", () => {
  it.each([
    [HEADER, { kind: "header", header: "x-gateway-key", secret: "ORDERS_KEY" }],
    [
      "{ header: Authorization, scheme: Bearer, value: { env: ORDERS_KEY } }",
      { kind: "header", header: "authorization", scheme: "Bearer", secret: "ORDERS_KEY" },
    ],
    [
      "{ jwt: { key: { env: ORDERS_KEY }, algorithm: HS256, audience: orders } }",
      {
        kind: "jwt",
        secret: "ORDERS_KEY",
        algorithm: "HS256",
        header: "x-gateway-token",
        issuer: "shop",
        audience: "orders",
        lifetimeSeconds: 60,
      },
    ],
    [
      "{ jwt: { key: { env: ORDERS_KEY }, algorithm: EdDSA, audience: orders, header: authorization, lifetime: 5m, keyId: k1 } }",
      {
        kind: "jwt",
        secret: "ORDERS_KEY",
        algorithm: "EdDSA",
        keyId: "k1",
        header: "authorization",
        issuer: "shop",
        audience: "orders",
        lifetimeSeconds: 300,
      },
    ],
    [
      "{ signature: { key: { env: ORDERS_KEY }, algorithm: hmac-sha256 } }",
      { kind: "signature", secret: "ORDERS_KEY", algorithm: "hmac-sha256", headers: [], lifetimeSeconds: 30 },
    ],
    [
      "{ signature: { key: { env: ORDERS_KEY }, algorithm: ed25519, headers: [x-user-id, X-B, x-b], lifetime: 10s, keyId: k } }",
      {
        kind: "signature",
        secret: "ORDERS_KEY",
        algorithm: "ed25519",
        headers: ["x-b", "x-user-id"],
        lifetimeSeconds: 10,
        keyId: "k",
      },
    ],
  ])("%s", (credential, expected) => {
    const plan = planOf(gateway({ credential }));
    expect(plan.upstreams["orders"]!.credential).toEqual(expected);
    expect(plan.upstreams["users"]).not.toHaveProperty("credential");
    expect(plan.secrets).toEqual(["ORDERS_KEY", "SECRET"]);
  });

  it("is no part of its own where it is a certificate: that belongs to the targets", () => {
    const targets = '{ a: { url: "https://a.example.com" }, b: { url: "https://b.example.com" } }';
    const plan = planOf(gateway({ credential: "{ certificate: { binding: ORDERS_CERT } }", targets }));
    expect(plan.upstreams["orders"]).not.toHaveProperty("credential");
    expect(plan.upstreams["orders"]!.targets.map(({ certificate }) => certificate)).toEqual([
      "ORDERS_CERT",
      "ORDERS_CERT",
    ]);
    expect(plan.upstreams["users"]!.targets[0]).not.toHaveProperty("certificate");
    expect(plan.secrets).toEqual(["SECRET"]);
  });
});

describe("a credential that is none", () => {
  const jwt = (more: string): string => `{ jwt: { key: { env: K }, audience: orders, ${more} } }`;
  const signature = (more: string): string => `{ signature: { key: { env: K }, ${more} } }`;
  it.each([
    ["{}", "missing-key", "Nothing is said of what the credential is."],
    ["{ header: x-key }", "missing-key", "The secret that goes in this field is missing."],
    ["{ value: { env: K } }", "missing-key", "It is not said in which field the secret goes."],
    ["{ scheme: Bearer }", "missing-key", "It is not said in which field the secret goes."],
    ["{ header: x-key, value: abc }", "wrong-type", "A secret's value does not belong in a policy file."],
    ["{ header: x_key, value: { env: K } }", "bad-format", "This is not the name of a header field."],
    ["{ header: x-key, value: { env: K }, scheme: a b }", "bad-format", "This is not the name of a scheme."],
    [
      "{ header: x-key, value: { env: K }, certificate: { binding: C } }",
      "conflicting-keys",
      'A credential is one thing, not "header" and "certificate".',
    ],
    [jwt("algorithm: none"), "bad-value", '"none" cannot stand here.'],
    [
      jwt("algorithm: HS256, lifetime: 4s"),
      "bad-value",
      "This is not a lifetime that a credential can have.",
    ],
    [
      jwt("algorithm: HS256, lifetime: 61m"),
      "bad-value",
      "This is not a lifetime that a credential can have.",
    ],
    [jwt('algorithm: HS256, keyId: "a\\"b"'), "bad-format", "This cannot be the name of a key."],
    [signature("algorithm: rsa-pss-sha512"), "bad-value", '"rsa-pss-sha512" cannot stand here.'],
    [
      signature("algorithm: ed25519, lifetime: 6m"),
      "bad-value",
      "This is not a lifetime that a credential can have.",
    ],
    [
      signature("algorithm: ed25519, headers: [Host]"),
      "bad-value",
      "The host is always covered, as @authority.",
    ],
    ["{ certificate: { binding: a-b } }", "bad-format", "This is not the name of a binding."],
  ])("%s", (credential, code, message) => {
    const { diagnostics } = gateway({ credential });
    expect(diagnostics.map((it) => [it.code, it.message, it.place.line])).toEqual([[code, message, 11]]);
  });

  it.each([
    "Host",
    "connection",
    "TE",
    "proxy-authorization",
    "content-type",
    "x-forwarded-for",
    "via",
    "cf-ray",
    "signature",
  ])("one in the field %s", (header) => {
    for (const credential of [
      `{ header: ${header}, value: { env: K } }`,
      jwt(`algorithm: HS256, header: ${header}`),
    ])
      expect(gateway({ credential }).diagnostics.map(({ message }) => message)).toEqual([
        "This field cannot carry a credential: it is written or taken off for other reasons.",
      ]);
  });

  it.each(["content-length", "accept-encoding", "x-forwarded-for", "signature", "via"])(
    "a signature of the field %s",
    (header) => {
      const { diagnostics } = gateway({ credential: signature(`algorithm: ed25519, headers: [${header}]`) });
      expect(diagnostics.map(({ message }) => message)).toEqual([
        "A signature cannot cover this field: it is changed on the way.",
      ]);
    },
  );

  const certificate = "{ certificate: { binding: ORDERS_CERT } }";
  it.each([
    [
      "a service binding",
      { targets: "{ main: { binding: ORDERS } }" },
      'The target "main" is reached by a service binding',
    ],
    [
      "plain HTTP",
      { targets: '{ main: { url: "http://orders.example.com" } }' },
      'The target "main" is reached without TLS',
    ],
    [
      "discovered targets",
      {
        targets: "",
        upstream:
          "discover: { dns: { name: _https._tcp.orders.example.com, type: SRV, resolver: https://dns.example.com/dns-query }, scheme: https }",
      },
      'The targets of "orders" are discovered',
    ],
  ])("a certificate for %s", (_, words, message) => {
    const { diagnostics } = gateway({ credential: certificate, ...words });
    expect(diagnostics.map((it) => it.code)).toEqual(["conflicting-keys"]);
    expect(diagnostics[0]!.message).toContain(message);
  });
});

describe("the field of a credential", () => {
  const SIGNATURE = "{ signature: { key: { env: K }, algorithm: hmac-sha256 } }";
  const JWT = "{ jwt: { key: { env: K }, algorithm: HS256, audience: orders } }";
  const taken = (field: string): string => `"${field}" is set by the credential of the upstream "orders".`;

  it.each<[string, Words, string, number]>([
    [
      "the gateway's headers policy",
      { gateway: "policies: { headers: { request: { set: { X-Gateway-Key: a } } } }" },
      "x-gateway-key",
      6,
    ],
    ["the api's", { api: ", headers: { request: { add: { x-gateway-key: a } } }" }, "x-gateway-key", 18],
    [
      "the route's",
      { route: "policies: { headers: { request: { set: { x-gateway-key: a } } } }" },
      "x-gateway-key",
      22,
    ],
    [
      "a forwarded claim",
      { route: "policies: { jwt: { issuers: [main], forward: { x-gateway-key: sub } } }" },
      "x-gateway-key",
      22,
    ],
    [
      "a lane",
      {
        route:
          "split: { lanes: { users: 50%, orders: { share: 50%, headers: { set: { x-gateway-key: a } } } } }",
      },
      "x-gateway-key",
      22,
    ],
    [
      "the headers policy of a route that is copied there",
      {
        route:
          "upstream: users\n        mirror: [{ upstream: orders }]\n        policies: { headers: { request: { set: { x-gateway-key: a } } } }",
      },
      "x-gateway-key",
      24,
    ],
    [
      "the headers policy, for a token",
      { credential: JWT, route: "policies: { headers: { request: { set: { x-gateway-token: a } } } }" },
      "x-gateway-token",
      22,
    ],
    [
      "the headers policy, for a signature",
      { credential: SIGNATURE, route: "policies: { headers: { request: { set: { Signature-Input: a } } } }" },
      "signature-input",
      22,
    ],
  ])("is set by nobody else: not by %s", (_, words, field, line) => {
    const { diagnostics } = gateway(words);
    expect(diagnostics.map((it) => [it.code, it.message, it.place.line])).toEqual([
      ["reserved-header", taken(field), line],
    ]);
  });

  it.each<[string, Words]>([
    ["another upstream's route may set it", {}],
    [
      "a route to another upstream of the same api may",
      { route: "upstream: users\n        policies: { headers: { request: { set: { x-gateway-key: a } } } }" },
    ],
    [
      "a route that goes to no upstream may",
      {
        route:
          "respond: { status: 204 }\n        policies: { headers: { request: { set: { x-gateway-key: a } } } }",
      },
    ],
    [
      "it may be taken off, which changes nothing",
      { route: "policies: { headers: { request: { remove: [x-gateway-key] } } }" },
    ],
    [
      "it may be set in answers",
      { route: "policies: { headers: { response: { set: { x-gateway-key: a } } } }" },
    ],
  ])("%s", (_, words) => {
    expect(gateway(words).codes).toEqual([]);
  });
});
