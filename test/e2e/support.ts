import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, createServer as createRawServer, type Socket } from "node:net";
import os from "node:os";
import path from "node:path";

/** Folder of the project. */
export const ROOT = path.resolve(import.meta.dirname, "../..");

// The command is started some hundred times: what Node compiles of it is kept for the next time.
process.env["NODE_COMPILE_CACHE"] ??= path.join(os.tmpdir(), "node-compile-cache");

/** Asks again until the answer is true; fails with the given words when that takes too long. */
export const until = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> => {
  const end = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
};

/** An answer, read from the bytes of a connection. */
export interface RawAnswer {
  readonly status: number;
  /** Fields in their order, with names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** Whether the body was all there by its own framing: its length, or the last chunk. */
  readonly complete: boolean;
  /** Interim statuses that came before. */
  readonly interim: readonly number[];
  /** What came behind the answer on the same connection. */
  readonly rest: Buffer;
}

/** All values of a field. */
export const fieldsOf = ({ fields }: Pick<RawAnswer, "fields">, name: string): readonly string[] =>
  fields.filter(([key]) => key === name).map(([, value]) => value);

/** The value of a field, joined where it is repeated; undefined where there is none. */
export const fieldOf = (answer: Pick<RawAnswer, "fields">, name: string): string | undefined => {
  const values = fieldsOf(answer, name);
  return values.length === 0 ? undefined : values.join(", ");
};

/** Reads an answer from bytes; undefined while its header is not all there. */
export const parseAnswer = (bytes: Buffer, method: string, closed: boolean): RawAnswer | undefined => {
  const interim: number[] = [];
  let from = 0;
  for (;;) {
    const end = bytes.indexOf("\r\n\r\n", from);
    if (end < 0) return undefined;
    const [first = "", ...lines] = bytes.toString("latin1", from, end).split("\r\n");
    const status = Number(first.split(" ")[1]);
    from = end + 4;
    if (status >= 100 && status < 200 && status !== 101) {
      interim.push(status);
      continue;
    }
    const fields = lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    });
    return { status, fields, interim, ...bodyOf(bytes.subarray(from), { status, fields, method, closed }) };
  }
};

interface Framing {
  readonly status: number;
  readonly fields: RawAnswer["fields"];
  readonly method: string;
  readonly closed: boolean;
}

/** The body by RFC 9112 section 6.3. */
const bodyOf = (bytes: Buffer, framing: Framing): Pick<RawAnswer, "body" | "complete" | "rest"> => {
  const { status, method, closed } = framing;
  if (method === "HEAD" || status === 204 || status === 304 || status === 101)
    return { body: Buffer.alloc(0), complete: true, rest: bytes };
  if (fieldOf(framing, "transfer-encoding")?.toLowerCase() === "chunked") return chunkedBody(bytes);
  const length = fieldOf(framing, "content-length");
  if (length === undefined) return { body: bytes, complete: closed, rest: Buffer.alloc(0) };
  return {
    body: bytes.subarray(0, Number(length)),
    complete: bytes.length >= Number(length),
    rest: bytes.subarray(Number(length)),
  };
};

const chunkedBody = (bytes: Buffer): Pick<RawAnswer, "body" | "complete" | "rest"> => {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf("\r\n", at);
    const size = end < 0 ? Number.NaN : Number.parseInt(bytes.toString("latin1", at, end), 16);
    if (Number.isNaN(size) || bytes.length < end + 2 + size + 2) {
      if (!Number.isNaN(size)) chunks.push(bytes.subarray(end + 2));
      return { body: Buffer.concat(chunks), complete: false, rest: Buffer.alloc(0) };
    }
    if (size === 0) return { body: Buffer.concat(chunks), complete: true, rest: bytes.subarray(end + 4) };
    chunks.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
};

/** A connection of a client that writes what it likes. */
export interface Wire {
  readonly socket: Socket;
  /** Everything that came so far. */
  bytes(): Buffer;
  closed(): boolean;
  /** Writes text (each character a byte) or bytes. */
  send(data: string | Buffer): void;
  /** Waits for a whole answer, or for as much of it as came before the connection ended. Rejects when neither happens in time. */
  answer(method?: string, deadlineMs?: number): Promise<RawAnswer>;
}

/** Opens a connection to loopback. */
export const dial = async (port: number): Promise<Wire> => {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  let closed = false;
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.once("close", () => {
    closed = true;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", () => resolve());
    socket.once("error", reject);
  });
  const bytes = (): Buffer => Buffer.concat(chunks);
  return {
    socket,
    bytes,
    closed: () => closed,
    send: (data) => void socket.write(typeof data === "string" ? Buffer.from(data, "latin1") : data),
    answer: async (method = "GET", deadlineMs = 10_000) => {
      let found: RawAnswer | undefined;
      await until(
        "a whole answer, or the end of the connection",
        () => {
          found = parseAnswer(bytes(), method, closed);
          return closed || found?.complete === true;
        },
        deadlineMs,
      );
      if (found === undefined)
        throw new Error(
          `the connection ended without an answer: ${JSON.stringify(bytes().toString("latin1"))}`,
        );
      return found;
    },
  };
};

/** Sends one request as it is written and answers what came back; the connection is closed behind it. */
export const ask = async (port: number, text: string | Buffer, deadlineMs?: number): Promise<RawAnswer> => {
  const wire = await dial(port);
  try {
    wire.send(text);
    return await wire.answer(text.toString("latin1").split(" ", 1)[0], deadlineMs);
  } finally {
    wire.socket.destroy();
  }
};

/** The text of a request with `Host: api.example.com`, unless the fields bring their own. */
export const requestText = (
  line: string,
  fields: readonly string[] = [],
  body = "",
  host = "api.example.com",
): string => [`${line} HTTP/1.1`, `Host: ${host}`, ...fields, "", body].join("\r\n");

/** A problem (RFC 9457) in an answer. */
export const problemOf = ({ body }: Pick<RawAnswer, "body">): Record<string, unknown> =>
  JSON.parse(body.toString("utf8")) as Record<string, unknown>;

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

/** Processes that a process started and that still run, and theirs. */
export const descendants = (pid: number): readonly number[] => {
  const children = processes().filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child.pid, ...descendants(child.pid)]);
};

const processes = (): readonly { readonly pid: number; readonly parent: number }[] =>
  readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state === "Z" ? [] : [{ pid: Number(name), parent: Number(parent) }];
    } catch {
      return [];
    }
  });

/** Whether a process still runs. */
export const isAlive = (pid: number): boolean => processes().some((it) => it.pid === pid);

/** The workerd that runs the gateway of a `postern serve`: the one that it started itself. */
export const workerdOf = (pid: number): number => {
  const found = processes().filter(
    ({ pid: child, parent }) => parent === pid && programOf(child) === "workerd",
  );
  if (found.length !== 1) throw new Error(`${found.length} workerd processes below ${pid}`);
  return found[0]!.pid;
};

const programOf = (pid: number): string => {
  try {
    return path.basename(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return "";
  }
};

/** Open file descriptors of a process. */
export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** Resident memory of a process in MiB. */
export const residentMib = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))![1]) / 1024;

/** A copy of the project as git would clone it, for what writes into the folder that it runs in. */
export const projectCopy = (): string => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-copy-"));
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  for (const file of files.split("\0").filter(Boolean)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    cpSync(path.join(ROOT, file), path.join(folder, file));
  }
  symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  return folder;
};
