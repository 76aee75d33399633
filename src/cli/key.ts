import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { ConsumerDocument } from "../config/documents/consumer.ts";
import { anyOf, didYouMean } from "../config/faults.ts";
import { treeAt } from "../config/tree.ts";
import type { Typed } from "../config/typing.ts";
import { composeKey, isKeyLabel } from "../lib/api-key.ts";
import { CommandFailed } from "./failure.ts";
import { type KeyOptions, knownConsumer, policiesOf, saysStore } from "./key-policies.ts";
import { removeKey } from "./key-removal.ts";
import type { KeyStore } from "./key-store.ts";
import { nameValue, withFormat, withWorkspace } from "./options.ts";
import { openWorkspace } from "./workspace.ts";

interface NewOptions extends KeyOptions {
  readonly prefix: string;
  readonly id?: string;
  readonly expires?: string;
}

/** `postern key`: makes keys of consumers, lists and revokes those in the policies. No key is ever stored, only digests. */
export const registerKey = (program: Command): void => {
  const key = program.command("key").description("make, list and revoke the keys of consumers");
  const add = (usage: string, description: string): Command => {
    const command = key.command(usage).description(description);
    return withFormat(withWorkspace(command), ["text", "json"])
      .option(
        "--var <name=value>",
        "value of a secret that opens the store of keys (repeat for more)",
        nameValue,
      )
      .exitOverride()
      .showHelpAfterError("Run the command with --help to see what it takes.");
  };
  add("new [consumer]", "make a key; it is printed once, and kept nowhere")
    .option("--prefix <label>", "what it is for, as its beginning shows: postern_<label>_…", label, "live")
    .option("--id <id>", "what the policies call it; by default the first of k1, k2, … that is free", keyId)
    .option("--expires <date>", "the last day, in UTC, on which it is good: 2027-06-30", lastDay)
    .action(newKey);
  add("list [consumer]", "list the keys that the policies hold").action(listKeys);
  add("revoke <consumer> <id>", "take a key out of the policy files").action(revokeKey);
};

const label = (text: string): string => {
  if (isKeyLabel(text)) return text;
  throw new InvalidArgumentError("Write up to 16 lower-case letters and digits: --prefix shop.");
};

const keyId = (text: string): string => {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(text)) return text;
  throw new InvalidArgumentError("Write up to 32 letters, digits, hyphens and underscores: --id k2.");
};

const lastDay = (text: string): string => {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
  if (isDay && new Date(text).toISOString().startsWith(text)) return text;
  throw new InvalidArgumentError("Write a day: --expires 2027-06-30.");
};

const newKey = async (consumer: string | undefined, options: NewOptions): Promise<void> => {
  const { consumers, store } =
    consumer === undefined ? { consumers: [], store: undefined } : await policiesOf(options);
  const owner = consumers.find(({ name }) => name === consumer);
  const stored = await storedIds(consumer, store);
  const ids = [...(owner?.value.keys.map(({ id }) => id) ?? []), ...stored];
  const id = options.id ?? freeId(ids);
  const key = composeKey(options.prefix, randomBytes(32));
  const made = { key, id, sha256: createHash("sha256").update(key).digest("hex") };
  const isTaken =
    ids.includes(id) || (store !== undefined && !(await put(store, made, consumer!, consumers, options)));
  if (isTaken) throw new CommandFailed(2, `"${consumer}" has a key "${id}" already.`, "Choose another --id.");
  const where = store === undefined ? whereTo(made, consumer, owner === undefined, options) : IN_STORE;
  if (options.format === "json") {
    const { expires } = options;
    process.stdout.write(`${JSON.stringify({ ...made, consumer, expires, entry: where.entry })}\n`);
    return;
  }
  const shown = "Give it to whom it is for: it is shown this once, and kept nowhere.";
  process.stdout.write([key, "", shown, ...where.lines, ""].join("\n"));
};

interface Made {
  readonly key: string;
  readonly id: string;
  readonly sha256: string;
}

/** What to do about the digest: the line for the policies. */
const whereTo = (
  { id, sha256 }: Made,
  consumer: string | undefined,
  isNew: boolean,
  { expires }: NewOptions,
) => {
  const entry = `{ id: ${id}, sha256: "${sha256}"${expires === undefined ? "" : `, expires: ${expires}`} }`;
  const [place, line] =
    isNew && consumer !== undefined
      ? ["consumers", `${consumer}: { keys: [${entry}] }`]
      : [`consumers.${consumer ?? "<name>"}.keys`, `- ${entry}`];
  return { entry, lines: [`Its digest goes into the policies, under \`${place}\`:`, "", `  ${line}`] };
};

