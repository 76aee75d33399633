import { newPipe, readPieces } from "../../lib/pipe.ts";

/** A request's body, kept where it may have to be sent again. */
export type KeptBody =
  | { readonly kind: "kept"; readonly body: Uint8Array<ArrayBuffer> | null }
  /** Too long to be kept: it is sent once. The signal is aborted where it will never be whole. */
  | { readonly kind: "stream"; readonly body: RequestInit["body"]; readonly signal?: AbortSignal };

/**
 * Reads a body into memory up to `max` bytes. A longer one goes on as a stream of what was read and what remains; one that says
 * so in its Content-Length is not read at all. Rejects when the client breaks off.
 */
export const keepBody = async (
  body: RequestInit["body"],
  contentLength: string | null,
  max: number,
): Promise<KeptBody> => {
  if (!(body instanceof ReadableStream)) return { kind: "kept", body: await bytesOf(body) };
  if (contentLength !== null && Number(contentLength) > max) return { kind: "stream", body };
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { kind: "kept", body: joined(chunks, length) };
    chunks.push(value);
    length += value.byteLength;
    if (length > max) break;
  }
  reader.releaseLock();
  return { kind: "stream", ...continued(joined(chunks, length), body) };
};

const bytesOf = async (body: RequestInit["body"]): Promise<Uint8Array<ArrayBuffer> | null> =>
  body === null || body === undefined ? null : new Uint8Array(await new Response(body).arrayBuffer());

const joined = (chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
};

/**
 * Moves piece by piece: workerd cannot let one pipe flow into another, and what is read here may come out of one. Where the
 * client breaks off, the stream neither ends nor fails, as that of a body limit does: the signal ends the call.
 */
const continued = (
  beginning: Uint8Array<ArrayBuffer>,
  rest: ReadableStream<Uint8Array>,
): { readonly body: ReadableStream<Uint8Array>; readonly signal: AbortSignal } => {
  const { readable, writable } = newPipe();
  const call = new AbortController();
  const pour = async (): Promise<void> => {
    const writer = writable.getWriter();
    const { read, cancel } = readPieces(rest);
    try {
      await writer.write(beginning);
      for (let piece = await read(); piece !== undefined; piece = await read()) await writer.write(piece);
      await writer.close();
    } catch (error) {
      call.abort();
      await cancel(error).catch(() => undefined);
    }
  };
  void pour();
  return { body: readable, signal: call.signal };
};
