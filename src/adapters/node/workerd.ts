import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import workerd from "workerd";
import { ASSETS } from "../../core/asset-plan.ts";
import type { Plan } from "../../core/plan.ts";
import { COMPATIBILITY_DATE } from "./bundle.ts";
import { type ClientCertificate, certificateNetwork } from "./client-certificates.ts";
import { durableObjectsText, prepareStorage } from "./durable-objects.ts";

/** How a gateway is run on plain workerd. */
export interface WorkerdSettings {
  readonly plan: Plan;
  /** The bundle; the configuration is written beside it. */
  readonly worker: string;
  readonly host: string;
  readonly port: number;
  /** Values of secrets by name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Addresses (`host:port`) of Workers by the name of their service binding. */
  readonly bindings: Readonly<Record<string, string>>;
  /** Client certificates by the name of their binding. */
  readonly certificates?: Readonly<Record<string, ClientCertificate>>;
  /** Address (`host:port`) of what stands behind the Cache API, in workerd's own protocol; without, there is none. */
  readonly edgeCache?: string;
  /** Certificates in PEM of authorities that servers which are shown one may have theirs from, beside those of browsers. */
  readonly trusted?: string;
}

/** A gateway that runs as a process of its own. */
export interface RunningWorkerd {
  readonly process: ChildProcess;
  /** Asks it to end: it answers what is under way, refuses what is new, and is gone after ten seconds at the latest. */
  stop(patienceMs?: number): Promise<void>;
}

/**
 * Starts workerd and waits until it answers. Rejects with its own words when it ends before that. Secrets go through the
 * environment of the process, never through a file.
 */
export const startWorkerd = async (settings: WorkerdSettings): Promise<RunningWorkerd> => {
  const config = path.join(path.dirname(settings.worker), "workerd.capnp");
  // It may hold the private key of a certificate.
  await writeFile(config, configText(settings), { mode: 0o600 });
  await prepareStorage(settings.plan, settings.worker);
  const child = spawn(workerd.default, ["serve", config], {
    stdio: ["ignore", "inherit", "pipe"],
    env: { ...process.env, ...prefixed(settings.secrets) },
  });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.removeListener("exit", kill));
  let words = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => {
    words = (words + text).slice(-4000);
    process.stderr.write(text);
  });
  const ended = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new WorkerdEnded(code, words)));
  });
  const starting = new AbortController();
  ended.catch(() => starting.abort());
  await Promise.race([answering(settings.host, settings.port, starting.signal), ended]).catch(
    (error: unknown) => {
      kill();
      throw error;
    },
  );
  const stop = async (patienceMs = 10_000): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    const impatient = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    await gone;
    clearTimeout(impatient);
  };
  return { process: child, stop };
};

/** workerd ended before it answered. */
export class WorkerdEnded extends Error {
  readonly words: string;
  constructor(code: number | null, words: string) {
    super(`workerd ended with ${code ?? "a signal"}`);
    this.words = words;
  }
}

/** Asks until it answers; a gateway that ended before is not asked again, which would keep the command waiting. */
const answering = async (host: string, port: number, signal: AbortSignal): Promise<void> => {
  for (let tries = 0; tries < 600 && !signal.aborted; tries++) {
    const ok = await fetch(`http://${reachable(host)}:${port}/__postern/health`, {
      signal: AbortSignal.timeout(2000),
    }).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("the gateway does not answer");
};

/** An address at which a listener on this host can be reached from here. */
export const reachable = (host: string): string =>
  host === "0.0.0.0" ? "127.0.0.1" : host === "::" || host === "[::]" ? "[::1]" : host;

const PREFIX = "POSTERN_SECRET_";

const prefixed = (secrets: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(secrets).map(([name, value]) => [PREFIX + name, value]));

const LITERAL = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]|localhost)$/;

/** workerd's configuration, in Cap'n Proto's text form. */
export const configText = (settings: WorkerdSettings): string => {
  const { plan, worker, host, port, secrets, bindings, certificates = {}, trusted = "" } = settings;
  const services: string[] = [];
  const worked: string[] = [];
  const bind = (name: string, service: string): void =>
    void worked.push(`(name = ${quote(name)}, service = ${quote(service)})`);
  for (const [upstream, { targets }] of Object.entries(plan.upstreams)) {
    for (const target of targets) {
      const name = `target:${upstream}.${target.name}`;
      const address = target.binding === undefined ? literalAddress(target.origin) : bindings[target.binding];
      if (address === undefined || target.certificate !== undefined) continue;
      services.push(`(name = ${quote(name)}, external = ${external(target.origin, address)})`);
      bind(target.binding ?? name, name);
    }
  }
  for (const name of Object.keys(secrets))
    worked.push(`(name = ${quote(name)}, fromEnvironment = ${quote(PREFIX + name)})`);
  bind("network:private", "private");
  for (const [binding, certificate] of Object.entries(certificates)) {
    const name = `certificate:${binding}`;
    services.push(`(name = ${quote(name)}, ${certificateNetwork(plan, binding, certificate, trusted)})`);
    bind(binding, name);
  }
  const { edgeCache } = settings;
  if (edgeCache !== undefined) {
    services.push(`(name = "edge-cache", external = (address = ${quote(edgeCache)}, http = ()))`);
  }
  if (plan.gateway.docs !== undefined) {
    const folder = path.resolve(path.dirname(worker), ASSETS.folder);
    services.push(`(name = "assets", disk = (path = ${quote(folder)}))`);
    bind(ASSETS.binding, "assets");
  }
  const objects = durableObjectsText(plan, worker);
  services.push(...objects.services);
  worked.push(...objects.bindings);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "gateway", worker = (
      modules = [(name = "worker.js", esModule = embed ${quote(path.basename(worker))})],
      compatibilityDate = "${COMPATIBILITY_DATE}",
      bindings = [${unique(worked).join(", ")}],
      globalOutbound = "public",${edgeCache === undefined ? "" : '\n      cacheApiOutbound = "edge-cache",'}${objects.fields.map((field) => `\n      ${field},`).join("")}
    )),
    (name = "public", network = (allow = ["public"], tlsOptions = (trustBrowserCas = true))),
    (name = "private", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
    ${services.join(",\n    ")}
  ],
  sockets = [(name = "http", address = ${quote(`${host}:${port}`)}, http = (), service = "gateway")],
);
`;
};

const unique = (list: readonly string[]): string[] => [...new Set(list)];

/** A literal address gets a service of its own: cheaper than a look-up, and it can lead nowhere else (S28, S37). */
const literalAddress = (origin: string): string | undefined => {
  const url = new URL(origin);
  if (!LITERAL.test(url.hostname)) return undefined;
  return `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
};

const external = (origin: string, address: string): string => {
  const quoted = quote(address);
  if (!origin.startsWith("https:")) return `(address = ${quoted}, http = ())`;
  return `(address = ${quoted}, https = (options = (), tlsOptions = (trustBrowserCas = true), certificateHost = ${quote(new URL(origin).hostname)}))`;
};

/** A text literal of Cap'n Proto. */
const quote = (text: string): string => JSON.stringify(text);
