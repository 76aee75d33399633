import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contextOf, environmentOf } from "../../src/compiler/expression/context.ts";
import { compileExpression } from "../../src/compiler/expression.ts";
import type { Exchange } from "../../src/core/exchange.ts";
import type { Json } from "../../src/core/json.ts";
import { scopeOf } from "../../src/core/scope.ts";
import { linkExpression } from "../../src/lib/cel/link.ts";
import { Span } from "../../src/lib/cel/values.ts";
import { constants, corpus, NOW, names, scopes } from "./cel-corpus.ts";

const environment = environmentOf(contextOf(names));
const sources = scopeOf({ now: () => NOW });

/** Any error of either side. */
const ERROR = "(error)";

/** What our linked expression answers for an exchange. */
const ours = (text: string, exchange: Exchange): unknown => {
  const { expression } = compileExpression(text, names, { result: "dyn" });
  if (expression === undefined) return ERROR;
  const travelled = JSON.parse(JSON.stringify(expression)) as Json;
  return comparable(linkExpression(travelled, sources)(exchange));
};

/** What the library answers for the same context, made by hand. */
const theirs = (text: string, exchange: Exchange): unknown => {
  try {
    return comparable(environment.evaluate(text, contextFor(exchange)));
  } catch {
    return ERROR;
  }
};

const INTS = ["level", "exp", "iat", "nbf"];
const contextFor = (exchange: Exchange): Record<string, unknown> => {
  const { identity, request } = exchange;
  const claims = { ...identity?.claims } as Record<string, unknown>;
  // The library wants an int where one is declared; JSON has none.
  for (const name of INTS) if (Number.isInteger(claims[name])) claims[name] = BigInt(claims[name] as number);
  const query: Record<string, string> = {};
  for (const [key, value] of new URLSearchParams(exchange.query)) query[key] ??= value;
  return {
    identity: { ...identity },
    claims,
    consumer: { ...identity?.consumer },
    params: exchange.params,
    request: {
      method: exchange.method,
      scheme: exchange.scheme,
      host: exchange.host,
      path: exchange.path,
      headers: Object.fromEntries(request.headers),
      query,
    },
    client: exchange.clientIp === "" ? {} : { ip: exchange.clientIp },
    now: new Date(NOW),
  };
};

const comparable = (value: unknown): unknown => {
  if (value === undefined) return ERROR;
  if (value instanceof Date) return { time: value.getTime() };
  if (value instanceof Span || value?.constructor.name === "Duration")
    return { span: Math.round(Number(value.valueOf())) };
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item)]));
};

const JAVASCRIPT = "a token with names of JavaScript";
const BY_CONSTRUCTOR =
  "the library asks a map for its constructor, and a token may have a claim of that name; we ask what it is";

/** Where we mean to differ: expression, why, and in which scopes (else in some). Each is held to differ still. */
const DIFFERENT: readonly (readonly [text: string, why: string, scopes?: readonly string[]])[] = [
  [
    "has(consumer.attributes.nested) && has(consumer.attributes.nested.a)",
    "to ask for an attribute is no error where there is no consumer, as with claims",
    Object.keys(scopes).filter((name) => name !== "a consumer"),
  ],
  [
    "claims.other in params",
    "a key of another type is not in a map (CEL), and no error",
    ["a token of other values", "a token with dynamic claims swapped", "a token with maps"],
  ],
  ["has(claims.realm.none)", BY_CONSTRUCTOR, [JAVASCRIPT]],
  ["size(claims.realm)", BY_CONSTRUCTOR, [JAVASCRIPT]],
  ["claims.realm.exists(k, k == 'deep')", BY_CONSTRUCTOR, [JAVASCRIPT]],
  ["'roles' in claims.realm", BY_CONSTRUCTOR, [JAVASCRIPT]],
  ["claims.realm.constructor", BY_CONSTRUCTOR, [JAVASCRIPT]],
  ["claims.realm.toString", BY_CONSTRUCTOR, [JAVASCRIPT]],
  ["claims.realm['__proto__']", BY_CONSTRUCTOR, [JAVASCRIPT]],
  ["has(claims.realm.hasOwnProperty)", BY_CONSTRUCTOR, [JAVASCRIPT]],
  ["'valueOf' in claims.realm", BY_CONSTRUCTOR, [JAVASCRIPT]],
  ["-(-9223372036854775808)", "leaves 64 bits (CEL: an error)"],
  ["-9223372036854775808 / -1", "leaves 64 bits (CEL: an error)"],
  ["int(1e30)", "leaves 64 bits (CEL: an error)"],
  ["int('')", "JavaScript's BigInt of nothing is 0; CEL wants digits"],
  ["'HÉllo'.lowerAscii()", "only ASCII letters change (CEL)"],
  ["'héLLo'.upperAscii()", "only ASCII letters change (CEL)"],
  ["'\\u212A'.lowerAscii() == 'k'", "the Kelvin sign is no k: two names would become one"],
  [
    "timestamp('9999-12-31T23:59:59Z') + duration('1h') > timestamp(0)",
    "after the year 9999 (CEL: an error)",
  ],
];

