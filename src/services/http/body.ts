import type { Context, Next } from "hono";
import { problem } from "./problem.ts";

/** The largest body that a service reads: 64 KiB. */
export const MAX_BODY_BYTES = 64 * 1024;

/** Reads a body to its end, or answers undefined, and drops the rest, as soon as it is known to exceed the limit. */
const readLimited = async (body: ReadableStream<Uint8Array>): Promise<Uint8Array | undefined> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    length += read.value.byteLength;
    if (length > MAX_BODY_BYTES) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(read.value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
};

/** The text of well-formed UTF-8, which JSON between systems must be (RFC 8259 section 8.1); undefined for other bytes. */
const decode = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

const isJson = (contentType: string | undefined): boolean =>
  contentType?.split(";")[0]?.trim().toLowerCase() === "application/json";

/**
 * Runs before an operation that takes a body: reads it, once and with a limit, and answers what the library would
 * answer in plain text or not at all: 415 for another media type or a content coding (RFC 9110 section 15.5.16; for
 * PATCH also RFC 5789 section 2.2), 413 for more than `MAX_BODY_BYTES`, 400 for no body or bytes that are not UTF-8.
 */
export const readBody = async (c: Context, next: Next) => {
  const { raw } = c.req;
  if (!isJson(c.req.header("content-type"))) {
    const accepted = c.req.method === "PATCH" ? "accept-patch" : "accept";
    return problem(c, 415, "unsupported-media-type", "The body must be application/json.", {
      headers: { [accepted]: "application/json" },
    });
  }
  if (c.req.header("content-encoding") !== undefined) {
    return problem(c, 415, "unsupported-media-type", "The body must have no content coding.", {
      headers: { "accept-encoding": "identity" },
    });
  }
  const tooLong = Number(c.req.header("content-length") ?? 0) > MAX_BODY_BYTES;
  const bytes = tooLong ? undefined : await readLimited(raw.body ?? new Blob().stream());
  if (bytes === undefined) {
    return problem(c, 413, "content-too-large", `The body exceeds ${MAX_BODY_BYTES} bytes.`);
  }
  const text = decode(bytes);
  if (text === undefined) return problem(c, 400, "malformed-body", "The body is not UTF-8.");
  if (text.trim() === "") return problem(c, 400, "malformed-body", "The body is empty.");
  c.req.raw = new Request(raw.url, { method: raw.method, headers: raw.headers, body: text });
  return next();
};
