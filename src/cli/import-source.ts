import { readdirSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import type { Folder } from "../config/openapi/targets.ts";
import type { Source } from "../config/yaml.ts";
import { CommandFailed } from "./failure.ts";

/** A document to import, and the files beside it that it may refer to. */
export interface ImportSource {
  /** Its name in its folder. */
  readonly name: string;
  readonly source: Source;
  readonly folder: Folder;
  /** Files that were asked for, by their names in the folder. */
  readonly read: ReadonlyMap<string, Source>;
}

const DOCUMENT = /\.(ya?ml|json)$/;

/** Opens a document. Files beside it are read when it refers to them; none that is outside of its folder, by whatever link. */
export const openImport = (file: string): ImportSource => {
  if (/^https?:\/\//i.test(file))
    throw new CommandFailed(2, `"${file}" is not a file.`, `Fetch it first: curl -O ${file}`);
  if (!DOCUMENT.test(file))
    throw new CommandFailed(
      2,
      `"${file}" is no document in YAML or JSON.`,
      "Name a file that ends in .yaml, .yml or .json.",
    );
  const root = path.dirname(path.resolve(file));
  const read = new Map<string, Source>();
  const source = { file, text: readFileSync(file, "utf8") };
  const name = path.basename(file);
  read.set(name, source);
  const find = (wanted: string): Source | undefined => {
    const known = read.get(wanted);
    if (known !== undefined || !DOCUMENT.test(wanted)) return known;
    const found = readInside(root, wanted, path.join(path.dirname(file), wanted));
    if (found !== undefined) read.set(wanted, found);
    return found;
  };
  const names = readdirSync(root).filter((one) => DOCUMENT.test(one));
  return { name, source, folder: { find, names }, read };
};

const readInside = (root: string, name: string, shown: string): Source | undefined => {
  try {
    const real = realpathSync(path.join(root, name));
    if (!real.startsWith(realpathSync(root) + path.sep)) return undefined;
    return { file: shown, text: readFileSync(real, "utf8") };
  } catch {
    return undefined;
  }
};
