import { describe, expect, it } from "vitest";
import { type Leaf, plant } from "../../src/compiler/matcher.ts";
import { candidateOrder, checkPrecedence } from "../../src/compiler/precedence.ts";
import type { Diagnostic } from "../../src/core/diagnostic.ts";
import { type RouteWords, routeOf } from "../support/routes.ts";

const PRESENT = { name: "x-a" };
const path = "/orders";

const leavesOf = (words: readonly RouteWords[]): readonly Leaf[] => plant(words.map(routeOf)).leaves;

/** Ids in the order in which they are tried for a method, where host and path tie. */
const order = (words: readonly RouteWords[], method: string): string[] => {
  const leaves = leavesOf(words);
  expect(leaves).toHaveLength(1);
  return candidateOrder(leaves[0]!.candidates, method).map(({ route }) => route.id);
};

/** Whatever order the files are in, the answer is one. */
const everyOrder = <T>(list: readonly T[]): T[][] =>
  list.length < 2
    ? [[...list]]
    : list.flatMap((first, index) =>
        everyOrder(list.filter((_, other) => other !== index)).map((rest) => [first, ...rest]),
      );

describe("where host and path tie (Gateway API)", () => {
  it.each<[string, string, RouteWords[], string[]]>([
    [
      "a method goes before any method",
      "GET",
      [
        { id: "a", path },
        { id: "b", path, methods: ["GET"] },
      ],
      ["b", "a"],
    ],
    [
      "a route of other methods is no candidate",
      "GET",
      [
        { id: "a", path, methods: ["POST"] },
        { id: "b", path },
      ],
      ["b"],
    ],
    [
      "HEAD itself goes before HEAD by way of GET, and that before any method",
      "HEAD",
      [
        { id: "a", path },
        { id: "b", path, methods: ["GET"] },
        { id: "c", path, methods: ["HEAD"] },
      ],
      ["c", "b", "a"],
    ],
    [
      "more headers go first",
      "GET",
      [
        { id: "a", path },
        { id: "b", path, headers: [PRESENT] },
        { id: "c", path, headers: [PRESENT, { name: "x-b" }] },
      ],
      ["c", "b", "a"],
    ],
    [
      "a header goes before any number of query parameters",
      "GET",
      [
        { id: "a", path, query: [{ name: "x" }, { name: "y" }] },
        { id: "b", path, headers: [PRESENT] },
      ],
      ["b", "a"],
    ],
    [
      "more query parameters go first",
      "GET",
      [
        { id: "a", path },
        { id: "b", path, query: [{ name: "q" }] },
      ],
      ["b", "a"],
    ],
    [
      "the method goes before the headers",
      "GET",
      [
        { id: "a", path, headers: [PRESENT] },
        { id: "b", path, methods: ["GET"] },
      ],
      ["b", "a"],
    ],
    [
      "what still ties goes by the alphabet",
      "GET",
      [
        { id: "b", path, headers: [PRESENT] },
        { id: "a", path, headers: [{ name: "x-b" }] },
      ],
      ["a", "b"],
    ],
    [
      "before moves a route directly in front of what it names",
      "GET",
      [
        { id: "a", path, headers: [PRESENT] },
        { id: "b", path },
        { id: "c", path, before: ["a"], headers: [{ name: "x-c" }] },
      ],
      ["c", "a", "b"],
    ],
    [
      "before leaves alone what is in front already",
      "GET",
      [
        { id: "a", path, before: ["b"], headers: [PRESENT] },
        { id: "b", path },
      ],
      ["a", "b"],
    ],
  ])("%s", (_, method, words, expected) => {
    for (const list of everyOrder(words)) expect(order(list, method)).toEqual(expected);
  });
});

const found = (words: readonly RouteWords[]): readonly Diagnostic[] => {
  const list: Diagnostic[] = [];
  checkPrecedence(leavesOf(words), (diagnostic) => list.push(diagnostic));
  return list;
};

/** `code loser < winner`. */
const told = (words: readonly RouteWords[]): string[] =>
  found(words).map(
    ({ code, message }) => `${code} ${[...message.matchAll(/"([a-z])"/g)].map((hit) => hit[1]).join(" ")}`,
  );

