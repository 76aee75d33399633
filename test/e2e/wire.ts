import { connect, type Socket } from "node:net";
import { expectDocumented } from "../support/recording.ts";
import { until } from "./until.ts";

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

/** Holds an answer of a gateway against its public document. */
const hold = ({ status, fields, body, complete }: RawAnswer, method: string, url: string): void => {
  const headers = new Headers(fields.map(([name, value]): [string, string] => [name, value]));
  const isProblem = complete && headers.get("content-type") === "application/problem+json";
  expectDocumented({ method, url, status, headers, body: isProblem ? body.toString("utf8") : undefined });
};

/** Sends one request as it is written and answers what came back; the connection is closed behind it. */
export const ask = async (port: number, text: string | Buffer, deadlineMs?: number): Promise<RawAnswer> => {
  const wire = await dial(port);
  try {
    wire.send(text);
    const [method = "", target = ""] = text.toString("latin1").split(/[ \r]/, 2);
    const answer = await wire.answer(method, deadlineMs);
    if (target.startsWith("/")) hold(answer, method, `http://127.0.0.1:${port}${target}`);
    return answer;
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
