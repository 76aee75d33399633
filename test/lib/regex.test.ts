import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exampleOf } from "../../src/lib/regex/compare.ts";
import { compileRegex, REGEX_LIMITS } from "../../src/lib/regex/compile.ts";
import type { RegexReason } from "../../src/lib/regex/parse.ts";
import { linkRegex, type RegexPlan, widthOf } from "../../src/lib/regex/run.ts";

const planOf = (text: string): RegexPlan => {
  const compiled = compileRegex(text);
  if ("faults" in compiled) throw new Error(`${text}: ${JSON.stringify(compiled.faults)}`);
  // As the Worker has it.
  return JSON.parse(JSON.stringify(compiled.regex));
};

const matcherOf = (text: string): ((text: string) => boolean) => linkRegex(planOf(text));

const statesOf = (plan: RegexPlan): number => plan.next.length / widthOf(plan);

describe("a regular expression matches whole texts as JavaScript does", () => {
  it.each<[what: string, regex: string, yes: string[], no: string[]]>([
    ["text", "/orders", ["/orders"], ["", "/order", "/orders/", "x/orders", "/Orders"]],
    ["nothing", "", [""], ["x"]],
    ["a class", "[a-c_]", ["a", "c", "_"], ["d", "", "ab"]],
    ["a negated class", "[^a-c]", ["d", "\n", "é"], ["a", "b", ""]],
    ["an empty class", "[]", [], ["", "a"]],
    ["a class of everything", "[^]", ["a", "\n", "\uffff"], ["", "ab"]],
    ["a dot", "a.c", ["abc", "a/c", "a\u00e9c"], ["a\nc", "a\rc", "a\u2028c", "ac"]],
    ["a dot that takes line breaks", "(?s:a.c)", ["a\nc"], ["ac"]],
    ["digits", "\\d+", ["0", "42"], ["", "x", "٣"]],
    ["no digits", "\\D+", ["x", "é"], ["1"]],
    ["words", "\\w+", ["aZ_9"], ["é", "-", ""]],
    ["space", "a\\sb", ["a b", "a\tb", "a\u00a0b", "a\ufeffb"], ["ab", "a\u200bb"]],
    ["named ones in a class", "[\\d.-]+", ["1.2-3"], ["x"]],
    ["escapes", "\\t\\x41\\u0042\\.\\cA\\0", ["\tAB.\u0001\0"], ["\tABx\u0001\0"]],
    ["a backspace in a class", "[\\b]", ["\b"], ["b"]],
    ["a choice", "ios|android", ["ios", "android"], ["iosandroid", "io", ""]],
    ["a choice of nothing", "a(?:|b)c", ["ac", "abc"], ["abbc"]],
    ["groups, which capture nothing", "(a)(?:b)", ["ab"], ["a"]],
    ["a question mark", "ab?c", ["ac", "abc"], ["abbc"]],
    ["a star", "ab*c", ["ac", "abbbc"], ["abb"]],
    ["a plus", "ab+c", ["abc", "abbbc"], ["ac"]],
    ["a count", "a{3}", ["aaa"], ["aa", "aaaa"]],
    ["a range of counts", "a{2,3}", ["aa", "aaa"], ["a", "aaaa"]],
    ["an open count", "a{2,}", ["aa", "aaaaa"], ["a"]],
    ["a count of none", "a{0}b", ["b"], ["ab"]],
    ["lazy, which is as good as greedy", "a+?b*?c??", ["a", "aabbc"], ["b"]],
    ["anchors at the ends", "^a|b$", ["a", "b"], ["ab", "xb"]],
    ["anchors at the ends of groups", "(?:^a|^b)(?:c$|d$)", ["ac", "bd"], ["a"]],
    ["a dollar that takes no line break", "a$", ["a"], ["a\n"]],
    [
      "case, where it is to be ignored",
      "(?i:straße)-[x-z]",
      ["STRAßE-x", "straße-z"],
      ["STRASSE-x", "straße-X"],
    ],
    ["case of a class", "(?i:[k-m])", ["K", "l"], ["\u212a", "n"]],
    ["case of a negated class", "(?i:[^k-m])", ["a"], ["K", "l"]],
    ["case beyond ASCII", "(?i:ÉΣ)", ["éς", "éσ", "Éς"], ["eσ"]],
    ["case that ASCII has to itself", "(?i:[si])", ["S", "I"], ["\u017f", "\u0131"]],
    ["case that is heeded again", "(?i:a(?-i:b)c)", ["AbC"], ["ABC"]],
    ["characters of two units", "(?:😀)+", ["😀", "😀😀"], ["", "\ud83d"]],
  ])("%s", (_, regex, yes, no) => {
    const matches = matcherOf(regex);
    const reference = new RegExp(`^(?:${regex})$`);
    for (const text of yes) expect([text, matches(text), reference.test(text)]).toEqual([text, true, true]);
    for (const text of no) expect([text, matches(text), reference.test(text)]).toEqual([text, false, false]);
  });
});

