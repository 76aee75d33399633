import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/json.ts";
import { at, codesOf, contractOf, contractOfApis, fieldsOf, statusesOf } from "./contracting.ts";

const orders = (extra = "", version = "3.1.0"): string => `openapi: ${version}
info: { title: Orders, version: "1" }
tags: [{ name: orders, description: What was ordered. }]
paths:
  /orders:
    parameters: [{ name: tenant, in: query, schema: { type: string } }]
    get:
      operationId: listOrders
      tags: [orders]
      summary: List
      description: All of them.
      parameters:
        - { name: limit, in: query, schema: { type: integer } }
        - { name: x-user-id, in: header, required: true, schema: { type: string } }
        - { name: authorization, in: header, schema: { type: string } }
        - { name: Accept, in: header, schema: { type: string } }
        - { name: secret, in: query, x-internal: true, schema: { type: string } }
      security: [{ own: [] }]
      responses:
        "200": { $ref: "#/components/responses/Page" }
        "404": { description: None., content: { application/problem+json: { schema: { $ref: "#/components/schemas/Problem" } } } }
        "502": { description: The shop is closed., content: { application/problem+json: { schema: { $ref: "#/components/schemas/Problem" } } } }
  /orders/{orderId}:
    get:
      operationId: getOrder
      x-internal: true
      responses: { "200": { description: One., content: { application/json: { schema: { $ref: "#/components/schemas/Secret" } } } } }
components:
  securitySchemes: { own: { type: apiKey, in: header, name: x-own } }
  responses:
    Page:
      description: A page.
      headers: { X-Total: { schema: { type: integer } }, X-Internal-Host: { schema: { type: string } } }
      content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } }
  schemas:
    Order:
      type: object
      properties:
        id: { type: string }
        note: { type: string, x-internal: true }
        parent: { $ref: "#/components/schemas/Order" }
      required: [id, note]
    Problem: { type: object, properties: { code: { type: string } } }
    Secret: { type: object }
${extra}`;

const API = `apis:
  orders:
    openapi: { file: orders.yaml, prefix: /v2, operations: all }
    upstream: plain
    policies: { jwt: { issuers: [main], forward: { x-user-id: sub } } }
`;

const documentOf = (apis = API, more: { gateway?: string; openapi?: Record<string, string> } = {}): Json =>
  contractOfApis(apis, { openapi: { "orders.yaml": orders() }, ...more }).document;

const list = ["paths", "/v2/orders", "get"] as const;

