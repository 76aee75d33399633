import { describe, expect, it } from "vitest";
import { contextOf } from "../../src/compiler/expression/context.ts";
import { compileExpression, type ExpressionNames } from "../../src/compiler/expression.ts";
import { scopeOf } from "../../src/core/scope.ts";
import { linkExpression } from "../../src/lib/cel/link.ts";

const names: ExpressionNames = {
  params: ["userId", "tenant"],
  claims: { roles: "strings", tenant: "string", level: "int", score: "double", realm: "map", any: "dyn" },
  hasConsumers: true,
  clientIp: "cloudflare",
};

const faultsOf = (text: string, over: Partial<ExpressionNames> = {}) =>
  compileExpression(text, { ...names, ...over }).faults;

describe("compiles to plain JSON", () => {
  it.each<readonly [text: string, tree: unknown]>([
    [
      "claims.tenant == params.tenant",
      ["==", ["as", "string", claim("tenant")], ["at", ["name", "params"], "tenant"]],
    ],
    ["claims['tenant'] == 'a'", ["==", ["as", "string", claim("tenant")], "a"]],
    // An int that is only compared stays a number; in arithmetic it is one of 64 bits.
    ["claims.level >= 3", [">=", ["as", "integer", claim("level")], 3]],
    ["claims.level + 1 > 3", [">", ["+", ["as", "int", claim("level")], ["int", "1"]], 3]],
    ["size(claims.roles) > 1", [">", ["length", ["as", "strings", claim("roles")]], 1]],
    ["claims.any in [1, 2]", ["in", claim("any"), ["list", [1, 2]]]],
    ["claims.any == 9007199254740993", ["==", claim("any"), ["int", "9007199254740993"]]],
    // A header or parameter is read by its name, and the map is not made.
    ["request.headers['x-a'] == 'b'", ["==", ["at", ["name", "request.headers"], "x-a"], "b"]],
    ["request.headers.accept == 'b'", ["==", ["at", ["name", "request.headers"], "accept"], "b"]],
    ["request.query.debug == '1'", ["==", ["at", ["name", "request.query"], "debug"], "1"]],
    ["'x-a' in request.headers", ["in", "x-a", ["name", "request.headers"]]],
    ["has(claims.tenant)", ["has", ["name", "claims"], "tenant"]],
    ["has(identity.subject)", ["given", ["name", "identity.subject"]]],
    ["has(client.certificate)", ["given", ["name", "client.certificate"]]],
    ["claims.any && claims.any && claims.any", ["&&", [claim("any"), claim("any"), claim("any")]]],
    // Constants are settled.
    ["1 + 2 == 3", true],
    ["claims.any == 'a' + 'b'", ["==", claim("any"), "ab"]],
    ["claims.any == -1", ["==", claim("any"), -1]],
    ["claims.any == [1 + 1]", ["==", claim("any"), ["list", [2]]]],
    ["claims.any || true", true],
    ["claims.any && false", false],
    ["true ? claims.any : false", claim("any")],
    ["[1, 2].exists(x, x == 2)", true],
    ["now > timestamp('1970-01-01T00:00:01Z')", [">", ["name", "now"], ["instant", 1000]]],
    ["now - now < duration('1h') * 1", undefined],
    [
      "now - now < duration('1h') + duration('1m')",
      ["<", ["-", ["name", "now"], ["name", "now"]], ["span", 3_660_000]],
    ],
    // What fails when it is settled fails when it runs: another part may decide.
    ["1 / 0 == 1 || claims.any", ["||", [["==", ["/", ["int", "1"], ["int", "0"]], 1], claim("any")]]],
    ["claims.score > 1.0 / 0.0", [">", ["as", "number", claim("score")], ["/", 1, 0]]],
    [
      "claims.roles.map(r, r != 'a', r + 'b') == []",
      [
        "==",
        [
          "each",
          0,
          ["filter", 0, ["as", "strings", claim("roles")], ["!=", ["var", 0], "a"]],
          ["+", ["var", 0], "b"],
        ],
        ["list", []],
      ],
    ],
  ])("%s", (text, tree) => {
    const { expression } = compileExpression(text, names);
    expect(expression).toEqual(tree);
    if (expression !== undefined) expect(JSON.parse(JSON.stringify(expression))).toEqual(expression);
  });
});

