import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createRawServer, type Socket } from "node:net";
import type { RawAnswer } from "./wire.ts";

export type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server whose answers tests choose by path; it neither reads nor answers anything by itself. */
export interface Stage {
  readonly url: string;
  readonly port: number;
  /** Requests as they came: method and target. */
  readonly asked: readonly string[];
  /** The fields of the last request, as pairs with names in lower case. */
  last(): { readonly method: string; readonly url: string; readonly fields: RawAnswer["fields"] };
  on(path: string, handle: Handle): void;
  /** Connections that are open now. */
  connections(): number;
  stop(): Promise<void>;
}

/** Starts a stage; paths without a handler are answered with 200 and no body, once the request is read. */
export const startStage = async (): Promise<Stage> => {
  const handlers = new Map<string, Handle>();
  const asked: string[] = [];
  let last: IncomingMessage | undefined;
  const server = createServer((request, response) => {
    last = request;
    request.on("error", () => {});
    response.on("error", () => {});
    asked.push(`${request.method} ${request.url}`);
    const handle = handlers.get(request.url!.split("?")[0]!);
    if (handle !== undefined) handle(request, response);
    else request.resume().once("end", () => response.end());
  });
  const { url, port, sockets, stop } = await listen(server);
  return {
    url,
    port,
    asked,
    stop,
    last: () => ({
      method: last!.method!,
      url: last!.url!,
      fields: pairs(last!.rawHeaders),
    }),
    on: (name, handle) => void handlers.set(name, handle),
    connections: () => sockets.size,
  };
};

const pairs = (raw: readonly string[]): RawAnswer["fields"] =>
  raw.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1]!] as const] : []));

/** A server of bare sockets. */
export interface RawStage {
  readonly url: string;
  readonly port: number;
  /** How many connections there have been. */
  accepted(): number;
  /** Connections that are open now. */
  connections(): number;
  stop(): Promise<void>;
}

/** Starts a server that gets each connection as it is accepted. */
export const startRawStage = async (talk: (socket: Socket) => void): Promise<RawStage> => {
  let accepted = 0;
  const server = createRawServer((socket) => {
    accepted++;
    socket.on("error", () => {});
    // Whoever does not read does not see the other side leave.
    socket.resume();
    talk(socket);
  });
  const { url, port, sockets, stop } = await listen(server);
  return { url, port, accepted: () => accepted, connections: () => sockets.size, stop };
};

const listen = async (server: Server | ReturnType<typeof createRawServer>) => {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, port, sockets, stop };
};
