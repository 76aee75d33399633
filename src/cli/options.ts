import { type Command, InvalidArgumentError, Option } from "commander";

/** Options that every command takes. */
export interface WorkspaceOptions {
  readonly policies: string;
  readonly openapi: string;
  readonly env?: string;
}

/** Adds the options that say which policies are meant. */
export const withWorkspace = (command: Command): Command =>
  command
    .option("--policies <dir>", "folder of policy files", "policies")
    .option("--openapi <dir>", "folder of OpenAPI documents", "openapi")
    .option("--env <name>", "environment that is laid over the policies");

/** How diagnostics are printed. */
export type Format = "text" | "json" | "sarif" | "github";

/** Adds `--format` with the given forms. */
export const withFormat = (command: Command, formats: readonly Format[]): Command =>
  command.addOption(
    new Option("--format <form>", "how to print: for people or for machines")
      .choices([...formats])
      .default("text"),
  );

/** Collects repeated `NAME=VALUE` options to a map. */
export const nameValue = (
  text: string,
  earlier: Readonly<Record<string, string>> = {},
): Record<string, string> => {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("Write a name and a value: NAME=VALUE.");
  return { ...earlier, [text.slice(0, equals)]: text.slice(equals + 1) };
};
