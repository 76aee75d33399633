import { Diagnostics, isError } from "../compiler/diagnostics.ts";
import type { ConsumerDocument } from "../config/documents/consumer.ts";
import { anyOf, didYouMean } from "../config/faults.ts";
import { typeDocuments } from "../config/load.ts";
import { treeAt } from "../config/tree.ts";
import type { Typed } from "../config/typing.ts";
import { CommandFailed } from "./failure.ts";
import { type KeyStore, openKeyStore } from "./key-store.ts";
import type { Format, WorkspaceOptions } from "./options.ts";
import { printDiagnostics } from "./print.ts";
import { chosenEnvironment, openWorkspace } from "./workspace.ts";

/** Options of all commands of `postern key`. */
export interface KeyOptions extends WorkspaceOptions {
  readonly format: Format;
  readonly var?: Readonly<Record<string, string>>;
}

/** What the policies say of consumers and their keys. */
export interface Policies {
  readonly consumers: readonly Typed<ConsumerDocument>[];
  /** Where the gateway keeps keys beside its policies, if it does. */
  readonly store: KeyStore | undefined;
}

/** What the policies say of consumers; policies that cannot be read fail with 1. */
export const policiesOf = async (options: KeyOptions): Promise<Policies> => {
  const workspace = await openWorkspace(options);
  // A key is mostly the same in all environments: one has to be named only where it is of interest.
  const environment = options.env === undefined ? undefined : chosenEnvironment(workspace, options.env);
  const documents = typeDocuments(workspace.tree, environment);
  const faults = new Diagnostics([...workspace.diagnostics, ...documents.diagnostics]).list();
  if (faults.some(isError)) {
    printDiagnostics(faults, workspace.sources);
    throw new CommandFailed(1, "");
  }
  const { consumers, gateway } = documents.value!;
  const { name, stores } = gateway?.value ?? { name: "" };
  const secret = (name: string): string | undefined => options.var?.[name] ?? process.env[name];
  if (stores?.consumers !== "redis" || stores.redis === undefined) return { consumers, store: undefined };
  const { url, token } = stores.redis;
  const store = openKeyStore({ gateway: name, url: url.env, token: token.env }, secret);
  return { consumers, store };
};

/** The consumer of a name; another name fails with 2. */
export const knownConsumer = (
  name: string,
  consumers: readonly Typed<ConsumerDocument>[],
): Typed<ConsumerDocument> => {
  const found = consumers.find((consumer) => consumer.name === name);
  if (found !== undefined) return found;
  const names = consumers.map((consumer) => consumer.name);
  const remedy =
    names.length === 0
      ? "These policies describe no consumers."
      : (didYouMean(name, names) ?? `Name ${anyOf(names)}.`);
  throw new CommandFailed(2, `There is no consumer "${name}".`, remedy);
};

/** Whether the policies, as far as they can be read, keep keys in a store. */
export const saysStore = async (options: KeyOptions): Promise<boolean> => {
  const { tree } = await openWorkspace(options);
  const laid = options.env === undefined ? [] : [["environments", options.env]];
  return [[], ...laid].some(
    (path) => treeAt(tree, [...path, "gateway", "stores", "consumers"])?.scalar === "redis",
  );
};
