import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { CASES } from "./cases/index.ts";
import { OWN } from "./cases/own.ts";
import { PRIVATE } from "./cases/private.ts";
import { REQUIREMENTS } from "./requirements/index.ts";

// Every requirement of a cache is shown by a case or a test that there is, or says why it is none of ours.

const ROOT = path.resolve(import.meta.dirname, "../../..");
const ALL = [...CASES, ...OWN, ...PRIVATE];
const ids = new Set(ALL.map(({ id }) => id));
const files = new Map<string, string>();

const textOf = (file: string): string => {
  const text = files.get(file) ?? readFileSync(path.join(ROOT, file), "utf8");
  files.set(file, text);
  return text;
};

/** What is wrong with the name of a case or a test; undefined where it is there. */
const fault = (shown: string): string | undefined => {
  if (shown.startsWith("not ours: ")) return undefined;
  if (!shown.startsWith("test/")) return ids.has(shown) ? undefined : `no case is called ${shown}`;
  const [file, name] = [shown.slice(0, shown.indexOf(": ")), shown.slice(shown.indexOf(": ") + 2)];
  return textOf(file).includes(name) ? undefined : `${file} has no test ${name}`;
};

it("no two cases have the same name", () => {
  expect(ids.size).toBe(ALL.length);
});

describe.each(Object.entries(REQUIREMENTS))("%s", (_, rows) => {
  it.each(rows.map(([section, level, says, ...shownBy]) => ({ section, level, says, shownBy })))(
    "$section, $level: $says",
    ({ shownBy }) => {
      expect(shownBy.map(fault).filter((found) => found !== undefined)).toEqual([]);
    },
  );
});

/** The sections of RFC 9111 that ask anything of a cache. */
const SECTIONS =
  `2 3 3.1 3.2 3.3 3.4 3.5 4 4.1 4.2 4.2.1 4.2.2 4.2.3 4.2.4 4.3.1 4.3.2 4.3.3 4.3.4 4.3.5 4.4 5.1 5.2
  5.2.1.1 5.2.1.2 5.2.1.3 5.2.1.4 5.2.1.5 5.2.1.6 5.2.1.7 5.2.2 5.2.2.1 5.2.2.2 5.2.2.3 5.2.2.4 5.2.2.5 5.2.2.6 5.2.2.7
  5.2.2.8 5.2.2.9 5.2.2.10 5.2.3 5.3 5.4 5.5 7`.split(/\s+/);

it("no section of RFC 9111 is left out", () => {
  expect([...new Set(REQUIREMENTS["RFC 9111"]!.map(([section]) => section))]).toEqual(SECTIONS);
});

it("each of our own cases shows something that is asked", () => {
  const shown = new Set(Object.values(REQUIREMENTS).flatMap((rows) => rows.flatMap(([, , , ...by]) => by)));
  // What RFCs leave to a cache, and what follows from several rows.
  const free = [
    "3: 416 is not stored",
    "3.4: parts of one strong version make a whole",
    "4.1: names in Vary have no case",
    "4.2.3: the time since Date counts",
    "4.2.3: Age and the time in the cache add up",
    "4.4: a change that failed changed nothing",
    "4.4: a safe method changes nothing",
    "5.1: an answer that the origin was asked for has no Age of ours",
  ];
  expect(OWN.map(({ id }) => id).filter((id) => !shown.has(id))).toEqual(free);
});
