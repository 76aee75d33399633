import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Cache } from "../../../src/core/ports.ts";
import { EdgeTier } from "../../../src/policies/cache/edge-tier.ts";
import type { Stored, StoredResponse } from "../../../src/policies/cache/entry.ts";
import { fromBytes, toBytes } from "../../../src/policies/cache/redis-tier.ts";
import { FakeEdge } from "./harness.ts";

const ENTRY: StoredResponse = {
  kind: "response",
  variant: "r9:shop.read",
  names: [],
  status: 200,
  headers: new Headers({ "content-type": "text/plain", etag: '"a"' }),
  body: new TextEncoder().encode("body").buffer,
  receivedMs: 1_700_000_000_000,
  initialAgeMs: 0,
  lifetimeMs: 60_000,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  noCache: false,
  mustRevalidate: false,
};

/** All that every entry has. */
const REQUIRED = Object.keys(ENTRY) as Exclude<keyof StoredResponse, "part" | "labels" | "fetchMs">[];

const text = fc.string({ unit: "binary", maxLength: 20 });
const number = fc.double({ min: 0, max: 1e15, noNaN: true, noDefaultInfinity: true }).map(Math.abs);
const bytes = fc.uint8Array({ maxLength: 100 }).map((array) => array.slice().buffer as ArrayBuffer);

const headers = fc
  .array(
    fc.tuple(
      fc.constantFrom("x-a", "x-b", "set-cookie", "etag"),
      fc.string({ unit: fc.constantFrom("a", "é", "ÿ", '"', ",", "\t", "~") }),
    ),
    { maxLength: 6 },
  )
  .map((pairs) => {
    const made = new Headers();
    for (const [name, value] of pairs) made.append(name, value);
    // Of values that were joined, it takes blanks off the ends.
    return new Headers([...made]);
  });

const entries: fc.Arbitrary<StoredResponse> = fc
  .record(
    {
      kind: fc.constant("response" as const),
      variant: text,
      names: fc.array(text, { maxLength: 3 }),
      status: fc.integer({ min: 200, max: 599 }),
      headers,
      body: fc.option(bytes),
      receivedMs: number,
      initialAgeMs: number,
      lifetimeMs: number,
      staleWhileRevalidateMs: number,
      staleIfErrorMs: number,
      noCache: fc.boolean(),
      mustRevalidate: fc.boolean(),
      fetchMs: number,
      part: fc.record({
        first: fc.integer({ min: 0, max: 5 }),
        last: fc.integer({ min: 5, max: 10 }),
        complete: fc.integer({ min: 11, max: 20 }),
        fromEnd: fc.boolean(),
      }),
      labels: fc.record({
        authority: text,
        path: text,
        query: text,
        tags: fc.array(text, { maxLength: 3 }),
        asOf: fc.nat(),
      }),
    },
    { requiredKeys: REQUIRED },
  )
  .map((entry) => ([204, 205, 304].includes(entry.status) ? { ...entry, body: null } : entry));

/** An entry as values that can be compared. */
const plain = (stored: Stored | { kind: "uncacheable" } | undefined): unknown =>
  stored?.kind === "response"
    ? { ...stored, headers: [...stored.headers], body: stored.body && [...new Uint8Array(stored.body)] }
    : stored;

const throughEdge = async (stored: Stored): Promise<Stored | undefined> => {
  const tier = new EdgeTier(new FakeEdge(), "shop");
  await tier.put("a", stored, 1000);
  return tier.get("a");
};

const throughRedis = (stored: Stored): ReturnType<typeof fromBytes> => fromBytes(toBytes(stored)!);

