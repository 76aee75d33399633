import { describe, expect, it } from "vitest";
import { normalizeSelecting, varyNames } from "../../../src/policies/cache/vary.ts";
import { answer, FakeEdge, type Fields, Gateway, type RequestOptions } from "./harness.ts";

const varied = (vary: string, body = "body"): Response =>
  answer({ "cache-control": "max-age=3600", vary }, body);

describe.each(["isolate", "edge"] as const)(
  "selecting a stored response by Vary, in the tier %s (RFC 9111 section 4.1)",
  (tier) => {
    const gateway = () => new Gateway({ tiers: [tier] }, { edge: new FakeEdge() });

    it.each<[string, boolean, string, Fields, Fields]>([
      ["the same value", true, "Foo", { foo: "1" }, { foo: "1" }],
      ["another value", false, "Foo", { foo: "1" }, { foo: "2" }],
      ["absent at first", false, "Foo", {}, { foo: "1" }],
      ["absent later", false, "Foo", { foo: "1" }, {}],
      ["empty is not absent", false, "Foo", { foo: "" }, {}],
      ["absent both times", true, "Foo, Bar", { foo: "1" }, { foo: "1" }],
      ["another field differs", true, "Foo", { foo: "1", other: "2" }, { foo: "1", other: "3" }],
      ["two fields, both the same", true, "Foo, Bar", { foo: "1", bar: "2" }, { bar: "2", foo: "1" }],
      ["two fields, one different", false, "Foo, Bar", { foo: "1", bar: "2" }, { foo: "1", bar: "3" }],
      [
        "two fields with their values exchanged",
        false,
        "Foo, Bar",
        { foo: "1", bar: "2" },
        { foo: "2", bar: "1" },
      ],
      ["a value cut elsewhere", false, "Foo, Bar", { foo: "1,2", bar: "3" }, { foo: "1", bar: "2,3" }],
      ["names in any case, with empty members", true, ", FOO,, foo", { foo: "1" }, { foo: "1" }],
      ["blanks around commas", true, "Foo", { foo: "1,2" }, { foo: " 1, 2 " }],
      ["blanks in quotes", false, "Foo", { foo: '"1,2"' }, { foo: '"1, 2"' }],
      [
        "two lines for one",
        true,
        "Foo",
        { foo: "1, 2" },
        [
          ["foo", "1"],
          ["foo", "2"],
        ],
      ],
      ["case in a field that we do not know", false, "Foo", { foo: "a" }, { foo: "A" }],
      [
        "languages in another order",
        true,
        "Accept-Language",
        { "accept-language": "en, de" },
        { "accept-language": "de, en" },
      ],
      [
        "languages in another case",
        true,
        "Accept-Language",
        { "accept-language": "en, de" },
        { "accept-language": "eN, De" },
      ],
      [
        "languages with other weights",
        false,
        "Accept-Language",
        { "accept-language": "en, de" },
        { "accept-language": "en, de;q=0.5" },
      ],
      [
        "codings in another form",
        true,
        "Accept-Encoding",
        { "accept-encoding": "gzip, br;q=0.50" },
        { "accept-encoding": "br; q=0.5,GZIP" },
      ],
    ])("%s: %s", async (_sentence, same, vary, first, second) => {
      const it = gateway().answers(() => varied(vary));
      await it.send("/a", { headers: first });
      const seen = await it.send("/a", { headers: second });
      expect(seen.result).toBe(same ? "hit" : "miss");
    });

    it("keeps the variants of a target beside each other", async () => {
      const it = gateway().answers(
        () => varied("Foo", "one"),
        () => varied("Foo", "two"),
      );
      const one: RequestOptions = { headers: { foo: "1" } };
      const two: RequestOptions = { headers: { foo: "2" } };
      await it.send("/a", one);
      expect((await it.send("/a", two)).cacheStatus).toBe("postern; fwd=vary-miss; stored");
      expect((await it.send("/a", one)).text).toBe("one");
      expect((await it.send("/a", two)).text).toBe("two");
      expect(it.sent).toHaveLength(2);
    });

    it("finds all variants when responses name different fields", async () => {
      const it = gateway().answers(
        () => varied("Foo", "one"),
        () => varied("Bar", "two"),
        () => answer({ "cache-control": "max-age=60" }, "three"),
      );
      await it.send("/a", { headers: { foo: "1", bar: "1" } });
      await it.send("/a", { headers: { foo: "2", bar: "2" } });
      await it.send("/a", { headers: { foo: "3", bar: "3" } });
      expect((await it.send("/a", { headers: { foo: "2", bar: "2" } })).text).toBe("two");
      expect((await it.send("/a", { headers: { foo: "3", bar: "3" } })).text).toBe("three");
      expect((await it.send("/a", { headers: { foo: "3", bar: "4" } })).result).toBe("miss");
    });

    it("selects by what the upstream got, not by what the client sent", async () => {
      const it = gateway().answers(() => varied("X-User"));
      const edits = (value: string) => [{ op: "set", name: "x-user", value } as const];
      await it.send("/a", { headers: { "x-user": "forged" }, edits: edits("a") });
      expect((await it.send("/a", { headers: { "x-user": "forged" }, edits: edits("b") })).result).toBe(
        "miss",
      );
      expect((await it.send("/a", { headers: { "x-user": "other" }, edits: edits("a") })).result).toBe("hit");
    });

    it("sends the selecting fields along when it revalidates (section 4.3.1)", async () => {
      const it = gateway().answers(
        () => answer({ "cache-control": "max-age=1", vary: "Foo", etag: '"a"' }),
        () => answer({ etag: '"a"' }, null, 304),
      );
      await it.send("/a", { headers: { foo: "1" } });
      it.advance(2);
      await it.send("/a", { headers: { foo: "1" } });
      expect(it.sent[1]!.headers.get("foo")).toBe("1");
      expect(it.sent[1]!.headers.get("if-none-match")).toBe('"a"');
    });
  },
);

describe("the names in Vary", () => {
  it.each<[string, readonly string[] | undefined]>([
    ["*", undefined],
    ["*, *", undefined],
    [", *", undefined],
    ["*, Foo", undefined],
    ["Foo, *", undefined],
    ["foo bar", undefined],
    ["X-Forwarded-For", undefined],
    [Array.from({ length: 17 }, (_, index) => `x-${index}`).join(","), undefined],
    ["", []],
    ["Host", []],
    ["b, A,b", ["a", "b"]],
  ])("%s", (field, names) => {
    expect(varyNames(new Headers({ vary: field }))).toEqual(names);
  });
});

it.each([
  ["accept-language", "fr;q=0.5, de;q=1.0, en", "de,en,fr;q=0.5"],
  ["accept-language", "en;q=0, *;q=0.10", "*;q=0.1,en;q=0"],
  ["accept-language", "", ""],
  ["x", " a ,, b ", "a,b"],
])("%s: %s is as good as %s", (name, value, normal) => {
  expect(normalizeSelecting(name, value)).toBe(normal);
});
