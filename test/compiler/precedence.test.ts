import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { candidateOrder } from "../../src/compiler/candidate-order.ts";
import { type Leaf, plant } from "../../src/compiler/matcher.ts";
import { checkPrecedence } from "../../src/compiler/precedence.ts";
import type { Diagnostic } from "../../src/core/diagnostic.ts";
import type { Routable } from "../../src/core/matcher-plan.ts";
import { isNormalPath } from "../../src/lib/path.ts";
import {
  type ConditionWords,
  type RouteWords,
  requestOf,
  routed,
  routeOf,
  routerOf,
} from "../support/routes.ts";

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
      "equal but for a method more is an overlap",
      [
        { id: "a", path, methods: ["GET"] },
        { id: "b", path, methods: ["GET", "PUT"] },
      ],
      ["overlapping-routes a b a"],
    ],
    [
      "equal but for a method less is not",
      [
        { id: "a", path, methods: ["GET", "PUT"] },
        { id: "b", path, methods: ["GET"] },
      ],
      ["shadowed-route b a"],
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
    [
      "unless a more specific route takes what they have in common",
      [
        { id: "a", path, headers: [PRESENT] },
        { id: "b", path, headers: [{ name: "x-b" }] },
        { id: "c", path, headers: [PRESENT, { name: "x-b" }] },
      ],
      [],
    ],
    [
      "different regular expressions that no path fits both are fine",
      [
        { id: "a", regex: "/v[0-9]+/orders" },
        { id: "b", regex: "/v[0-9]+/users" },
      ],
      [],
    ],
    [
      "regular expressions that meet only beyond normal paths are fine",
      [
        { id: "a", regex: "/a/(?:x|\\.\\./.*)" },
        { id: "b", regex: "/a/(?:y|\\.\\./b)" },
      ],
      [],
    ],
    [
      "regular expressions of the same paths are not, however they are written",
      [
        { id: "a", regex: "/(?:a|b)+" },
        { id: "b", regex: "/[ab][ab]*" },
      ],
      ["identical-routes b a"],
    ],
    [
      "that differ only in what no path is, neither",
      [
        { id: "a", regex: "/a/.*" },
        { id: "b", regex: "/a/[^ ]*" },
      ],
      ["identical-routes b a"],
    ],
    [
      "an overlap of regular expressions is a warning",
      [
        { id: "a", regex: "/v1/.*" },
        { id: "b", regex: "/.*/orders" },
      ],
      ["overlapping-routes a b a"],
    ],
    [
      "unless somebody said which goes first, of regular expressions too",
      [
        { id: "a", regex: "/v1/.*" },
        { id: "b", regex: "/.*/orders", before: ["a"] },
      ],
      [],
    ],
    [
      "unless templates take what they have in common",
      [
        { id: "a", regex: "/v1/.*" },
        { id: "b", regex: "/v1/orders|/v2/.*" },
        { id: "c", path: "/v1/orders" },
      ],
      [],
    ],
    [
      "what one regular expression takes first is told of it alone",
      [
        { id: "a", regex: "/v1/orders" },
        { id: "b", regex: "/v1/.*" },
        { id: "c", regex: "/v[12]/orders" },
      ],
      ["overlapping-routes a b a", "overlapping-routes a c a"],
    ],
    [
      "a narrow regular expression behind a wide one",
      [
        { id: "a", regex: "/v1/.*" },
        { id: "b", regex: "/v1/[0-9]+" },
      ],
      ["shadowed-route b a"],
    ],
    [
      "a narrow regular expression in front of a wide one is an overlap",
      [
        { id: "a", regex: "/v1/[0-9]+" },
        { id: "b", regex: "/v1/.*" },
      ],
      ["overlapping-routes a b a"],
    ],
    [
      "a regular expression whose paths a prefix takes",
      [
        { id: "a", prefix: "/v1" },
        { id: "b", regex: "/v1/[0-9]+" },
      ],
      ["shadowed-route b a"],
    ],
    [
      "a regular expression whose paths one template takes",
      [
        { id: "b", regex: "/v1/[0-9]+" },
        { id: "z", path: "/v1/{id}" },
      ],
      ["shadowed-route b z"],
    ],
    [
      "a regular expression whose paths what remains takes",
      [
        { id: "b", regex: "/v1/.*" },
        { id: "z", path: "/v1/{rest...}" },
      ],
      ["shadowed-route b z"],
    ],
    [
      "a regular expression whose paths several templates take together",
      [
        { id: "b", regex: "/v[12]/x?" },
        { id: "x", path: "/v1/x" },
        { id: "y", prefix: "/v2" },
        { id: "z", path: "/v1/" },
      ],
      ["shadowed-route b x y z"],
    ],
    [
      "of several only those that it takes",
      [
        { id: "b", regex: "/v[12]" },
        { id: "w", path: "/v3" },
        { id: "x", path: "/v1" },
        { id: "y", prefix: "/v1" },
        { id: "z", path: "/v2" },
      ],
      ["shadowed-route b x z"],
    ],
    [
      "and templates and regular expressions together",
      [
        { id: "a", regex: "/v2/.*" },
        { id: "b", regex: "/v1|/v2/x", before: [] },
        { id: "z", path: "/v1" },
      ],
      ["shadowed-route b z a"],
    ],
    [
      "a template that leaves it one path is fine",
      [
        { id: "b", regex: "/v1/.*" },
        { id: "z", path: "/v1/{id}" },
      ],
      [],
    ],
    [
      "a prefix with a condition is fine",
      [
        { id: "a", prefix: "/v1", headers: [PRESENT] },
        { id: "b", regex: "/v1/[0-9]+" },
      ],
      [],
    ],
    [
      "a prefix with a condition that it has too is not",
      [
        { id: "a", prefix: "/v1", headers: [PRESENT] },
        { id: "b", regex: "/v1/[0-9]+", headers: [{ name: "x-a", value: "1" }] },
      ],
      ["shadowed-route b a"],
    ],
    [
      "a prefix of another method is fine",
      [
        { id: "a", prefix: "/v1", methods: ["GET"] },
        { id: "b", regex: "/v1/[0-9]+", methods: ["POST"] },
      ],
      [],
    ],
    [
      "a prefix of one of its methods is fine",
      [
        { id: "a", prefix: "/v1", methods: ["GET"] },
        { id: "b", regex: "/v1/[0-9]+", methods: ["GET", "POST"] },
      ],
      [],
    ],
    [
      "a prefix for each of its methods is not",
      [
        { id: "a", prefix: "/v1", methods: ["GET"] },
        { id: "b", regex: "/v1/[0-9]+", methods: ["GET", "HEAD", "POST"] },
        { id: "c", prefix: "/v1", methods: ["POST"] },
      ],
      ["shadowed-route b a c"],
    ],
    [
      "a prefix on another host is fine",
      [
        { id: "a", prefix: "/v1", hosts: ["x.y"] },
        { id: "b", regex: "/v1/[0-9]+", hosts: ["*.y"] },
      ],
      [],
    ],
    [
      "a header's value behind a regular expression that it fits",
      [
        { id: "a", path, headers: [{ name: "x-a", regex: "ios/.*" }] },
        { id: "b", path, headers: [{ name: "x-a", value: "ios/17" }] },
      ],
      ["shadowed-route b a"],
    ],
    [
      "a header's value beside a regular expression that it does not fit is fine",
      [
        { id: "a", path, headers: [{ name: "x-a", regex: "ios/.*" }] },
        { id: "b", path, headers: [{ name: "x-a", value: "android/17" }] },
      ],
      [],
    ],
    [
      "a header's value in front of a regular expression is an overlap",
      [
        { id: "a", path, headers: [{ name: "x-a", value: "ios/17" }] },
        { id: "b", path, headers: [{ name: "x-a", regex: "ios/.*" }] },
      ],
      ["overlapping-routes a b a"],
    ],
    [
      "a regular expression of a header behind its mere presence",
      [
        { id: "a", path, headers: [PRESENT] },
        { id: "b", path, headers: [{ name: "x-a", regex: "ios/.*" }] },
      ],
      ["shadowed-route b a"],
    ],
    [
      "a narrower regular expression of a header behind a wider one",
      [
        { id: "a", path, headers: [{ name: "x-a", regex: "ios/.*" }] },
        { id: "b", path, headers: [{ name: "x-a", regex: "ios/[0-9]+" }] },
      ],
      ["shadowed-route b a"],
    ],
    [
      "a regular expression of one value only is that value",
      [
        { id: "a", path, headers: [{ name: "x-a", value: "ios" }] },
        { id: "b", path, headers: [{ name: "x-a", regex: "(?:ios)" }] },
      ],
      ["identical-routes b a"],
    ],
    [
      "a regular expression that every header's value fits is its mere presence",
      [
        { id: "a", path, headers: [{ name: "x-a", regex: ".*|[^]*" }] },
        { id: "b", path, headers: [PRESENT] },
      ],
      ["identical-routes b a"],
    ],
    [
      "of a query parameter, a line break may be left",
      [
        { id: "a", path, query: [{ name: "q", regex: ".*" }] },
        { id: "b", path, query: [{ name: "q" }] },
      ],
      ["overlapping-routes a b a"],
    ],
    [
      "regular expressions of headers that no value fits both are fine",
      [
        { id: "a", path, headers: [{ name: "x-a", regex: "ios/.*" }] },
        { id: "b", path, headers: [{ name: "x-a", regex: "android/.*" }] },
      ],
      [],
    ],
    [
      "regular expressions of different headers overlap",
      [
        { id: "a", path, headers: [{ name: "x-a", regex: "ios/.*" }] },
        { id: "b", path, headers: [{ name: "x-b", regex: "[0-9]+" }] },
      ],
      ["overlapping-routes a b a"],
    ],
    [
      "regular expressions of the path whose headers exclude each other are fine",
      [
        { id: "a", regex: "/v1/.*", headers: [{ name: "x-a", regex: "[0-9]+" }] },
        { id: "b", regex: "/v1/.*", headers: [{ name: "x-a", regex: "[a-z]+" }] },
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

  it("an example has a method with which it goes where it is said to", () => {
    const [overlap] = found([
      { id: "a", path, headers: [PRESENT] },
      { id: "b", path, headers: [{ name: "x-b" }] },
      { id: "c", path, methods: ["GET"] },
    ]);
    expect(overlap).toMatchObject({ example: "POST https://any.example/orders -H 'x-a: x' -H 'x-b: x'" });
  });

  it("an example of regular expressions fits both of them", () => {
    const [paths] = found([
      { id: "a", regex: "/v1/.*", headers: [{ name: "x-client", regex: "ios/.*" }] },
      { id: "b", regex: "/.*/orders", headers: [{ name: "x-client", regex: ".*'[0-9]" }] },
    ]);
    expect(paths!.example).toBe("GET https://any.example/v1/orders -H 'x-client: ios/'\\''1'");
    const [values] = found([
      { id: "a", path, query: [{ name: "q", regex: "a&.*" }] },
      { id: "b", path, query: [{ name: "q", regex: ".*=é" }] },
    ]);
    expect(values!.example).toBe("GET https://any.example/orders?q=a%26%3D%C3%A9");
  });

  it("a route behind a wider one that it ties with can be put first", () => {
    const routes: RouteWords[] = [
      { id: "a", regex: "/v1/.*" },
      { id: "b", regex: "/v1/[0-9]+" },
    ];
    expect(found(routes)).toMatchObject([
      { remedy: 'Let it go first, by `before: [a]` at "b", or remove it.' },
    ]);
    expect(found([routes[0]!, { ...routes[1]!, before: ["a"] }])).toEqual([]);
  });

  it("a route that templates take everything from shows them and a request", () => {
    const routes: RouteWords[] = [
      { id: "b", regex: "/v[12]", methods: ["PUT"], headers: [{ name: "x-a", regex: "[0-9]{2}" }] },
      { id: "x", path: "/v1" },
      { id: "y", path: "/v2" },
    ];
    expect(found(routes)).toMatchObject([
      {
        severity: "error",
        message: '"b" can never win: "x" and "y" take all of its requests first.',
        example: "PUT https://any.example/v1 -H 'x-a: 11'",
        related: [{ message: '"x" stands here.' }, { message: '"y" stands here.' }],
      },
    ]);
  });
});

const PATHS = ["/", "/a", "/b", "/a/", "/a/b", "/a/b/", "/ab", "/a.b", "/b/a", "/a/a/b", "/b/x"];
const matchWords = fc.oneof(
  fc.constantFrom("/", "/a", "/{x}", "/a/{x}", "/{x}.b", "/a/{r...}", "/a/").map((it) => ({ path: it })),
  fc.constantFrom("/", "/a", "/a/b").map((it) => ({ prefix: it })),
  ...[1, 2].map(() =>
    fc
      .constantFrom("/.*", "/a.*", "/[ab]", "/a|/b", "/a(?:/.*)?", "/[^/]*", "/.+/b", "/ab?", "/a/b/?", "/x+")
      .map((it) => ({ regex: it })),
  ),
);
const value = fc.constantFrom<Omit<ConditionWords, "name">>(
  {},
  { value: "a" },
  { value: "b" },
  { regex: "a|b" },
  { regex: ".*" },
  { regex: "[ab]+" },
  { regex: "a" },
);
const conditionWords = fc
  .uniqueArray(fc.constantFrom("x", "y"), { maxLength: 2 })
  .chain((names) => fc.tuple(...names.map((name) => value.map((it) => ({ name, ...it })))));
const routeWords = fc
  .tuple(matchWords, fc.constantFrom([], [], ["GET"], ["PUT"], ["GET", "PUT"], ["HEAD"]), conditionWords)
  .map(([match, methods, headers]) => ({ ...match, methods, headers: [...headers] }));

/** Every request of a small world. */
const WORLD = PATHS.flatMap((target) =>
  ["GET", "HEAD", "PUT", "POST"].flatMap((method) =>
    [undefined, "a", "b", "ab", "c"].flatMap((x) =>
      [undefined, "a", "b"].map((y) =>
        requestOf(method, target, { ...(x !== undefined && { x }), ...(y !== undefined && { y }) }),
      ),
    ),
  ),
);

/** The request of an example, as the router has it. */
const requestOfExample = (example: string): Routable => {
  const [, method = "", url = "", fields = ""] = /^(\S+) (\S+)(.*)$/.exec(example) ?? [];
  const headers = [...fields.matchAll(/ -H '([^:]+): ([^']*)'/g)].map(([, name, text]) => [name, text]);
  return requestOf(method, url, Object.fromEntries(headers));
};

const SIGNS = [..."abx/."];
const texts = (length: number): string[] =>
  length === 0 ? [""] : ["", ...texts(length - 1).flatMap((text) => SIGNS.map((sign) => text + sign))];
/** Every path of at most four signs. */
const everyPath = [...new Set(texts(4))]
  .map((text) => `/${text}`)
  .filter((it) => isNormalPath(it, { encodedSlash: "reject", matrixParameters: "reject" }));

describe("laws", { timeout: 30_000 }, () => {
  const worlds = fc
    .array(routeWords, { minLength: 2, maxLength: 4 })
    .map((list) => list.map((words, index): RouteWords => ({ id: "abcd"[index]!, ...words })));

  it("a route that is said never to win wins nothing, and the example of what is told shows it", () =>
    fc.assert(
      fc.property(worlds, (words) => {
        const routes = words.map(routeOf);
        const router = routerOf(routes);
        const winners = new Set(WORLD.map((request) => routed(router, routes, request)));
        for (const { code, severity, message, example } of found(words)) {
          const [loser, second] = [...message.matchAll(/"([a-d])"/g)].map((hit) => hit[1]!);
          const request = requestOfExample(example!);
          const among = (...ids: (string | undefined)[]): string => {
            const own = routes.filter((route) => ids.includes(route.id));
            return routed(routerOf(own), own, request);
          };
          if (severity === "warning") {
            const winner = loser;
            expect([code, among(winner, second), among(second)]).toEqual([code, winner, second]);
            // A value of the example may by chance be that of a more specific route.
            expect(routed(router, routes, request)).not.toBe(second);
            continue;
          }
          expect([code, loser, winners.has(loser!)]).toEqual([code, loser, false]);
          expect([code, loser, among(loser)]).toEqual([code, loser, loser]);
          expect(routed(router, routes, request)).not.toBe(loser);
        }
      }),
      { numRuns: 250 },
    ));

  it("a route by regular expression of which nothing is said wins some request", () =>
    fc.assert(
      fc.property(worlds, (worded) => {
        const words = worded.map(({ headers, ...others }) => others);
        const routes = words.map(routeOf);
        const router = routerOf(routes);
        const told = found(words).filter(({ severity }) => severity === "error");
        const losers = told.map(({ message }) => /"([a-d])"/.exec(message)![1]!);
        const silent = words.filter(({ id, regex }) => regex !== undefined && !losers.includes(id));
        const winners = new Set(
          everyPath.flatMap((target) =>
            ["GET", "HEAD", "PUT", "POST"].map((method) =>
              routed(router, routes, { ...requestOf(method, "/"), path: target }),
            ),
          ),
        );
        for (const { id } of silent) expect([id, winners.has(id)]).toEqual([id, true]);
      }),
      { numRuns: 120 },
    ));
});
