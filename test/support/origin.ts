import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createRawServer, type Server as RawServer, type Socket } from "node:net";

/** A request as an origin received it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** A real HTTP server on loopback that does what a test says and remembers what it was asked. */
export interface Origin {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  stop(): Promise<void>;
}

export type Answer = (request: Received, response: ServerResponse) => void;

/** Echoes what it received as JSON. */
export const echo: Answer = (request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(
    JSON.stringify({
      method: request.method,
      url: request.url,
      headers: request.headers,
      body: request.body,
    }),
  );
};

/** Starts an origin; each request is read whole before it is answered. */
export const startOrigin = async (answer: Answer = echo): Promise<Origin> => {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => {});
    request.on("end", () => {
      const it: Received = {
        method: request.method!,
        url: request.url!,
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      received.push(it);
      answer(it, response);
    });
  });
  return { ...(await listening(server)), received };
};

/** An origin without manners: it gets the bare socket once a request's header has arrived. */
export const startRawOrigin = async (talk: (socket: Socket, head: string) => void): Promise<Origin> => {
  const server = createRawServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (data) => talk(socket, data.toString("latin1")));
  });
  return { ...(await listening(server)), received: [] };
};

const listening = async (server: Server | RawServer): Promise<Omit<Origin, "received">> => {
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
  return { url: `http://127.0.0.1:${port}`, port, stop };
};
