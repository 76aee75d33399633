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
 * a port of its own on loopback.
 */
export const startServices = async (configs: readonly WranglerConfig[]): Promise<RunningServices> => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "postern-services-"));
  const workers = await Promise.all(
    configs.map(async (config) => {
      const script = path.join(folder, `${config.name}.js`);
      await bundleWorker(config.main, script);
      return {
        name: config.name,
        modules: [
          { type: "ESModule" as const, path: `${config.name}.js`, contents: await readFile(script, "utf8") },
        ],
        compatibilityDate: config.compatibilityDate,
        bindings: { ...config.vars },
        d1Databases: Object.fromEntries(config.databases.map(({ binding, id }) => [binding, id])),
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      };
    }),
  );
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({ workers, cf: false }),
    telemetry: { enabled: false },
  });
  await miniflare.ready;
  await rm(folder, { recursive: true, force: true });
  const migrated = new Set<string>();
  for (const config of configs) {
    for (const { binding, id, migrations } of config.databases) {
      if (migrated.has(id)) continue;
      migrated.add(id);
      await migrate((await miniflare.getD1Database(binding, config.name)) as unknown as Database, migrations);
    }
  }
  const addresses = await Promise.all(
    configs.map(async ({ name }) => [name, (await miniflare.unsafeGetDirectURL(name)).host] as const),
  );
  return { addresses: Object.fromEntries(addresses), stop: () => miniflare.dispose() };
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
