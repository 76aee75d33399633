import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { readSources } from "../../src/adapters/node/files.ts";
import { checkWorkspace } from "../../src/cli/check.ts";
import { renderDiagnostics } from "../../src/cli/print.ts";
import { parseWorkspace } from "../../src/cli/workspace.ts";
import type { Sources } from "../../src/compiler/compile.ts";
import { isError } from "../../src/compiler/diagnostics.ts";
import type { Source } from "../../src/config/yaml.ts";
import type { Diagnostic } from "../../src/core/diagnostic.ts";
import { run } from "../support/served.ts";

// Every folder of ./wrong is a set of policies with one mistake; its expected.txt is what `postern check` prints there.
// `UPDATE=1 npx vitest run test/golden` writes them anew: read the difference with the eyes of somebody who made the mistake.

const FOLDER = path.join(import.meta.dirname, "wrong");
const UPDATE = process.env["UPDATE"] !== undefined;
const names = readdirSync(FOLDER).sort();

/** These only warn, and the command exits 0. */
const WARNINGS = new Set([
  "before-without-effect",
  "body-edit-of-reads",
  "cache-of-writes",
  "cache-shared-anyway",
  "cors-null-with-credentials",
  "cors-wildcard-too-wide",
  "csrf-missing",
  "csrf-without-effect",
  "geo-access-denied-anyway",
  "geo-access-in-development",
  "geo-access-nobody",
  "ip-access-covered",
  "ip-access-denied-anyway",
  "ip-access-nobody",
  "ip-access-twice",
  "jwt-audience-of-another-issuer",
  "no-apis",
  "openapi-asks-for-a-scope",
  "openapi-asks-for-a-token",
  "openapi-body-without-content",
  "openapi-parameter-optional",
  "openapi-parameter-undeclared",
  "openapi-paths-alike",
  "openapi-reference-siblings",
  "openapi-responses-missing",
  "openapi-schema-id",
  "openapi-unknown-scheme",
  "overlapping-header-regexes",
  "overlapping-path-regexes",
  "overlapping-routes",
  "plan-quota-without-effect",
  "plans-without-limit",
  "purge-of-reads",
  "purge-stays-here",
  "purge-token-stays-here",
  "redirect-to-itself",
  "unused-host",
  "validate-pattern-looks-ahead",
  "yml-file",
]);
/** In these several things are wrong, to show that all are told at once. */
const SEVERAL = new Set([
  "environments-both-broken",
  "faults-at-every-level",
  "several-mistakes",
  "yaml-two-files-broken",
]);

/** The files of a folder, named as they are when the command runs there. */
const readCase = async (name: string): Promise<Case> => {
  const folder = path.join(FOLDER, name);
  const read = await readSources(path.join(folder, "policies"), path.join(folder, "openapi"));
  const relative = (source: Source): Source => ({ ...source, file: path.relative(folder, source.file) });
  const sources = {
    policies: read.policies.map(relative),
    openapi: new Map([...read.openapi].map(([file, source]) => [file, relative(source)])),
  };
  return { sources, diagnostics: check(sources) };
};

interface Case {
  readonly sources: Sources;
  readonly diagnostics: readonly Diagnostic[];
}

const cases = new Map<string, Promise<Case>>();

/** Every folder is read and checked once. */
const caseOf = (name: string): Promise<Case> => {
  const known = cases.get(name) ?? readCase(name);
  cases.set(name, known);
  return known;
};

const check = (sources: Sources): readonly Diagnostic[] => checkWorkspace(parseWorkspace(sources), undefined);

const textOf = (diagnostics: readonly Diagnostic[], sources: Sources): string =>
  stripVTControlCharacters(renderDiagnostics(diagnostics, sources, "text"));

describe.each(names)("%s", (name) => {
  const expected = path.join(FOLDER, name, "expected.txt");

  it("prints what is expected", async () => {
    const { sources, diagnostics } = await caseOf(name);
    const text = textOf(diagnostics, sources);
    if (UPDATE) writeFileSync(expected, text);
    expect(text).toBe(readFileSync(expected, "utf8"));
  });

  it("is well told", async () => {
    const { sources, diagnostics } = await caseOf(name);
    expect(diagnostics.some(isError)).toBe(!WARNINGS.has(name));
    if (SEVERAL.has(name)) expect(diagnostics.length).toBeGreaterThan(1);
    else expect(diagnostics).toHaveLength(1);
    for (const diagnostic of diagnostics) checkWords(diagnostic, sources);
  });
});

