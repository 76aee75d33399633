import { execFile } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Sources } from "../../compiler/compile.ts";
import { readSources } from "./files.ts";

const run = promisify(execFile);

/** Where policies and documents are, below the folder or the revision that holds both. */
export interface Folders {
  readonly policies: string;
  readonly openapi: string;
}

/** There is neither a folder of this name nor a revision. */
export class UnknownRevision extends Error {}

/**
 * Reads policies and documents as they are in a folder, or were in a revision that Git knows; files are named after both
 * (`main:policies/gateway.yaml`). Rejects with `UnknownRevision` where it is neither.
 */
export const readRevision = async (name: string, folders: Folders): Promise<Sources> =>
  (await isFolder(name))
    ? readSources(path.join(name, folders.policies), path.join(name, folders.openapi))
    : readCommit(name, folders);

const isFolder = (name: string): Promise<boolean> =>
  stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );

const readCommit = async (name: string, folders: Folders): Promise<Sources> => {
  const commit = await run("git", [
    "rev-parse",
    "--verify",
    "--quiet",
    "--end-of-options",
    `${name}^{commit}`,
  ]).then(
    ({ stdout }) => stdout.trim(),
    () => {
      throw new UnknownRevision(name);
    },
  );
  const wanted = [folders.policies, folders.openapi].map((folder) => path.relative(".", folder) || ".");
  const { stdout } = await run("git", ["ls-tree", "-d", "--name-only", commit, "--", ...wanted]);
  const there = stdout.split("\n").filter((line) => line !== "");
  const folder = await mkdtemp(path.join(os.tmpdir(), "postern-revision-"));
  try {
    if (there.length > 0) {
      const archive = path.join(folder, "revision.tar");
      await run("git", ["archive", "--format=tar", "--output", archive, commit, "--", ...there]);
      await run("tar", ["-xf", archive, "-C", folder]);
    }
    const read = await readSources(path.join(folder, wanted[0]!), path.join(folder, wanted[1]!));
    return named(read, folder, name);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The same files under the names that people know them by. */
const named = ({ policies, openapi }: Sources, folder: string, revision: string): Sources => {
  const rename = (file: string): string =>
    `${revision}:${path.relative(folder, file).split(path.sep).join("/")}`;
  return {
    policies: policies.map((source) => ({ ...source, file: rename(source.file) })),
    openapi: new Map([...openapi].map(([name, source]) => [name, { ...source, file: rename(source.file) }])),
  };
};
