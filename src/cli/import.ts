import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Command } from "commander";
import { isPlainName } from "../config/load.ts";
import { type Operations, readOperations } from "../config/openapi/operations.ts";
import { type Tree, treeAt } from "../config/tree.ts";
import { policyOrder } from "../policies/index.ts";
import { checkWorkspace } from "./check.ts";
import { CommandFailed } from "./failure.ts";
import { apiFile, isDecided } from "./import-api.ts";
import { type ProposedId, proposeIds, withIds } from "./import-ids.ts";
import { adviceOf } from "./import-policies.ts";
import { serverOf } from "./import-server.ts";
import { type ImportSource, openImport } from "./import-source.ts";
import { type WorkspaceOptions, withWorkspace } from "./options.ts";
import { printDiagnostics } from "./print.ts";
import { openWorkspace, type Workspace } from "./workspace.ts";

interface ImportOptions extends WorkspaceOptions {
  readonly api?: string;
  readonly upstream?: string;
  readonly force?: boolean;
}

/** `postern import openapi`: an api for a document that exists. */
export const registerImport = (program: Command): void => {
  const command = program.command("import").description("make an api of what describes one");
  const openapi = command
    .command("openapi <file>")
    .description("put an OpenAPI document into the folder, and write an api for it");
  openapi.exitOverride().showHelpAfterError("Run the command with --help to see what it takes.");
  withWorkspace(openapi)
    .option("--api <name>", "name of the api; by default after the file")
    .option(
      "--upstream <url>",
      "where the service is; a path of the document's server is added to a bare origin",
    )
    .option("--force", "write over files that are there")
    .action(importOpenapi);
};

const importOpenapi = async (file: string, options: ImportOptions): Promise<void> => {
  const workspace = await openWorkspace(options);
  if (treeAt(workspace.tree, ["gateway"]) === undefined)
    throw new CommandFailed(
      2,
      `There is no gateway in "${options.policies}".`,
      "Begin with `postern init`, or describe one under `gateway:`.",
    );
  const opened = openImport(file);
  const operations = operationsOf(opened);
  const api = options.api ?? nameOf(opened, operations);
  const target = path.join(options.policies, `${api}.yaml`);
  checkName(api, target, workspace, options);
  const { document } = operations.read;
  const ids = proposeIds(operations);
  const copies = copiesOf(opened, api, ids, options);
  const words = {
    api,
    upstream: freeName(api, othersAt(workspace.tree, "upstreams", target)),
    document: copies.document,
    server: serverOf(document, options.upstream),
    advice: adviceOf(document, withProposed(operations, ids), {
      issuers: namesAt(workspace.tree, "issuers"),
      consumers: namesAt(workspace.tree, "consumers"),
    }),
    isClosed: isClosed(workspace.tree),
  };
  const text = `# Written by \`postern import openapi\` from ${JSON.stringify(path.basename(file))}; it is yours to change.\n${apiFile(words)}`;
  await writeAll(new Map([...copies.files, [target, text]]), options);
  process.stdout.write(told(api, operations, ids, isDecided(words)));
  await printRemaining(api, target, copies.files, options);
};

/** Reads the document; one that cannot be read is told, and nothing is written. */
const operationsOf = ({ name, source, folder, read }: ImportSource): Operations => {
  const outcome = readOperations(name, source, folder);
  if (outcome.value !== undefined) return outcome.value;
  printDiagnostics(outcome.diagnostics, { policies: [], openapi: read });
  throw new CommandFailed(1, "");
};

/** After the file, or where that says nothing, after the document's title. */
const nameOf = ({ name }: ImportSource, { read }: Operations): string => {
  const { info } = read.document.json as { info?: { title?: unknown } };
  const plain = (text: string): string =>
    text
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^[^a-z]+|-+$/g, "")
      .slice(0, 40);
  const stem = plain(name.replace(/\.[^.]*$/, ""));
  const isBare = ["openapi", "swagger", "api", "index", "spec", ""].includes(stem);
  return (isBare ? plain(String(info?.title ?? "")) : stem) || "imported";
};

const checkName = (api: string, target: string, { tree }: Workspace, { force }: ImportOptions): void => {
  if (!isPlainName(api))
    throw new CommandFailed(
      2,
      `"${api}" cannot be the name of an api.`,
      "Begin with a letter and go on with letters, digits, hyphens and underscores: --api NAME",
    );
  const known = treeAt(tree, ["apis", api]);
  if (known === undefined) return;
  const { file } = known.keyPlace ?? known.place;
  if (force === true && path.resolve(file) === path.resolve(target)) return;
  throw new CommandFailed(
    2,
    `There is an api "${api}" already, in ${file}.`,
    "Choose another name with --api, or write over it with --force where its file has the api's name.",
  );
};

const namesAt = (tree: Tree, key: string): string[] => [...(treeAt(tree, [key])?.entries?.keys() ?? [])];

