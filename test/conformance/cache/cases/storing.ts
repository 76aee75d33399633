import { type Case, type Field, FRESH, type Turn } from "../case.ts";

const again = (
  id: string,
  kind: Case["kind"],
  answer: readonly Field[],
  from: NonNullable<Turn["from"]>,
  more: Partial<Turn> = {},
): Case => ({ id, kind, turns: [{ answer, ...more }, { from }] });

const LONG: readonly Field[] = [
  ["Expires", 10_000],
  ["Date", 0],
];
const TAGGED: Field = ["ETag", '"abcd"'];

const directives: Case[] = [
  again("cc-resp-private-shared", "required", [["Cache-Control", "private, max-age=3600"]], "origin"),
  again("cc-resp-no-store", "required", [["Cache-Control", "no-store"]], "origin"),
  again("cc-resp-no-store-case-insensitive", "required", [["Cache-Control", "No-StOrE"]], "origin"),
  again(
    "cc-resp-no-store-fresh",
    "required",
    [["Cache-Control", "max-age=10000, no-store"], ...LONG],
    "origin",
  ),
  ...["no-store", "no-store, max-age=0"].map(
    (newer, index): Case => ({
      id: index === 0 ? "cc-resp-no-store-old-new" : "cc-resp-no-store-old-max-age",
      kind: "check",
      turns: [
        { answer: [...FRESH, ["A", "1"]], pause: true },
        {
          answer: [
            ["Cache-Control", newer],
            ["Date", 0],
            ["A", "2"],
          ],
          pause: true,
        },
        { from: "cache", shows: [["a", "1"]] },
      ],
    }),
  ),
  again("cc-resp-no-cache", "required", [["Cache-Control", "max-age=10000, no-cache"], ...LONG], "origin"),
  again(
    "cc-resp-no-cache-case-insensitive",
    "required",
    [["Cache-Control", "max-age=10000, No-CaChE"], ...LONG],
    "origin",
  ),
  again("cc-resp-no-cache-revalidate", "optimal", [["Cache-Control", "no-cache"], TAGGED], "etag"),
  again(
    "cc-resp-no-cache-revalidate-fresh",
    "optimal",
    [["Cache-Control", "max-age=10000, no-cache"], ...LONG, TAGGED],
    "etag",
  ),
  {
    id: "headers-omit-headers-listed-in-Cache-Control-no-cache-single",
    kind: "check",
    turns: [
      {
        answer: [
          ["Cache-Control", 'no-cache="a"'],
          ["a", "1"],
          ["b", "2"],
          ["Cache-Control", "max-age=3600"],
          ["Date", 0],
        ],
        pause: true,
      },
      { from: "cache", shows: [["b", "2"]], hides: ["a"] },
    ],
  },
  {
    id: "headers-omit-headers-listed-in-Cache-Control-no-cache",
    kind: "check",
    turns: [
      {
        answer: [
          ["Cache-Control", 'no-cache="a, b"'],
          ["a", "1"],
          ["b", "2"],
          ["c", "3"],
          ["Cache-Control", "max-age=3600"],
          ["Date", 0],
        ],
        pause: true,
      },
      { from: "cache", shows: [["c", "3"]], hides: ["a", "b"] },
    ],
  },
  again(
    "cc-resp-must-revalidate-fresh",
    "optimal",
    [["Cache-Control", "max-age=10000, must-revalidate"], TAGGED],
    "cache",
  ),
  {
    id: "cc-resp-must-revalidate-stale",
    kind: "required",
    turns: [
      { answer: [["Cache-Control", "max-age=2, must-revalidate"], TAGGED] },
      { from: "cache", answer: [["Cache-Control", "max-age=2, must-revalidate"], TAGGED], pause: true },
      { from: "etag" },
    ],
  },
];

const statuses: Case[] = [
  200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599,
].flatMap((status): Case[] => [
  {
    id: `status-${status}-fresh`,
    kind: "optimal",
    turns: [
      { status, answer: [["Expires", 100_000], ["Last-Modified", 0], ...FRESH], pause: true },
      { status, from: "cache" },
    ],
  },
  {
    id: `status-${status}-stale`,
    kind: "required",
    needs: [`status-${status}-fresh`],
    turns: [
      {
        status,
        answer: [
          ["Expires", -5000],
          ["Last-Modified", -100_000],
          ["Date", 0],
        ],
      },
      { from: "origin" },
    ],
  },
]);

const UNDERSTAND: Field = ["Cache-Control", "max-age=3600, no-store, must-understand"];

const understanding: Case[] = [
  {
    id: "status-599-must-understand",
    kind: "required",
    turns: [{ status: 599, answer: [UNDERSTAND] }, { from: "origin" }],
  },
  { id: "status-200-must-understand", kind: "optimal", turns: [{ answer: [UNDERSTAND] }, { from: "cache" }] },
];

const authorized = (
  id: string,
  kind: Case["kind"],
  answer: readonly Field[],
  from: "cache" | "origin",
): Case =>
  again(id, kind, answer, from, {
    ask: [["Authorization", "FOO"]],
    sends: [["authorization", "FOO"]],
    pause: true,
  });

const authorization: Case[] = [
  authorized(
    "other-authorization",
    "required",
    [
      ["Expires", 30 * 86_400],
      ["Date", 0],
    ],
    "origin",
  ),
  authorized(
    "other-authorization-public",
    "optimal",
    [
      ["Cache-Control", "max-age=3600, public"],
      ["Date", 0],
    ],
    "cache",
  ),
  authorized(
    "other-authorization-must-revalidate",
    "optimal",
    [
      ["Cache-Control", "max-age=3600, must-revalidate"],
      ["Date", 0],
    ],
    "cache",
  ),
  authorized(
    "other-authorization-smaxage",
    "optimal",
    [
      ["Cache-Control", "s-maxage=3600"],
      ["Date", 0],
    ],
    "cache",
  ),
];

const pragma: Case[] = [
  {
    id: "pragma-request-no-cache",
    kind: "check",
    turns: [{ answer: FRESH }, { ask: [["Pragma", "no-cache"]], from: "cache" }],
  },
  {
    id: "pragma-request-extension",
    kind: "check",
    turns: [{ answer: FRESH }, { ask: [["Pragma", "unknown"]], from: "cache" }],
  },
  again("pragma-response-no-cache", "check", [...FRESH, ["Pragma", "no-cache"]], "cache"),
  again(
    "pragma-response-no-cache-heuristic",
    "check",
    [
      ["Last-Modified", -10_000],
      ["Pragma", "no-cache"],
    ],
    "cache",
  ),
  again("pragma-response-extension", "check", [...FRESH, ["Pragma", "unknown"]], "cache"),
];

/** RFC 9111 sections 3 and 5.2.2. */
export const storing: readonly Case[] = [
  ...directives,
  ...statuses,
  ...understanding,
  ...authorization,
  ...pragma,
];