function claim(name: string): unknown {
  return ["at", ["name", "claims"], name];
}

/** A fault is said by its text with the culprit in «», and code, message and remedy by what must be in them. */
describe("finds", () => {
  it.each<readonly [marked: string, code: string, message: RegExp, remedy: RegExp]>([
    // Names.
    ["«clams».tenant == 'a'", "unknown-name", /"clams" names nothing/, /Did you mean "claims"\?/],
    ["claims.«rolez» == 'a'", "unknown-name", /"rolez" is not a claim/, /Did you mean "roles"\?/],
    ["claims[«'rolez'»] == 'a'", "unknown-name", /"rolez" is not a claim/, /Did you mean "roles"\?/],
    ["claims.«color» == 'a'", "unknown-name", /"color" is not a claim/, /Declare it under `claims:`/],
    ["has(claims.«rolez»)", "unknown-name", /"rolez"/, /Did you mean "roles"\?/],
    ["«'rolez'» in claims", "unknown-name", /"rolez"/, /Did you mean "roles"\?/],
    ["claims.«constructor» == 'a'", "unknown-name", /"constructor" is not a claim/, /Declare it/],
    ["claims.«__proto__» == 'a'", "unknown-name", /"__proto__" is not a claim/, /Declare it/],
    ["params.«userID» == '1'", "unknown-name", /"userID" is not a name of params/, /Did you mean "userId"\?/],
    ["params.«order» == '1'", "unknown-name", /"order"/, /Write one of userId, tenant\./],
    ["identity.«sub» == '1'", "unknown-name", /"sub" is not a name of identity/, /kind, id, issuer, subject/],
    ["identity.«toString» == '1'", "unknown-name", /"toString" is not a name of identity/, /./],
    ["request.«metod» == 'GET'", "unknown-name", /"metod"/, /Did you mean "method"\?/],
    ["request.«header»['x'] == 'a'", "unknown-name", /"header"/, /Did you mean "headers"\?/],
    ["request.headers[«'X-A'»] == 'a'", "unknown-name", /"X-A"/, /write 'x-a'/],
    ["request.headers[«'x a'»] == 'a'", "unknown-name", /"x a"/, /letters, digits and hyphens/],
    ["claims.tenant == «acme»", "unknown-name", /"acme" names nothing/, /or a text in quotes/],
    ["'a' in claims.roles && «x».y", "unknown-name", /"x"/, /./],
    ["claims.roles.exists(role, «rol» == 'a')", "unknown-name", /"rol"/, /Did you mean "role"\?/],
    ["«int» == 1", "unknown-name", /"int" names nothing/, /./],
    // Types.
    ["«claims.tenant»", "type", /answers string, where bool/, /Write a condition/],
    ["«claims.tenant == 5»", "type", /string == int/, /values of one type/],
    ["«claims.level + 1.5» > 1.0", "type", /int \+ double/, /such as 3\.0/],
    ["«claims.any + 1» > 1.0", "type", /a double/, /such as 1\.0, or declare/],
    ["«claims.any % 2» == 1", "type", /a double/, /int\(\)/],
    ["(«claims.any ? 1 : 'a'») == 1", "type", /Ternary branches/, /same type/],
    ["[1, «'a'»] == [1]", "type", /List elements/, /dyn\(\)/],
    ["«!claims.tenant»", "type", /no such overload/i, /./],
    ["«claims.tenant || true»", "type", /bool operands/, /conditions on both sides/],
    ["«claims.tenant.startsWith(1)»", "type", /string\.startsWith\(int\)/, /./],
    ["claims.«level».exists(x, true)", "type", /range of a comprehension/, /list or a map/],
    ["claims.tenant.«length» == 4", "type", /Cannot index type 'string'/, /./],
    ["has(«claims['tenant']»)", "type", /joined by dots/, /in request\.headers/],
    ["now < timestamp(«'tomorrow'»)", "type", /"tomorrow" is not a timestamp/, /RFC 3339/],
    ["now - now < duration(«'3d'»)", "type", /"3d" is not a duration/, /h the largest/],
    ["«1 / 0 == 1»", "type", /fails whatever/, /./],
    // Syntax.
    ["claims.tenant «=» 'a'", "syntax", /"=" cannot stand/, /==/],
    ["claims.any «&» true", "syntax", /"&" cannot stand/, /&&/],
    ["claims.any «and» true", "syntax", /"and" cannot stand/, /&&/],
    ["(claims.any == 1«»", "syntax", /the end, where \) is expected/, /Write \)/],
    ["claims.tenant == «'acme»", "syntax", /Unterminated/, /Close it/],
    ["«»", "syntax", /the end, where a value/, /Write a name/],
    ["claims.«1»", "syntax", /a number|cannot stand|expected/, /./],
    ["claims.any == «if»", "syntax", /Reserved/, /another name/],
    ["claims.level > «9223372036854775808»", "syntax", /64 bits/, /smaller/],
    ["claims.roles.exists(«'a'», true)", "syntax", /variable/, /claims\.roles\.exists/],
    // What CEL has and we do not.
    ["claims.tenant.«matches»('a.*')", "unsupported", /matches\(\) is not offered/, /startsWith, endsWith/],
    ["«bytes»('a') == b'a'", "unsupported", /bytes\(\)/, /./],
    ["claims.any == «b'a'»", "unsupported", /Bytes/, /text/],
    ["claims.any == «1u»", "unsupported", /Unsigned/, /Leave the u out/],
    ["«type»(claims.any) == type(1)", "unsupported", /type\(\)/, /Declare/],
    ["now.«getHours»('Europe/Zurich') > 1", "unsupported", /getHours\(\)/, /./],
    ["now.«getDayOfYear»() > 1", "unsupported", /getDayOfYear/, /./],
    ["claims.tenant.«substring»(1) == 'a'", "unsupported", /no function substring/, /Call one of/],
    ["claims.tenant.«startWith»('a')", "unsupported", /no function startWith/, /Did you mean "startsWith"/],
    ["claims.tenant.«split»(' ', 2) == []", "unsupported", /split/, /./],
    ["«claims» == claims", "unsupported", /as a whole/, /one of its fields/],
    ["size(«request») == 1", "unsupported", /as a whole/, /request\.method/],
    ["«identity[claims.tenant]» == 'a'", "unsupported", /computed/, /identity\.kind/],
    ["{«1»: 2} == {1: 3}", "unsupported", /Only texts are keys/, /\{'a': 1\}/],
    ["{«'__proto__'»: 2} == {}", "unsupported", /refused/, /another/],
    ["now - now < duration(«claims.tenant»)", "unsupported", /known when compiled/, /duration\('15m'\)/],
    ["«duration('1h') + now» > now", "unsupported", /added to a duration/, /timestamp first/],
    ["claims.roles.exists(«claims», true)", "unsupported", /has a meaning/, /another name/],
    ["[1].all(a, [1].all(b, «[1].all(c, true)»))", "unsupported", /2 deep/, /side by side/],
  ])("%s", (marked, code, message, remedy) => {
    const text = marked.replace(/[«»]/g, "");
    const offset = marked.indexOf("«");
    const length = Math.max(1, marked.indexOf("»") - offset - 1);
    const [fault] = faultsOf(text);
    expect(fault).toMatchObject({ code: `expression-${code}` });
    expect(fault!.message).toMatch(message);
    expect(fault!.remedy).toMatch(remedy);
    expect({ offset: fault!.offset, length: fault!.length }).toEqual({ offset, length });
    expect(compileExpression(text, names).expression).toBeUndefined();
  });

  it("every unknown name and function at once, each with its place", () => {
    expect(
      faultsOf("clams.x == 1 || foo(claims.rolez) || params.z == '1'").map(({ offset }) => offset),
    ).toEqual([0, 16, 27, 44]);
  });
  it("an expression that is too large, too deep or too long", () => {
    const huge = Array.from({ length: 400 }, () => "claims.any").join(" || ");
    const deep = "(".repeat(60) + "true" + ")".repeat(60);
    const long = `claims.tenant == '${"a".repeat(5000)}'`;
    for (const text of [huge, deep, long, "!".repeat(4000) + "true"]) {
      expect(faultsOf(text)[0]).toMatchObject({ code: "expression-unsupported", message: /too large/ });
    }
  });
});

