import { describe, expect, it } from "vitest";
import { compiledApis } from "../support/compiling.ts";

const SCHEMES = `components:
  securitySchemes:
    bearer: { type: http, scheme: Bearer }
    oauth: { type: oauth2, flows: {} }
    openid: { $ref: "#/components/securitySchemes/oauth" }
    key: { type: apiKey, in: header, name: x-api-key }
    basic: { type: http, scheme: basic }
    mutual: { type: mutualTLS }
    digest: { type: http, scheme: digest }
`;

const CONSUMERS = `consumers:
  shop: { keys: [{ sha256: "${"ab".repeat(32)}" }] }
`;

/** Messages of hints for an operation that asks for `security`, below an api with some lines. */
const hints = (security: string, lines: string, ofDocument = false) => {
  const own = ofDocument ? "" : `, security: ${security}`;
  const document = `openapi: 3.1.0
paths:
  /a: { get: { operationId: a${own}, responses: {} } }
${ofDocument ? `security: ${security}\n` : ""}${SCHEMES}`;
  const { diagnostics } = compiledApis(
    `${CONSUMERS}apis:
  shop:
    upstream: orders
    openapi: { file: a.yaml, operations: all }
    ${lines}
  keys:
    upstream: orders
    routes: { k: { match: { path: /k }, policies: { apiKey: {} } } }
`,
    { openapi: { "a.yaml": document } },
  );
  return diagnostics.filter(({ code }) => code === "asks-for-less");
};

const policies = (text: string): string => `policies: { ${text} }`;
const JWT = "jwt: { issuers: [main] }";
const ANY = "jwt: { issuers: [main] }, apiKey: {}, identity: { any: ";

describe("what a document asks for", () => {
  it.each<[string, string, string]>([
    ["a token, and there is one", "[{ bearer: [] }]", policies(JWT)],
    ["OAuth, and there is a token", "[{ oauth: [] }]", policies(JWT)],
    ["a scheme behind a reference", "[{ openid: [] }]", policies(JWT)],
    ["a key", "[{ key: [] }]", policies("apiKey: {}")],
    ["one of two", "[{ key: [] }, { bearer: [] }]", policies(JWT)],
    ["one of two, and either will do", "[{ key: [] }, { bearer: [] }]", policies(`${ANY}[jwt, apiKey] }`)],
    ["two at once", "[{ key: [], bearer: [] }]", policies("jwt: { issuers: [main] }, apiKey: {}")],
    ["less than the policies do", "[{ bearer: [] }]", policies("jwt: { issuers: [main] }, apiKey: {}")],
    ["nothing", "[]", "public: true"],
    ["a token or nothing", "[{ bearer: [] }, {}]", "public: true"],
    [
      "scopes, all of them",
      "[{ oauth: [r, w] }]",
      policies("jwt: { issuers: [main], scopes: { all: [r, w, x] } }"),
    ],
    ["one scope", "[{ oauth: [r] }]", policies("jwt: { issuers: [main], scopes: { any: [r] } }")],
    [
      "scopes that an expression asks for",
      "[{ oauth: [r] }]",
      policies(`${JWT}, authorize: { allow: "claims.scope.contains('r')" }`),
    ],
    ["words beside a bearer token, which are no scopes", "[{ bearer: [reader] }]", policies(JWT)],
    ["a scheme that is not described, which is told as that", "[{ nobody: [] }]", "public: true"],
  ])("is met: %s", (_, security, lines) => expect(hints(security, lines)).toEqual([]));

  it.each<[string, string, string, string]>([
    ["a token of a public api", "[{ bearer: [] }]", "public: true", 'a token ("bearer")'],
    ["a token, and there is a key", "[{ bearer: [] }]", policies("apiKey: {}"), 'a token ("bearer")'],
    ["a key, and there is a token", "[{ key: [] }]", policies(JWT), 'an API key ("key")'],
    ["a password", "[{ basic: [] }]", policies(JWT), 'a password ("basic")'],
    ["a certificate", "[{ mutual: [] }]", policies(JWT), 'a client certificate ("mutual")'],
    ["another scheme", "[{ digest: [] }]", policies(JWT), 'a credential ("digest")'],
    ["two at once, and there is one", "[{ key: [], bearer: [] }]", policies(JWT), 'an API key ("key")'],
    [
      "a token, and a key will do",
      "[{ bearer: [] }]",
      policies(`${ANY}[jwt, apiKey] }`),
      'a token ("bearer")',
    ],
    [
      "a token, and nothing will do",
      "[{ bearer: [] }]",
      policies(`${JWT}, identity: { any: [jwt, anonymous] }`),
      'a token ("bearer")',
    ],
    ["a scope", "[{ oauth: [r] }]", policies(JWT), 'the scope "r"'],
    [
      "two scopes, and one will do",
      "[{ oauth: [r, w] }]",
      policies("jwt: { issuers: [main], scopes: { any: [r, w] } }"),
      'the scopes "r", "w"',
    ],
  ])("is not met: %s", (_, security, lines, asked) => {
    const [hint, ...others] = hints(security, lines);
    expect(others).toEqual([]);
    expect(hint).toMatchObject({ severity: "warning", place: { file: "a.yaml", line: 3 } });
    expect(hint!.message).toContain(`The document asks for ${asked} here`);
    expect(hint!.related).toMatchObject([
      { message: 'The route "shop.a" stands here.', place: { file: "a.yaml", line: 3 } },
    ]);
  });

  it("is placed where the whole document asks for it", () =>
    expect(hints("[{ bearer: [] }]", "public: true", true)).toMatchObject([{ place: { line: 4 } }]));

  it("is not told beside a route that nobody closed or opened", () =>
    expect(hints("[{ bearer: [] }]", "timeout: 5s")).toEqual([]));
});
