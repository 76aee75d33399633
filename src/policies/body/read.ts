import { type ReadBytes, readWhole } from "../../lib/read-whole.ts";

/** A body that was read, or why it was not: more bytes than are taken, or a stream that broke off. */
export type ReadBody = ReadBytes;

/** Something with a body: a request or an answer. */
interface Message {
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Content-Length, which HTTP's framing holds the body to (RFC 9112 section 6.3). */
export const lengthOf = (headers: Headers): number | undefined => {
  const length = headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
};

/** Reads a body of at most `most` bytes. One of a known length is read by the platform in one go, which costs less. */
export const readMessage = async (message: Message, most: number): Promise<ReadBody> => {
  const length = lengthOf(message.headers);
  if (length !== undefined && length > most) {
    void message.body?.cancel().catch(() => undefined);
    return "too-large";
  }
  if (length === undefined && message.body !== null) return readStream(message.body, most);
  try {
    const bytes = new Uint8Array(await message.arrayBuffer());
    return bytes.byteLength > most ? "too-large" : bytes;
  } catch {
    return "broken";
  }
};

/** Reads a stream of at most `most` bytes; the rest of a longer one is not read. */
export const readStream = (stream: ReadableStream<Uint8Array>, most: number): Promise<ReadBody> =>
  readWhole(stream.getReader(), most);

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * JSON text without the blanks around it, checked as a whole: in UTF-8 (RFC 8259 section 8.1), and such as JSON.parse takes.
 * What that makes of it is dropped, so that nobody is tempted to write out again what it has rounded.
 */
export const jsonTextOf = (bytes: Uint8Array<ArrayBuffer>): string | undefined => {
  try {
    const text = UTF8.decode(bytes);
    JSON.parse(text);
    return text.trim();
  } catch {
    return undefined;
  }
};

/** application/json, and every type whose suffix says that it is JSON (RFC 6839 section 3.1). */
export const isJsonType = (contentType: string | null): boolean => {
  if (contentType === null) return false;
  const semicolon = contentType.indexOf(";");
  const type = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
  return type === "application/json" || type === "text/json" || /^[^/\s]+\/[^/\s]+\+json$/.test(type);
};

/** Whether content is coded: gzip and its like, which is never undone here (S32). */
export const isCoded = (headers: Headers): boolean => {
  const coding = headers.get("content-encoding");
  return coding !== null && coding.trim().toLowerCase() !== "identity" && coding.trim() !== "";
};

/** Fields that are about the very bytes of a body, and so no longer about an edited one (RFC 9530, RFC 1864). */
export const OF_THE_BYTES = [
  "content-length",
  "content-md5",
  "digest",
  "content-digest",
  "repr-digest",
] as const;
