import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ContractChange } from "../../src/contract/changes/change.ts";
import { type Contract, contractChanges } from "../../src/contract/changes/contracts.ts";
import type { Json } from "../../src/core/json.ts";

type JsonObject = { readonly [name: string]: Json };

const contract = (operation: JsonObject | undefined, rest: JsonObject = {}): Contract => ({
  document: {
    openapi: "3.1.0",
    paths: { "/things/{id}": operation === undefined ? {} : { post: operation } },
    ...rest,
  },
  placeOf: () => undefined,
});

const changesOf = (base: JsonObject | undefined, head: JsonObject | undefined, rest: JsonObject = {}) =>
  contractChanges(contract(base, rest), contract(head, rest));

const short = (changes: readonly ContractChange[]): string[] =>
  changes.map(({ id, severity }) => `${severity}: ${id}`);

const withBody = (schema: Json, required = true): JsonObject => ({
  requestBody: { required, content: { "application/json": { schema } } },
});
const withAnswer = (schema: Json, status = "200"): JsonObject => ({
  responses: { [status]: { description: "d", content: { "application/json": { schema } } } },
});
const withQuery = (parameter: JsonObject): JsonObject => ({
  parameters: [{ name: "q", in: "query", ...parameter }],
});
const scoped = (scopes: JsonObject): JsonObject => ({ "x-postern": { scopes: { jwt: scopes } } });
const withLimits = (...limits: JsonObject[]): JsonObject => ({ "x-postern": { limits } });
const rate = { kind: "rate", name: "plan", quantity: 100, windowMs: 60_000, key: "identity" };

const object = (
  properties: JsonObject,
  required: readonly string[] = [],
  more: JsonObject = {},
): JsonObject => ({
  type: "object",
  properties,
  required,
  ...more,
});
const text = { type: "string" };

