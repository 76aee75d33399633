import { type Case, type Field, FRESH, type Kind, twice } from "../case.ts";

type Row = readonly [
  id: string,
  kind: Kind,
  from: "cache" | "origin",
  answer: readonly Field[],
  ...loose: string[],
];

const rows = (table: readonly Row[]): Case[] =>
  table.map(([id, kind, from, answer, ...loose]) => twice(id, kind, answer, from, { loose }));

const MONTH = 30 * 86_400;

const byCacheControl = rows([
  ["freshness-none", "check", "origin", []],
  ["freshness-max-age", "optimal", "cache", [["Cache-Control", "max-age=3600"]]],
  ["freshness-max-age-stale", "required", "origin", [["Cache-Control", "max-age=2"]]],
  ["freshness-max-age-0", "required", "origin", [["Cache-Control", "max-age=0"]]],
  ["freshness-max-age-max-minus-1", "optimal", "cache", [["Cache-Control", "max-age=2147483647"]]],
  ["freshness-max-age-max", "optimal", "cache", [["Cache-Control", "max-age=2147483648"]]],
  ["freshness-max-age-max-plus-1", "optimal", "cache", [["Cache-Control", "max-age=2147483649"]]],
  ["freshness-max-age-max-plus", "optimal", "cache", [["Cache-Control", "max-age=99999999999"]]],
  [
    "freshness-max-age-age",
    "required",
    "origin",
    [
      ["Date", 0],
      ["Cache-Control", "max-age=3600"],
      ["Age", "7200"],
    ],
  ],
  [
    "freshness-max-age-date",
    "check",
    "origin",
    [
      ["Date", -7200],
      ["Cache-Control", "max-age=3600"],
    ],
  ],
  [
    "freshness-max-age-expires",
    "optimal",
    "cache",
    [
      ["Cache-Control", "max-age=3600"],
      ["Expires", -7200],
      ["Date", 0],
    ],
  ],
  [
    "freshness-max-age-expires-invalid",
    "optimal",
    "cache",
    [
      ["Cache-Control", "max-age=3600"],
      ["Expires", "0"],
      ["Date", 0],
    ],
    "expires",
  ],
  [
    "freshness-max-age-0-expires",
    "required",
    "origin",
    [
      ["Expires", 3600],
      ["Cache-Control", "max-age=0"],
      ["Date", 0],
    ],
  ],
  ["freshness-max-age-extension", "optimal", "cache", [["Cache-Control", "foobar, max-age=3600"]]],
  ["freshness-max-age-case-insenstive", "optimal", "cache", [["Cache-Control", "MaX-aGe=3600"]]],
  ["freshness-max-age-negative", "required", "origin", [["Cache-Control", "max-age=-3600"]]],
  ["freshness-s-maxage-shared", "required", "cache", [["Cache-Control", "s-maxage=3600"]]],
  [
    "freshness-max-age-s-maxage-shared-longer",
    "required",
    "origin",
    [["Cache-Control", "max-age=3600, s-maxage=1"]],
  ],
  [
    "freshness-max-age-s-maxage-shared-longer-reversed",
    "required",
    "origin",
    [["Cache-Control", "s-maxage=1, max-age=3600"]],
  ],
  [
    "freshness-max-age-s-maxage-shared-longer-multiple",
    "required",
    "origin",
    [
      ["Cache-Control", "max-age=3600"],
      ["Cache-Control", "s-maxage=1"],
    ],
  ],
  [
    "freshness-max-age-s-maxage-shared-shorter",
    "optimal",
    "cache",
    [["Cache-Control", "max-age=1, s-maxage=3600"]],
  ],
  [
    "freshness-max-age-s-maxage-shared-shorter-expires",
    "optimal",
    "cache",
    [
      ["Expires", -10],
      ["Cache-Control", "max-age=0, s-maxage=3600"],
    ],
  ],
]);