describe("the form of entries outside of the isolate", () => {
  it("brings every entry back as it was, from the data centre's cache and from Redis", async () => {
    await fc.assert(
      fc.asyncProperty(entries, async (entry) => {
        expect(plain(await throughEdge(entry))).toEqual(plain(entry));
        expect(plain(throughRedis(entry))).toEqual(plain(entry));
      }),
      { numRuns: 500 },
    );
  });

  it("does not take a field of which the runtime could give no text", async () => {
    const headers = new Headers({ "x-name": "any" });
    // The runtime's own Headers give this for bytes that are no UTF-8; those of Node never hold it.
    headers.values = function* () {
      yield "J\ufffdrgen";
    } as never;
    expect(toBytes({ ...ENTRY, headers })).toBeUndefined();
    expect(await throughEdge({ ...ENTRY, headers })).toBeUndefined();
  });

  it("brings an index back as it was", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text), text, async (names, generation) => {
        const index: Stored = { kind: "variants", names, generation };
        expect(await throughEdge(index)).toEqual(index);
        expect(throughRedis(index)).toEqual(index);
      }),
    );
  });

  it("is a version, the length of the metadata, the metadata in ASCII, and the body", () => {
    const written = toBytes(ENTRY)!;
    const length = new DataView(written.buffer).getUint32(1);
    expect(written[0]).toBe(1);
    expect(JSON.parse(new TextDecoder().decode(written.subarray(5, 5 + length)))).toMatchObject({
      status: 200,
      length: 4,
    });
    expect(new TextDecoder().decode(written.subarray(5 + length))).toBe("body");
  });

  it("has no more than 16 KiB of metadata: there is none for an entry with more", async () => {
    const large = { ...ENTRY, headers: new Headers({ "x-a": "a".repeat(20_000) }) };
    expect([toBytes(large), await throughEdge(large)]).toEqual([undefined, undefined]);
  });
});

describe("bytes that are no entry are as if they were absent", () => {
  it("whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (array) => {
        expect(fromBytes(array.slice())).toBeUndefined();
      }),
    );
  });

  it("a beginning of an entry, of whatever length", () => {
    const written = toBytes(ENTRY)!;
    for (let end = 1; end < written.length; end++)
      expect(fromBytes(written.slice(0, end)), String(end)).toBeUndefined();
  });

  it("an entry with something behind it", () => {
    for (const stored of [
      ENTRY,
      { ...ENTRY, body: null },
      { kind: "variants", names: [], generation: "1" } as const,
    ])
      expect(fromBytes(new Uint8Array([...toBytes(stored)!, 0]))).toBeUndefined();
  });

  it("an entry whose metadata is said to be longer than all there is", () => {
    const written = toBytes({ ...ENTRY, body: new ArrayBuffer(0) })!;
    const head = new DataView(written.buffer);
    head.setUint32(1, head.getUint32(1) + 1);
    expect(fromBytes(written)).toBeUndefined();
  });

  it("an entry of another version", () => {
    const written = toBytes(ENTRY)!;
    for (const version of [0, 2, 255]) {
      written[0] = version;
      expect(fromBytes(written)).toBeUndefined();
    }
  });

  it("an entry of which one bit is wrong: it is absent, or still one that can be used", () => {
    const whole = toBytes(ENTRY)!;
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(7), (at, bit) => {
        const written = whole.slice();
        written[at]! ^= 1 << bit;
        const read = fromBytes(written);
        if (read?.kind === "response") {
          expect(() => new Response(read.body, { status: read.status, headers: read.headers })).not.toThrow();
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[string, Record<string, unknown>]>([
    ["a status that is none", { status: 99 }],
    ["a body where there can be none", { status: 204 }],
    ["a number that is a text", { lifetimeMs: "1" }],
    ["a lifetime that never ends", { lifetimeMs: null }],
    ["a flag that is a number", { noCache: 0 }],
    ["fields that are a table", { fields: { a: "b" } }],
    ["a field without value", { fields: [["a"]] }],
    ["a field that is a text", { fields: ["ab"] }],
    ["a field whose name is none", { fields: [["a b", "c"]] }],
    ["names that are no texts", { names: [1] }],
    ["a part that ends before it begins", { part: { first: 2, last: 1, complete: 4, fromEnd: false } }],
    ["labels without tags", { labels: { authority: "a", path: "/", query: "", asOf: 0 } }],
    ["no variant", { variant: undefined }],
  ])("metadata with %s", async (_sentence, change) => {
    const { kind: _kind, headers: _headers, body: _body, ...rest } = ENTRY;
    const json = JSON.stringify({ ...rest, fields: [], length: 4, ...change });
    const metadata = new TextEncoder().encode(json);
    const written = new Uint8Array(5 + metadata.length + 4);
    written[0] = 1;
    new DataView(written.buffer).setUint32(1, metadata.length);
    written.set(metadata, 5);
    expect(fromBytes(written)).toBeUndefined();
    const cache: Cache = {
      get: async () => new Response("body", { headers: { "postern-entry": json } }),
      put: async () => undefined,
      delete: async () => undefined,
    };
    expect(await new EdgeTier(cache, "shop").get("a")).toBeUndefined();
  });

  it("no bytes at all are the mark of what cannot be stored", () => {
    expect(fromBytes(new Uint8Array())).toEqual({ kind: "uncacheable" });
  });
});
