/** Bytes of a body that was read whole; else what is left of it, to be passed on as if nothing had been read. */
export type Bounded =
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly rest: ReadableStream<Uint8Array> }
  | "broken";

/** Reads a stream of at most `most` bytes. What is longer is not lost: it goes on as a stream that begins anew. Never rejects. */
export const readBounded = async (stream: ReadableStream<Uint8Array>, most: number): Promise<Bounded> => {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { bytes: joined(chunks, size) };
      chunks.push(value);
      size += value.byteLength;
      if (size > most) return { rest: resumed(chunks, reader) };
    }
  } catch {
    return "broken";
  }
};

const joined = (chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
};

const resumed = (
  chunks: readonly Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> => {
  let next = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (next < chunks.length) return controller.enqueue(chunks[next++]!);
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
};

/** Content-Length, which HTTP's framing holds the body to (RFC 9112 section 6.3). */
export const lengthOf = (headers: Headers): number | undefined => {
  const length = headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
};

/** Whether content is coded: gzip and its like, which is never undone here. */
export const isCoded = (headers: Headers): boolean => {
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  return coding !== "" && coding !== "identity";
};

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** A text in UTF-8; undefined where it is none. */
export const textOf = (bytes: Uint8Array<ArrayBuffer>): string | undefined => {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
};