/** Cache-Control as it should not be written. */
const parsing = rows(
  (
    [
      ["two-fresh-stale-sameline", "check", "cache", "max-age=1800, max-age=1"],
      ["two-stale-fresh-sameline", "check", "cache", "max-age=1, max-age=1800"],
      ["quoted", "check", "cache", 'max-age="3600"'],
      ["ignore-quoted", "required", "origin", 'extension="max-age=3600", max-age=1'],
      ["ignore-quoted-rev", "required", "origin", 'max-age=1, extension="max-age=3600"'],
      ["space-before-equals", "check", "origin", "max-age =3600"],
      ["space-after-equals", "check", "origin", "max-age= 3600"],
      ["leading-zero", "required", "cache", "max-age=003600"],
      ["single-quoted", "required", "origin", "max-age='3600'"],
      ["decimal-zero", "check", "cache", "max-age=3600.0"],
      ["decimal-five", "check", "cache", "max-age=3600.5"],
      ["a100", "check", "cache", "max-age=a3600"],
      ["100a", "check", "cache", "max-age=3600a"],
    ] as const
  ).map(
    ([id, kind, from, value]): Row => [
      `freshness-max-age-${id}`,
      kind,
      from,
      [["Cache-Control", value]],
      "cache-control",
    ],
  ),
).concat(
  rows([
    [
      "freshness-max-age-two-fresh-stale-sepline",
      "check",
      "cache",
      [
        ["Cache-Control", "max-age=1800"],
        ["Cache-Control", "max-age=1"],
      ],
      "cache-control",
    ],
    [
      "freshness-max-age-two-stale-fresh-sepline",
      "check",
      "cache",
      [
        ["Cache-Control", "max-age=1"],
        ["Cache-Control", "max-age=1800"],
      ],
      "cache-control",
    ],
  ]),
);

const aged = (
  id: string,
  kind: Kind,
  from: "cache" | "origin",
  ages: readonly string[],
  maxAge = 3600,
): Row => [
  `age-parse-${id}`,
  kind,
  from,
  [["Date", 0], ["Cache-Control", `max-age=${maxAge}`], ...ages.map((age): Field => ["Age", age])],
  "age",
];

const ages = rows([
  aged("nonnumeric", "required", "cache", ["abc"]),
  aged("negative", "required", "cache", ["-7200"]),
  aged("float", "required", "cache", ["7200.0"]),
  aged("large-minus-one", "required", "origin", ["2147483647"]),
  aged("large", "required", "origin", ["2147483648"]),
  aged("larger", "required", "origin", ["2147483649"]),
  aged("suffix", "required", "origin", ["7200, 0"]),
  aged("prefix", "required", "cache", ["0, 7200"]),
  aged("suffix-twoline", "required", "origin", ["7200", "0"]),
  aged("prefix-twoline", "required", "cache", ["0", "7200"]),
  aged("dup-0", "required", "cache", ["0, 0"]),
  aged("dup-0-twoline", "required", "cache", ["0", "0"]),
  aged("dup-old", "required", "cache", ["3600", "3600"], 10_000),
  aged("parameter", "check", "origin", ["7200;foo=bar"]),
  aged("numeric-parameter", "check", "origin", ["7200;foo=111"]),
]);

const expires = rows([
  [
    "freshness-expires-future",
    "optimal",
    "cache",
    [
      ["Expires", MONTH],
      ["Date", 0],
    ],
  ],
  [
    "freshness-expires-past",
    "required",
    "origin",
    [
      ["Expires", -MONTH],
      ["Date", 0],
    ],
  ],
  [
    "freshness-expires-present",
    "required",
    "origin",
    [
      ["Expires", 0],
      ["Date", 0],
    ],
  ],
  [
    "freshness-expires-old-date",
    "required",
    "origin",
    [
      ["Expires", 300],
      ["Date", 400],
    ],
  ],
  [
    "freshness-expires-invalid",
    "required",
    "origin",
    [
      ["Expires", "0"],
      ["Date", 0],
    ],
    "expires",
  ],
  [
    "freshness-expires-invalid-date",
    "optimal",
    "cache",
    [
      ["Date", "foo"],
      ["Expires", 10],
    ],
  ],
  [
    "freshness-expires-age-slow-date",
    "required",
    "origin",
    [
      ["Date", -10],
      ["Expires", 10],
      ["Age", "25"],
    ],
  ],
  [
    "freshness-expires-age-fast-date",
    "required",
    "origin",
    [
      ["Date", 10],
      ["Expires", 20],
      ["Age", "15"],
    ],
  ],
]);

