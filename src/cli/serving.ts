import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { type Describe, writeBundle } from "../adapters/node/bundle.ts";
import type { RunningServices } from "../adapters/node/services.ts";
import { type RunningWorkerd, startWorkerd, WorkerdEnded } from "../adapters/node/workerd.ts";
import {
  findWranglerConfigs,
  readWranglerConfig,
  type WranglerConfig,
} from "../adapters/node/wrangler-config.ts";
import type { Plan } from "../core/plan.ts";
import { CommandFailed } from "./failure.ts";
import { localIssuerKey } from "./local-issuer.ts";
import {
  devVars,
  extraAuthorities,
  namesToMake,
  planCertificates,
  planSecrets,
  randomSecret,
} from "./serving-secrets.ts";

/** What a served gateway needs beside its plan. */
export interface ServingSettings {
  readonly host: string;
  readonly port: number;
  /** Secrets from the command line. */
  readonly vars: Readonly<Record<string, string>>;
  /** Addresses of service bindings from the command line. */
  readonly bindings: Readonly<Record<string, string>>;
  /** Files of client certificates by the name of their binding. */
  readonly certificates: Readonly<Record<string, string>>;
  /** Address of what stands behind the Cache API. */
  readonly edgeCache?: string;
  /** What callers are offered, where a plan publishes it. */
  readonly describe?: Describe;
  /** Folder whose wrangler.toml names the services behind bindings. */
  readonly project: string;
}

type EndListener = (code: number | null, signal: NodeJS.Signals | null) => void;

/** A plan that was bundled and can be started, also again. */
interface Served {
  readonly folder: string;
  readonly start: () => Promise<RunningWorkerd>;
}

/** How long a reload waits for requests that are under way: whoever edits a policy waits with them. */
const RELOAD_PATIENCE_MS = 1000;

/** What workerd said first; not where in the bundle, which nobody has written. */
const firstLines = (words: string): string =>
  words
    .trim()
    .split("\n")
    .filter((line) => !/^\s*at /.test(line))
    .slice(0, 3)
    .join(" ");

/** Serves plans one after the other on the same port; its services stay while gateways come and go. */
export class Serving {
  readonly #settings: ServingSettings;
  /** Secrets that were made for this run. */
  readonly #made = new Map<string, string>();
  #services: RunningServices | undefined;
  /** The services that run, each with the secrets that it has. */
  #served: readonly string[] = [];
  #running: RunningWorkerd | undefined;
  #last: Served | undefined;
  #ended: EndListener | undefined;

  constructor(settings: ServingSettings) {
    this.#settings = settings;
  }

  /** Called when the gateway ends without being asked to. */
  onEnd(listener: EndListener): void {
    this.#ended = listener;
  }

