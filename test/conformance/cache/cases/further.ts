import { type Case, FRESH } from "../case.ts";
import { neighbors, semantics } from "./neighbors.ts";
import { asking, BRIEF, CHANGE, MODIFIED, must, stored, TAG, wish } from "./words.ts";

const storing: Case[] = [
  must(
    "3.1: trailers do not become fields of what is stored",
    { answer: FRESH, trailers: [["late", "1"]] },
    { from: "cache", hides: ["late"] },
  ),
  must(
    "3.3: a part in units that we do not know is not stored",
    {
      ask: [["Range", "items=0-4"]],
      status: 206,
      answer: [...FRESH, TAG, ["Content-Range", "items 0-4/10"]],
    },
    {
      ask: [["Range", "items=0-4"]],
      from: "origin",
      sendsNot: ["if-none-match"],
    },
  ),
];

const using: Case[] = [
  ...["POST", "PUT", "PATCH", "DELETE"].map((method) =>
    must(`4: ${method} always reaches the origin`, { answer: FRESH }, { ...CHANGE, method, from: "origin" }),
  ),
  must("4: what HEAD brought is no answer to GET", { method: "HEAD", answer: FRESH }, { from: "origin" }),
  wish(
    "4: of two answers the later one is used",
    { answer: FRESH, text: "old" },
    { ask: [["Cache-Control", "no-cache"]], answer: FRESH, text: "new", from: "origin" },
    { from: "cache", reads: "new" },
  ),
  wish(
    "4.1: an answer that names what it was chosen by comes before one that does not",
    { answer: FRESH, text: "default" },
    {
      ask: [
        ["Foo", "1"],
        ["Cache-Control", "no-cache"],
      ],
      answer: [...FRESH, ["Vary", "Foo"]],
      text: "chosen",
      from: "origin",
    },
    { ask: [["Foo", "1"]], from: "cache", reads: "chosen" },
  ),
  must(
    "4.2.2: an explicit lifetime leaves no room for a guess",
    { answer: [BRIEF, ["Last-Modified", -1_000_000], ["Date", 0]], pause: true },
    { from: "origin" },
  ),
  must(
    "4.2.3: the time that an answer took adds to its Age",
    {
      answer: [
        ["Cache-Control", "max-age=4"],
        ["Age", "2"],
      ],
      slow: 3,
    },
    { from: "origin" },
  ),
];

const validating: Case[] = [
  must(
    "4.3.2: If-Unmodified-Since is for the origin to judge",
    { answer: [...FRESH, MODIFIED] },
    { ...asking(["If-Unmodified-Since", -6000]), from: "origin", sends: ["if-unmodified-since"] },
  ),
  must(
    "4.3.2: Date stands in for a Last-Modified that is missing",
    {
      answer: [
        ["Cache-Control", "max-age=1000"],
        ["Date", -50],
      ],
    },
    { ...asking(["If-Modified-Since", -20]), from: "cache", sees: 304 },
  ),
  must(
    "4.3.2: whoever has another copy gets the whole when the origin confirms ours",
    { answer: [BRIEF, TAG], pause: true },
    { ...asking(["If-None-Match", '"b"']), from: "etag", sees: 200 },
  ),
  must(
    "4.3.5: a HEAD that confirms what is stored brings it up to date",
    { answer: [BRIEF, TAG, ["A", "1"]], pause: true },
    { method: "HEAD", answer: [...FRESH, TAG, ["A", "2"]] },
    { from: "cache", shows: [["A", "2"]] },
  ),
  must(
    "4.4: a change that answers with a redirection counts",
    { answer: FRESH },
    { ...CHANGE, status: 303 },
    { from: "origin" },
  ),
  must(
    "4.4: PATCH counts like every method that is not known to be safe",
    { answer: FRESH },
    { ...CHANGE, method: "PATCH" },
    { from: "origin" },
  ),
  must(
    "4.4: all variants go",
    { ask: [["Foo", "1"]], answer: [...FRESH, ["Vary", "Foo"]] },
    { ask: [["Foo", "2"]], answer: [...FRESH, ["Vary", "Foo"]], from: "origin" },
    CHANGE,
    { ask: [["Foo", "1"]], from: "origin" },
  ),
  must(
    "4.4: a Content-Location elsewhere is not its business",
    { at: "other", answer: FRESH },
    {
      ...CHANGE,
      ownLocations: true,
      locationsAt: "https://other.example.com",
      answer: [["Content-Location", "other"]],
      loose: ["content-location"],
    },
    { at: "other", from: "cache" },
  ),
];

const directives: Case[] = [
  must("5.2: directives pass in both directions, known or not", {
    ask: [["Cache-Control", "max-stale=0, dance"]],
    answer: [["Cache-Control", "no-store, sing"]],
    sends: [["cache-control", "max-stale=0, dance"]],
    shows: [["Cache-Control", "no-store, sing"]],
  }),
  wish(
    "5.2.1.1: max-age is for an answer that is no older",
    { answer: FRESH, pause: true },
    { ...asking(["Cache-Control", "max-age=60"]), from: "cache" },
    { ...asking(["Cache-Control", "max-age=1"]), from: "origin" },
  ),
  wish(
    "5.2.1.5: no-store of the request: its answer is not stored",
    { ...asking(["Cache-Control", "no-store"]), answer: FRESH },
    { from: "origin" },
  ),
  wish(
    "5.2.1.7: only-if-cached gets what is stored",
    { answer: FRESH },
    { ...asking(["Cache-Control", "only-if-cached"]), from: "cache" },
  ),
  must(
    "5.2.2.4: no-cache withholds what it lists",
    stored('no-cache="A", max-age=60', ["a", "1"], ["b", "2"]),
    { from: "cache", shows: [["b", "2"]], hides: ["a"] },
  ),
  must(
    "5.2.2.6: what must not be transformed and is coded is not stored",
    { ...stored("max-age=60, no-transform", ["Content-Encoding", "gzip"]), text: "", reads: null },
    { from: "origin" },
  ),
  must("5.2.2.6: what is not coded is stored, and stays as it was", stored("max-age=60, no-transform"), {
    from: "cache",
  }),
  must(
    "5.2.2.10: s-maxage allows nothing stale",
    { ...stored("s-maxage=1"), pause: true },
    {
      status: 503,
      from: "origin",
    },
  ),
  ...["s-maxage=1", "max-age=1, must-revalidate", "max-age=1, proxy-revalidate"].map((control) =>
    wish(
      `5.2.2: a client that would take what is stale does not get it: ${control}`,
      { ...stored(control), pause: true },
      { ...asking(["Cache-Control", "max-stale"]), from: "origin" },
    ),
  ),
  must(
    "5.2.3: an unknown directive takes nothing from a known one",
    stored('private, community="a", max-age=60'),
    {
      from: "origin",
    },
  ),
  must("5.3: s-maxage and max-age come before Expires", stored("max-age=1, s-maxage=60", ["Expires", -60]), {
    from: "cache",
  }),
];

/** More of what the RFCs ask, one by one; see requirements/. */
export const FURTHER: readonly Case[] = [
  ...storing,
  ...using,
  ...validating,
  ...directives,
  ...semantics,
  ...neighbors,
];
