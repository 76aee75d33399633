import { type Case, type Field, FRESH, type Shown, type Turn } from "../case.ts";
import { asking, BRIEF, DIGITS, MODIFIED, must, stored, TAG, wish } from "./words.ts";

const FULL: readonly Field[] = [
  ...FRESH,
  TAG,
  MODIFIED,
  ["Expires", 600],
  ["Vary", "Foo"],
  ["Content-Location", "/full"],
  ["Content-Language", "en"],
];
const KEPT: readonly Shown[] = ["date", "cache-control", "etag", "expires", "vary", "content-location"];
const WHOLE: Turn = { answer: FULL, text: DIGITS };
const same: Turn = { from: "cache", sees: 200, reads: DIGITS };

/** RFC 9110, as far as it speaks of what a cache does. */
export const semantics: readonly Case[] = [
  must(
    "RFC 9110 6.6.1: an answer without Date gets one when it is stored, for the first client, too",
    { answer: [["Cache-Control", "max-age=600"]], undated: true, shows: ["date"] },
    { from: "cache", shows: ["date"] },
  ),
  must("RFC 9110 13.1.2: HEAD gets 304, too", WHOLE, {
    method: "HEAD",
    ...asking(["If-None-Match", '"a"']),
    from: "cache",
    sees: 304,
  }),
  must("RFC 9110 13.1.3: where If-None-Match is, If-Modified-Since is not heard", WHOLE, {
    ...asking(["If-None-Match", '"b"'], ["If-Modified-Since", 0]),
    ...same,
  }),
  ...["yesterday", "0", "Thu, 18 Aug 2050 02:01:18 GMT, Fri, 19 Aug 2050 02:01:18 GMT"].map((date) =>
    must(`RFC 9110 13.1.3: If-Modified-Since of ${date.slice(0, 9)} is not heard`, WHOLE, {
      ...asking(["If-Modified-Since", date]),
      ...same,
    }),
  ),
  must("RFC 9110 13.1.5: If-Range of the same version: the part", WHOLE, {
    ...asking(["Range", "bytes=0-1"], ["If-Range", '"a"']),
    from: "cache",
    sees: 206,
    reads: "01",
  }),
  must(
    "RFC 9110 13.1.5: If-Range is compared strongly",
    { answer: [...FRESH, ["ETag", 'W/"a"']], text: DIGITS },
    {
      ...asking(["Range", "bytes=0-1"], ["If-Range", 'W/"a"']),
      ...same,
    },
  ),
  must("RFC 9110 13.1.5: without Range, If-Range is not heard", WHOLE, {
    ...asking(["If-Range", '"a"']),
    ...same,
  }),
  must(
    "RFC 9110 13.2.1: a condition is not heard where the answer is no success",
    { status: 404, answer: [...FRESH, TAG] },
    { ...asking(["If-None-Match", '"a"']), status: 404, from: "cache" },
  ),
  must("RFC 9110 13.2.2: If-None-Match comes before Range", WHOLE, {
    ...asking(["If-None-Match", '"a"'], ["Range", "bytes=0-1"]),
    from: "cache",
    sees: 304,
  }),
  must("RFC 9110 14.2: HEAD knows no Range", WHOLE, {
    method: "HEAD",
    ...asking(["Range", "bytes=0-1"]),
    from: "cache",
    sees: 200,
  }),
  ...["items=0-1", "bytes=5-2", "bytes"].map((range) =>
    must(`RFC 9110 14.2: Range of ${range} is not heard`, WHOLE, { ...asking(["Range", range]), ...same }),
  ),
  must("RFC 9110 15.3.7: a part has the fields of the whole", WHOLE, {
    ...asking(["Range", "bytes=2-3"]),
    from: "cache",
    sees: 206,
    reads: "23",
    shows: [...KEPT, ["Content-Range", "bytes 2-3/10"]],
  }),
  must("RFC 9110 15.4.5: 304 has the fields that matter, and none of a body", WHOLE, {
    ...asking(["If-None-Match", '"a"']),
    from: "cache",
    sees: 304,
    shows: KEPT,
    hides: ["content-type", "content-language"],
  }),
];

const STALE: Turn = { ...stored("max-age=1, stale-while-revalidate=60"), text: "old", pause: true };

/** RFC 5861, RFC 9211 and RFC 9213. */
export const neighbors: readonly Case[] = [
  must(
    "RFC 5861 3: what is used stale is revalidated meanwhile",
    STALE,
    { answer: FRESH, text: "new", reads: "old", from: "cache", pause: true },
    { from: "cache", reads: "new" },
  ),
  wish(
    "RFC 5861 4: a client may allow what is stale when the origin fails",
    { answer: [BRIEF, TAG], pause: true },
    { ...asking(["Cache-Control", "stale-if-error=60"]), status: 503, from: "cache", sees: 200 },
  ),
  must(
    "RFC 9211 2.2: the request says why it went on: stale",
    { answer: [BRIEF, TAG], pause: true },
    {
      from: "etag",
      shows: [["Cache-Status", "postern; fwd=stale; fwd-status=304; stored"]],
    },
  ),
  must(
    "RFC 9211 2.2: the request says why it went on: another variant",
    { ask: [["Foo", "1"]], answer: [...FRESH, ["Vary", "Foo"]] },
    { ask: [["Foo", "2"]], from: "origin", shows: [["Cache-Status", "~", /^postern; fwd=vary-miss/]] },
  ),
  must(
    "RFC 9211 2.3: the origin's status is told where the client sees another",
    { answer: [BRIEF, TAG], pause: true },
    {
      ...asking(["If-None-Match", '"b"']),
      answer: [...FRESH, ["ETag", '"b"'], ["Content-Length", "3"]],
      text: "new",
      loose: ["content-length"],
      sees: 304,
      shows: [["Cache-Status", "postern; fwd=stale; fwd-status=200; stored"]],
    },
  ),
  must("RFC 9211 2.4: what is stale has a negative lifetime", STALE, {
    from: "cache",
    reads: "old",
    shows: [["Cache-Status", "~", /^postern; hit; ttl=-\d+;/]],
  }),
  wish("RFC 9211 2: an answer of the cache's own has no Cache-Status", {
    ...asking(["Cache-Control", "only-if-cached"]),
    sees: 504,
    reads: null,
    hides: ["cache-status"],
  }),
  must(
    "RFC 9213 2.1: a field without members is not there",
    stored("max-age=60", ["CDN-Cache-Control", ""]),
    {
      from: "cache",
    },
  ),
  must(
    "RFC 9213 2.2: a field for other caches changes nothing, and passes",
    { answer: [...FRESH, ["Example-Cache-Control", "no-store"]] },
    { from: "cache", shows: [["Example-Cache-Control", "no-store"]] },
  ),
  must(
    "RFC 9213 2.2: must-revalidate counts in it as elsewhere",
    {
      answer: [
        ["CDN-Cache-Control", "max-age=1, must-revalidate, stale-while-revalidate=60"],
        ["Date", 0],
      ],
      pause: true,
    },
    { from: "origin" },
  ),
  must(
    "RFC 9213 2.2: Expires is not heard beside a good field",
    {
      answer: [
        ["CDN-Cache-Control", "stale-if-error=1"],
        ["Expires", 600],
        ["Date", 0],
      ],
    },
    { from: "origin" },
  ),
];
