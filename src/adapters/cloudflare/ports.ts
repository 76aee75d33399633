import type {
  Clock,
  Counter,
  Fetch,
  Fetcher,
  Log,
  Metrics,
  Ports,
  Random,
  Secrets,
} from "../../core/ports.ts";
import { MemoryCounter } from "../memory/counter.ts";
import { edgeCache } from "./edge-cache.ts";

/** Bindings of a Worker, as the platform hands them over. */
export type Bindings = Readonly<Record<string, unknown>>;

const clock: Clock = { now: () => Date.now() };

const random: Random = { number: () => Math.random(), uuid: () => crypto.randomUUID() };

const log: Log = { write: (record) => console.log(JSON.stringify(record)) };

const network: Fetcher = { fetch: (url, init) => fetch(url, init) };

/**
 * Opens addresses. A service binding, or that of a client certificate, is called in place of the network; where it does not
 * exist, nothing is. A target may have a binding of its own, `target:upstream.name`, that leads nowhere else: plain workerd
 * gives one to every target with a literal address. Private networks exist there only, as `network:private`.
 */
const fetchPort = (env: Bindings): Fetch => ({
  open: ({ name, binding, certificate, network: kind }) => {
    const asked = binding ?? certificate;
    if (asked !== undefined) return env[asked] as Fetcher | undefined;
    const own = name === undefined ? undefined : env[`target:${name}`];
    const wider = kind === "private" ? env["network:private"] : undefined;
    return (own ?? wider ?? network) as Fetcher;
  },
});

const secrets = (env: Bindings): Secrets => ({
  get: (name) => {
    const value = env[name];
    return typeof value === "string" ? value : undefined;
  },
});

/** The ports of an isolate on Workers or plain workerd. */
export const cloudflarePorts = (env: Bindings, metrics: Metrics | undefined): Ports => {
  const counter: Counter = new MemoryCounter(clock);
  return {
    clock,
    random,
    log,
    metrics,
    fetch: fetchPort(env),
    secrets: secrets(env),
    edgeCache: edgeCache(clock),
    isolateCounter: counter,
  };
};
