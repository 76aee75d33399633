import { lengthOf } from "../lib/http/content-fields.ts";
import { type ReadBytes, readWhole } from "../lib/read-whole.ts";
import type { Exchange } from "./exchange.ts";
import { problem } from "./problem.ts";

/** The answer to a body of more bytes than are taken (RFC 9110 section 15.5.14). */
export const bodyTooLarge = (exchange: Parameters<typeof problem>[0], maxBytes: number): Response =>
  problem(exchange, {
    status: 413,
    code: "body-too-large",
    title: "Content too large",
    detail: `The body is larger than ${maxBytes} bytes.`,
  });

const EMPTY = new Uint8Array(0);

/**
 * Reads the body of a request, at most `most` bytes, and leaves it on the exchange for whoever comes next. None is empty; the
 * forwarder sends none with GET and HEAD, so whatever comes with these is none either. Never rejects.
 */
export const readBody = async (
  exchange: Pick<Exchange, "method" | "request" | "requestBody">,
  most: number,
): Promise<ReadBytes> => {
  const { method, request, requestBody } = exchange;
  if (method === "GET" || method === "HEAD") return EMPTY;
  const source = requestBody === undefined ? request.body : requestBody;
  if (source === null) return EMPTY;
  const length = lengthOf(request.headers);
  // HTTP's framing holds a body to its length (RFC 9112 section 6.3): not a byte of a longer one is read.
  if (length !== undefined && length > most) return "too-large";
  const read =
    source instanceof Uint8Array
      ? source
      : length !== undefined && requestBody === undefined
        ? await wholeOf(request)
        : await readWhole(source.getReader(), most);
  if (typeof read === "string") return read;
  if (read.byteLength > most) return "too-large";
  exchange.requestBody = read.byteLength === 0 ? null : read;
  return read;
};

/** The platform reads a body of a known length in one go, which costs less. */
const wholeOf = async (request: Request): Promise<ReadBytes> => {
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch {
    return "broken";
  }
};