/** Expressions of all that is supported, over few letters, so that texts of them match often. */
const regexes = fc.letrec<{ atom: string; term: string; sequence: string; regex: string }>((tie) => ({
  atom: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.constantFrom("a", "b", "B", "-", "\\.", ".", "\\d", "\\W", "\\s", "é", "\\u00e9", "\\/", "1"),
    fc.constantFrom("[ab]", "[^a]", "[a-c1]", "[\\d-]", "[^\\w]", "[]", "[^]", "[B\\S]"),
    tie("regex").map((inner) => `(${inner})`),
    tie("regex").map((inner) => `(?:${inner})`),
  ),
  term: fc
    .tuple(
      tie("atom"),
      fc.constantFrom("", "", "", "?", "*", "+", "{2}", "{0}", "{1,2}", "{0,3}", "{2,}"),
      fc.constantFrom("", "", "?"),
    )
    .map(([atom, count, lazy]) => atom + count + (count === "" ? "" : lazy)),
  sequence: fc.array(tie("term"), { maxLength: 3 }).map((parts) => parts.join("")),
  regex: fc.array(tie("sequence"), { minLength: 1, maxLength: 2 }).map((parts) => parts.join("|")),
}));

/** Such as are short enough to be read when a law fails, and within the limits. */
const supported = regexes.regex.filter((regex) => regex.length < 60 && "regex" in compileRegex(regex));

const texts = fc
  .array(fc.constantFrom("a", "b", "A", "B", "c", "1", "-", ".", "/", "é", "É", "\n", " ", "\u2028"), {
    // JavaScript's engine backtracks.
    maxLength: 6,
  })
  .map((parts) => parts.join(""));

