import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/json.ts";
import { type Compiled, compiledApis, planOf, stepsOf } from "../support/compiling.ts";

/** One route with policies at each level, written as flow maps. */
const levels = (gateway: string, api: string, route: string): Compiled =>
  compiledApis(
    `apis:
  shop:
    upstream: orders
    ${api}
    routes:
      get:
        match: { path: "/orders/{id}", methods: [GET] }
        ${route}
`,
    { gateway: gateway === "" ? "" : `  ${gateway}\n` },
  );

const JWT = "jwt: { issuers: [main] }";
const names = (result: Compiled): string[] => stepsOf(planOf(result), "shop.get").map(({ policy }) => policy);
const step = (result: Compiled, policy: string): Record<string, Json> =>
  stepsOf(planOf(result), "shop.get").find((candidate) => candidate.policy === policy)!.step as Record<
    string,
    Json
  >;

describe("where a policy is attached", () => {
  it.each([
    [
      "at the gateway it holds for every route",
      `policies: { ${JWT}, requestId: {} }`,
      "",
      "",
      ["requestId", "identity"],
    ],
    [
      "at the api it holds for its routes",
      "",
      `policies: { ${JWT}, requestId: {} }`,
      "",
      ["requestId", "identity"],
    ],
    ["at the route", "", "", `policies: { ${JWT}, requestId: {} }`, ["requestId", "identity"]],
    [
      "the order in the file is nothing, the order of the product all",
      "",
      `policies: { cache: {}, authorize: { allow: "identity.id != ''" }, ${JWT}, cors: { origins: any }, accessLog: {}, requestId: {} }`,
      "",
      ["requestId", "accessLog", "cors", "identity", "authorize", "cache"],
    ],
    [
      "none removes what the gateway attached",
      `policies: { ${JWT}, requestId: {} }`,
      "policies: { requestId: none }",
      "",
      ["identity"],
    ],
    [
      "none removes it for one route",
      `policies: { ${JWT} }`,
      "policies: { requestId: {} }",
      "policies: { requestId: none }",
      ["identity"],
    ],
    [
      "what was removed can be attached again further in",
      `policies: { ${JWT}, requestId: {} }`,
      "policies: { requestId: none }",
      "policies: { requestId: {} }",
      ["requestId", "identity"],
    ],
  ])("%s", (_, gateway, api, route, expected) =>
    expect(names(levels(gateway, api, route))).toEqual(expected),
  );
});

describe("guards add up", () => {
  const limits = (name: string): string => `rateLimit: { limits: [{ name: ${name}, rate: 10/1m, key: ip }] }`;

  it("the limits of all levels hold, each with its own bucket", () => {
    const result = levels(
      `policies: { ${JWT}, ${limits("outer")} }`,
      `policies: { ${limits("middle")} }`,
      `policies: { ${limits("inner")} }`,
    );
    const { groups } = step(result, "rateLimit") as unknown as { groups: { limits: { bucket: string }[] }[] };
    expect(groups.flatMap((group) => group.limits.map(({ bucket }) => bucket))).toEqual([
      "gateway outer",
      "apis.shop middle",
      "apis.shop.routes.get inner",
    ]);
  });

  it("the expressions of all levels must be true", () => {
    const result = levels(
      `policies: { ${JWT}, authorize: { allow: "identity.id != '1'" } }`,
      `policies: { authorize: { allow: "identity.id != '2'" } }`,
      `policies: { authorize: { allow: "identity.id != '3'" } }`,
    );
    expect(step(result, "authorize")["allow"]).toHaveLength(3);
  });

  it("none removes those outside of it, and those inside hold", () => {
    const result = levels(
      `policies: { ${JWT}, authorize: { allow: "identity.id != '1'" } }`,
      "policies: { authorize: none }",
      `policies: { authorize: { allow: "identity.id != '3'" } }`,
    );
    expect(JSON.stringify(step(result, "authorize")["allow"])).toContain('"3"');
    expect(step(result, "authorize")["allow"]).toHaveLength(1);
  });

  it("inherit means nothing there, and is told", () => {
    const { codes } = levels(
      "",
      `policies: { ${JWT}, authorize: { inherit: true, allow: "identity.id != ''" } }`,
      "",
    );
    expect(codes).toEqual(["unknown-key"]);
  });
});

