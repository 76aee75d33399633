import colors from "picocolors";

/** A command that cannot go on: 1 when the policies are at fault, 2 when the call was wrong or the world stood in the way. */
export class CommandFailed extends Error {
  readonly exitCode: 1 | 2;
  /** What to do about it; empty when the diagnostics that were printed say it. */
  readonly remedy: string;

  constructor(exitCode: 1 | 2, message: string, remedy = "") {
    super(message);
    this.exitCode = exitCode;
    this.remedy = remedy;
  }
}

/** Prints what went wrong and what to do, without a stack trace. */
export const printFailure = ({ message, remedy }: CommandFailed): void => {
  if (message === "") return;
  process.stderr.write(`${colors.red("error")} ${message}\n${remedy === "" ? "" : `  ${remedy}\n`}`);
};