describe("laws", { timeout: 30_000 }, () => {
  it("says of any text what JavaScript's RegExp says", () => {
    let matched = 0;
    let asked = 0;
    // For the whole: V8 forgets the flags of a group at choices, as in (?i:x|[ab]).
    const flags = fc.constantFrom("", "", "i", "s", "is");
    const lists = fc.array(texts, { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(supported, flags, lists, (regex, flag, list) => {
        const matches = matcherOf(`(?${flag}:${regex})`);
        const reference = new RegExp(`^(?:${regex})$`, flag);
        for (const text of ["", ...list]) {
          asked++;
          if (reference.test(text)) matched++;
          expect([regex, text, matches(text)]).toEqual([regex, text, reference.test(text)]);
        }
      }),
      { numRuns: 700 },
    );
    // A law about texts that never match would hold for anything.
    expect(matched / asked).toBeGreaterThan(0.05);
  });

  it("an example of it is matched by JavaScript's RegExp, and where there is none nothing is", () =>
    fc.assert(
      fc.property(supported, fc.array(texts, { minLength: 6, maxLength: 6 }), (regex, list) => {
        const example = exampleOf([planOf(regex)]);
        const reference = new RegExp(`^(?:${regex})$`);
        if (typeof example === "string") expect([regex, reference.test(example)]).toEqual([regex, true]);
        else for (const text of list) expect(reference.test(text)).toBe(false);
      }),
      { numRuns: 250 },
    ));

  it("what two have in common, and what only one has, is as RegExp says", () =>
    fc.assert(
      fc.property(supported, supported, fc.array(texts, { maxLength: 8 }), (one, other, list) => {
        const [first, second] = [one, other].map((regex) => new RegExp(`^(?:${regex})$`)) as [RegExp, RegExp];
        const common = exampleOf([planOf(one), planOf(other)]);
        const only = exampleOf([planOf(one)], [planOf(other)]);
        if (typeof common === "string")
          expect([first.test(common), second.test(common)]).toEqual([true, true]);
        if (typeof only === "string") expect([first.test(only), second.test(only)]).toEqual([true, false]);
        for (const text of list.filter((candidate) => first.test(candidate))) {
          if (common === undefined) expect([text, second.test(text)]).toEqual([text, false]);
          if (only === undefined) expect([text, second.test(text)]).toEqual([text, true]);
        }
      }),
      { numRuns: 250 },
    ));

  it("is the same automaton exactly where the language is the same", () =>
    fc.assert(
      fc.property(supported, supported, (one, other) => {
        const [first, second] = [planOf(one), planOf(other)];
        const differ =
          exampleOf([first], [second]) !== undefined || exampleOf([second], [first]) !== undefined;
        expect(JSON.stringify(first) === JSON.stringify(second)).toBe(!differ);
      }),
      { numRuns: 250 },
    ));
});

describe("the automaton", () => {
  it.each<[string, string]>([
    ["a|b|c", "[a-c]"],
    ["(a*)*", "a*"],
    ["aa*", "a+"],
    ["(?:a|ab)(?:c|bcd)", "ac|abcd?|abbcd"],
    ["[^]*[]", "[]"],
    ["(?i:a)", "[aA]"],
    ["^(?:x)$", "x"],
    ["a{2,4}", "aaa?a?"],
    ["\\d", "[0-9]"],
  ])("of %s is that of %s", (one, other) => expect(planOf(one)).toEqual(planOf(other)));

  it("is as small as can be", () => {
    expect(statesOf(planOf("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"))).toBe(37);
    expect(planOf("/v[0-9]+")).toEqual({
      starts: [47, 48, 58, 118, 119],
      classes: [0, 1, 2, 0, 3, 0],
      // "/" leads to 2, "v" to 3, a digit to 4 and there again.
      next: [0, 2, 0, 0, 0, 0, 0, 3, 0, 0, 4, 0, 0, 0, 4, 0],
      accepting: [4],
    });
  });

  it.each<[string, string, string | undefined]>([
    ["/v[0-9]+/orders", ".*", "/v1/orders"],
    ["ios/.*", ".*\\.2", "ios/.2"],
    ["[^a-z0-9]", ".", "A"],
    ["a+", "b+", undefined],
    [".*x.*", "[^x]*", undefined],
  ])("%s and %s have %s in common", (one, other, example) =>
    expect(exampleOf([planOf(one), planOf(other)])).toBe(example),
  );

  it("gives up where there are too many states together", () => {
    const begun = performance.now();
    expect(exampleOf([planOf("(?:.{499})*"), planOf("(?:.{498})*")], [planOf(".*")])).toBeNull();
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it("finds what none of several others take", () => {
    const all = [planOf("[a-c]{1,2}")];
    expect(exampleOf(all, [planOf("a.*"), planOf("b.*")])).toBe("c");
    expect(exampleOf(all, [planOf("a.*"), planOf("b.*"), planOf("c")])).toBe("ca");
    expect(exampleOf(all, [planOf("a.*"), planOf("b.*"), planOf("c.?")])).toBeUndefined();
  });
});

describe("what is refused", () => {
  it.each<[regex: string, reason: RegexReason, marked: string]>([
    ["(a)\\1", "backreference", "\\1"],
    ["\\1", "backreference", "\\1"],
    ["x\\12y", "backreference", "\\12"],
    ["\\k<a>", "backreference", "\\k<a>"],
    ["a(?=b)", "lookahead", "(?=b)"],
    ["(?!admin).*", "lookahead", "(?!admin)"],
    ["(?<=a)b", "lookbehind", "(?<=a)"],
    ["(?<!a)b", "lookbehind", "(?<!a)"],
    ["\\bios\\.", "word-boundary", "\\b"],
    ["a\\B", "word-boundary", "\\B"],
    ["/(?<id>[0-9]+)", "named-group", "(?<id>"],
    ["/(?P<id>[0-9]+)", "named-group", "(?P<id>"],
    ["/(?<1>x)", "named-group", "(?<"],
    ["a^b", "inner-anchor", "^"],
    ["a$b", "inner-anchor", "$"],
    ["(?:^a)*", "inner-anchor", "^"],
    ["a|b^", "inner-anchor", "^"],
    ["\\Aios", "inner-anchor", "\\A"],
    ["ios\\z", "inner-anchor", "\\z"],
    ["(?m:^a$)", "multiline", "m"],
    ["[😀]", "two-units", "\ud83d"],
    ["x😀+", "two-units", "😀"],
    ["\\p{L}+", "unicode-class", "\\p"],
    ["/(a", "unclosed-group", "("],
    ["((a)|[)]", "unclosed-group", "("],
    ["a)", "unopened-group", ")"],
    ["a[b-", "unclosed-class", "["],
    ["/orders/{orderId}", "lone-bracket", "{"],
    ["{id}", "lone-bracket", "{"],
    ["a}", "lone-bracket", "}"],
    ["a]", "lone-bracket", "]"],
    ["a{2", "lone-bracket", "{2"],
    ["*a", "nothing-to-repeat", "*"],
    ["a**", "nothing-to-repeat", "*"],
    ["a++", "nothing-to-repeat", "+"],
    ["a{2}{3}", "nothing-to-repeat", "{3}"],
    ["a{3,1}", "count-order", "{3,1}"],
    ["[z-a]", "range-order", "z-a"],
    ["[\\d-z]", "bad-range", "\\d-z"],
    ["a\\q", "bad-escape", "\\q"],
    ["a\\", "bad-escape", "\\"],
    ["\\u{61}", "bad-escape", "\\u"],
    ["(?i)ios", "flags-for-the-rest", "(?i)"],
    ["(?>a)", "bad-group", "(?>"],
    ["(?#x)", "bad-group", "(?#"],
    ["x".repeat(REGEX_LIMITS.length + 1), "too-long", "x".repeat(REGEX_LIMITS.length + 1)],
    ["a{1001}", "too-large", "a{1001}"],
    [".*a.{9}", "too-large", ".*a.{9}"],
  ])("%s: %s", (regex, reason, marked) => {
    const compiled = compileRegex(regex);
    const faults = "faults" in compiled ? compiled.faults : [];
    expect(
      faults.map((fault) => [fault.reason, regex.slice(fault.offset, fault.offset + fault.length)]),
    ).toContainEqual([reason, marked]);
  });

  it("is told all at once, as far as it can be read", () => {
    const compiled = compileRegex("(?<a>x)\\k<a>(?=y)\\b");
    expect("faults" in compiled && compiled.faults.map(({ reason }) => reason)).toEqual([
      "named-group",
      "backreference",
      "lookahead",
      "word-boundary",
    ]);
  });

  it("is never a throw, whatever is written", () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(..."ab01()[]{}|*+?^$.\\-,:<>=!?ipPkubBdwx/é😀\n"), { maxLength: 14 }),
        (signs) => {
          const text = signs.join("");
          const compiled = compileRegex(text);
          if ("regex" in compiled) {
            // What passes here is JavaScript, and means the same there.
            const reference = new RegExp(`^(?:${text})$`);
            const example = exampleOf([compiled.regex]);
            if (typeof example === "string") expect([text, reference.test(example)]).toEqual([text, true]);
            return;
          }
          for (const { offset, length } of compiled.faults) {
            expect(offset).toBeGreaterThanOrEqual(0);
            expect(offset).toBeLessThanOrEqual(text.length);
            expect(length).toBeGreaterThanOrEqual(text === "" ? 0 : 1);
          }
        },
      ),
      { numRuns: 1000 },
    ));
});