const dates = rows(
  (
    [
      ["32bit", "optimal", "cache", "Tue, 19 Jan 2038 14:14:08 GMT"],
      ["far-future", "optimal", "cache", "Sun, 21 Nov 2286 04:46:39 GMT"],
      ["rfc850", "optimal", "cache", "Thursday, 18-Aug-50 02:01:18 GMT"],
      ["ansi-c", "optimal", "cache", "Thu Aug  8 02:01:18 2050"],
      ["wrong-case-weekday", "optimal", "cache", "THU, 18 Aug 2050 02:01:18 GMT"],
      ["wrong-case-month", "optimal", "cache", "Thu, 18 AUG 2050 02:01:18 GMT"],
      ["wrong-case-tz", "optimal", "cache", "Thu, 18 Aug 2050 02:01:18 gMT"],
      ["invalid-utc", "required", "origin", "Thu, 18 Aug 2050 02:01:18 UTC"],
      ["invalid-aest", "required", "origin", "Thu, 18 Aug 2050 02:01:18 AEST"],
      ["invalid-2-digit-year", "required", "origin", "Thu, 18 Aug 50 02:01:18 GMT"],
      ["invalid-no-comma", "required", "origin", "Thu 18 Aug 2050 02:01:18 GMT"],
      ["invalid-multiple-spaces", "required", "origin", "Thu, 18  Aug  2050 02:01:18 GMT"],
      ["invalid-date-dashes", "required", "origin", "Thu, 18-Aug-2050 02:01:18 GMT"],
      ["invalid-time-periods", "required", "origin", "Thu, 18 Aug 2050 02.01.18 GMT"],
      ["invalid-1-digit-hour", "required", "origin", "Thu, 18 Aug 2050 2:01:18 GMT"],
    ] as const
  ).map(
    ([id, kind, from, value]): Row => [
      `freshness-expires-${id}`,
      kind,
      from,
      [
        ["Expires", value],
        ["Date", 0],
      ],
      "expires",
    ],
  ),
).concat(
  rows([
    [
      "freshness-expires-invalid-multiple-lines",
      "required",
      "origin",
      [
        ["Expires", "Thu, 18 Aug 2050 2:01:18 GMT"],
        ["Expires", "Thu, 18 Aug 2050 2:01:19 GMT"],
        ["Date", 0],
      ],
      "expires",
    ],
  ]),
);

const targeted = (
  id: string,
  kind: Kind,
  from: "cache" | "origin",
  value: string,
  others: readonly Field[] = [],
): Row => [
  `cdn-${id}`,
  kind,
  from,
  [["CDN-Cache-Control", value], ...others],
  "cdn-cache-control",
  "expires",
];

