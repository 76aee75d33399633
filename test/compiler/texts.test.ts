import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  headerValues,
  normalPaths,
  pathsBelow,
  queryValues,
  templatePaths,
} from "../../src/compiler/texts.ts";
import { isNormalPath, normalizePath, type PathOptions } from "../../src/lib/path.ts";
import { parsePathTemplate } from "../../src/lib/path-template.ts";
import { linkRegex } from "../../src/lib/regex/run.ts";
import { requestOf, routed, routeOf, routerOf } from "../support/routes.ts";

const OPTIONS: readonly PathOptions[] = (["reject", "keep"] as const).flatMap((encodedSlash) =>
  (["reject", "keep"] as const).map((matrixParameters) => ({ encodedSlash, matrixParameters })),
);

const textOf = (...signs: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...signs), { maxLength: 8 }).map((parts) => parts.join(""));

describe.each(OPTIONS)(
  "paths with encodedSlash: $encodedSlash and matrixParameters: $matrixParameters",
  (options) => {
    const isPath = linkRegex(normalPaths(options));
    const written = textOf(
      "/",
      "a",
      ".",
      "..",
      "%2F",
      "%20",
      "%2f",
      "%41",
      "%C3%A9",
      "%",
      ";",
      "é",
      "~",
      " ",
      "\\",
      "%3B",
    );

    it("are what normalizing answers", () =>
      fc.assert(
        fc.property(written, (text) => {
          const normal = normalizePath(`/${text}`, options);
          if ("path" in normal) expect([normal.path, isPath(normal.path)]).toEqual([normal.path, true]);
        }),
        { numRuns: 800 },
      ));

    it("are nothing else", () =>
      fc.assert(
        fc.property(written, (text) => {
          const path = `/${text}`;
          // Of a last segment that is a matrix parameter alone, normalizing makes a directory.
          if (isPath(path) && !/\/;[^/]*$/.test(path))
            expect([path, isNormalPath(path, options)]).toEqual([path, true]);
        }),
        { numRuns: 800 },
      ));
  },
);

describe("the paths of a template", () => {
  const paths = textOf("/", "/", "a", "b", ".", "...", "v1", "%20", "x.json", "A").map((text) => `/${text}`);
  const templates = [
    ["path", "/"],
    ["path", "/a"],
    ["path", "/a/"],
    ["path", "/{x}"],
    ["path", "/a/{x}/b"],
    ["path", "/{x}.json"],
    ["path", "/{x}...{y}"],
    ["path", "/v{x}.{y}a/{z}"],
    ["path", "/a/{rest...}"],
    ["path", "/{rest...}"],
    ["prefix", "/"],
    ["prefix", "/a"],
    ["prefix", "/a/b"],
  ] as const;

  it.each(templates)("%s %s are those that the router takes", (kind, template) => {
    const takes = linkRegex(templatePaths(parsePathTemplate(template) as never, kind === "prefix"));
    const routes = [routeOf({ id: "r", [kind]: template })];
    const router = routerOf(routes);
    fc.assert(
      fc.property(paths, (text) => {
        const normal = normalizePath(text, OPTIONS[0]!);
        if (!("path" in normal)) return;
        const { path } = normal;
        const found = routed(router, routes, { ...requestOf("GET", "/"), path });
        expect([path, takes(path)]).toEqual([path, found === "r"]);
      }),
      { numRuns: 300 },
    );
  });

  it("below the control prefix are its own and what is below", () => {
    const isBelow = linkRegex(pathsBelow("/__postern"));
    expect(["/__postern", "/__postern/", "/__postern/health"].map(isBelow)).toEqual([true, true, true]);
    expect(["/__posternx", "/", "/x/__postern"].map(isBelow)).toEqual([false, false, false]);
  });
});

describe("values", () => {
  const signs = ["a", " ", "\t", "é", "!", "\u0001", "\x7f"];

  it("of header fields are those that Headers answers", () =>
    fc.assert(
      fc.property(textOf(...signs), (text) => {
        const isValue = linkRegex(headerValues());
        const value = new Headers([["x", text]]).get("x")!;
        expect([value, isValue(value)]).toEqual([value, true]);
        expect([text, isValue(text)]).toEqual([text, text === value]);
      }),
    ));

  it.each(["a\0", "a\nb", "a\r"])("%j is none of a header field", (text) =>
    expect(linkRegex(headerValues())(text)).toBe(false),
  );

  it("of query parameters are those that URLSearchParams answers", () =>
    fc.assert(
      fc.property(textOf("a", "é", "😀", "\n", " ", "\ud83d", "\ude00"), (text) => {
        const isValue = linkRegex(queryValues());
        const value = new URLSearchParams([["x", text]]).get("x")!;
        expect([value, isValue(value)]).toEqual([value, true]);
        expect([text, isValue(text)]).toEqual([text, text.isWellFormed()]);
      }),
    ));
});
