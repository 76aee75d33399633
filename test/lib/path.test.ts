import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeSegment, isNormalPath, normalizePath, type PathOptions } from "../../src/lib/path.ts";

const STRICT: PathOptions = { encodedSlash: "reject", matrixParameters: "reject" };
const KEEP: PathOptions = { encodedSlash: "keep", matrixParameters: "keep" };
const ALL: readonly PathOptions[] = [
  STRICT,
  KEEP,
  { ...STRICT, encodedSlash: "keep" },
  { ...STRICT, matrixParameters: "keep" },
];

/** The path that comes out, or the name of the fault. */
const outcome = (path: string, options = STRICT): string => {
  const result = normalizePath(path, options);
  return "path" in result ? result.path : result.fault;
};

describe("one form for every path (RFC 3986 section 6.2.2)", () => {
  it.each([
    ["a plain path stays", "/orders/1", "/orders/1"],
    ["the root stays", "/", "/"],
    ["a trailing slash is part of the path", "/orders/", "/orders/"],
    ["all that a segment may hold stays", "/-._~!$&'()*+,=:@x", "/-._~!$&'()*+,=:@x"],
    ["case is kept", "/Orders", "/Orders"],
    ["unreserved characters are decoded", "/%6frders/%7e%2D%2E%5f", "/orders/~-._"],
    ["other escapes get capitals", "/caf%c3%a9", "/caf%C3%A9"],
    ["an escaped space stays escaped", "/a%20b", "/a%20b"],
    ["what may not stand unencoded is encoded", '/a"b<c>d^e`f{g}|h', "/a%22b%3Cc%3Ed%5Ee%60f%7Bg%7D%7Ch"],
    [
      "letters of other languages are encoded as UTF-8",
      "/café/東京/😀",
      "/caf%C3%A9/%E6%9D%B1%E4%BA%AC/%F0%9F%98%80",
    ],
    ["reserved characters are not decoded", "/a%26b%3Dc%40d", "/a%26b%3Dc%40d"],
  ])("%s", (_, path, expected) => expect(outcome(path)).toBe(expected));
});

describe("S1: dot segments end before anybody compares", () => {
  it.each([
    ["/info/../admin", "/admin"],
    ["/info/./admin", "/info/admin"],
    ["/info/%2e%2e/admin", "/admin"],
    ["/info/%2E%2E/admin", "/admin"],
    ["/info/.%2E/admin", "/admin"],
    ["/info/%2e./admin", "/admin"],
    ["/info/%2e/admin", "/info/admin"],
    ["/../../etc/passwd", "/etc/passwd"],
    ["/..", "/"],
    ["/.", "/"],
    ["/a/..", "/"],
    ["/a/b/..", "/a/"],
    ["/a/b/.", "/a/b/"],
    ["/a/b/../..", "/"],
    ["/a//b", "/a/b"],
    ["/a///b//", "/a/b/"],
    ["//", "/"],
    ["/a/..//b", "/b"],
    ["/a//../b", "/b"],
    ["/...", "/..."],
    ["/.well-known/x", "/.well-known/x"],
    ["/a/.b/..c", "/a/.b/..c"],
  ])("%s is %s", (path, expected) => expect(outcome(path)).toBe(expected));
});

const SEPARATORS = ["2f", "5c", "00", "3b", "25", "3f", "23"];

describe("S2: encoded separators are refused, or stay inside their segment", () => {
  it.each(SEPARATORS.flatMap((hex) => [hex, hex.toUpperCase()]))("%%%s", (hex) => {
    expect(outcome(`/files/a%${hex}b`)).toBe("forbidden-encoding");
    expect(outcome(`/files/a%${hex}b`, KEEP)).toBe(`/files/a%${hex.toUpperCase()}b`);
  });

  it.each(["/a%252fb", "/a%252Fb", "/a%255c", "/a%2500", "/%25%32%65"])(
    "a second layer of encoding is refused: %s",
    (path) => expect(outcome(path)).toBe("forbidden-encoding"),
  );

  it.each(["/a%2fb%", "/%zz", "/%2", "/%", "/%u002f", "/%%41"])(
    "what is no encoding is refused: %s",
    (path) => expect(outcome(path, KEEP)).toBe("malformed-encoding"),
  );

  it("a kept separator is no boundary", () => {
    expect(outcome("/files/a%2F..%2Fb", KEEP).split("/")).toHaveLength(3);
  });
});

describe("S3: what a stripped prefix leaves behind is looked at again", () => {
  it.each([
    ["/api../x", "../x"],
    ["/api./x", "./x"],
    ["/api%2e%2e/x", "../x"],
    ["/api", ""],
    ["/api//x", "/x"],
  ])("%s", (path, _) => {
    const normal = outcome(path);
    expect(isNormalPath(normal, STRICT)).toBe(true);
    // Cutting by characters, as a careless rewrite would, gives nothing that passes.
    const cut = normal.slice("/api".length);
    expect(cut === "" || cut.startsWith("/") || !isNormalPath(cut, STRICT)).toBe(true);
  });

  it.each(["/a/../b", "/a//b", "/./a", "a", "", "/a%2e", "/a%c3%a9", "/a%2fb", "/a;b", "/a b", "//host/x"])(
    "%j is not normal",
    (path) => expect(isNormalPath(path, STRICT)).toBe(false),
  );
});

