import { type Case, type Field, FRESH, type Kind, type Turn } from "../case.ts";

type Row = readonly [id: string, kind: Kind, stored: string, asked: string];

/** The cache has a fresh response, and the client asks whether its own copy is still good. */
const tagged: Case[] = (
  [
    ["strong-respond", "optimal", '"abcdef"', '"abcdef"'],
    ["strong-respond-obs-text", "check", '"abcdef\u00fc"', '"abcdef\u00fc"'],
    ["quoted-respond-unquoted", "check", '"abcdef"', "abcdef"],
    ["unquoted-respond-unquoted", "check", "abcdef", "abcdef"],
    ["unquoted-respond-quoted", "check", "abcdef", '"abcdef"'],
    ["weak-respond", "optimal", 'W/"abcdef"', 'W/"abcdef"'],
    ["weak-respond-lowercase", "check", 'w/"abcdef"', 'w/"abcdef"'],
    ["weak-respond-backslash", "check", 'W\\"abcdef"', 'W\\"abcdef"'],
    ["weak-respond-omit-slash", "check", 'W"abcdef"', 'W"abcdef"'],
    ["strong-respond-multiple-first", "optimal", '"abcdef"', '"abcdef", "1234", "5678"'],
    ["strong-respond-multiple-second", "optimal", '"abcdef"', '"1234", "abcdef", "5678"'],
    ["strong-respond-multiple-last", "optimal", '"abcdef"', '"1234", "5678", "abcdef"'],
  ] satisfies Row[]
).map(([id, kind, stored, asked]) => ({
  id: `conditional-etag-${id}`,
  kind,
  turns: [
    { answer: [...FRESH, ["ETag", stored]], pause: true },
    { ask: [["If-None-Match", asked]], from: "cache", sees: 304 },
  ],
}));

const stale = (id: string, kind: Kind, tag: string, asked = tag): Case => ({
  id: `conditional-etag-${id}`,
  kind,
  turns: [
    {
      answer: [
        ["Cache-Control", "max-age=2"],
        ["ETag", tag],
      ],
      pause: true,
    },
    { from: "etag", sends: [["if-none-match", asked]] },
  ],
});

const forwarded = (id: string, asked: string): Case => ({
  id: `conditional-etag-${id}`,
  kind: "check",
  turns: [{ ask: [["If-None-Match", asked]], sends: [["if-none-match", '"abcdef"']] }],
});

const VARIED = (expires: number): Field[] => [
  ["Expires", expires],
  ["ETag", '"abcdef"'],
  ["Date", 0],
  ["Vary", "Abc"],
];

const tags: Case[] = [
  ...tagged,
  {
    id: "conditional-304-etag",
    kind: "required",
    turns: [
      { answer: [...FRESH, ["ETag", '"abcdef"']], pause: true },
      { ask: [["If-None-Match", '"abcdef"']], from: "cache", sees: 304, shows: [["ETag", '"abcdef"']] },
    ],
  },
  {
    id: "conditional-etag-precedence",
    kind: "required",
    turns: [
      { answer: [...FRESH, ["Last-Modified", -5000], ["ETag", '"abcdef"']], pause: true },
      {
        ask: [
          ["If-None-Match", '"abcdef"'],
          ["If-Modified-Since", -1],
        ],
        from: "cache",
        sees: 304,
      },
    ],
  },
  {
    id: "conditional-etag-vary-headers",
    kind: "required",
    turns: [
      { ask: [["Abc", "123"]], answer: VARIED(1), pause: true },
      { ask: [["Abc", "123"]], from: "etag", sends: [["abc", "123"]] },
    ],
  },
  {
    id: "conditional-etag-vary-headers-mismatch",
    kind: "check",
    turns: [
      { ask: [["Abc", "123"]], answer: VARIED(10_000), pause: true },
      { ask: [["Abc", "456"]], sendsNot: ["if-none-match"] },
    ],
  },
  stale("strong-generate", "optimal", '"abcdef"'),
  stale("weak-generate-weak", "optimal", 'W/"abcdef"'),
  stale("strong-generate-unquoted", "check", "abcdef", '"abcdef"'),
  forwarded("forward", '"abcdef"'),
  forwarded("forward-unquoted", "abcdef"),
];

const dated = (
  id: string,
  answer: readonly Field[],
  since: number,
  from: Turn["from"] = "cache",
  rfc850 = false,
): Case => ({
  id: `conditional-lm-${id}`,
  kind: "optimal",
  turns: [
    { answer: [...answer, ["Date", 0]], pause: true },
    { ask: [["If-Modified-Since", since]], rfc850, from, sees: 304 },
  ],
});

const MODIFIED: Field = ["Last-Modified", -3000];

const dates: Case[] = [
  dated("fresh", [["Cache-Control", "max-age=100000"], MODIFIED], -3000),
  dated("fresh-earlier", [["Cache-Control", "max-age=100000"], MODIFIED], -2000),
  dated("stale", [["Cache-Control", "max-age=2"], MODIFIED], -3000, "last-modified"),
  dated("fresh-no-lm", [["Cache-Control", "max-age=10000"]], -3000),
  dated("fresh-rfc850", [["Cache-Control", "max-age=10000"], MODIFIED], -3000, "cache", true),
];

const AGING: Turn = {
  answer: [
    ["Cache-Control", "max-age=2"],
    ["Template-A", "1"],
  ],
  pause: true,
};
const HEAD = { method: "HEAD", sentAs: "HEAD" } as const;
const NEWER: Field = ["Cache-Control", "max-age=1000"];

const heads: Case[] = [
  { id: "head-writethrough", kind: "check", turns: [AGING, HEAD] },
  { id: "head-200-retain", kind: "check", turns: [AGING, { ...HEAD, shows: [["Template-A", "1"]] }] },
  {
    id: "head-200-freshness-update",
    kind: "check",
    turns: [AGING, { ...HEAD, answer: [NEWER] }, { from: "cache" }],
  },
  {
    id: "head-200-update",
    kind: "check",
    turns: [
      AGING,
      { ...HEAD, answer: [["Template-A", "2"], NEWER] },
      { from: "cache", shows: [["Template-A", "2"]] },
    ],
  },
  {
    id: "head-410-update",
    kind: "check",
    turns: [
      AGING,
      { ...HEAD, status: 410, answer: [["Template-A", "2"], NEWER] },
      { from: "cache", shows: [["Template-A", "2"]] },
    ],
  },
];

/** RFC 9111 section 4.3. */
export const validating: readonly Case[] = [...tags, ...dates, ...heads];
