import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { writeBundle } from "../adapters/node/bundle.ts";
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

/** What a served gateway needs beside its plan. */
export interface ServingSettings {
  readonly host: string;
  readonly port: number;
  /** Secrets from the command line. */
  readonly vars: Readonly<Record<string, string>>;
  /** Addresses of service bindings from the command line. */
  readonly bindings: Readonly<Record<string, string>>;
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

const firstLines = (words: string): string => words.trim().split("\n").slice(0, 3).join(" ");

/** Serves plans one after the other on the same port; its services stay while gateways come and go. */
export class Serving {
  readonly #settings: ServingSettings;
  #services: RunningServices | undefined;
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
    const { host, port } = this.#settings;
    if (this.#running === undefined) await refuseBusyPort(host, port);
    const secrets = await this.#secrets(plan);
    const bindings = await this.#bindings(plan);
    const folder = await mkdtemp(path.join(os.tmpdir(), "postern-"));
    const { worker } = await writeBundle(plan, folder).catch(async (error: unknown) => {
      await rm(folder, { recursive: true, force: true });
      throw error;
    });
    const next: Served = {
      folder,
      start: () => startWorkerd({ plan, worker, host, port, secrets, bindings }),
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

  async #secrets(plan: Plan): Promise<Record<string, string>> {
    const known = { ...(await devVars(this.#settings.project)), ...this.#settings.vars };
    const missing = plan.secrets.filter((name) => known[name] === undefined);
    if (missing.length > 0) {
      throw new CommandFailed(
        2,
        `${missing.length === 1 ? "A secret is" : "Secrets are"} not set: ${missing.join(", ")}.`,
        `Give ${missing.length === 1 ? "it" : "them"} with ${missing.map((name) => `--var ${name}=…`).join(" ")}, or in .dev.vars.`,
      );
    }
    const secrets = Object.fromEntries(plan.secrets.map((name) => [name, known[name]!]));
    const local = Object.values(plan.shared).some(
      (value) => (value as { jwks?: { local?: boolean } } | null)?.jwks?.local === true,
    );
    if (!local) return secrets;
    const { publicJwks } = await localIssuerKey(this.#settings.project);
    return { ...secrets, POSTERN_LOCAL_JWKS: JSON.stringify(publicJwks) };
  }

  /** Addresses of the plan's service bindings: those that were named, and those of our own services, which are started. */
  async #bindings(plan: Plan): Promise<Record<string, string>> {
    const wanted = [
      ...new Set(
        Object.values(plan.upstreams).flatMap(({ targets }) =>
          targets.flatMap(({ binding }) => binding ?? []),
        ),
      ),
    ].filter((name) => this.#settings.bindings[name] === undefined);
    if (wanted.length === 0) return { ...this.#settings.bindings };
    const found = await servicesFor(wanted, this.#settings.project);
    const names = [...new Set([...found.values()].map(({ name }) => name))].sort();
    if (names.some((name) => !this.#served.includes(name))) {
      await this.#services?.stop();
      // What runs them takes a quarter of a second to load: no other command waits for that.
      const { startServices } = await import("../adapters/node/services.ts");
      this.#services = await startServices(
        names.map((name) => [...found.values()].find((config) => config.name === name)!),
      );
      this.#served = names;
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

/** Secrets of a developer's machine, in wrangler's own file. */
const devVars = async (project: string): Promise<Record<string, string>> => {
  const text = await readFile(path.join(project, ".dev.vars"), "utf8").catch(() => "");
  const lines = text.split("\n").map((line) => /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line));
  return Object.fromEntries(
    lines.flatMap((found) => (found ? [[found[1]!, found[2]!.replace(/^(["'])(.*)\1$/, "$2")]] : [])),
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