  /**
   * Puts a plan in place of the one that runs. Everything that can fail before the old one is stopped does so; when the new
   * one does not start after all, the old one is started again.
   */
  async serve(plan: Plan): Promise<void> {
    const { host, port, edgeCache } = this.#settings;
    if (this.#running === undefined) await refuseBusyPort(host, port);
    const services = await this.#ownServices(plan);
    const known = await this.#known(plan, services);
    const secrets = await this.#secrets(plan, known);
    const certificates = await planCertificates(plan, this.#settings.certificates);
    const trusted = await extraAuthorities();
    const bindings = await this.#bindings(services, known);
    const folder = await mkdtemp(path.join(os.tmpdir(), "postern-"));
    const { worker } = await writeBundle(plan, folder, this.#settings.describe).catch(
      async (error: unknown) => {
        await rm(folder, { recursive: true, force: true });
        throw error;
      },
    );
    const next: Served = {
      folder,
      start: () =>
        startWorkerd({
          plan,
          worker,
          host,
          port,
          secrets,
          bindings,
          certificates,
          trusted,
          ...(edgeCache !== undefined && { edgeCache }),
        }),
    };
    const last = this.#last;
    await this.#stopGateway(RELOAD_PATIENCE_MS);
    try {
      await this.#run(next);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      if (last !== undefined) await this.#run(last);
      throw error instanceof WorkerdEnded
        ? new CommandFailed(2, "The gateway did not start.", firstLines(error.words))
        : error;
    }
    if (last !== undefined) await rm(last.folder, { recursive: true, force: true });
  }

  async #run(served: Served): Promise<void> {
    const running = await served.start();
    this.#running = running;
    this.#last = served;
    running.process.once("exit", (code, signal) => {
      if (this.#running === running) this.#ended?.(code, signal);
    });
  }

  /** Ends the gateway and its services. */
  async stop(): Promise<void> {
    await this.#stopGateway();
    await this.#services?.stop();
    this.#services = undefined;
    if (this.#last !== undefined) await rm(this.#last.folder, { recursive: true, force: true });
    this.#last = undefined;
  }

  async #stopGateway(patienceMs?: number): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop(patienceMs);
  }

  /** The secrets that are known, those of the run among them. */
  async #known(plan: Plan, services: ReadonlyMap<string, WranglerConfig>): Promise<Record<string, string>> {
    const { project, vars } = this.#settings;
    for (const name of namesToMake(plan, [...services.values()]))
      if (!this.#made.has(name)) this.#made.set(name, randomSecret());
    return { ...Object.fromEntries(this.#made), ...(await devVars(project)), ...vars };
  }

  async #secrets(plan: Plan, known: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const secrets = planSecrets(plan, known);
    const local = Object.values(plan.shared).some(
      (value) => (value as { jwks?: { local?: boolean } } | null)?.jwks?.local === true,
    );
    if (!local) return secrets;
    const { publicJwks } = await localIssuerKey(this.#settings.project);
    return { ...secrets, POSTERN_LOCAL_JWKS: JSON.stringify(publicJwks) };
  }

  /** Our own Workers behind the plan's service bindings, by binding; those that run elsewhere are named on the command line. */
  async #ownServices(plan: Plan): Promise<ReadonlyMap<string, WranglerConfig>> {
    const bound = Object.values(plan.upstreams).flatMap(({ targets }) =>
      targets.flatMap(({ binding }) => binding ?? []),
    );
    const wanted = [...new Set(bound)].filter((name) => this.#settings.bindings[name] === undefined);
    return wanted.length === 0 ? new Map() : servicesFor(wanted, this.#settings.project);
  }

  /** Addresses of the plan's service bindings: those that were named, and those of our own services, which are started. */
  async #bindings(
    found: ReadonlyMap<string, WranglerConfig>,
    known: Readonly<Record<string, string>>,
  ): Promise<Record<string, string>> {
    if (found.size === 0) return { ...this.#settings.bindings };
    const configs = [...new Map([...found.values()].map((config) => [config.name, config])).values()];
    // What runs them takes a quarter of a second to load: no other command waits for that.
    const { secretsFor, startServices } = await import("../adapters/node/services.ts");
    const wanted = configs.map((config) => JSON.stringify([config.name, secretsFor(config, known)])).sort();
    if (wanted.some((one) => !this.#served.includes(one))) {
      await this.#services?.stop();
      this.#services = await startServices(configs, known);
      this.#served = wanted;
    }
    const addresses = this.#services?.addresses ?? {};
    return {
      ...Object.fromEntries([...found].map(([binding, { name }]) => [binding, addresses[name]!])),
      ...this.#settings.bindings,
    };
  }
}

/** The Workers behind service bindings: the project's wrangler.toml names them, and they stand somewhere below `src`. */
const servicesFor = async (
  bindings: readonly string[],
  project: string,
): Promise<Map<string, WranglerConfig>> => {
  const gateway = await readWranglerConfig(path.join(project, "wrangler.toml")).catch(() => undefined);
  const configs = await findWranglerConfigs(path.join(project, "src"));
  return new Map(
    bindings.map((binding) => {
      const service = gateway?.services.find((entry) => entry.binding === binding)?.service;
      const config = configs.find(({ name }) => name === service);
      if (config === undefined) {
        throw new CommandFailed(
          2,
          `Nothing is known of the Worker behind the binding ${binding}.`,
          `Name it under [[services]] in wrangler.toml, or say where it runs with --binding ${binding}=127.0.0.1:9000.`,
        );
      }
      return [binding, config];
    }),
  );
};

const refuseBusyPort = (host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new CommandFailed(2, `The port ${port} is in use.`, "Choose another with --port.")
          : new CommandFailed(
              2,
              `Cannot listen on ${host}:${port} (${error.code}).`,
              "Choose an address of this machine with --host, and a port that this user may open with --port.",
            ),
      );
    });
    server.listen(port, host.replace(/^\[|\]$/g, ""), () => server.close(() => resolve()));
  });
