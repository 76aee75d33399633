import { type Case, type Field, FRESH, type Kind, type Turn } from "../case.ts";

const asked = (
  id: string,
  answer: readonly Field[],
  wish: string,
  from: Turn["from"],
  pause = false,
): Case => ({
  id: `ccreq-${id}`,
  kind: "check",
  turns: [
    { answer, pause },
    { ask: [["Cache-Control", wish]], from },
  ],
});

const HOUR: Field = ["Cache-Control", "max-age=3600"];

const wishes: Case[] = [
  asked("ma0", FRESH, "max-age=0", "origin", true),
  asked("ma1", FRESH, "max-age=1", "origin", true),
  asked("magreaterage", [HOUR, ["Age", "1800"]], "max-age=600", "origin"),
  asked("max-stale", [["Cache-Control", "max-age=1"]], "max-stale=1000", "cache", true),
  asked(
    "max-stale-age",
    [
      ["Cache-Control", "max-age=1500"],
      ["Age", "2000"],
    ],
    "max-stale=1000",
    "cache",
  ),
  asked("min-fresh", [["Cache-Control", "max-age=1500"]], "min-fresh=2000", "origin"),
  asked(
    "min-fresh-age",
    [
      ["Cache-Control", "max-age=1500"],
      ["Age", "1000"],
    ],
    "min-fresh=1000",
    "origin",
  ),
  asked("no-cache", [HOUR], "no-cache", "origin"),
  asked("no-cache-lm", [HOUR, ["Last-Modified", -10_000], ["Date", 0]], "no-cache", "last-modified"),
  asked("no-cache-etag", [HOUR, ["ETag", "abc"]], "no-cache", "etag"),
  asked("no-store", [HOUR], "no-store", "origin"),
  {
    id: "ccreq-oic",
    kind: "check",
    turns: [{ ask: [["Cache-Control", "only-if-cached"]], sees: 504, reads: null }],
  },
];

const AGING: Turn = { answer: [["Cache-Control", "max-age=2"]], pause: true };
const COVERED: Turn = { answer: [["Cache-Control", "max-age=2, stale-if-error=60"]], pause: true };
const TAG: Field = ["ETag", '"abc"'];

const stale: Case[] = [
  { id: "stale-close", kind: "check", turns: [AGING, { away: true, from: "cache" }] },
  { id: "stale-503", kind: "check", turns: [AGING, { status: 503, sees: 200, from: "cache" }] },
  { id: "stale-sie-close", kind: "check", turns: [COVERED, { away: true, from: "cache" }] },
  { id: "stale-sie-503", kind: "check", turns: [COVERED, { status: 503, sees: 200, from: "cache" }] },
  ...["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=2"].map(
    (directive): Case => ({
      id: `stale-close-${directive}`,
      kind: "required",
      needs: ["stale-close"],
      turns: [
        { answer: [["Cache-Control", `max-age=2, ${directive}`]], pause: true },
        { away: true, sees: null, reads: null, hides: ["request-count"] },
      ],
    }),
  ),
  {
    id: "stale-while-revalidate",
    kind: "optimal",
    turns: [
      { answer: [["Cache-Control", "max-age=1, stale-while-revalidate=3600"], TAG], pause: true },
      { from: "cache" },
    ],
  },
  {
    id: "stale-while-revalidate-window",
    kind: "required",
    needs: ["stale-while-revalidate"],
    turns: [
      { answer: [["Cache-Control", "max-age=1, stale-while-revalidate=4"], TAG], pause: true },
      {
        answer: [
          ["Cache-Control", "no-cache"],
          ["ETag", '"def"'],
        ],
        loose: ["cache-control", "etag"],
        from: "cache",
        pause: true,
      },
      { shows: [["client-request-count", "3"]] },
    ],
  },
  ...(["stored", "become"] as const).map(
    (how): Case => ({
      id: `stale-warning-${how}`,
      kind: "check",
      needs: ["stale-close"],
      turns: [
        how === "become"
          ? AGING
          : {
              answer: [
                ["Expires", -5000],
                ["Last-Modified", -100_000],
                ["Date", 0],
              ],
            },
        { away: true, from: "cache", shows: ["warning"] },
      ],
    }),
  ),
];

const LOCATED: Turn = {
  ownLocations: true,
  body: "abc",
  answer: [
    ["Location", "other"],
    ["Content-Location", "other"],
  ],
};

const changes: Case[] = ["POST", "PUT", "DELETE", "M-SEARCH"].flatMap((method): Case[] => {
  const change = { method, body: "abc" };
  const elsewhere = (id: string, name: string): Case => ({
    id: `invalidate-${method}-${id}`,
    kind: "check",
    turns: [
      { at: "other", answer: FRESH },
      { ...LOCATED, method, answer: [[name, "other"]] },
      { at: "other", answer: FRESH, from: "origin" },
    ],
  });
  return [
    {
      id: `invalidate-${method}`,
      kind: "required",
      turns: [{ answer: FRESH, pause: true }, change, { from: "origin" }],
    },
    {
      id: `invalidate-${method}-failed`,
      kind: "optimal",
      turns: [{ answer: FRESH, pause: true }, { ...change, status: 500 }, { from: "cache" }],
    },
    elsewhere("location", "Location"),
    elsewhere("cl", "Content-Location"),
  ];
});

const MONTH: readonly Field[] = [
  ["Expires", 30 * 86_400],
  ["Date", 0],
];

