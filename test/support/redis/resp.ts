import net from "node:net";

/** What Redis answers to a command, texts as bytes. */
export type Reply = null | number | Buffer | Simple | RedisError | readonly Reply[];

/** A status such as OK: the one kind of text that is never encoded. */
export class Simple {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** An error as Redis words it. */
export class RedisError extends Error {}

/** A connection to Redis in its own protocol (RESP2). Commands that are sent together stay together. */
export class Connection {
  readonly #socket: net.Socket;
  readonly #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
  #received = Buffer.alloc(0);

  constructor(socketFile: string) {
    this.#socket = net.connect(socketFile);
    this.#socket.on("data", (bytes) => this.#take(bytes));
    const fail = (error?: Error): void => {
      for (const { reject } of this.#waiting.splice(0)) reject(error ?? new Error("Redis hung up"));
    };
    this.#socket.on("error", fail);
    this.#socket.on("close", () => fail());
  }

  /** Sends commands one after the other and answers their replies; an error is a reply too. */
  send(commands: readonly (readonly (string | Buffer)[])[]): Promise<readonly Reply[]> {
    const replies = commands.map(
      () => new Promise<Reply>((resolve, reject) => this.#waiting.push({ resolve, reject })),
    );
    this.#socket.write(Buffer.concat(commands.map(encode)));
    return Promise.all(replies);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    for (;;) {
      const read = parse(this.#received, 0);
      if (read === undefined) return;
      this.#received = this.#received.subarray(read.end);
      this.#waiting.shift()?.resolve(read.reply);
    }
  }
}

const encode = (parts: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat([
    Buffer.from(`*${parts.length}\r\n`),
    ...parts.flatMap((part) => {
      const bytes = Buffer.from(part as string);
      return [Buffer.from(`$${bytes.byteLength}\r\n`), bytes, Buffer.from("\r\n")];
    }),
  ]);

interface Read {
  readonly reply: Reply;
  readonly end: number;
}

/** Reads one reply; undefined where not all of it is there yet. */
const parse = (bytes: Buffer, at: number): Read | undefined => {
  const lineEnd = bytes.indexOf("\r\n", at);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString("utf8", at + 1, lineEnd);
  const end = lineEnd + 2;
  switch (String.fromCharCode(bytes[at]!)) {
    case "+":
      return { reply: new Simple(line), end };
    case "-":
      return { reply: new RedisError(line), end };
    case ":":
      return { reply: Number(line), end };
    case "$":
      return parseBulk(bytes, Number(line), end);
    default:
      return parseArray(bytes, Number(line), end);
  }
};

const parseBulk = (bytes: Buffer, length: number, at: number): Read | undefined => {
  if (length < 0) return { reply: null, end: at };
  const end = at + length + 2;
  return bytes.byteLength < end ? undefined : { reply: Buffer.from(bytes.subarray(at, at + length)), end };
};

const parseArray = (bytes: Buffer, length: number, at: number): Read | undefined => {
  if (length < 0) return { reply: null, end: at };
  const items: Reply[] = [];
  let end = at;
  for (let index = 0; index < length; index++) {
    const item = parse(bytes, end);
    if (item === undefined) return undefined;
    items.push(item.reply);
    end = item.end;
  }
  return { reply: items, end };
};