describe("knows what a gateway can tell", () => {
  it.each<readonly [text: string, over: Partial<ExpressionNames>, message: RegExp]>([
    ["consumer.name == 'acme'", { hasConsumers: false }, /no consumers/],
    ["has(consumer.attributes.tenant)", { hasConsumers: false }, /no consumers/],
    ["client.ip == '192.0.2.1'", { clientIp: "unknown" }, /addresses/],
    ["client.country == 'CH'", { clientIp: "unknown" }, /Cloudflare/],
    ["client.country == 'CH'", { clientIp: "connection" }, /Cloudflare/],
    ["has(client.certificate)", { clientIp: { trustedHops: 1 } }, /Cloudflare/],
    ["client.certificate.subject == 'a'", { clientIp: "connection" }, /Cloudflare/],
    ["params.id == '1'", { params: [] }, /"id" is not a name of params/],
  ])("%s with %o", (text, over, message) => {
    expect(faultsOf(text, over)).toEqual([
      expect.objectContaining({ code: "expression-unknown-name", message: expect.stringMatching(message) }),
    ]);
  });
  it.each<readonly [text: string, over: Partial<ExpressionNames>]>([
    ["client.ip == '192.0.2.1'", { clientIp: "connection" }],
    ["client.country == 'CH' && client.ip == 'x'", { clientIp: undefined }],
    ["claims.scope == 'a' && 'a' in claims.aud && claims.exp > 1 && claims.azp == 'x'", { claims: {} }],
    // An issuer may say more exactly what a registered claim is.
    ["claims.scp.exists(s, s == 'a')", { claims: { scp: "strings" } }],
  ])("and is content with %s with %o", (text, over) => {
    expect(faultsOf(text, over)).toEqual([]);
  });
});

it("answers texts, or anything, where that is asked for", () => {
  expect(compileExpression("claims.tenant", names, { result: "string" }).faults).toEqual([]);
  expect(compileExpression("claims.level", names, { result: "string" }).faults).toMatchObject([
    { code: "expression-type", message: expect.stringMatching(/answers int, where string/) },
  ]);
  expect(compileExpression("claims.level", names, { result: "dyn" }).faults).toEqual([]);
});

it("names nothing that the run side does not know", () => {
  const scope = scopeOf({ now: () => 0 });
  const paths = (spots: ReturnType<typeof contextOf>, prefix = ""): string[] =>
    Object.entries(spots).flatMap(([key, spot]) =>
      spot.kind === "group" ? paths(spot.fields, `${prefix}${key}.`) : [`${prefix}${key}`],
    );
  const known = paths(contextOf(names));
  expect(known.length).toBeGreaterThan(20);
  for (const path of [...known, "client.certificate"]) {
    expect(() => linkExpression(["name", path], scope)).not.toThrow();
  }
  expect(Object.keys(scope).sort()).toEqual([...known, "client.certificate"].sort());
});