const others: Case[] = [
  {
    id: "method-POST",
    kind: "optimal",
    turns: [
      {
        method: "POST",
        body: "12345",
        ask: [["Content-Type", "text/plain"]],
        answer: [...MONTH, ["Content-Location", ""]],
        ownLocations: true,
        pause: true,
      },
      { from: "cache" },
    ],
  },
  {
    id: "other-age-gen",
    kind: "required",
    turns: [
      { answer: FRESH, pause: true },
      { from: "cache", shows: [["Age", ">", 2]] },
    ],
  },
  {
    id: "other-age-delay",
    kind: "check",
    turns: [{ answer: [HOUR, ["Date", 0]], slow: 5, shows: [["Age", ">", 0]] }],
  },
  {
    id: "other-age-update-expires",
    kind: "required",
    turns: [
      { answer: [...MONTH, ["Age", "30"]], pause: true },
      { from: "cache", shows: [["Age", ">", 32]] },
    ],
  },
  {
    id: "other-age-update-max-age",
    kind: "required",
    turns: [
      { answer: [HOUR, ["Age", "30"]], pause: true },
      { from: "cache", shows: [["Age", ">", 32]] },
    ],
  },
  {
    id: "other-date-update",
    kind: "required",
    turns: [
      { answer: FRESH, pause: true },
      { from: "cache", shows: [["Date", 0]] },
    ],
  },
  {
    id: "other-date-update-expires",
    kind: "required",
    turns: [
      { answer: MONTH, pause: true },
      { from: "cache", shows: [["Date", 0]] },
    ],
  },
  {
    id: "other-date-update-expires-update",
    kind: "check",
    turns: [
      { answer: MONTH, pause: true },
      { from: "cache", shows: [["Expires", 30 * 86_400]] },
    ],
  },
  {
    id: "query-args-different",
    kind: "required",
    turns: [
      { query: "test=1", answer: FRESH, pause: true },
      { query: "test=2", from: "origin" },
    ],
  },
  {
    id: "query-args-same",
    kind: "optimal",
    turns: [
      { query: "test=1", answer: FRESH, pause: true },
      { query: "test=1", from: "cache" },
    ],
  },
  {
    id: "other-heuristic-content-disposition-attachment",
    kind: "check",
    turns: [
      {
        answer: [
          ["Last-Modified", -100_000],
          ["Date", 0],
          ["Content-Disposition", "attachment; filename=example.txt"],
        ],
      },
      { from: "cache" },
    ],
  },
  {
    id: "other-fresh-content-disposition-attachment",
    kind: "check",
    turns: [
      { answer: [...FRESH, ["Content-Disposition", "attachment; filename=example.txt"]] },
      { from: "cache" },
    ],
  },
  {
    id: "other-set-cookie",
    kind: "optimal",
    turns: [{ answer: [...FRESH, ["Set-Cookie", "a=b"]], pause: true }, { from: "cache" }],
  },
  {
    id: "other-cookie",
    kind: "optimal",
    turns: [
      { answer: FRESH, pause: true },
      { ask: [["Cookie", "a=b"]], from: "cache" },
    ],
  },
];

const whole = (
  id: string,
  kind: Kind,
  text: string,
  range: string,
  reads: string,
  more: Partial<Turn> = {},
): Case => ({
  id: `partial-${id}`,
  kind,
  turns: [
    { answer: [HOUR, ["A", "1"]], text },
    { ask: [["Range", range]], from: "cache", sees: 206, reads, ...more },
  ],
});

/** The origin's Content-Range speaks of one byte more than it sends: so it does in the public suite. */
const PART: Turn = {
  ask: [["Range", "bytes=-5"]],
  status: 206,
  answer: [HOUR, ["Content-Range", "bytes 4-9/10"]],
  text: "01234",
  sends: [["range", "bytes=-5"]],
};

const part = (id: string, range: string, reads: string): Case => ({
  id: `partial-store-partial-reuse-partial${id}`,
  kind: "optimal",
  turns: [PART, { ask: [["Range", range]], from: "cache", sees: 206, reads }],
});

const ranges: Case[] = [
  part("", "bytes=-5", "01234"),
  whole("store-complete-reuse-partial", "optimal", "01234567890", "bytes=0-1", "01"),
  whole("store-complete-reuse-partial-no-last", "optimal", "01234567890", "bytes=1-", "1234567890"),
  whole("store-complete-reuse-partial-suffix", "optimal", "0123456789A", "bytes=-1", "A"),
  part("-byterange", "bytes=6-8", "234"),
  part("-absent", "bytes=6-", "234"),
  part("-suffix", "bytes=-1", "4"),
  {
    id: "partial-store-partial-complete",
    kind: "optimal",
    turns: [
      { ...PART, answer: [HOUR, ["Content-Range", "bytes 0-4/10"]] },
      { sends: [["range", "bytes=5-"]] },
    ],
  },
  whole("use-headers", "required", "01234567890", "bytes=0-1", "01", { answer: [["A", "2"]] }),
  whole("use-stored-headers", "required", "01234567890", "bytes=0-1", "01", { shows: [["A", "1"]] }),
];

const HINTS = [103, { link: "</styles.css>; rel=preload; as=style", "x-my-header": "test" }] as const;

const interim: Case[] = (
  [
    ["interim-102", "optimal", [102, {}]],
    ["interim-103", "optimal", HINTS],
    ["interim-not-cached", "required", HINTS],
    ["interim-no-header-reuse", "optimal", HINTS],
  ] as const
).map(([id, kind, first]) => ({
  id,
  kind,
  turns: [
    { interim: [first], answer: FRESH, hides: ["x-my-header"], pause: true },
    { from: "cache", hides: ["x-my-header"] },
  ],
}));

/** RFC 9111 sections 4.2.4, 4.4, 5.1 and 5.2.1, RFC 5861, and ranges. */
export const using: readonly Case[] = [...wishes, ...stale, ...changes, ...others, ...ranges, ...interim];