describe("what changes for callers", () => {
  it.each<[sentence: string, base: JsonObject | undefined, head: JsonObject | undefined, changes: string[]]>([
    ["nothing changes nothing", withBody(text), withBody(text), []],
    ["a route is gone", {}, undefined, ["breaking: operation-removed"]],
    ["a route is new", undefined, {}, ["compatible: operation-added"]],
    ["a route is deprecated", {}, { deprecated: true }, ["compatible: operation-deprecated"]],
    ["another description", { summary: "a" }, { summary: "b", description: "c" }, []],

    [
      "a parameter that must be sent",
      {},
      withQuery({ required: true }),
      ["breaking: required-parameter-added"],
    ],
    ["a parameter that may be sent", {}, withQuery({}), ["compatible: parameter-added"]],
    ["a parameter that is gone", withQuery({}), {}, ["risky: parameter-removed"]],
    [
      "a parameter that must now be sent",
      withQuery({}),
      withQuery({ required: true }),
      ["breaking: parameter-became-required"],
    ],
    [
      "a parameter in another style",
      withQuery({ explode: true }),
      withQuery({ explode: false }),
      ["breaking: parameter-style-changed"],
    ],
    [
      "a parameter of another type",
      withQuery({ schema: text }),
      withQuery({ schema: { type: "integer" } }),
      ["breaking: parameter-type-narrowed", "compatible: parameter-type-widened"],
    ],
    [
      "integers where numbers were taken",
      withQuery({ schema: { type: "number" } }),
      withQuery({ schema: { type: "integer" } }),
      ["breaking: parameter-type-narrowed"],
    ],
    [
      "numbers where integers were taken",
      withQuery({ schema: { type: "integer" } }),
      withQuery({ schema: { type: "number" } }),
      ["compatible: parameter-type-widened"],
    ],
    [
      "a value less",
      withQuery({ schema: { enum: ["a", "b"] } }),
      withQuery({ schema: { enum: ["a"] } }),
      ["breaking: parameter-enum-narrowed"],
    ],
    [
      "a lower maximum",
      withQuery({ schema: { maximum: 10 } }),
      withQuery({ schema: { maximum: 9 } }),
      ["breaking: parameter-bound-narrowed"],
    ],
    [
      "a higher maximum",
      withQuery({ schema: { maximum: 10 } }),
      withQuery({ schema: { maximum: 11 } }),
      ["compatible: parameter-bound-widened"],
    ],
    [
      "a minimum where there was none",
      withQuery({ schema: {} }),
      withQuery({ schema: { minLength: 1 } }),
      ["breaking: parameter-bound-narrowed"],
    ],
    [
      "a header in other letters",
      { parameters: [{ name: "X-A", in: "header" }] },
      { parameters: [{ name: "x-a", in: "header" }] },
      [],
    ],

    [
      "a body that must now be sent",
      withBody(text, false),
      withBody(text),
      ["breaking: body-became-required"],
    ],
    [
      "a media type that is not taken",
      withBody(text),
      { requestBody: { required: true, content: {} } },
      ["breaking: body-media-type-removed"],
    ],
    [
      "a property that must be there",
      withBody(object({ a: text })),
      withBody(object({ a: text }, ["a"])),
      ["breaking: body-required-narrowed"],
    ],
    [
      "a property that may be left out",
      withBody(object({ a: text }, ["a"])),
      withBody(object({ a: text })),
      ["compatible: body-required-widened"],
    ],
    [
      "a property that only answers have",
      withBody(object({})),
      withBody(object({ a: { type: "string", readOnly: true } }, ["a"])),
      [],
    ],
    [
      "a property that is refused",
      withBody(object({ a: text }, [], { additionalProperties: false })),
      withBody(object({}, [], { additionalProperties: false })),
      ["breaking: body-property-narrowed"],
    ],
    [
      "other properties that are refused",
      withBody(object({})),
      withBody(object({}, [], { additionalProperties: false })),
      ["breaking: body-additional-properties-narrowed"],
    ],
    [
      "a pattern",
      withBody(text),
      withBody({ type: "string", pattern: "^a" }),
      ["breaking: body-pattern-narrowed"],
    ],
    [
      "a nested item",
      withBody(object({ list: { type: "array", items: text } })),
      withBody(object({ list: { type: "array", items: { type: "string", maxLength: 3 } } })),
      ["breaking: body-bound-narrowed"],
    ],
    [
      "a form less",
      withBody({ oneOf: [text, { type: "integer" }] }),
      withBody({ oneOf: [text] }),
      ["breaking: body-variant-narrowed"],
    ],
    [
      "a form more",
      withBody({ oneOf: [text] }),
      withBody({ oneOf: [text, { type: "integer" }] }),
      ["compatible: body-variant-widened"],
    ],
    [
      "something that cannot be followed",
      withBody({ not: text }),
      withBody({ not: { type: "integer" } }),
      ["risky: body-schema-narrowed"],
    ],
    [
      "no schema where one was",
      withBody({ maxLength: 3 }),
      withBody(true),
      ["compatible: body-bound-widened"],
    ],

    [
      "an answer without a property",
      withAnswer(object({ a: text }, ["a"])),
      withAnswer(object({})),
      ["breaking: response-required-widened"],
    ],
    [
      "an answer with a property more",
      withAnswer(object({})),
      withAnswer(object({ a: text }, ["a"])),
      ["compatible: response-required-narrowed"],
    ],
    [
      "an answer that may be null",
      withAnswer(text),
      withAnswer({ type: ["string", "null"] }),
      ["breaking: response-type-widened"],
    ],
    [
      "an answer with a value more",
      withAnswer({ enum: ["a"] }),
      withAnswer({ enum: ["a", "b"] }),
      ["risky: response-enum-widened"],
    ],
    [
      "an answer with a value less",
      withAnswer({ enum: ["a", "b"] }),
      withAnswer({ enum: ["a"] }),
      ["compatible: response-enum-narrowed"],
    ],
    [
      "an answer with a secret that only requests have",
      withAnswer(object({})),
      withAnswer(object({ a: { type: "string", writeOnly: true } }, ["a"])),
      [],
    ],
    [
      "an error of another form",
      withAnswer(text, "404"),
      withAnswer({ type: "integer" }, "404"),
      ["risky: response-type-widened", "compatible: response-type-narrowed"],
    ],
    [
      "another success",
      withAnswer(text, "200"),
      withAnswer(text, "202"),
      ["breaking: success-status-removed", "risky: success-status-added"],
    ],
    [
      "an error more",
      { responses: {} },
      { responses: { 429: { description: "d" } } },
      ["compatible: error-status-added"],
    ],
    [
      "an answer in another media type",
      withAnswer(text),
      { responses: { 200: { description: "d", content: { "text/plain": {} } } } },
      ["breaking: response-media-type-removed"],
    ],
    [
      "an answer without a field",
      { responses: { 200: { description: "d", headers: { ETag: {} } } } },
      { responses: { 200: { description: "d", headers: {} } } },
      ["risky: response-field-removed"],
    ],

    ["a token where nothing was asked", {}, { security: [{ jwt: [] }] }, ["breaking: security-added"]],
    ["nothing where a token was asked", { security: [{ jwt: [] }] }, { security: [] }, []],
    ["a token or nothing", {}, { security: [{ jwt: [] }, {}] }, []],
    [
      "another scope",
      { security: [{ jwt: ["a"] }] },
      { security: [{ jwt: ["a", "b"] }] },
      ["breaking: scope-added"],
    ],
    ["a scope that a token must bring", {}, scoped({ all: ["a"] }), ["breaking: scope-added"]],
    [
      "another scope than before",
      scoped({ any: ["a", "b"] }),
      scoped({ any: ["b", "c"] }),
      ["breaking: scope-added"],
    ],
    ["one more of which any is good", scoped({ any: ["a"] }), scoped({ any: ["a", "b"] }), []],
    [
      "all where any was good",
      scoped({ any: ["a", "b"] }),
      scoped({ all: ["a", "b"] }),
      ["breaking: scope-added"],
    ],
    ["any where all were asked", scoped({ all: ["a", "b"] }), scoped({ any: ["a", "b"] }), []],
    ["a scope less", { security: [{ jwt: ["a", "b"] }] }, { security: [{ jwt: ["a"] }] }, []],
    [
      "a way less",
      { security: [{ jwt: [] }, { key: [] }] },
      { security: [{ jwt: [] }] },
      ["breaking: security-removed"],
    ],
    [
      "a way more",
      { security: [{ jwt: [] }] },
      { security: [{ jwt: [] }, { key: [] }] },
      ["compatible: security-alternative-added"],
    ],
    [
      "two proofs where one was enough",
      { security: [{ jwt: [] }] },
      { security: [{ jwt: [], key: [] }] },
      ["breaking: security-removed"],
    ],

    ["a limit", {}, withLimits(rate), ["breaking: limit-added"]],
    ["no limit", withLimits(rate), {}, ["compatible: limit-removed"]],
    [
      "a tighter limit",
      withLimits(rate),
      withLimits({ ...rate, quantity: 60 }),
      ["breaking: limit-tightened"],
    ],
    [
      "a wider limit",
      withLimits(rate),
      withLimits({ ...rate, quantity: 600 }),
      ["compatible: limit-widened"],
    ],
    [
      "as much in a longer time",
      withLimits(rate),
      withLimits({ ...rate, windowMs: 120_000 }),
      ["breaking: limit-tightened"],
    ],
    [
      "less at a time, more in all",
      withLimits(rate),
      withLimits({ ...rate, quantity: 10, windowMs: 1000 }),
      ["breaking: limit-tightened"],
    ],
    ["another key", withLimits(rate), withLimits({ ...rate, key: "ip" }), ["risky: limit-changed"]],
    [
      "a lost origin",
      withLimits({ kind: "origins", origins: ["https://a.example", "https://b.example"] }),
      withLimits({ kind: "origins", origins: ["https://a.example"] }),
      ["breaking: origin-removed"],
    ],
    [
      "no origin at all",
      withLimits({ kind: "origins", origins: ["https://a.example"] }),
      {},
      ["breaking: origins-removed"],
    ],
    [
      "any origin",
      withLimits({ kind: "origins", origins: ["https://a.example"] }),
      withLimits({ kind: "origins", origins: "any" }),
      ["compatible: origins-added"],
    ],
    [
      "some origins where any was good",
      withLimits({ kind: "origins", origins: "any" }),
      withLimits({ kind: "origins", origins: ["https://a.example"] }),
      ["breaking: origin-removed"],
    ],
    [
      "a plan that allows less",
      withLimits({ kind: "other", name: "plan", value: { plans: { free: { quantity: 9, windowMs: 1 } } } }),
      withLimits({ kind: "other", name: "plan", value: { plans: { free: { quantity: 8, windowMs: 1 } } } }),
      ["breaking: limit-tightened"],
    ],
    [
      "a plan that allows more, beside a new one",
      withLimits({ kind: "other", name: "plan", value: { plans: { free: { quantity: 9, windowMs: 1 } } } }),
      withLimits({
        kind: "other",
        name: "plan",
        value: { plans: { free: { quantity: 10, windowMs: 1 }, gold: { quantity: 1, windowMs: 1 } } },
      }),
      ["compatible: limit-widened"],
    ],
    [
      "a plan less",
      withLimits({ kind: "other", name: "plan", value: { plans: { free: { quantity: 9, windowMs: 1 } } } }),
      withLimits({ kind: "other", name: "plan", value: { plans: {} } }),
      ["risky: limit-changed"],
    ],
    [
      "a plan as before",
      withLimits({ kind: "other", name: "plan", value: { key: "ip", plans: {} } }),
      withLimits({ kind: "other", name: "plan", value: { plans: {}, key: "ip" } }),
      [],
    ],
    [
      "what is not described is refused",
      {},
      withLimits({ kind: "other", name: "unknown properties", value: "refused" }),
      ["breaking: limit-added"],
    ],
    [
      "a value more that may be sent",
      withBody({ enum: ["a"] }),
      withBody({ enum: ["a", "b"] }),
      ["compatible: body-enum-widened"],
    ],
    [
      "smaller bodies",
      withLimits({ kind: "body", maxBytes: 10 }),
      withLimits({ kind: "body", maxBytes: 9 }),
      ["breaking: limit-tightened"],
    ],
  ])("%s", (_, base, head, expected) => {
    expect(short(changesOf(base, head))).toEqual(expected);
  });

  it("a path with other names of parameters is the same path", () => {
    const head = { document: { paths: { "/things/{thingId}": { post: {} } } }, placeOf: () => undefined };
    expect(contractChanges(contract({}), head)).toEqual([]);
  });

  it("a server that is gone is no operation's change", () => {
    const base = contract({}, { servers: [{ url: "https://a.example" }, { url: "https://b.example" }] });
    const head = contract({}, { servers: [{ url: "https://a.example" }] });
    expect(contractChanges(base, head)).toMatchObject([{ id: "server-removed", subject: "gateway" }]);
  });

  it("a scheme of the same name that is shown elsewhere", () => {
    const schemes = (place: string) => ({
      components: { securitySchemes: { key: { type: "apiKey", in: place, name: "k" } } },
    });
    const operation = { security: [{ key: [] }] };
    const changes = contractChanges(
      contract(operation, schemes("header")),
      contract(operation, schemes("query")),
    );
    expect(short(changes)).toEqual(["breaking: security-scheme-changed"]);
  });

  it("looks behind references, and follows a schema that contains itself", () => {
    const tree = (name: Json) => ({
      components: {
        schemas: {
          Tree: object({ name, children: { type: "array", items: { $ref: "#/components/schemas/Tree" } } }),
        },
      },
    });
    const operation = withBody({ $ref: "#/components/schemas/Tree" });
    const changes = contractChanges(
      contract(operation, tree(text)),
      contract(operation, tree({ type: "string", maxLength: 5 })),
    );
    expect(changes).toMatchObject([
      { id: "body-bound-narrowed", message: "`name` of the body has a greatest length of 5." },
    ]);
  });

  it("what allOf says of a value is joined", () => {
    const whole = withBody(object({ a: text, b: text }, ["a", "b"]));
    const parts = withBody({ allOf: [object({ a: text }, ["a"]), object({ b: text }, ["b"])] });
    expect(changesOf(whole, parts)).toEqual([]);
  });

  it("tells where it was and where it is", () => {
    const place = (file: string) => (pointer: string) => ({
      file: `${file}#${pointer}`,
      line: 1,
      column: 1,
      endLine: 1,
      endColumn: 1,
    });
    const base = { ...contract(withBody(text)), placeOf: place("base") };
    const head = { ...contract(withBody({ type: "string", maxLength: 1 })), placeOf: place("head") };
    const schema = "/paths/~1things~1{id}/post/requestBody/content/application~1json/schema";
    expect(contractChanges(base, head)).toMatchObject([
      { base: { file: `base#${schema}/maxLength` }, head: { file: `head#${schema}/maxLength` } },
    ]);
  });
});

