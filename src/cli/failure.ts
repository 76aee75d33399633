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

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "is not there",
  ENOTDIR: "is not in a folder",
  EEXIST: "is there already, and no folder",
  EISDIR: "is a folder",
  EACCES: "may not be used by this user",
  EPERM: "may not be used by this user",
  EROFS: "is on a disk that cannot be written",
  ENOSPC: "does not fit: there is no space left",
};

/** What stood in the way, in words: a file or folder that cannot be used. Undefined for a bug of ours. */
export const failureOf = (error: unknown): CommandFailed | undefined => {
  if (error instanceof CommandFailed) return error;
  const { code, syscall, path, message } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return undefined;
  const reason = REASONS[code];
  return new CommandFailed(
    2,
    path === undefined || reason === undefined ? `${message}.` : `"${path}" ${reason} (${code}).`,
    "Name another place, or make this one usable.",
  );
};
