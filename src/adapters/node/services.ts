import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { bundleWorker } from "./bundle.ts";
import type { WranglerConfig } from "./wrangler-config.ts";

/** Workers of ours that run beside the gateway. */
export interface RunningServices {
  /** `host:port` by the name of the Worker. */
  readonly addresses: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** D1 databases of the local runtime: what we use of them to apply migrations. */
interface Database {
  prepare(sql: string): { run(): Promise<unknown> };
}

/**
 * Runs Workers with their databases, migrated and seeded, in memory: everything is as new with each start. Each listens on
 * a port of its own on loopback, and has of the secrets those that its configuration requires.
 */
export const startServices = async (
  configs: readonly WranglerConfig[],
  secrets: Readonly<Record<string, string>>,
): Promise<RunningServices> => {
  const workers = await Promise.all(configs.map((config) => workerOptions(config, secrets)));
  const options = { ...convertV4MiniflareOptions({ workers, cf: false }), telemetry: { enabled: false } };
  const miniflare = withoutSignalHandlers(() => new Miniflare(options));
  try {
    await miniflare.ready;
    await migrateAll(miniflare, configs);
    const addresses = await Promise.all(
      configs.map(async ({ name }) => [name, (await miniflare.unsafeGetDirectURL(name)).host] as const),
    );
    return { addresses: Object.fromEntries(addresses), stop: () => miniflare.dispose() };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
};

/** The secrets that a Worker requires and that are known; without the others it says itself what it cannot do. */
export const secretsFor = (
  { secrets: names }: WranglerConfig,
  known: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(names.flatMap((name) => (known[name] === undefined ? [] : [[name, known[name]]])));

const workerOptions = async (config: WranglerConfig, secrets: Readonly<Record<string, string>>) => {
  const { name, main, compatibilityDate, vars, databases } = config;
  const folder = await mkdtemp(path.join(os.tmpdir(), "postern-services-"));
  try {
    const script = path.join(folder, "worker.js");
    await bundleWorker(main, script);
    return {
      name,
      modules: [{ type: "ESModule" as const, path: "worker.js", contents: await readFile(script, "utf8") }],
      compatibilityDate,
      bindings: { ...vars, ...secretsFor(config, secrets) },
      d1Databases: Object.fromEntries(databases.map(({ binding, id }) => [binding, id])),
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Databases that several Workers share are migrated once. */
const migrateAll = async (miniflare: Miniflare, configs: readonly WranglerConfig[]): Promise<void> => {
  const migrated = new Set<string>();
  for (const { name, databases } of configs) {
    for (const { binding, id, migrations } of databases) {
      if (migrated.has(id)) continue;
      migrated.add(id);
      await migrate((await miniflare.getD1Database(binding, name)) as unknown as Database, migrations);
    }
  }
};

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/**
 * Makes something and takes off the signal handlers that it brought along. Miniflare ends the whole process at a signal,
 * before the gateway is stopped: in what order things end is for the command to say.
 */
const withoutSignalHandlers = <T>(make: () => T): T => {
  const before = SIGNALS.map((signal) => process.listeners(signal));
  const made = make();
  for (const [index, signal] of SIGNALS.entries()) {
    for (const listener of process.listeners(signal))
      if (!before[index]!.includes(listener)) process.removeListener(signal, listener);
  }
  return made;
};

/** Applies numbered migrations in their order, statement by statement. */
const migrate = async (database: Database, folder: string): Promise<void> => {
  for (const name of (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort()) {
    for (const statement of statementsOf(await readFile(path.join(folder, name), "utf8")))
      await database.prepare(statement).run();
  }
};

/** Splits SQL at the semicolons that end statements: those outside of texts, names, comments and trigger bodies. */
export const statementsOf = (sql: string): readonly string[] => {
  const tokens = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\bbegin\b|\bend\b|;|[\s\S]/gi;
  const statements: string[] = [];
  let statement = "";
  let depth = 0;
  for (const [token] of sql.matchAll(tokens)) {
    const word = token.toLowerCase();
    if (word.startsWith("--") || word.startsWith("/*")) continue;
    if (word === "begin") depth++;
    if (word === "end" && depth > 0) depth--;
    if (token === ";" && depth === 0) {
      if (statement.trim() !== "") statements.push(statement.trim());
      statement = "";
    } else statement += token;
  }
  return statement.trim() === "" ? statements : [...statements, statement.trim()];
};