describe("laws", () => {
  const schema = fc.letrec<{ schema: JsonObject }>((tie) => ({
    schema: fc.oneof(
      { depthSize: "small" },
      fc.record({ type: fc.constant("string"), maxLength: fc.nat(9) }) as fc.Arbitrary<JsonObject>,
      fc.record({
        type: fc.constantFrom("integer", "number"),
        minimum: fc.nat(9),
      }) as fc.Arbitrary<JsonObject>,
      fc.record({ enum: fc.uniqueArray(fc.nat(9), { minLength: 1 }) }) as fc.Arbitrary<JsonObject>,
      fc
        .tuple(fc.dictionary(fc.constantFrom("a", "b", "c"), tie("schema")), fc.boolean())
        .map(([properties, closed]) =>
          object(
            properties,
            Object.keys(properties).slice(0, 1),
            closed ? { additionalProperties: false } : {},
          ),
        ),
      fc.record({ type: fc.constant("array"), items: tie("schema") }) as fc.Arbitrary<JsonObject>,
    ),
  })).schema;

  it("a contract is equal to itself, whatever the order of its keys", () => {
    const reversed = (value: Json): Json =>
      Array.isArray(value) || typeof value !== "object" || value === null
        ? value
        : Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, inner]) => [key, reversed(inner as Json)]),
          );
    fc.assert(
      fc.property(schema, (one) => {
        expect(changesOf(withBody(one), reversed(withBody(one)) as JsonObject)).toEqual([]);
      }),
    );
  });

  it("what breaks those who send does not break those who read, and the other way round", () => {
    fc.assert(
      fc.property(schema, schema, (one, other) => {
        const sent = changesOf(withBody(one), withBody(other));
        const read = changesOf(withAnswer(one), withAnswer(other));
        const bare = (changes: readonly ContractChange[], severity: string): string[] =>
          changes
            .filter((change) => change.severity === severity)
            .map(({ id }) => id.replace(/^(body|response)-/, ""))
            .sort();
        expect(bare(sent, "breaking")).toEqual(bare(read, "compatible"));
        // Values more than before are a risk to those who read them, and none to those who send.
        const values = bare(read, "risky").filter((id) => id === "enum-widened");
        expect([...bare(read, "breaking"), ...values].sort()).toEqual(bare(sent, "compatible"));
      }),
    );
  });
});