const isMeant = (text: string, scope: string): boolean =>
  DIFFERENT.some(([other, , where]) => other === text && (where === undefined || where.includes(scope)));

const everyScope = Object.keys(scopes);
const exchangeOf = (scope: string): Exchange => scopes[scope]!();

describe("our linked expressions answer what the library answers", () => {
  for (const scope of everyScope) {
    it.each(corpus.filter((text) => !isMeant(text, scope)))(`for ${scope}: %s`, (text) => {
      expect(ours(text, exchangeOf(scope))).toEqual(theirs(text, exchangeOf(scope)));
    });
  }
  it.each(constants.map(([text]) => text).filter((text) => !isMeant(text, "nobody")))("%s", (text) => {
    expect(ours(text, exchangeOf("nobody"))).toEqual(theirs(text, exchangeOf("nobody")));
  });
  const meant = DIFFERENT.map(([text, why, where = ["nobody"]]) => ({ text, why, where }));
  it.each(meant)("but not for $text: $why", ({ text, where }) => {
    for (const scope of where) {
      expect(ours(text, exchangeOf(scope))).not.toEqual(theirs(text, exchangeOf(scope)));
    }
  });
});

const CONDITIONS = [
  "claims.admin",
  "claims.jti == 'x'",
  "has(claims.jti)",
  "'admin' in claims.roles",
  "true",
  "false",
  "claims.level > 2",
  "claims.score <= 2.5",
  "claims.anything == 7",
  "params.tenant == claims.tenant",
  "consumer.attributes.seats >= 5",
  "client.ip != ''",
  "now > timestamp('2026-01-01T00:00:00Z')",
];
const VALUES = [
  "1",
  "2.5",
  "'acme'",
  "null",
  "true",
  "claims.level",
  "claims.tenant",
  "claims.anything",
  "claims.other",
  "claims.groups",
  "claims.realm.deep",
  "[1, 2, 3]",
  "{'a': 1}",
  "size(claims.roles)",
  "claims.roles[0]",
  "now",
];

/** Texts of conditions and values, in parts that fit one another, with some that fail. */
const { condition } = fc.letrec<{ condition: string; value: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(...CONDITIONS),
    fc.tuple(tie("condition"), tie("condition")).map(([left, right]) => `(${left} && ${right})`),
    fc.tuple(tie("condition"), tie("condition")).map(([left, right]) => `(${left} || ${right})`),
    tie("condition").map((inner) => `!(${inner})`),
    fc
      .tuple(tie("condition"), tie("condition"), tie("condition"))
      .map(([which, yes, no]) => `(${which} ? ${yes} : ${no})`),
    fc
      .tuple(fc.constantFrom("==", "!=", "<", ">="), tie("value"), tie("value"))
      .map(([op, left, right]) => `dyn(${left}) ${op} dyn(${right})`),
    fc
      .tuple(
        fc.constantFrom("all", "exists", "exists_one"),
        fc.constantFrom(...CONDITIONS, "claims.jti == x"),
      )
      .map(([macro, inner]) => `['a', 'acme', 'b'].${macro}(x, x != params.tenant && ${inner})`),
  ),
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...VALUES),
    fc
      .tuple(tie("condition"), tie("value"), tie("value"))
      .map(([which, yes, no]) => `(${which} ? dyn(${yes}) : dyn(${no}))`),
    tie("value").map((inner) => `[dyn(${inner})]`),
  ),
}));

describe("for any condition", () => {
  it("we answer what the library answers", () => {
    fc.assert(
      fc.property(condition, fc.constantFrom(...everyScope), (text, scope) => {
        fc.pre(text.length < 4000);
        expect(ours(text, exchangeOf(scope))).toEqual(theirs(text, exchangeOf(scope)));
      }),
      { numRuns: 1500, seed: 1 },
    );
  });
});