/** Names that stand in other files than the one that is written. */
const othersAt = (tree: Tree, key: string, target: string): string[] =>
  [...(treeAt(tree, [key])?.entries ?? [])].flatMap(([name, { place }]) =>
    path.resolve(place.file) === path.resolve(target) ? [] : [name],
  );

const freeName = (name: string, taken: readonly string[]): string => {
  if (!taken.includes(name)) return name;
  let number = 2;
  while (taken.includes(`${name}-${number}`)) number++;
  return `${name}-${number}`;
};

/** Whether the gateway's own policies prove who calls, so that an api says nothing of it. */
const isClosed = (tree: Tree): boolean => {
  const policies = treeAt(tree, ["gateway", "policies"]);
  return policyOrder.some(
    ({ type }) => type.attachment === "identity" && policies?.entries?.has(type.name) === true,
  );
};

/** The operations as they are once they have ids. */
const withProposed = ({ list }: Operations, ids: readonly ProposedId[]): Operations["list"] =>
  list.map((operation) => {
    const proposed = ids.find(({ method, path: at }) => method === operation.method && at === operation.path);
    return proposed === undefined ? operation : { ...operation, id: proposed.id };
  });

/** Where the document's files come to stand, and the name by which the api knows it. */
const copiesOf = (
  { name, source, read }: ImportSource,
  api: string,
  ids: readonly ProposedId[],
  { openapi }: ImportOptions,
): { document: string; files: ReadonlyMap<string, string> } => {
  const byFile = Map.groupBy(ids, ({ file }) => file);
  const inside = path.relative(path.resolve(openapi), path.resolve(source.file)).split(path.sep).join("/");
  const isThere = !inside.startsWith("../") && !path.isAbsolute(inside);
  if (isThere && ids.length === 0) return { document: inside, files: new Map() };
  const folder = read.size > 1 || isThere ? `${api}/` : "";
  const files = new Map<string, string>();
  for (const [file, { text }] of read) {
    const edits = byFile.get(file);
    const edited = edits === undefined ? text : withIds(file, text, edits);
    if (edited === undefined)
      throw new CommandFailed(
        2,
        `Operations of "${file}" have no operationId that can name a route, and stand where none can be added.`,
        `Give them ids by hand: ${edits!.map(({ id }) => id).join(", ")}.`,
      );
    files.set(path.join(openapi, folder + file), edited);
  }
  return { document: folder + name, files };
};

/** Writes files, all or none: one that is there with another text is written over by --force only. */
const writeAll = async (files: ReadonlyMap<string, string>, { force }: ImportOptions): Promise<void> => {
  const news = [...files].filter(([file, text]) => !existsSync(file) || readFileSync(file, "utf8") !== text);
  const taken = news.find(([file]) => existsSync(file));
  if (taken !== undefined && force !== true)
    throw new CommandFailed(
      2,
      `"${taken[0]}" is there already.`,
      "Choose another name with --api, or add --force.",
    );
  for (const [file, text] of news) {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
    process.stdout.write(`${file}\n`);
  }
};

const told = (api: string, { list }: Operations, ids: readonly ProposedId[], decided: boolean): string => {
  const lines = [`\nThe api "${api}" offers ${list.length} operation${list.length === 1 ? "" : "s"}.`];
  const [replaced, without] = [true, false].map((has) =>
    ids.filter((id) => (id.before !== undefined) === has),
  );
  const has = ([first, ...others]: readonly ProposedId[]): string =>
    `The copy has: ${first!.id} for ${first!.before === undefined ? `${first!.method} ${first!.path}` : `"${first!.before}"`}${others.length > 0 ? ", and so on" : ""}.`;
  if (without!.length > 0) lines.push(`${without!.length} of them had no operationId. ${has(without!)}`);
  if (replaced!.length > 0)
    lines.push(`${replaced!.length} of them had an operationId that cannot name a route. ${has(replaced!)}`);
  if (!decided) lines.push("Nobody is asked yet who they are: choose in its file, where suggestions stand.");
  return `${lines.join("\n")}\n`;
};

/** What `postern check` says of what was written. */
const printRemaining = async (
  api: string,
  target: string,
  files: ReadonlyMap<string, string>,
  options: ImportOptions,
): Promise<void> => {
  const workspace = await openWorkspace(options);
  const written = new Set([target, ...files.keys()].map((file) => path.resolve(file)));
  const document = treeAt(workspace.tree, ["apis", api, "openapi", "file"])?.scalar;
  written.add(path.resolve(options.openapi, String(document)));
  const remaining = checkWorkspace(workspace, options.env).filter(({ place }) =>
    written.has(path.resolve(place.file)),
  );
  if (remaining.length > 0) process.stdout.write("What `postern check` says of it:\n\n");
  printDiagnostics(remaining, workspace.sources);
};