const cdn: Case[] = [
  ...rows([
    targeted("max-age", "optimal", "cache", "max-age=3600"),
    targeted("max-age-max", "optimal", "cache", "max-age=2147483648"),
    targeted("max-age-max-plus", "optimal", "cache", "max-age=99999999999"),
    targeted("max-age-age", "required", "origin", "max-age=3600", [
      ["Date", 0],
      ["Age", "7200"],
    ]),
    targeted("max-age-space-before-equals", "check", "origin", "max-age =100", [
      ["Cache-Control", "max-age=1"],
    ]),
    targeted("max-age-space-after-equals", "check", "origin", "max-age= 100", [
      ["Cache-Control", "max-age=1"],
    ]),
    targeted("max-age-0", "required", "origin", "max-age=0"),
    targeted("max-age-extension", "optimal", "cache", "foobar, max-age=3600"),
    targeted("max-age-case-insensitive", "check", "cache", "MaX-aGe=3600"),
    targeted("max-age-expires", "optimal", "cache", "max-age=3600", [
      ["Expires", -10_000],
      ["Date", 0],
    ]),
    targeted("max-age-cc-max-age-invalid-expires", "optimal", "cache", "max-age=3600", [
      ["Expires", "0"],
      ["Date", 0],
    ]),
    targeted("max-age-0-expires", "required", "origin", "max-age=0", [
      ["Expires", 10_000],
      ["Date", 0],
    ]),
    targeted("max-age-short-cc-max-age", "optimal", "cache", "max-age=3600", [
      ["Cache-Control", "max-age=1"],
    ]),
    targeted("max-age-long-cc-max-age", "required", "origin", "max-age=1", [
      ["Cache-Control", "max-age=3600"],
    ]),
    targeted("private", "required", "origin", "private", FRESH),
    targeted("no-cache", "required", "origin", "no-cache", FRESH),
    targeted("no-store-cc-fresh", "required", "origin", "no-store", FRESH),
    targeted("fresh-cc-nostore", "required", "cache", "max-age=10000", [["Cache-Control", "no-store"]]),
    targeted("cc-invalid-sh-type-unknown", "required", "origin", "max-age=10000, &&&&&", [
      ["Cache-Control", "no-store"],
    ]),
    targeted("cc-invalid-sh-type-wrong", "required", "origin", 'max-age="10000"', [
      ["Cache-Control", "no-store"],
    ]),
  ]),
  {
    id: "cdn-remove-header",
    kind: "check",
    turns: [{ answer: [...FRESH, ["CDN-Cache-Control", "foo"]], shows: [["cdn-cache-control", "foo"]] }],
  },
  ...(["Age", ["Date", 0], ["Expires", 1]] as const).map(
    (shown): Case => ({
      id: typeof shown === "string" ? "cdn-remove-age-exceed" : `cdn-${shown[0].toLowerCase()}-update-exceed`,
      kind: "check",
      needs: ["cdn-max-age"],
      turns: [
        {
          answer: [
            ["Cache-Control", "max-age=1"],
            ["Expires", 1],
            ["CDN-Cache-Control", "max-age=10000"],
            ["Date", 0],
          ],
          pause: true,
        },
        { shows: [shown] },
      ],
    }),
  ),
];

const DAY_OLD: readonly Field[] = [
  ["Last-Modified", -86_400],
  ["Date", 0],
];

const heuristics: Case[] = [
  ...([200, 203, 204, 404, 405, 410, 414, 501] as const).map((status) => ({
    status,
    from: "cache" as const,
    answer: DAY_OLD,
  })),
  ...([201, 202, 403, 502, 503, 504, 599] as const).map((status) => ({
    status,
    from: "origin" as const,
    answer: DAY_OLD,
  })),
  { status: 599, from: "cache" as const, answer: [...DAY_OLD, ["Cache-Control", "public"] as const] },
].map(({ status, from, answer }) => ({
  id: `heuristic-${status}-${from === "cache" ? "cached" : "not_cached"}`,
  kind: from === "cache" ? "optimal" : "required",
  turns: [
    { status, answer },
    { status, from },
  ],
}));

const deltas: Case[] = [5, 10, 30, 60, 300, 600, 1200, 1800, 3600, 43_200, 86_400].map((delta) =>
  twice(
    `heuristic-delta-${delta}`,
    "check",
    [
      ["Last-Modified", -delta],
      ["Date", 0],
    ],
    "cache",
  ),
);

/** RFC 9111 section 4.2, RFC 9213. */
export const freshness: readonly Case[] = [
  ...byCacheControl,
  ...parsing,
  ...ages,
  ...expires,
  ...dates,
  ...cdn,
  ...heuristics,
  ...deltas,
];
