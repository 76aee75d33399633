import { type Case, type Field, FRESH, type Turn } from "../case.ts";
import { FURTHER } from "./further.ts";

const TAG: Field = ["ETag", '"a"'];
const MODIFIED: Field = ["Last-Modified", -5000];
const BRIEF: Field = ["Cache-Control", "max-age=2"];
const DIGITS = "0123456789";

const it = (id: string, ...turns: readonly Turn[]): Case => ({ id, kind: "required", turns });

const controlled = (value: string, ...more: readonly Field[]): Turn => ({
  answer: [["Cache-Control", value], ["Date", 0], ...more],
});

const slice = (first: number, last: number, ...more: readonly Field[]): Turn => ({
  ask: [["Range", `bytes=${first}-${last}`]],
  status: 206,
  answer: [...FRESH, ["Content-Range", `bytes ${first}-${last}/10`], ...more],
  text: DIGITS.slice(first, last + 1),
});

const storing: Case[] = [
  it("2: a path is a key of its own", { at: "a", answer: FRESH }, { at: "b", from: "origin" }),
  it("2: HEAD is answered from what a GET brought", { answer: FRESH }, { method: "HEAD", from: "cache" }),
  it("2: a POST's answer is no GET's", { method: "POST", body: "x", answer: FRESH }, { from: "origin" }),
  it("3: 416 is not stored", { status: 416, answer: FRESH }, { from: "origin" }),
  it(
    "3: an answer without a lifetime, of a status that allows no guess, is not stored",
    { status: 302, answer: [TAG] },
    { from: "origin", sendsNot: ["if-none-match"] },
  ),
  it(
    "3: private does not let a shared cache store what it lets it keep",
    controlled('private="a", max-age=60', ["a", "1"], ["b", "2"]),
    {
      from: "cache",
      shows: [["b", "2"]],
      hides: ["a"],
    },
  ),
  it("3.3: a part is never taken for the whole", slice(0, 4, TAG), {
    text: DIGITS,
    from: "origin",
    sendsNot: ["range"],
  }),
  it("3.3: nor for what it does not hold", slice(0, 4, TAG), { ...slice(4, 8, TAG), from: "origin" }),
  it(
    "3.4: parts of one strong version make a whole",
    slice(0, 4, TAG),
    { ...slice(5, 9, TAG), from: "origin" },
    { from: "cache", reads: DIGITS },
  ),
  it(
    "3.4: parts of a weak one do not",
    slice(0, 4, ["ETag", 'W/"a"']),
    { ...slice(5, 9, ["ETag", 'W/"a"']), from: "origin" },
    { from: "origin" },
  ),
];

const using: Case[] = [
  it(
    "4.1: lines of Vary add up",
    {
      ask: [
        ["a", "1"],
        ["b", "1"],
      ],
      answer: [...FRESH, ["Vary", "a"], ["Vary", "b"]],
    },
    {
      ask: [
        ["a", "1"],
        ["b", "2"],
      ],
      from: "origin",
    },
  ),
  it(
    "4.1: names in Vary have no case",
    { ask: [["foo", "1"]], answer: [...FRESH, ["Vary", "fOO"]] },
    { ask: [["Foo", "1"]], from: "cache" },
  ),
  it(
    "4.2.1: s-maxage comes before Expires",
    {
      answer: [
        ["Cache-Control", "s-maxage=60"],
        ["Expires", -60],
        ["Date", 0],
      ],
    },
    { from: "cache" },
  ),
  it("4.2.1: lifetimes that contradict each other make it stale", controlled("max-age=60, max-age=90"), {
    from: "origin",
  }),
  it(
    "4.2.3: the time since Date counts",
    {
      answer: [
        ["Cache-Control", "max-age=60"],
        ["Date", -50],
      ],
    },
    { from: "cache", shows: [["Age", ">", 48]] },
  ),
  it(
    "4.2.3: Age and the time in the cache add up",
    {
      answer: [
        ["Cache-Control", "max-age=31"],
        ["Age", "30"],
      ],
      pause: true,
    },
    { from: "origin" },
  ),
  it(
    "4.3.1: both validators are asked by",
    { answer: [BRIEF, TAG, MODIFIED], pause: true },
    { from: "etag", sends: ["if-none-match", "if-modified-since"] },
  ),
  it(
    "4.3.2: any copy will do for *",
    { answer: [...FRESH, TAG] },
    { ask: [["If-None-Match", "*"]], from: "cache", sees: 304 },
  ),
  it(
    "4.3.2: another copy gets the whole",
    { answer: [...FRESH, TAG] },
    { ask: [["If-None-Match", '"b"']], from: "cache", sees: 200 },
  ),
  it(
    "4.3.2: an older copy gets the whole",
    { answer: [...FRESH, MODIFIED] },
    { ask: [["If-Modified-Since", -6000]], from: "cache", sees: 200 },
  ),
  it(
    "4.3.2: weak tags are compared weakly",
    { answer: [...FRESH, ["ETag", 'W/"a"']] },
    { ask: [["If-None-Match", '"a"']], from: "cache", sees: 304 },
  ),
  it(
    "4.3.2: If-Match is for the origin to judge",
    { answer: [...FRESH, TAG] },
    { ask: [["If-Match", '"a"']], from: "origin", sends: ["if-match"] },
  ),
  it(
    "4.3.3: a new answer takes the place of the old",
    { answer: [BRIEF, TAG], text: "old", pause: true },
    { answer: FRESH, text: "new", from: "origin" },
    { from: "cache", reads: "new" },
  ),
  it(
    "4.3.3: an error is passed on where nothing allows what is stale",
    { answer: [BRIEF, TAG, ["A", "1"]], pause: true },
    { status: 404, from: "origin" },
  ),
  it(
    "4.3.5: a HEAD that shows another version ends the stored one",
    { answer: [BRIEF, TAG], pause: true },
    { method: "HEAD", answer: [...FRESH, ["ETag", '"b"']] },
    { from: "origin", sendsNot: ["if-none-match"] },
  ),
  it(
    "4.4: another origin's resource is not its business",
    { at: "other", answer: FRESH },
    {
      method: "POST",
      body: "x",
      ownLocations: true,
      locationsAt: "https://other.example.com",
      answer: [["Location", "other"]],
      loose: ["location"],
    },
    { at: "other", from: "cache" },
  ),
  it(
    "4.4: a change that failed changed nothing",
    { answer: FRESH },
    { method: "DELETE", status: 404 },
    { from: "cache" },
  ),
  it("4.4: a safe method changes nothing", { answer: FRESH }, { method: "OPTIONS" }, { from: "cache" }),
];

