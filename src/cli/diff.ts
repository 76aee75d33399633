import { type Command, Option } from "commander";
import colors from "picocolors";
import { readRevision, UnknownRevision } from "../adapters/node/revisions.ts";
import type { Sources } from "../compiler/compile.ts";
import type { ContractChange, Severity } from "../contract/changes/change.ts";
import { contractChanges } from "../contract/changes/contracts.ts";
import { compileContract } from "../contract/compile.ts";
import type { PublicContract } from "../contract/public.ts";
import type { Place } from "../core/diagnostic.ts";
import { CommandFailed } from "./failure.ts";
import { type WorkspaceOptions, withFormat, withWorkspace } from "./options.ts";
import { printDiagnostics } from "./print.ts";
import { chosenEnvironment, parseWorkspace } from "./workspace.ts";

interface Options extends WorkspaceOptions {
  readonly contract?: boolean;
  readonly format: "text" | "json";
}

/** `postern diff`: what changes for callers between two revisions; fails with 1 where something breaks for them. */
export const registerDiff = (program: Command): void => {
  const command = program
    .command("diff")
    .description("tell what changes for callers between two Git revisions or folders")
    .argument("<base>", "revision or folder to begin from")
    .argument("[head]", "revision or folder to compare with it; default the files as they are", ".")
    .addOption(
      new Option("--contract", "compare what the gateway offers: its OpenAPI document with policies applied"),
    );
  withFormat(withWorkspace(command), ["text", "json"]).action(
    async (base: string, head: string, options: Options) => {
      if (options.contract !== true) {
        const remedy = `Run \`postern diff ${base}${head === "." ? "" : ` ${head}`} --contract\`.`;
        throw new CommandFailed(2, "Say what to compare: so far it is the contract alone.", remedy);
      }
      const [before, after] = [await contractOf(base, options), await contractOf(head, options)];
      const changes = contractChanges(before, after);
      process.stdout.write(options.format === "json" ? asJson(changes) : forPeople(changes));
      if (changes.some(({ severity }) => severity === "breaking")) process.exitCode = 1;
    },
  );
};

const contractOf = async (revision: string, options: Options): Promise<PublicContract> => {
  const workspace = parseWorkspace(await sourcesOf(revision, options));
  const { tree, sources, diagnostics: read } = workspace;
  const { value, diagnostics } = compileContract(
    tree,
    sources,
    chosenEnvironment(workspace, options.env),
    read,
  );
  if (value !== undefined) return value;
  printDiagnostics(diagnostics, sources);
  throw new CommandFailed(1, `The policies of ${revision} do not compile.`, "Compare revisions that do.");
};

const sourcesOf = async (revision: string, { policies, openapi }: Options): Promise<Sources> => {
  const sources = await readRevision(revision, { policies, openapi }).catch((error: unknown) => {
    if (!(error instanceof UnknownRevision)) throw error;
    throw new CommandFailed(
      2,
      `"${revision}" is neither a folder nor a revision of this repository.`,
      "Name a branch, a tag, a commit, or a folder that holds the policies.",
    );
  });
  if (sources.policies.length > 0) return sources;
  throw new CommandFailed(
    2,
    `There is no *.yaml below "${policies}" in ${revision}.`,
    "Name the folder with --policies; it is looked for in both.",
  );
};

const asJson = (changes: readonly ContractChange[]): string =>
  `${JSON.stringify({ changes }, undefined, 2)}\n`;

const PAINT: Readonly<Record<Severity, (text: string) => string>> = {
  breaking: colors.red,
  risky: colors.yellow,
  compatible: colors.green,
};

const forPeople = (changes: readonly ContractChange[]): string => {
  if (changes.length === 0) return "Nothing changes for callers.\n";
  const lines = grouped(changes).map(({ subjects, ...change }) => {
    const { severity, id, message, base, head } = change;
    const places = [base && `was ${at(base)}`, head && `is ${at(head)}`].filter(
      (place) => place !== undefined,
    );
    return `${PAINT[severity](severity)} ${colors.bold(subjects.join(", "))} ${colors.dim(id)}\n  ${message}\n  ${colors.dim(places.join(", "))}\n`;
  });
  const count = (severity: Severity): number =>
    changes.filter((change) => change.severity === severity).length;
  const summary = `${count("breaking")} breaking, ${count("risky")} risky, ${count("compatible")} compatible`;
  return `${lines.join("\n")}\n${summary}\n`;
};

interface GroupedChange extends ContractChange {
  readonly subjects: readonly string[];
}

/** What one line of the policies does to many operations is said once. */
const grouped = (changes: readonly ContractChange[]): readonly GroupedChange[] => {
  const groups = new Map<string, GroupedChange>();
  for (const change of changes) {
    const { subject, ...fact } = change;
    const key = JSON.stringify(fact);
    groups.set(key, { ...change, subjects: [...(groups.get(key)?.subjects ?? []), subject] });
  }
  return [...groups.values()];
};

const at = ({ file, line, column }: Place): string => `${file}:${line}:${column}`;
