import { readDocument } from "../../../src/config/openapi/document.ts";
import { type Operation, readOperations } from "../../../src/config/openapi/operations.ts";
import type { Folder } from "../../../src/config/openapi/targets.ts";
import type { Source } from "../../../src/config/yaml.ts";
import type { Diagnostic } from "../../../src/core/diagnostic.ts";
import type { BundledDocument } from "../../../src/core/operation.ts";

/** A folder of OpenAPI documents that notes which of its files are asked for. */
export const folderOf = (
  files: Readonly<Record<string, string>>,
): Folder & { readonly asked: Set<string> } => {
  const sources = new Map<string, Source>(
    Object.entries(files).map(([file, text]) => [file, { file: `openapi/${file}`, text }]),
  );
  const asked = new Set<string>();
  return {
    names: [...sources.keys()],
    asked,
    find: (name) => {
      asked.add(name);
      return sources.get(name);
    },
  };
};

export interface Read {
  readonly document: BundledDocument;
  readonly operations: readonly Operation[];
  readonly diagnostics: readonly Diagnostic[];
  /** `code line:column file` of each fault. */
  readonly told: readonly string[];
}

/** Reads the first of some files with all its operations published. */
export const read = (files: Readonly<Record<string, string>>): Read => {
  const folder = folderOf(files);
  const [name = ""] = folder.names;
  const source = folder.find(name)!;
  const document = readDocument(name, source, folder).value?.document;
  const { value: operations, diagnostics: earlier } = readOperations(name, source, folder);
  const diagnostics = [...earlier, ...(operations?.faultsOf(operations.list) ?? [])];
  return {
    document: document!,
    operations: operations?.list ?? [],
    diagnostics,
    told: diagnostics.map(
      ({ code, place: { file, line, column } }) =>
        `${code} ${line}:${column} ${file.replace("openapi/", "")}`,
    ),
  };
};

/** A document of one operation whose 200 has a schema. */
export const withSchema = (schema: string, { version = "3.1.0", more = "" } = {}): string =>
  `openapi: ${version}
paths:
  /a:
    get:
      operationId: a
      responses: { "200": { description: ok, content: { application/json: { schema: ${schema} } } } }
${more}`;
