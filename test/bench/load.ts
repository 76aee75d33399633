import { connect, type Socket } from "node:net";

/** The bytes of the request with a number, from 0 on. */
export type Request = (index: number) => Buffer;

/** How long one call of `send` may take; a gateway that hangs is not waited for. */
const PATIENCE_MS = 60_000;
/** workerd closes a connection that rests for 15 seconds; one that rested for this long is opened anew. */
const MOST_REST_MS = 5000;
const END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

/** Connections to one listener that stay open, and on each of them one request at a time. */
export class Client {
  readonly #port: number;
  readonly #size: number;
  #connections: readonly Connection[] = [];
  #usedMs = Number.NEGATIVE_INFINITY;

  constructor(port: number, connections: number) {
    this.#port = port;
    this.#size = connections;
  }

  /** Sends so many requests. Rejects when an answer is not 200: what is measured then is something else. */
  async send(request: Request, count: number): Promise<void> {
    if (performance.now() - this.#usedMs > MOST_REST_MS) this.#open();
    let index = 0;
    const converse = async (connection: Connection): Promise<void> => {
      while (index < count) await connection.ask(request(index++));
    };
    const late = setTimeout(() => {
      const error = new Error(`no answer for ${PATIENCE_MS / 1000} s`);
      for (const connection of this.#connections) connection.fail(error);
    }, PATIENCE_MS);
    await Promise.all(this.#connections.map(converse)).finally(() => clearTimeout(late));
    this.#usedMs = performance.now();
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
    this.#connections = [];
  }

  #open(): void {
    this.close();
    this.#connections = Array.from({ length: this.#size }, () => new Connection(this.#port));
  }
}

class Connection {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (data: Buffer) => this.#take(data));
    this.#socket.on("error", (error) => this.fail(error));
    this.#socket.on("close", () => this.fail(new Error("the connection was closed before its time")));
  }

  ask(request: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  /** Gives up the request that waits, if any does. */
  fail(error: Error): void {
    this.#waiting?.reject(error);
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(data: Buffer): void {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    const length = lengthOf(this.#rest);
    if (length === undefined || this.#rest.length < length || this.#waiting === undefined) return;
    const { resolve, reject } = this.#waiting;
    this.#waiting = undefined;
    if (this.#rest.toString("latin1", 9, 12) !== "200")
      reject(new Error(`an answer that is not 200:\n${this.#rest.toString("latin1")}`));
    this.#rest = this.#rest.subarray(length);
    resolve();
  }
}

/** The length of the answer at the front; undefined where it cannot be told yet. */
const lengthOf = (bytes: Buffer): number | undefined => {
  const end = bytes.indexOf(END);
  if (end < 0) return undefined;
  const stated = /\r\ncontent-length: *(\d+)/i.exec(bytes.toString("latin1", 0, end));
  if (stated !== null) return end + END.length + Number(stated[1]);
  const last = bytes.indexOf(LAST_CHUNK, end);
  return last < 0 ? undefined : last + LAST_CHUNK.length;
};
