import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "smol-toml";

/** What we read of a Worker's wrangler.toml. */
export interface WranglerConfig {
  /** Path of the file. */
  readonly file: string;
  readonly name: string;
  readonly main: string;
  readonly compatibilityDate: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly databases: readonly {
    readonly binding: string;
    readonly id: string;
    readonly migrations: string;
  }[];
  readonly services: readonly { readonly binding: string; readonly service: string }[];
  /** Names of the secrets without which it does not work. */
  readonly secrets: readonly string[];
  /** Durable Objects whose classes are the Worker's own. */
  readonly objects: readonly { readonly binding: string; readonly className: string }[];
  /** The folder of files that are deployed with it. */
  readonly assets?: {
    /** Relative to the file. */
    readonly directory: string;
    readonly binding: string | undefined;
    /** Whether every request for one of the files comes to the Worker first. */
    readonly isWorkerFirst: boolean;
  };
}

interface Toml {
  readonly name?: string;
  readonly main?: string;
  readonly compatibility_date?: string;
  readonly vars?: Record<string, string>;
  readonly d1_databases?: { binding: string; database_id: string; migrations_dir?: string }[];
  readonly services?: { binding: string; service: string }[];
  readonly secrets?: { required?: string[] };
  readonly durable_objects?: { bindings?: { name: string; class_name: string; script_name?: string }[] };
  readonly assets?: { directory?: string; binding?: string; run_worker_first?: boolean | string[] };
  readonly env?: Record<string, Toml>;
}

/** Reads a wrangler.toml, as it is for an environment where it has it; bindings of the top level do not reach into one. */
export const readWranglerConfig = async (file: string, environment?: string): Promise<WranglerConfig> => {
  const top = parse(await readFile(file, "utf8")) as Toml;
  const config: Toml = (environment !== undefined && top.env?.[environment]) || top;
  const folder = path.dirname(file);
  // Unlike other bindings, this one reaches into environments.
  const assets = config.assets ?? top.assets;
  return {
    file,
    name: config.name ?? top.name ?? "",
    main: path.join(folder, config.main ?? top.main ?? "index.ts"),
    compatibilityDate: config.compatibility_date ?? top.compatibility_date ?? "",
    vars: config.vars ?? {},
    databases: (config.d1_databases ?? []).map(({ binding, database_id, migrations_dir }) => ({
      binding,
      id: database_id,
      migrations: path.join(folder, migrations_dir ?? "migrations"),
    })),
    services: config.services ?? [],
    secrets: config.secrets?.required ?? [],
    objects: (config.durable_objects?.bindings ?? [])
      .filter(({ script_name }) => script_name === undefined)
      .map(({ name: binding, class_name: className }) => ({ binding, className })),
    ...(assets?.directory !== undefined && {
      assets: {
        directory: assets.directory,
        binding: assets.binding,
        isWorkerFirst: assets.run_worker_first === true,
      },
    }),
  };
};

/** The configurations of all Workers that stand below a folder. */
export const findWranglerConfigs = async (folder: string): Promise<readonly WranglerConfig[]> => {
  const names = await readdir(folder, { recursive: true }).catch(() => [] as string[]);
  const files = names.filter(
    (name) => /^wrangler(\.[a-z0-9-]+)?\.toml$/.test(path.basename(name)) && !name.includes("node_modules"),
  );
  return Promise.all(files.sort().map((name) => readWranglerConfig(path.join(folder, name))));
};
