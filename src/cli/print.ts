import colors from "picocolors";
import type { Sources } from "../compiler/compile.ts";
import type { Diagnostic, Place } from "../core/diagnostic.ts";
import type { Format } from "./options.ts";

/** Prints diagnostics: to standard error for people, to standard output for machines. */
export const printDiagnostics = (
  diagnostics: readonly Diagnostic[],
  sources: Sources,
  format: Format = "text",
): void => {
  const stream = format === "text" ? process.stderr : process.stdout;
  stream.write(renderDiagnostics(diagnostics, sources, format));
};

/** Diagnostics in one of the forms; for people, nothing where there are none. */
export const renderDiagnostics = (
  diagnostics: readonly Diagnostic[],
  sources: Sources,
  format: Format,
): string => {
  switch (format) {
    case "text":
      return diagnostics.length === 0
        ? ""
        : `${diagnostics.map((diagnostic) => forPeople(diagnostic, sources)).join("\n")}\n${summary(diagnostics)}\n`;
    case "json":
      return `${JSON.stringify({ diagnostics }, undefined, 2)}\n`;
    case "github":
      return diagnostics.map(forGithub).join("");
    case "sarif":
      return `${JSON.stringify(sarif(diagnostics), undefined, 2)}\n`;
  }
};

const at = ({ file, line, column }: Place): string => `${file}:${line}:${column}`;

const forPeople = (diagnostic: Diagnostic, sources: Sources): string => {
  const { severity, code, message, remedy, place, related, example } = diagnostic;
  const paint = severity === "error" ? colors.red : colors.yellow;
  const lines = [
    `${colors.bold(at(place))} ${paint(severity)} ${colors.dim(code)}`,
    `  ${message}`,
    ...frame(place, sources, paint),
    `  ${colors.cyan(remedy)}`,
  ];
  if (example !== undefined) lines.push(`  For example: ${example}`);
  for (const other of related ?? []) lines.push(`  ${at(other.place)} ${other.message}`);
  return `${lines.join("\n")}\n`;
};

/** The line in question with a mark below the culprit. */
const frame = (place: Place, { policies, openapi }: Sources, paint: (text: string) => string): string[] => {
  const source = [...policies, ...openapi.values()].find(({ file }) => file === place.file);
  const line = source?.text.split("\n")[place.line - 1];
  if (line === undefined || line.trim() === "" || line.length > 300) return [];
  const end = place.endLine === place.line ? place.endColumn : line.length + 1;
  const mark =
    // A tab above stays a tab below, however wide the terminal shows it.
    line
      .slice(0, place.column - 1)
      .replaceAll(/[^\t]/g, " ")
      .padEnd(place.column - 1) + "^".repeat(Math.max(1, Math.min(end, line.length + 1) - place.column));
  const number = String(place.line);
  return [
    `    ${colors.dim(`${number} |`)} ${line}`,
    `    ${" ".repeat(number.length)} ${colors.dim("|")} ${paint(mark)}`,
  ];
};

const summary = (diagnostics: readonly Diagnostic[]): string => {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = diagnostics.length - errors;
  const count = (number: number, word: string): string[] =>
    number === 0 ? [] : [`${number} ${word}${number === 1 ? "" : "s"}`];
  return [...count(errors, "error"), ...count(warnings, "warning")].join(", ");
};

/** A workflow command of GitHub Actions. */
const forGithub = ({ severity, code, message, remedy, place }: Diagnostic): string => {
  const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
  const data = (text: string): string =>
    text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  return `::${severity} file=${property(place.file)},line=${place.line},col=${place.column},endLine=${place.endLine},endColumn=${place.endColumn},title=${property(code)}::${data(`${message} ${remedy}`)}\n`;
};

/** SARIF 2.1.0, as code scanning reads it. */
const sarif = (diagnostics: readonly Diagnostic[]): unknown => {
  const location = (place: Place, id?: number, text?: string) => ({
    ...(id === undefined ? {} : { id }),
    ...(text === undefined ? {} : { message: { text } }),
    physicalLocation: {
      artifactLocation: { uri: place.file.split("\\").join("/") },
      region: {
        startLine: place.line,
        startColumn: place.column,
        endLine: place.endLine,
        endColumn: place.endColumn,
      },
    },
  });
  const codes = [...new Set(diagnostics.map(({ code }) => code))].sort();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "postern", rules: codes.map((id) => ({ id })) } },
        results: diagnostics.map(({ severity, code, message, remedy, place, related }) => ({
          ruleId: code,
          level: severity,
          message: { text: `${message} ${remedy}` },
          locations: [location(place)],
          ...(related === undefined
            ? {}
            : {
                relatedLocations: related.map((other, index) => location(other.place, index, other.message)),
              }),
        })),
      },
    ],
  };
};