describe("S4: matrix parameters", () => {
  it.each(["/admin;x=y", "/admin;/users", "/a/..;/b", "/;"])("%s is refused", (path) =>
    expect(outcome(path)).toBe("matrix-parameter"),
  );

  it.each([
    ["stay where they are", "/admin;x=y", "/admin;x=y"],
    ["do not hide a dot segment", "/public/..;a=b/admin", "/admin"],
    ["are no directory where they are the whole last segment", "/things/;id=12", "/things/;id=12"],
    ["do not hide a single dot", "/a/.;x/b", "/a/b"],
    ["do not hide an encoded dot segment", "/public/%2e%2e;/admin", "/admin"],
  ])("kept, they %s", (_, path, expected) => expect(outcome(path, KEEP)).toBe(expected));
});

describe("S5: targets that are no path", () => {
  it.each([
    ["admin/x", "not-absolute"],
    ["http://other/", "not-absolute"],
    ["*", "not-absolute"],
    ["", "not-absolute"],
    ["?x", "not-absolute"],
    ["\\\\evil", "not-absolute"],
    ["/a#b", "forbidden-character"],
    ["/a?b", "forbidden-character"],
    ["/a\\b", "forbidden-character"],
    ["/\\evil", "forbidden-character"],
    ["/a b", "forbidden-character"],
    ["/a\tb", "forbidden-character"],
    ["/a\r\nb", "forbidden-character"],
    ["/a\u0000b", "forbidden-character"],
    ["/a\u007fb", "forbidden-character"],
    ["/a\ud800b", "forbidden-character"],
  ])("%j: %s", (path, fault) => expect(outcome(path, KEEP)).toBe(fault));

  it.each([
    ["//host/x", "/host/x"],
    ["/a*b", "/a*b"],
    ["/http://other/", "/http:/other/"],
  ])("%s names nothing but the path %s", (path, expected) => expect(outcome(path)).toBe(expected));
});

describe("laws", () => {
  const pieces = fc.oneof(
    fc.constantFrom(
      ...[
        "/",
        "//",
        ".",
        "..",
        "%2e",
        "%2E",
        "%2f",
        "%2F",
        "%5c",
        "%25",
        "%252f",
        ";",
        ";x=1",
        "%3b",
        "%41",
        "%7e",
      ],
      ...["\\", "?", "#", " ", "%", "%0", "%c3%a9", "é", "😀", "a", "B", "~", "*", "{", "}", "%00", "\u0000"],
    ),
    fc.string({ maxLength: 3 }),
  );
  const paths = fc.array(pieces, { maxLength: 12 }).map((list) => "/" + list.join(""));
  const optioned = fc.tuple(paths, fc.constantFrom(...ALL));

  it("what comes out stays as it is", () =>
    fc.assert(
      fc.property(optioned, ([path, options]) => {
        const first = normalizePath(path, options);
        if ("fault" in first) return;
        expect(normalizePath(first.path, options)).toEqual(first);
        expect(isNormalPath(first.path, options)).toBe(true);
      }),
      { numRuns: 3000 },
    ));

  it("what comes out holds no dot segment, no doubled slash and no escape in lower case", () =>
    fc.assert(
      fc.property(optioned, ([path, options]) => {
        const result = normalizePath(path, options);
        if ("fault" in result) return;
        expect(result.path).toMatch(/^\//);
        expect(result.path).not.toMatch(/\/\.{1,2}(?:;[^/]*)?(?:\/|$)/);
        expect(result.path).not.toContain("//");
        expect(result.path).not.toMatch(/%(?![0-9A-F]{2})/);
        expect(result.path).toMatch(/^[\x21-\x7e]+$/);
        expect(result.path).not.toMatch(/[\\?#]/);
      }),
      { numRuns: 3000 },
    ));

  it("refusing is never weaker than keeping", () =>
    fc.assert(
      fc.property(paths, (path) => {
        const strict = normalizePath(path, STRICT);
        if ("path" in strict) expect(normalizePath(path, KEEP)).toEqual(strict);
      }),
      { numRuns: 2000 },
    ));
});

describe("the text of a segment", () => {
  it.each([
    ["plain", "plain"],
    ["a%20b", "a b"],
    ["caf%C3%A9", "café"],
    ["a%2Fb", "a/b"],
    ["%E9", "%E9"],
    ["%FF%41", "%FF%41"],
  ])("%s stands for %j", (segment, text) => expect(decodeSegment(segment)).toBe(text));
});
