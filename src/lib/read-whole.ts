/** Bytes that were read, or why they were not: there are more than are taken, or the stream broke off. */
export type ReadBytes = Uint8Array<ArrayBuffer> | "too-large" | "broken";

/** Reads what a stream has to its end, at most `most` bytes; the rest of a longer one is not read. Never rejects. */
export const readWhole = async (
  reader: ReadableStreamDefaultReader<Uint8Array>,
  most: number,
): Promise<ReadBytes> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return joined(chunks, size);
      size += value.byteLength;
      if (size > most) {
        void reader.cancel().catch(() => undefined);
        return "too-large";
      }
      chunks.push(value);
    }
  } catch {
    return "broken";
  }
};

/** Chunks of `size` bytes in all, in one piece. */
export const joined = (chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
};
