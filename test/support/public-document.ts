import path from "node:path";
import { readSources } from "../../src/adapters/node/files.ts";
import { readTree } from "../../src/config/load.ts";
import { compileContract } from "../../src/contract/compile.ts";
import { Recorder } from "./recorder.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** A recorder of the public document of some folders; of the shop's, where none are named. */
export const recorderOf = async (
  environment: string,
  folders = { policies: path.join(ROOT, "policies"), openapi: path.join(ROOT, "openapi") },
): Promise<Recorder> => {
  const sources = await readSources(folders.policies, folders.openapi);
  const read = readTree(sources.policies);
  const { value, diagnostics } = compileContract(read.value!, sources, environment, read.diagnostics);
  if (value === undefined) throw new Error(JSON.stringify(diagnostics, undefined, 2));
  return new Recorder(value.document);
};