/** Expressions that make engines with backtracking, or compilers of automata, run for hours. */
const HOSTILE = [
  "(a+)+b",
  "(a|a)*b",
  "(a|aa)+b",
  "(.*a){12}",
  "(a*)*b",
  "((a*)*)*b",
  "(x+x+)+y",
  "(.*)*=.*",
  "(a?){40}a{40}",
  "(?:a?){500}a{500}",
  "([a-zA-Z]+)*1",
  "^(([a-z])+.)+[A-Z]([a-z])+$",
  "(?:){1000000000}",
  "(?:a{0}){99999999999999999999}",
  "((a{1,100}){1,100}){1,100}",
  "(((((a{9}){9}){9}){9}){9}){9}",
  ".*a.{500}",
  "(a|b|ab)*(a|b){15}",
  "(?:.*x.*y.*z){90}",
  `${"(".repeat(499)}a${")".repeat(499)}`,
  `${"(?:a|".repeat(160)}b${")".repeat(160)}`,
  "[^a]*".repeat(190),
  "(?i:[^\\W_]+)*",
];

describe("hostile expressions", { timeout: 30_000 }, () => {
  it.each(HOSTILE)("%s is compiled or refused at once, and reads 64 KB in one pass", (regex) => {
    const begun = performance.now();
    const compiled = compileRegex(regex);
    // Generous, for a busy machine: hours are what is to be told apart.
    expect(performance.now() - begun).toBeLessThan(5_000);
    if ("faults" in compiled) {
      expect(compiled.faults.map(({ reason }) => reason)).toEqual(["too-large"]);
      return;
    }
    expect(statesOf(compiled.regex)).toBeLessThanOrEqual(REGEX_LIMITS.states);
    expect(compiled.regex.next.length).toBeLessThanOrEqual(REGEX_LIMITS.cells);
    const matches = linkRegex(compiled.regex);
    for (const text of ["a".repeat(65_536), `${"a".repeat(65_535)}!`, "ab".repeat(32_768)]) {
      const started = performance.now();
      matches(text);
      expect(performance.now() - started).toBeLessThan(1_000);
    }
  });

  it("reads each character at most once", () => {
    const read: number[] = [];
    const units = "a".repeat(1000);
    const text = {
      length: units.length,
      charCodeAt: (at: number) => {
        read.push(at);
        return units.charCodeAt(at);
      },
    } as string;
    expect(matcherOf("(a+)+b")(text)).toBe(false);
    expect(read).toEqual(Array.from({ length: 1000 }, (_, at) => at));
  });

  it("stops at the first character after which nothing can match", () => {
    let read = 0;
    const text = {
      length: 65_536,
      charCodeAt: () => {
        read++;
        return 0x78;
      },
    } as unknown as string;
    expect(matcherOf("/v[0-9]+/orders")(text)).toBe(false);
    expect(read).toBe(1);
  });
});
