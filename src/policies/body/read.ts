import { lengthOf } from "../../lib/http/content-fields.ts";
import { type ReadBytes, readWhole } from "../../lib/read-whole.ts";

/** Something with a body: a request or an answer. */
interface Message {
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Reads a body of at most `most` bytes. One of a known length is read by the platform in one go, which costs less. */
export const readMessage = async (message: Message, most: number): Promise<ReadBytes> => {
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
export const readStream = (stream: ReadableStream<Uint8Array>, most: number): Promise<ReadBytes> =>
  readWhole(stream.getReader(), most);

/** application/json, and every type whose suffix says that it is JSON (RFC 6839 section 3.1). */
export const isJsonType = (contentType: string | null): boolean => {
  if (contentType === null) return false;
  const semicolon = contentType.indexOf(";");
  const type = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
  return type === "application/json" || type === "text/json" || /^[^/\s]+\/[^/\s]+\+json$/.test(type);
};

/** Fields that are about the very bytes of a body, and so no longer about an edited one (RFC 9530, RFC 1864). */
export const OF_THE_BYTES = [
  "content-length",
  "content-md5",
  "digest",
  "content-digest",
  "repr-digest",
] as const;