describe("an operation of a document", () => {
  it("stands at its public path, in the words of its document", () => {
    expect(at(documentOf(), ...list)).toMatchObject({
      operationId: "listOrders",
      tags: ["orders"],
      summary: "List",
      description: "All of them.",
    });
    expect(at(documentOf(), "tags")).toEqual([{ name: "orders", description: "What was ordered." }]);
  });

  it("asks for what the policies ask for, whatever its document says", () => {
    const document = documentOf();
    expect(at(document, ...list, "security")).toEqual([{ jwt_main: [] }]);
    expect(Object.keys(at(document, "components", "securitySchemes") as object)).toEqual(["jwt_main"]);
  });

  it("does not have the parameters that the gateway sets, takes off, or keeps to itself", () => {
    const names = (at(documentOf(), ...list, "parameters") as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(["tenant", "limit"]);
  });

  it.each([
    ["headers: { request: { set: { x-user-id: me } } }", []],
    ["headers: { request: { remove: [x-user-id] } }", []],
    ["headers: { request: { allow: [x-other] } }", []],
    ["query: { remove: [limit] }", ["x-user-id"]],
    ["query: { allow: [tenant] }", ["x-user-id"]],
  ])("%s takes parameters off", (policies, header) => {
    const apis = API.replace("forward: { x-user-id: sub } }", `}, ${policies.replace(/^/, "")}`).replace(
      "[main], }",
      "[main] }",
    );
    const names = (at(documentOf(apis), ...list, "parameters") as { name: string; in: string }[]).map(
      ({ name }) => name,
    );
    expect(names.filter((name) => name.startsWith("x-"))).toEqual(header);
    expect(names.includes("limit")).toBe(!policies.startsWith("query"));
  });

  it("is not there where it is internal, nor what only it refers to", () => {
    const document = documentOf();
    expect(Object.keys(at(document, "paths") as object)).toEqual(["/v2/orders"]);
    expect(Object.keys(at(document, "components", "schemas") as object)).toEqual([
      "GatewayProblem",
      "Order",
      "Problem",
    ]);
    expect(at(document, "components", "schemas", "Order")).toMatchObject({ required: ["id"] });
    expect(Object.keys(at(document, "components", "schemas", "Order", "properties") as object)).toEqual([
      "id",
      "parent",
    ]);
  });

  it("keeps the service's answers, with the gateway's beside them", () => {
    const document = documentOf();
    expect(statusesOf(document, "/v2/orders", "get")).toEqual([
      "200",
      "400",
      "401",
      "404",
      "502",
      "503",
      "504",
    ]);
    const both = at(document, ...list, "responses", "502") as {
      description: string;
      content: Record<string, { schema: { anyOf: Json[] } }>;
    };
    expect(both.description).toBe("The shop is closed. The service could not be reached.");
    expect(both.content["application/problem+json"]!.schema.anyOf).toEqual([
      { $ref: "#/components/schemas/Problem" },
      expect.objectContaining({ allOf: expect.anything() }),
    ]);
    expect(codesOf(document, "/v2/orders", "get", 504)).toEqual(["upstream-timeout"]);
  });

  it.each([
    ["remove: [x-internal-host]", ["X-Total"]],
    ["allow: [x-total]", ["X-Total"]],
    ["set: { x-internal-host: none }", ["X-Internal-Host", "X-Total"]],
  ])("headers.response %s changes which fields callers get", (edits, names) => {
    const apis = API.replace("policies: {", `policies: { headers: { response: { ${edits} } },`);
    expect(Object.keys(at(documentOf(apis), ...list, "responses", "200", "headers") as object)).toEqual(
      names,
    );
  });

  it("is deprecated where a policy says so", () => {
    const apis = API.replace("policies: {", "policies: { deprecation: { since: 2026-01-01 },");
    expect(at(documentOf(apis), ...list, "deprecated")).toBe(true);
  });
});

describe("what the forwarder answers", () => {
  const answered = (upstream: string, method = "GET"): readonly (readonly string[])[] => {
    const { document } = contractOf({
      "a.yaml": `gateway: { hosts: { public: api.example.com } }
upstreams: { one: { targets: { main: { binding: MAIN } }, ${upstream} } }
apis: { a: { public: true, upstream: one, routes: { r: { match: { path: /r, methods: [${method}] } } } } }
`,
    });
    return statusesOf(document, "/r", method.toLowerCase())
      .filter((status) => Number(status) >= 402)
      .map((status) => [status, ...codesOf(document, "/r", method.toLowerCase(), status)]);
  };

  it.each([
    ["timeout: 1s", "GET", ["no-target"]],
    ["retry: { retries: 1 }", "GET", ["no-target", "upstream-unavailable"]],
    ["circuitBreaker: { maxPending: 3 }", "GET", ["no-target", "upstream-busy"]],
  ])("with %s, %s", (upstream, method, codes) => {
    expect(answered(upstream, method)).toEqual([
      ["502", "upstream-failed"],
      ["503", ...codes],
      ["504", "upstream-timeout"],
    ]);
  });

  it("says of a body that is kept to be sent again when it does not come", () => {
    expect(answered("retry: { retries: 1 }", "PUT")[0]).toEqual(["408", "body-timeout"]);
  });
});

describe("what a service says of all other answers", () => {
  it("holds for those too that the gateway may give by itself", () => {
    const document = documentOf(API, {
      openapi: {
        "orders.yaml": orders().replace('        "502":', "        default:"),
      },
    });
    const late = at(document, ...list, "responses", "504") as { description: string };
    expect(late.description).toBe("The service did not answer in time. The shop is closed.");
    expect(
      at(document, ...list, "responses", "504", "content", "application/problem+json", "schema", "anyOf"),
    ).toHaveLength(2);
    expect(codesOf(document, "/v2/orders", "get", 504)).toEqual(["upstream-timeout"]);
  });
});

describe("routes that come from no document", () => {
  const of = (route: string) =>
    contractOfApis(`apis: { a: { public: true, routes: { r: { ${route} } } } }\n`, { openapi: {} });

  it.each([
    [
      "a fixed answer",
      "match: { path: /r, methods: [GET] }, respond: { status: 200, body: x }",
      ["200", "400"],
    ],
    [
      "a redirect",
      "match: { path: /r, methods: [GET] }, redirect: { status: 301, host: new.example.com }",
      ["301", "400"],
    ],
    [
      "whatever a service answers",
      "match: { path: /r, methods: [GET] }, upstream: plain",
      ["400", "502", "503", "504", "2XX", "default"],
    ],
  ])("%s", (_, route, statuses) => {
    const { document, notes } = of(route);
    expect(statusesOf(document, "/r", "get")).toEqual(statuses);
    expect(at(document, "paths", "/r", "get")).toMatchObject({
      operationId: "a_r",
      summary: "r",
      description: expect.any(String),
    });
    expect(notes.filter(({ route: id }) => id === "a.r")).toEqual([]);
  });

  it("parameters of the path are described", () => {
    const { document } = of("match: { path: '/r/{one}.{two}', methods: [GET] }, upstream: plain");
    expect(
      (at(document, "paths", "/r/{one}.{two}", "get", "parameters") as { name: string }[]).map(
        ({ name }) => name,
      ),
    ).toEqual(["one", "two"]);
  });

  it.each([
    ["match: { pathPrefix: /r }", "prefix"],
    ["match: { pathRegex: '/r[0-9]+' }", "regular expression"],
    ["match: { path: '/r/{rest...}', methods: [GET] }", "what remains"],
    ["match: { path: /r }", "any method"],
    ["match: { path: /r, methods: [PROPFIND] }", "PROPFIND"],
  ])("%s is left out, and told", (match, words) => {
    const { document, notes } = of(`${match}, upstream: plain`);
    expect(at(document, "paths")).toEqual({});
    expect(notes.find(({ route }) => route === "a.r")?.text).toContain(words);
  });
});

describe("several routes of one path and method", () => {
  it("the one without conditions stands for them, and the others are told", () => {
    const { document, notes } = contractOfApis(
      `apis:
  a:
    public: true
    upstream: plain
    routes:
      beta: { match: { path: /r, methods: [GET], headers: { x-beta: "1" } } }
      main: { match: { path: /r, methods: [GET] } }
      only: { match: { path: /s, methods: [GET], headers: { x-version: "2" } } }
`,
    );
    expect(at(document, "paths", "/r", "get", "x-postern", "route")).toBe("a.main");
    expect(notes.filter(({ route }) => route === "a.beta")).toHaveLength(1);
    expect(at(document, "paths", "/s", "get", "parameters")).toMatchObject([
      { name: "x-version", in: "header", required: true, schema: { const: "2" } },
    ]);
  });

  it("paths that differ in names of parameters are one", () => {
    const { document } = contractOfApis(
      `apis:
  a:
    public: true
    upstream: plain
    routes:
      get: { match: { path: "/r/{id}", methods: [GET] } }
      put: { match: { path: "/r/{key}", methods: [PUT] } }
`,
    );
    expect(Object.keys(at(document, "paths") as object)).toEqual(["/r/{id}"]);
    expect(at(document, "paths", "/r/{id}", "put", "parameters")).toMatchObject([{ name: "id" }]);
  });
});

describe("hosts", () => {
  const gateway = `gateway:
  hosts: { public: api.example.com, tenants: "{tenant}.example.com", all: "*.example.net" }
  clientIp: cloudflare
  info: { title: Things, version: "2.1.0", license: { name: MIT, identifier: MIT } }
`;

  it("are servers, with variables where they are patterns", () => {
    const { document } = contractOfApis(
      "apis: { a: { public: true, hosts: [tenants], upstream: plain, routes: { r: { match: { path: /r, methods: [GET] } } } } }\n",
      { gateway },
    );
    expect((at(document, "servers") as { url: string }[]).map(({ url }) => url)).toEqual([
      "https://{subdomain}.example.net",
      "https://api.example.com",
      "https://{tenant}.example.com",
    ]);
    expect(at(document, "paths", "/r", "servers")).toMatchObject([
      { url: "https://{tenant}.example.com", variables: { tenant: { default: "tenant" } } },
    ]);
    expect(at(document, "info")).toEqual({
      title: "Things",
      version: "2.1.0",
      license: { name: "MIT", identifier: "MIT" },
    });
  });
});

describe("several documents", () => {
  const two = (second: string): Json =>
    documentOf(
      `${API}  more: { openapi: { file: more.yaml, operations: all }, upstream: plain, public: true }\n`,
      {
        openapi: { "orders.yaml": orders(), "more.yaml": second },
      },
    );

  it("equal schemas are one", () => {
    const document = two(orders().replace("List", "Other"));
    expect(Object.keys(at(document, "components", "schemas") as object)).toEqual([
      "GatewayProblem",
      "Order",
      "Problem",
    ]);
    expect(at(document, "paths", "/orders", "get", "operationId")).toBe("more_listOrders");
    expect(at(document, ...list, "operationId")).toBe("orders_listOrders");
  });

  it("others of one name have the name of their document before theirs, and so have those that refer to them", () => {
    const document = two(orders().replace("id: { type: string }", "id: { type: integer }"));
    expect(Object.keys(at(document, "components", "schemas") as object)).toEqual([
      "GatewayProblem",
      "Problem",
      "more_Order",
      "orders_Order",
    ]);
    expect(
      at(document, "components", "schemas", "more_Order", "properties", "parent", "properties", "id"),
    ).toEqual({
      type: "integer",
    });
  });

  it("what a document calls by the gateway's name gets another", () => {
    const document = documentOf(API, {
      openapi: {
        "orders.yaml": orders()
          .replaceAll("schemas/Problem", "schemas/GatewayProblem")
          .replace("    Problem:", "    GatewayProblem:"),
      },
    });
    expect(Object.keys(at(document, "components", "schemas") as object)).toContain("orders_GatewayProblem");
  });
});

describe("an answer that is given before a route is looked for", () => {
  it.each([
    ["gateway", "X-Request-Id", true],
    ["route", "X-Request-Id", false],
  ])("has the fields of policies of the gateway: %s", (level, name, expected) => {
    const policies = "policies: { requestId: {} }";
    const gateway = `gateway:\n  hosts: { public: api.example.com }\n  clientIp: cloudflare\n${level === "gateway" ? `  ${policies}\n` : ""}`;
    const { document } = contractOfApis(
      `apis: { a: { public: true, routes: { r: { respond: { status: 204 }, match: { path: /r, methods: [GET] }${level === "route" ? `, ${policies}` : ""} } } } }\n`,
      { gateway },
    );
    expect(fieldsOf(document, "/r", "get", 400).includes(name)).toBe(expected);
    expect(fieldsOf(document, "/r", "get", 204)).toContain(name);
  });
});

describe("determinism", () => {
  const files = {
    "g.yaml":
      "gateway: { hosts: { public: api.example.com }, clientIp: cloudflare }\nupstreams: { plain: { targets: { main: { binding: MAIN } } } }\n",
    "i.yaml":
      "issuers:\n  main: { issuer: main, audiences: [shop], algorithms: [HS256], secret: { env: SECRET } }\n",
    "a.yaml": API,
    "b.yaml":
      "apis:\n  more: { openapi: { file: more.yaml, operations: all }, upstream: plain, public: true }\n",
  };
  const documents = { "orders.yaml": orders(), "more.yaml": orders().replace("integer", "number") };
  const reversed = <T>(map: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(map).reverse());

  it("the order of files leaves no trace", () => {
    const one = JSON.stringify(contractOf(files, documents).document);
    expect(JSON.stringify(contractOf(reversed(files), reversed(documents)).document)).toBe(one);
  });
});

describe("places", () => {
  const SCOPED = `${API}    routes:
      listOrders:
        policies:
          jwt:
            inherit: true
            scopes: { all: [orders.read] }
          rateLimit:
            limits:
              - { name: one, rate: 1/1s, key: identity }
              - { name: two, rate: 2/1s, key: identity }
`;
  const contract = contractOfApis(SCOPED, { openapi: { "orders.yaml": orders() } });
  const text = (pointer: string): string => {
    const { file, line } = contract.placeOf(pointer);
    const source = file.endsWith("orders.yaml") ? orders() : SCOPED;
    return `${file}: ${source.split("\n")[line - 1]!.trim()}`;
  };

  it.each([
    ["/paths/~1v2~1orders/get", "apis.yaml: listOrders:"],
    [
      "/paths/~1v2~1orders/get/parameters/1",
      "orders.yaml: - { name: limit, in: query, schema: { type: integer } }",
    ],
    [
      "/paths/~1v2~1orders/get/responses/200/content",
      'orders.yaml: content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } }',
    ],
    ["/paths/~1v2~1orders/get/responses/401", "apis.yaml: jwt:"],
    ["/paths/~1v2~1orders/get/security/0", "apis.yaml: jwt:"],
    ["/paths/~1v2~1orders/get/x-postern/scopes/jwt_main", "apis.yaml: scopes: { all: [orders.read] }"],
    ["/paths/~1v2~1orders/get/x-postern/limits/1", "apis.yaml: - { name: two, rate: 2/1s, key: identity }"],
    ["/components/schemas/Order/properties/id/type", "orders.yaml: id: { type: string }"],
  ])("%s stands at %s", (pointer, expected) => {
    expect(text(pointer)).toBe(expected);
  });
});