describe("routes that cannot be told apart, or never win", () => {
  it.each<[string, RouteWords[], string[]]>([
    [
      "different paths are fine",
      [
        { id: "a", path },
        { id: "b", path: "/users" },
      ],
      [],
    ],
    [
      "different methods are fine",
      [
        { id: "a", path, methods: ["GET"] },
        { id: "b", path, methods: ["POST"] },
      ],
      [],
    ],
    [
      "different hosts are fine",
      [
        { id: "a", path, hosts: ["x.y"] },
        { id: "b", path, hosts: ["y.y"] },
      ],
      [],
    ],
    [
      "a wildcard host beside an exact one is fine",
      [
        { id: "a", path, hosts: ["*.y"] },
        { id: "b", path, hosts: ["x.y"] },
      ],
      [],
    ],
    [
      "a prefix beside a path is fine",
      [
        { id: "a", prefix: path },
        { id: "b", path },
      ],
      [],
    ],
    [
      "a parameter beside a literal is fine",
      [
        { id: "a", path: "/{x}" },
        { id: "b", path },
      ],
      [],
    ],
    [
      "more conditions beside fewer are fine",
      [
        { id: "a", path },
        { id: "b", path, headers: [PRESENT] },
      ],
      [],
    ],
    [
      "any method beside one is fine",
      [
        { id: "a", path },
        { id: "b", path, methods: ["GET"] },
      ],
      [],
    ],
    [
      "GET beside HEAD is fine",
      [
        { id: "a", path, methods: ["GET"] },
        { id: "b", path, methods: ["HEAD"] },
      ],
      [],
    ],
    [
      "values that exclude each other are fine",
      [
        { id: "a", path, headers: [{ name: "x-v", value: "1" }] },
        { id: "b", path, headers: [{ name: "x-v", value: "2" }] },
      ],
      [],
    ],
    [
      "equal ones are not",
      [
        { id: "a", path },
        { id: "b", path },
      ],
      ["identical-routes b a"],
    ],
    [
      "names of parameters tell nothing apart",
      [
        { id: "a", path: "/{x}" },
        { id: "b", path: "/{y}" },
      ],
      ["identical-routes b a"],
    ],
    [
      "an equal prefix",
      [
        { id: "a", prefix: path },
        { id: "b", prefix: `${path}/` },
      ],
      ["identical-routes b a"],
    ],
    [
      "equal conditions",
      [
        { id: "a", path, headers: [PRESENT], query: [{ name: "q", value: "1" }] },
        { id: "b", path, headers: [PRESENT], query: [{ name: "q", value: "1" }] },
      ],
      ["identical-routes b a"],
    ],
    [
      "one of several equal ones is told once",
      [
        { id: "a", path },
        { id: "b", path },
        { id: "c", path },
      ],
      ["identical-routes b a", "identical-routes c a"],
    ],
    [
      "equal on one of several hosts",
      [
        { id: "a", path, hosts: ["x.y", "z.y"] },
        { id: "b", path, hosts: ["x.y"] },
      ],
      ["identical-routes b a"],
    ],
    [
      "a value behind the mere presence that was put before it",
      [
        { id: "a", path, headers: [PRESENT], before: ["b"] },
        { id: "b", path, headers: [{ name: "x-a", value: "1" }] },
      ],
      ["shadowed-route b a"],
    ],
    [
      "a wide route that was put before a narrow one",
      [
        { id: "a", path, before: ["b"] },
        { id: "b", path, headers: [PRESENT] },
      ],
      ["shadowed-route b a"],
    ],
    [
      "an overlap by different headers is a warning",
      [
        { id: "a", path, headers: [PRESENT] },
        { id: "b", path, headers: [{ name: "x-b" }] },
      ],
      ["overlapping-routes a b a"],
    ],
    [
      "an overlap by different query parameters too",
      [
        { id: "a", path, query: [{ name: "q" }] },
        { id: "b", path, query: [{ name: "r" }] },
      ],
      ["overlapping-routes a b a"],
    ],
    [
      "unless somebody said which goes first",
      [
        { id: "a", path, headers: [PRESENT] },
        { id: "b", path, headers: [{ name: "x-b" }], before: ["a"] },
      ],
      [],
    ],
  ])("%s", (_, words, expected) => {
    for (const list of everyOrder(words)) expect(told(list).sort()).toEqual(expected);
  });

  it("an overlap is a warning with a request that shows it, the others are errors", () => {
    const [overlap] = found([
      { id: "a", path: "/x/{id}", hosts: ["*.y.z"], headers: [{ name: "x-a", value: "1" }] },
      { id: "b", path: "/x/{id}", hosts: ["*.y.z"], headers: [{ name: "x-b" }] },
    ]);
    expect(overlap).toMatchObject({
      severity: "warning",
      example: "GET https://x.y.z/x/x -H 'x-a: 1' -H 'x-b: x'",
      related: [{ message: '"a" stands here.' }],
    });
    const [same] = found([
      { id: "a", path, methods: ["PUT"], query: [{ name: "q", value: "1" }] },
      { id: "b", path, methods: ["PUT"], query: [{ name: "q", value: "1" }] },
    ]);
    expect(same).toMatchObject({ severity: "error", example: "PUT https://any.example/orders?q=1" });
  });
});
