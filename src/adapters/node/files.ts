import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Sources } from "../../compiler/compile.ts";
import type { Source } from "../../config/yaml.ts";
import { isPublicDocument } from "../../core/public-document.ts";

/** Reads every `*.yaml` below a folder of policies (and `*.yml`, to say that they are not read), and every document of a folder of OpenAPI documents. */
export const readSources = async (policies: string, openapi: string): Promise<Sources> => {
  const found = await readFolder(openapi, /\.(yaml|yml|json)$/);
  // What was made of these documents is none of them.
  const documents = found.filter(({ text }) => !isPublicDocument(text));
  return {
    policies: await readFolder(policies, /\.ya?ml$/),
    openapi: new Map(
      documents.map((source) => [path.relative(openapi, source.file).split(path.sep).join("/"), source]),
    ),
  };
};

/** Files below a folder in the order of their names; an absent folder has none. */
const readFolder = async (folder: string, pattern: RegExp): Promise<Source[]> => {
  const names = await readdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
  const wanted = names
    .filter((name) => pattern.test(name) && !name.split(path.sep).some((part) => part.startsWith(".")))
    .sort();
  const read = await Promise.all(wanted.map((name) => readSource(path.join(folder, name))));
  return read.filter((source) => source !== undefined);
};

/** A folder may be called like a file; it is none. */
const readSource = async (file: string): Promise<Source | undefined> => {
  try {
    return { file, text: await readFile(file, "utf8") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EISDIR") return undefined;
    throw Object.assign(error as Error, { path: file });
  }
};
