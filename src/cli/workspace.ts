import { readSources } from "../adapters/node/files.ts";
import { compileTree, type Observer, type Sources } from "../compiler/compile.ts";
import { Diagnostics, isError } from "../compiler/diagnostics.ts";
import { anyOf, didYouMean } from "../config/faults.ts";
import { environmentNames, readTree, typeDocuments } from "../config/load.ts";
import type { Tree } from "../config/tree.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Plan } from "../core/plan.ts";
import { compileIssuer } from "../policies/jwt/issuer.ts";
import type { IssuerPlan } from "../policies/jwt/issuer-plan.ts";
import { CommandFailed } from "./failure.ts";
import type { WorkspaceOptions } from "./options.ts";
import { printDiagnostics } from "./print.ts";

/** Policies that were read and parsed. */
export interface Workspace {
  readonly sources: Sources;
  readonly tree: Tree;
  readonly environments: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the folders. Fails when there are no policies at all. */
export const openWorkspace = async (options: WorkspaceOptions): Promise<Workspace> => {
  const sources = await readSources(options.policies, options.openapi);
  if (sources.policies.length === 0) {
    throw new CommandFailed(
      2,
      `There is no *.yaml below "${options.policies}".`,
      "Name the folder with --policies, or begin with `postern init`.",
    );
  }
  return parseWorkspace(sources);
};

/** Parses files that were read. */
export const parseWorkspace = (sources: Sources): Workspace => {
  const read = readTree(sources.policies);
  return {
    sources,
    tree: read.value!,
    environments: environmentNames(read.value!),
    diagnostics: read.diagnostics,
  };
};

/** The environment that is meant; where there are any, one must be named. */
export const chosenEnvironment = (
  { environments, diagnostics }: Workspace,
  name: string | undefined,
): string | undefined => {
  if (name === undefined) {
    if (environments.length === 0 || diagnostics.some(isError)) return undefined;
    throw new CommandFailed(
      2,
      "These policies describe environments, and none is named.",
      `Add --env with ${anyOf(environments)}.`,
    );
  }
  if (environments.includes(name) || diagnostics.some(isError)) return name;
  const remedy =
    environments.length === 0
      ? "These policies describe none: leave --env out."
      : (didYouMean(name, environments) ?? `Name ${anyOf(environments)}.`);
  throw new CommandFailed(2, `There is no environment "${name}".`, remedy);
};

/** Compiles a workspace for an environment; every fault of reading and compiling is in the answer. */
export const compileWorkspace = (
  workspace: Workspace,
  environment: string | undefined,
  observer?: Observer,
): { plan: Plan | undefined; diagnostics: readonly Diagnostic[] } => {
  const { value, diagnostics } = compileTree(
    workspace.tree,
    workspace.sources,
    environment,
    workspace.diagnostics,
    observer,
  );
  return { plan: value, diagnostics };
};

/** Reads, compiles, prints what is wrong; fails with 1 where there is no plan. */
export const planOf = async (options: WorkspaceOptions, observer?: Observer): Promise<Plan> => {
  const workspace = await openWorkspace(options);
  const environment = chosenEnvironment(workspace, options.env);
  const { plan, diagnostics } = compileWorkspace(workspace, environment, observer);
  printDiagnostics(diagnostics, workspace.sources);
  if (plan === undefined) throw new CommandFailed(1, "");
  return plan;
};

/** The issuers of a workspace by name, for `postern token`. */
export const loadIssuers = async (options: WorkspaceOptions): Promise<Record<string, IssuerPlan>> => {
  const workspace = await openWorkspace(options);
  const documents = typeDocuments(workspace.tree, chosenEnvironment(workspace, options.env));
  const faults = new Diagnostics([...workspace.diagnostics, ...documents.diagnostics]).list();
  if (faults.some(isError)) {
    printDiagnostics(faults, workspace.sources);
    throw new CommandFailed(1, "");
  }
  return Object.fromEntries(
    documents.value!.issuers.map(({ name, value }) => [name, compileIssuer(name, value)]),
  );
};