const IN_STORE = { entry: undefined, lines: ["Its digest is in Redis, and the key is good from now on."] };

const storedIds = async (
  consumer: string | undefined,
  store: KeyStore | undefined,
): Promise<readonly string[]> =>
  (await store?.list())?.filter((entry) => entry.consumer === consumer).map(({ id }) => id) ?? [];

/** Puts a digest into the store; false where the id is taken. Whose it is has to be known to the gateway. */
const put = (
  store: KeyStore,
  { id, sha256 }: Made,
  consumer: string,
  consumers: readonly Typed<ConsumerDocument>[],
  { expires }: NewOptions,
): Promise<boolean> => {
  knownConsumer(consumer, consumers);
  return store.put({ consumer, id, sha256, ...(expires !== undefined && { expires }) });
};

const freeId = (ids: readonly string[]): string => {
  let number = 1;
  while (ids.includes(`k${number}`)) number++;
  return `k${number}`;
};

const DAY_MS = 86_400_000;

const listKeys = async (consumer: string | undefined, options: KeyOptions): Promise<void> => {
  const { consumers, store } = await policiesOf(options);
  if (consumer !== undefined) knownConsumer(consumer, consumers);
  const nowMs = Date.now();
  const written = consumers.flatMap(({ name, tree, value }) =>
    value.keys.map((key, index) => {
      const { file, line } = treeAt(tree, ["keys", index])!.place;
      return { consumer: name, ...key, place: `${file}:${line}` };
    }),
  );
  const stored = (await store?.list())?.map((key) => ({ ...key, place: "redis" })) ?? [];
  const keys = [...written, ...stored]
    .filter((key) => consumer === undefined || key.consumer === consumer)
    .map(({ consumer: name, id, sha256, expires, place }) => {
      const isOver = expires !== undefined && Date.parse(expires) + DAY_MS <= nowMs;
      const plan = consumers.find((one) => one.name === name)?.value.plan;
      return { consumer: name, id, digest: sha256, plan, expires, state: isOver ? "expired" : "good", place };
    });
  if (options.format === "json") {
    process.stdout.write(`${JSON.stringify({ keys })}\n`);
    return;
  }
  const rows = keys.map((key) => [
    key.consumer,
    key.id,
    `${key.digest.slice(0, 8)}…`,
    key.plan ?? "-",
    key.expires ?? "-",
    key.state,
    key.place,
  ]);
  const table = [["consumer", "id", "sha256", "plan", "expires", "state", "place"], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  process.stdout.write(keys.length === 0 ? "There are no keys.\n" : `${lines.join("\n")}\n`);
};

/** Takes a key out of the store, where there is one and it has the key. Policies that cannot be read say nothing of a store. */
const revokeStored = async (consumer: string, id: string, options: KeyOptions): Promise<boolean> => {
  if (!(await saysStore(options))) return false;
  const { store } = await policiesOf(options);
  if ((await store?.revoke(consumer, id)) !== true) return false;
  process.stdout.write(
    options.format === "json"
      ? `${JSON.stringify({ consumer, id, removed: ["redis"] })}\n`
      : `Removed the key "${id}" of "${consumer}" from Redis. It is refused within a minute.\n`,
  );
  return true;
};

const revokeKey = async (consumer: string, id: string, options: KeyOptions): Promise<void> => {
  const { sources } = await openWorkspace(options);
  if (await revokeStored(consumer, id, options)) return;
  const removals = removeKey(sources.policies, consumer, id);
  if (removals.length === 0) {
    const ids = knownConsumer(consumer, (await policiesOf(options)).consumers).value.keys.map(
      (key) => key.id,
    );
    throw new CommandFailed(
      2,
      `"${consumer}" has no key "${id}" that stands in these files by itself.`,
      ids.length === 0 ? "It has no keys at all." : (didYouMean(id, ids) ?? `Its keys are ${anyOf(ids)}.`),
    );
  }
  const places = removals.map(({ file, line }) => `${file}:${line}`);
  const manual = removals.filter(({ text }) => text === undefined);
  if (manual.length > 0)
    throw new CommandFailed(
      2,
      `The key "${id}" of "${consumer}" cannot be taken out without touching more; nothing was changed.`,
      `Remove the entry with \`id: ${id}\` by hand: ${manual.map(({ file, line }) => `${file}:${line}`).join(", ")}.`,
    );
  for (const [file, text] of new Map(removals.map((removal) => [removal.file, removal.text!])))
    await writeFile(file, text);
  process.stdout.write(
    options.format === "json"
      ? `${JSON.stringify({ consumer, id, removed: places })}\n`
      : `Removed the key "${id}" of "${consumer}": ${places.join(", ")}. It is refused once these policies are deployed.\n`,
  );
};
