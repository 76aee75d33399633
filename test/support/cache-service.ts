import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * What stands behind the Cache API of plain workerd (`cacheApiOutbound`), in its own protocol: GET answers what is stored, with
 * `CF-Cache-Status: HIT`, or 504 with MISS; PUT brings an answer as it would be on the wire; PURGE takes it away. It keeps
 * things for as long as `max-age` says, and looks at nothing else.
 */
export interface CacheService {
  /** `host:port`, for `postern serve --edge-cache`. */
  readonly address: string;
  /** How many answers it holds. */
  readonly size: number;
  /** Requests by method so far. */
  readonly asked: Readonly<Record<string, number>>;
  /** For how long it waits before it answers. */
  delayMs: number;
  clear(): void;
  stop(): Promise<void>;
}

interface Kept {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: Buffer;
  readonly untilMs: number;
}

/** Starts it on a port of loopback. */
export const startCacheService = async (): Promise<CacheService> => {
  const kept = new Map<string, Kept>();
  const asked: Record<string, number> = {};
  const service = { delayMs: 0 };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "", url = "" } = request;
    asked[method] = (asked[method] ?? 0) + 1;
    const bytes = await whole(request);
    if (service.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, service.delayMs));
    if (method === "PUT") {
      kept.set(url, parsed(bytes));
      response.writeHead(204).end();
    } else if (method === "PURGE") response.writeHead(kept.delete(url) ? 200 : 404).end();
    else {
      const found = kept.get(url);
      if (found === undefined || found.untilMs <= Date.now())
        response.writeHead(504, { "cf-cache-status": "MISS" }).end();
      else response.writeHead(found.status, [...found.fields, "CF-Cache-Status", "HIT"]).end(found.body);
    }
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get size() {
      return kept.size;
    },
    asked,
    get delayMs() {
      return service.delayMs;
    },
    set delayMs(ms: number) {
      service.delayMs = ms;
    },
    clear: () => kept.clear(),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const whole = async (request: IncomingMessage): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
};

/** An answer as it is on the wire. */
const parsed = (bytes: Buffer): Kept => {
  const end = bytes.indexOf("\r\n\r\n");
  const [line = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const fields = lines.flatMap((field) => {
    const colon = field.indexOf(":");
    const name = field.slice(0, colon);
    return /^(?:transfer-encoding|content-length|connection)$/i.test(name)
      ? []
      : [name, field.slice(colon + 1).trim()];
  });
  const seconds = Number(/max-age=(\d+)/.exec(lines.join("\n"))?.[1] ?? 0);
  return {
    status: Number(line.split(" ")[1]),
    fields,
    body: bytes.subarray(end + 4),
    untilMs: Date.now() + seconds * 1000,
  };
};

if (import.meta.main) {
  const { address } = await startCacheService();
  process.stdout.write(`${address.split(":")[1]}\n`);
  process.stdin.resume();
  process.stdin.on("end", () => process.exit());
}
