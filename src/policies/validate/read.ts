import { joined } from "../../lib/read-whole.ts";

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

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** A text in UTF-8; undefined where it is none. */
export const textOf = (bytes: Uint8Array<ArrayBuffer>): string | undefined => {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
};
