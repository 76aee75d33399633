import { type Origin, type Received, startOrigin } from "../../support/origin.ts";
import type { Origins } from "./translate.ts";

/** What an origin says of a request: its own name, and the request as it came. */
export interface Echo {
  readonly backend: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** Names in lower case, repeats joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The field by which a request is known again at the origins. */
export const CASE_FIELD = "x-conformance-case";

/** The backends of the suite, each a real server on loopback that keeps to its `backend_contract`. */
export interface Backends {
  readonly urls: Origins;
  /** How many requests with this value of CASE_FIELD a backend got. */
  count(backend: string, mark: string): number;
  stop(): Promise<void>;
}

const NAMES = [
  "infra-backend-v1",
  "infra-backend-v2",
  "infra-backend-v3",
  "web-backend",
  "app-backend-v1",
  "app-backend-v2",
];

/** Starts all of them. */
export const startBackends = async (): Promise<Backends> => {
  const started = new Map<string, Origin>();
  for (const name of NAMES) started.set(name, await startBackend(name));
  return {
    urls: Object.fromEntries([...started].map(([name, { url }]) => [name, url])),
    count: (backend, mark) =>
      started.get(backend)!.received.filter(({ headers }) => headers[CASE_FIELD] === mark).length,
    stop: async () => void (await Promise.all([...started.values()].map((origin) => origin.stop()))),
  };
};

/** Fields from the pairs of a message, names in lower case, repeats joined by a comma. */
export const joinedFields = (raw: readonly string[]): Record<string, string> => {
  const fields: Record<string, string> = {};
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!.toLowerCase();
    fields[name] = fields[name] === undefined ? raw[index + 1]! : `${fields[name]},${raw[index + 1]}`;
  }
  return fields;
};

const startBackend = (name: string): Promise<Origin> => {
  /** How often a request with this uuid has failed. */
  const failures = new Map<string, number>();
  return startOrigin((received, response) => {
    const url = new URL(received.url, "http://origin");
    const failing = url.pathname.startsWith("/retry/") && hasToFail(url.searchParams, failures);
    const wait = milliseconds(url.searchParams.get(failing ? "delayRetry" : "delay"));
    const status = url.searchParams.get("responseCode");
    setTimeout(() => {
      if (failing && status === null) {
        response.socket?.resetAndDestroy();
        return;
      }
      for (const [field, value] of wishedFields(received)) response.appendHeader(field, value);
      response.writeHead(failing ? Number(status) : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(echoOf(name, received)));
    }, wait);
  });
};

const echoOf = (backend: string, { method, url, headers, rawHeaders }: Received): Echo => ({
  backend,
  method,
  path: url,
  host: headers.host ?? "",
  headers: joinedFields(rawHeaders),
});

const hasToFail = (query: URLSearchParams, failures: Map<string, number>): boolean => {
  const uuid = query.get("uuid") ?? "";
  const failed = failures.get(uuid) ?? 0;
  if (failed >= Number(query.get("succeedAfter") ?? 0)) return false;
  failures.set(uuid, failed + 1);
  return true;
};

/** `300ms` or `1s`; none is 0. */
const milliseconds = (text: string | null): number => {
  const [, number = "0", unit] = /^(\d+)(ms|s)$/.exec(text ?? "") ?? [];
  return Number(number) * (unit === "s" ? 1000 : 1);
};

/** `X-Echo-Set-Header: Name:value,Name2:value2`. */
const wishedFields = ({ headers }: Received): readonly (readonly [string, string])[] => {
  const wish = headers["x-echo-set-header"];
  if (typeof wish !== "string") return [];
  return wish.split(",").map((pair) => {
    const colon = pair.indexOf(":");
    return [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()] as const;
  });
};