const directives: Case[] = [
  it("5.1: an answer that the origin was asked for has no Age of ours", { answer: FRESH, hides: ["age"] }),
  it(
    "5.2.2.2: must-revalidate ends stale-while-revalidate",
    { ...controlled("max-age=1, must-revalidate, stale-while-revalidate=60"), pause: true },
    { from: "origin" },
  ),
  it(
    "5.2.2.4: no-cache ends stale-if-error",
    { ...controlled("no-cache, stale-if-error=60", TAG), pause: true },
    { status: 503, from: "origin" },
  ),
  it(
    "5.2.2.8: proxy-revalidate ends stale-while-revalidate",
    { ...controlled("max-age=1, proxy-revalidate, stale-while-revalidate=60"), pause: true },
    { from: "origin" },
  ),
  it(
    "5.3: an Expires of -1 lies in the past",
    {
      answer: [
        ["Expires", "-1"],
        ["Date", 0],
      ],
    },
    { from: "origin" },
  ),
  it(
    "RFC 5861: stale-if-error covers 500",
    { ...controlled("max-age=1, stale-if-error=60"), pause: true },
    { status: 500, from: "cache", sees: 200 },
  ),
  it(
    "RFC 5861: it does not cover 404",
    { ...controlled("max-age=1, stale-if-error=60"), pause: true },
    { status: 404, from: "origin" },
  ),
  it(
    "RFC 5861: it ends",
    { ...controlled("max-age=1, stale-if-error=1"), pause: true },
    { status: 503, from: "origin" },
  ),
  it(
    "RFC 9211: a hit says how long it lives",
    { answer: FRESH },
    { from: "cache", shows: [["Cache-Status", "~", /^postern; hit; ttl=\d+; detail=\w+$/]] },
  ),
  it("RFC 9211: a miss says that it was stored", {
    answer: FRESH,
    shows: [["Cache-Status", "postern; fwd=miss; stored"]],
  }),
  it("RFC 9211: what a cache before us said stays, before what we say", {
    answer: [...FRESH, ["Cache-Status", "inner; hit"]],
    loose: ["cache-status"],
    shows: [["Cache-Status", "inner; hit, postern; fwd=miss; stored"]],
  }),
  it(
    "RFC 9110 13.1.5: a range of another version is the whole",
    { answer: [...FRESH, TAG], text: DIGITS },
    {
      ask: [
        ["Range", "bytes=0-1"],
        ["If-Range", '"b"'],
      ],
      from: "cache",
      sees: 200,
      reads: DIGITS,
    },
  ),
  it(
    "RFC 9110 14.4: a range past the end is none",
    { answer: [...FRESH, TAG], text: DIGITS },
    {
      ask: [["Range", "bytes=10-"]],
      from: "cache",
      sees: 416,
      reads: "",
      shows: [["Content-Range", "bytes */10"]],
    },
  ),
];

/** What RFC 9111 and its neighbors ask beyond the public suite, by section. */
export const OWN: readonly Case[] = [...storing, ...using, ...directives, ...FURTHER];
