import { Agent, createServer, type IncomingMessage, request as open, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A store of a gateway, with somebody at the door who knows which case a request belongs to. */
export interface Watched {
  /** `host:port`, in place of that of the store. */
  readonly address: string;
  /** How many writes for a case are done. */
  writes(name: string): number;
  /** Whether nothing is under way for a case, and nothing was for so long, in milliseconds. */
  isQuiet(name: string, forMs: number): boolean;
  stop(): Promise<void>;
}

/** Names of cases, which are part of every key. */
const NAMES = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;

interface Seen {
  open: number;
  writes: number;
  lastMs: number;
}

/** Listens on loopback and hands every request on to the store. `isWrite` tells a write by its method and body. */
export const watch = async (
  store: string,
  isWrite: (method: string, body: string) => boolean,
): Promise<Watched> => {
  const cases = new Map<string, Seen>();
  const [hostname, port] = store.split(":");
  const agent = new Agent({ keepAlive: true });
  const noted = (name: string): Seen => {
    const known = cases.get(name) ?? { open: 0, writes: 0, lastMs: 0 };
    cases.set(name, known);
    return known;
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "", url = "", headers } = request;
    const body = await whole(request);
    const text = body.toString("latin1");
    const its = [...new Set((url + text).match(NAMES))].map(noted);
    for (const one of its) one.open++;
    try {
      const sent = open({ hostname, port, method, path: url, headers, agent });
      sent.end(body);
      const answer = await new Promise<IncomingMessage>((resolve, reject) =>
        sent.once("response", resolve).once("error", reject),
      );
      const content = await whole(answer);
      response.writeHead(answer.statusCode!, answer.rawHeaders).end(content);
    } finally {
      for (const one of its) {
        one.open--;
        one.lastMs = performance.now();
        if (isWrite(method, text)) one.writes++;
      }
    }
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    writes: (name) => cases.get(name)?.writes ?? 0,
    isQuiet: (name, forMs) => {
      const seen = cases.get(name);
      return seen === undefined || (seen.open === 0 && performance.now() - seen.lastMs >= forMs);
    },
    stop: async () => {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const whole = async (message: IncomingMessage): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
};

const QUIET_MS = 30;
const LONGEST_MS = 2000;

/**
 * Waits until all that an answer set going has come to the stores: they have a write for its case if the answer says that it was
 * stored, and are quiet about it. `before` is how many writes each had.
 */
export const atRest = async (
  stores: readonly Watched[],
  name: string,
  before: readonly number[],
  cacheStatus: string,
): Promise<void> => {
  const writes = /; stored|fwd-status=304/.test(cacheStatus);
  const end = performance.now() + LONGEST_MS;
  const holds = (): boolean =>
    stores.every(
      (store, index) => store.isQuiet(name, QUIET_MS) && (!writes || store.writes(name) > before[index]!),
    );
  while (!holds() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
};