/** Words of the libraries below, and values that were never meant for people. */
const JARGON =
  /\b(invalid|received|union|enum|zod|undefined|null|NaN|regex|object|boolean|integer|scalar|mapping|sequence)\b|\[object/i;

const checkWords = ({ message, remedy, place, code }: Diagnostic, sources: Sources): void => {
  expect(code).toMatch(/^[a-z]+(-[a-z0-9]+)*$/);
  expect(message).toMatch(/[.]$/);
  expect(remedy.trim()).not.toBe("");
  for (const text of [message, remedy]) expect(text.replaceAll(/"[^"]*"|`[^`]*`/g, "")).not.toMatch(JARGON);
  const source = [...sources.policies, ...sources.openapi.values()].find(({ file }) => file === place.file);
  const line = source?.text.split("\n")[place.line - 1];
  expect(line, `${place.file} has a line ${place.line}`).toBeDefined();
  expect(place.column).toBeLessThanOrEqual(line!.length + 1);
  expect(place.endLine * 1000 + place.endColumn).toBeGreaterThanOrEqual(place.line * 1000 + place.column);
};

/** What a remedy says to write in place of what is marked, where it says so to the letter. */
const suggestionOf = (remedy: string): string | undefined =>
  (/^Did you mean "?([^"?]+)"?\?$/.exec(remedy) ??
    /^Write (?:it in quotes: |it without quotes: |it as |a list: )?("[^"]+"|\d+|\[[^\],…]+\]|\/\S*[^.]|\{[\w.]+\})\.$/.exec(
      remedy,
    ))?.[1];

describe("a remedy that says what to write to the letter", () => {
  const curable = names.filter((name) => {
    const expected = path.join(FOLDER, name, "expected.txt");
    const lines = existsSync(expected) ? readFileSync(expected, "utf8").split("\n") : [];
    return lines.some((line) => suggestionOf(line.trim()) !== undefined);
  });

  it("is given often", () => expect(curable.length).toBeGreaterThan(25));

  it.each(curable)("cures %s", async (name) => {
    const { sources, diagnostics } = await caseOf(name);
    for (const { remedy, place } of diagnostics) {
      const suggestion = suggestionOf(remedy);
      if (suggestion === undefined) continue;
      const cured = check(edited(sources, place, suggestion));
      // Where several things are wrong, the others stay.
      const here = cured.filter(({ place: { file, line } }) => line === place.line && file === place.file);
      expect(SEVERAL.has(name) ? here : cured).toEqual([]);
    }
  });
});

/** The files with some characters of one of them replaced. */
const edited = (sources: Sources, place: Diagnostic["place"], text: string): Sources => {
  const edit = (source: Source): Source => {
    if (source.file !== place.file) return source;
    const lines = source.text.split("\n");
    const line = lines[place.line - 1]!;
    lines[place.line - 1] = line.slice(0, place.column - 1) + text + line.slice(place.endColumn - 1);
    return { ...source, text: lines.join("\n") };
  };
  return {
    policies: sources.policies.map(edit),
    openapi: new Map([...sources.openapi].map(([file, source]) => [file, edit(source)])),
  };
};

describe("the command itself", () => {
  const folder = path.join(FOLDER, "several-mistakes");

  it("prints text for people to standard error, and exits 1", async () => {
    const { code, stdout, stderr } = await run(["check"], folder);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(readFileSync(path.join(folder, "expected.txt"), "utf8"));
  });

  it.each(["json", "sarif", "github"])("prints %s to standard output, and exits 1", async (format) => {
    const { code, stdout, stderr } = await run(["check", "--format", format], folder);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    const expected = path.join(folder, `expected.${format === "github" ? "github.txt" : `${format}.json`}`);
    if (UPDATE) writeFileSync(expected, stdout);
    expect(stdout).toBe(readFileSync(expected, "utf8"));
  });

  it("exits 0 for a warning", async () => {
    const { code, stderr } = await run(["check"], path.join(FOLDER, "overlapping-routes"));
    expect({ code, warned: stderr.includes("1 warning") }).toEqual({ code: 0, warned: true });
  });

  it("says nothing of the shop, and exits 0", async () => {
    expect(await run(["check"])).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});