describe("everything else is replaced", () => {
  const LOG = "accessLog: { sample: 10%, fields: [query] }";

  it.each([
    ["the inner one alone holds", "accessLog: { inherit: false, sample: 50% }", { sample: 0.5, fields: [] }],
    [
      "inherit: true keeps the outer keys",
      "accessLog: { inherit: true, sample: 50% }",
      { sample: 0.5, fields: ["query"] },
    ],
    [
      "inherit: true alone changes nothing",
      "accessLog: { inherit: true }",
      { sample: 0.1, fields: ["query"] },
    ],
    [
      "with all of the outer keys, nothing is lost",
      "accessLog: { sample: 50%, fields: [] }",
      { sample: 0.5, fields: [] },
    ],
  ])("%s", (_, inner, expected) => {
    const result = levels(`policies: { ${JWT}, ${LOG} }`, "", `policies: { ${inner} }`);
    expect(step(result, "accessLog")).toMatchObject(expected);
  });

  it("inherit reaches over a level that says nothing, and over two that do", () => {
    const result = levels(
      `policies: { ${JWT}, ${LOG} }`,
      "policies: { accessLog: { inherit: true, redact: [clientIp] } }",
      "policies: { accessLog: { inherit: true, sample: 50% } }",
    );
    expect(step(result, "accessLog")).toMatchObject({
      sample: 0.5,
      fields: ["query"],
      without: ["clientIp"],
    });
  });

  it.each([
    ["a lost key is told", "accessLog: { sample: 50% }", ["lost-keys"]],
    ["an empty map loses everything", "accessLog: {}", ["lost-keys"]],
    ["none loses it on purpose", "accessLog: none", []],
    ["inherit is true or false", "accessLog: { inherit: always, sample: 50%, fields: [] }", ["wrong-type"]],
    ["there must be something to inherit", "requestId: { inherit: true }", ["nothing-to-inherit"]],
    ["or to remove", "requestId: none", ["nothing-to-remove"]],
    ["after none there is nothing to inherit either", "accessLog: none", []],
  ])("%s", (_, inner, expected) => {
    expect(levels(`policies: { ${JWT}, ${LOG} }`, "", `policies: { ${inner} }`).codes).toEqual(expected);
  });

  it("what an api removed, its route cannot inherit", () => {
    const result = levels(
      `policies: { ${JWT}, ${LOG} }`,
      "policies: { accessLog: none }",
      "policies: { accessLog: { inherit: true } }",
    );
    expect(result.codes).toEqual(["nothing-to-inherit"]);
  });
});

describe("public: true", () => {
  it.each([
    ["opens a route", `policies: { ${JWT} }`, "", "public: true", []],
    ["opens an api", `policies: { ${JWT} }`, "public: true", "", []],
    [
      "takes authorize along",
      `policies: { ${JWT}, authorize: { allow: "identity.id != ''" } }`,
      "",
      "public: true",
      [],
    ],
    ["leaves everything else", `policies: { ${JWT}, requestId: {} }`, "", "public: true", ["requestId"]],
    ["a route of a public api can ask again", "", "public: true", `policies: { ${JWT} }`, ["identity"]],
  ])("%s", (_, gateway, api, route, expected) =>
    expect(names(levels(gateway, api, route))).toEqual(expected),
  );

  it.each([
    [
      "not beside an identity policy",
      "",
      "",
      `public: true\n        policies: { ${JWT} }`,
      ["public-with-identity"],
    ],
    [
      "not beside authorize",
      "",
      "",
      `public: true\n        policies: { authorize: { allow: "true" } }`,
      ["public-with-identity"],
    ],
    [
      "not beside identity",
      "",
      "",
      "public: true\n        policies: { identity: { any: [anonymous] } }",
      ["public-with-identity"],
    ],
    ["there is no false", "", `policies: { ${JWT} }`, "public: false", ["bad-value"]],
  ])("%s", (_, gateway, api, route, expected) => expect(levels(gateway, api, route).codes).toEqual(expected));

  it("is not a key of the gateway", () =>
    expect(levels("public: true", "", "public: true").codes).toEqual(["unknown-key"]));
});

describe("only `public: true` opens", () => {
  const jwtAt = ["", JWT, "jwt: none"] as const;
  const closed = (jwt: string): boolean => jwt === JWT;
  const node = (jwt: string, open: boolean): string =>
    [open ? "public: true" : "", jwt === "" ? "" : `policies: { ${jwt} }`]
      .filter((line) => line !== "")
      .join("\n    ");
  const all = jwtAt.flatMap((gateway) =>
    jwtAt.flatMap((api) =>
      jwtAt.flatMap((route) =>
        [false, true].flatMap((apiOpen) =>
          [false, true].map((routeOpen) => ({ gateway, api, route, apiOpen, routeOpen })),
        ),
      ),
    ),
  );

  it.each(all)("gateway $gateway, api $api $apiOpen, route $route $routeOpen", (at) => {
    const result = levels(
      at.gateway === "" ? "" : `policies: { ${at.gateway} }`,
      node(at.api, at.apiOpen),
      node(at.route, at.routeOpen).replaceAll("\n    ", "\n        "),
    );
    // The innermost word counts: a jwt closes, none and public open.
    let identified = closed(at.gateway);
    for (const [jwt, open] of [
      [at.api, at.apiOpen],
      [at.route, at.routeOpen],
    ] as const) {
      if (open) identified = false;
      if (jwt !== "") identified = closed(jwt);
    }
    const isOpen = !identified && !at.apiOpen && !at.routeOpen;
    expect(result.codes.includes("no-identity")).toBe(isOpen);
    if (result.plan === undefined) return;
    expect(isOpen).toBe(false);
    expect(names(result).includes("identity")).toBe(identified);
  });
});
