import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ClientOptions, type RawData, WebSocket, WebSocketServer } from "ws";
import { until } from "./until.ts";

/** One end of a WebSocket, with what happened there. */
export interface SocketEnd {
  readonly socket: WebSocket;
  /** Messages as they came: text as it is, bytes as a Buffer. */
  readonly messages: (string | Buffer)[];
  readonly pings: string[];
  readonly pongs: string[];
  /** Code and reason, once it is closed. */
  closed(): string | undefined;
}

const watched = (socket: WebSocket): SocketEnd => {
  const messages: (string | Buffer)[] = [];
  const pings: string[] = [];
  const pongs: string[] = [];
  let closed: string | undefined;
  socket.on("message", (data: RawData, isBinary: boolean) =>
    messages.push(isBinary ? (data as Buffer) : (data as Buffer).toString()),
  );
  socket.on("ping", (data: Buffer) => pings.push(data.toString()));
  socket.on("pong", (data: Buffer) => pongs.push(data.toString()));
  socket.on("error", () => {});
  socket.on("close", (code: number, reason: Buffer) => {
    closed = `${code} ${reason.toString()}`.trim();
  });
  return { socket, messages, pings, pongs, closed: () => closed };
};

/** What an origin does with a handshake in place of taking it. */
export type Refuse = (request: IncomingMessage, socket: Duplex) => void;

/** An origin of WebSockets: it sends back what it gets. */
export interface SocketStage {
  readonly port: number;
  /** Requests as they came, upgrades among them, oldest first. */
  readonly asked: IncomingMessage[];
  /** Its ends of the WebSockets that were opened, oldest first. */
  readonly ends: SocketEnd[];
  /** Has handshakes of a path refused. */
  refuse(path: string, how: Refuse): void;
  stop(): Promise<void>;
}

/** Starts an origin that speaks the subprotocol `chat`, and compresses where a client offers it. Plain requests get `plain`. */
export const startSocketStage = async (): Promise<SocketStage> => {
  const asked: IncomingMessage[] = [];
  const ends: SocketEnd[] = [];
  const refusals = new Map<string, Refuse>();
  const sockets = new Set<Duplex>();
  const http = createServer((request, response) => {
    asked.push(request);
    response.setHeader("cache-control", "max-age=60");
    request.resume().once("end", () => response.end("plain"));
  });
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: { threshold: 0 },
    maxPayload: 0,
    handleProtocols: (offered) => (offered.has("chat") ? "chat" : false),
  });
  http.on("connection", (socket) => void sockets.add(socket));
  http.on("upgrade", (request, socket, head) => {
    asked.push(request);
    socket.on("error", () => {});
    const refuse = refusals.get(new URL(request.url!, "http://origin").pathname);
    if (refuse !== undefined) return refuse(request, socket);
    server.handleUpgrade(request, socket, head, (accepted) => {
      const end = watched(accepted);
      accepted.on("message", (data, isBinary) => accepted.send(data, { binary: isBinary }));
      ends.push(end);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    port: (http.address() as { port: number }).port,
    asked,
    ends,
    refuse: (path, how) => void refusals.set(path, how),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => http.close(resolve));
    },
  };
};

/** How a handshake came out for a client. */
export interface Opened extends SocketEnd {
  readonly status: number;
  readonly fields: IncomingMessage["headers"];
  /** Body of an answer that is not 101. */
  readonly body: string;
}

/** Opens a WebSocket, or learns why not. */
export const openSocket = async (
  url: string,
  protocols: readonly string[] = [],
  options: ClientOptions = {},
): Promise<Opened> => {
  const socket = new WebSocket(url, [...protocols], { maxPayload: 0, ...options });
  const end = watched(socket);
  let status = 0;
  let fields: IncomingMessage["headers"] = {};
  let body = "";
  let settled = false;
  socket.on("upgrade", (response) => {
    fields = response.headers;
  });
  socket.on("open", () => {
    status = 101;
    settled = true;
  });
  socket.on("unexpected-response", (_request, response) => {
    status = response.statusCode!;
    fields = response.headers;
    response.on("data", (chunk: Buffer) => (body += chunk.toString()));
    response.on("end", () => {
      settled = true;
    });
  });
  await until("the answer to a handshake", () => settled);
  return { ...end, status, fields, body };
};
