import { connect, type Socket } from "node:net";

/** What is asked of one listener. */
export interface Load {
  readonly port: number;
  /** The bytes of the request with a number, from 0 on. */
  readonly request: (index: number) => Buffer;
  readonly count: number;
  readonly connections: number;
}

const END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

/**
 * Sends requests over connections that stay open, on each the next when the answer to the last is whole. Rejects when an
 * answer is not 200: what is measured then is something else. Answers the seconds that it took.
 */
export const run = async (load: Load): Promise<number> => {
  const begun = process.hrtime.bigint();
  const next = { index: 0 };
  await Promise.all(Array.from({ length: load.connections }, () => converse(load, next)));
  return Number(process.hrtime.bigint() - begun) / 1e9;
};

const converse = ({ port, request, count }: Load, next: { index: number }): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let rest: Buffer = Buffer.alloc(0);
    const send = (): void => {
      if (next.index >= count) {
        socket.destroy();
        resolve();
      } else socket.write(request(next.index++));
    };
    socket.once("connect", send);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the connection was closed before its time")));
    socket.on("data", (data: Buffer) => {
      rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
      const length = lengthOf(rest);
      if (length === undefined || rest.length < length) return;
      if (rest.toString("latin1", 9, 12) !== "200") fail(socket, rest, reject);
      rest = rest.subarray(length);
      send();
    });
  });

const fail = (socket: Socket, answer: Buffer, reject: (error: Error) => void): void => {
  socket.destroy();
  reject(new Error(`an answer that is not 200:\n${answer.toString("latin1")}`));
};

/** The length of the answer at the front; undefined where it cannot be told yet. */
const lengthOf = (bytes: Buffer): number | undefined => {
  const end = bytes.indexOf(END);
  if (end < 0) return undefined;
  const stated = /\r\ncontent-length: *(\d+)/i.exec(bytes.toString("latin1", 0, end));
  if (stated !== null) return end + END.length + Number(stated[1]);
  const last = bytes.indexOf(LAST_CHUNK, end);
  return last < 0 ? undefined : last + LAST_CHUNK.length;
};
