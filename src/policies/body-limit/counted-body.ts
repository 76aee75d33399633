import { newPipe, readPieces } from "../../lib/pipe.ts";

/** A body that is counted on its way. */
export interface CountedBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Begins to read: one piece, and the next when that has been taken. Never rejects. */
  start(): Promise<void>;
}

/**
 * The same bytes, counted. Once more than `max` have come, `onExcess` is called and the stream goes silent: it neither ends
 * nor fails, since workerd closes the chunked body of a request whose stream fails as if it were whole
 * (cloudflare/workerd#4543), and an upstream would take the truncated body for all of it.
 */
export const countedBody = (
  body: ReadableStream<Uint8Array>,
  max: number,
  onExcess: () => void,
): CountedBody => {
  const { readable, writable } = newPipe();
  const writer = writable.getWriter();
  const start = async (): Promise<void> => {
    const { read, cancel } = readPieces(body);
    try {
      let total = 0;
      for (;;) {
        const piece = await read();
        if (piece === undefined) return await writer.close();
        total += piece.byteLength;
        if (total > max) break;
        await writer.write(piece);
      }
      onExcess();
      await cancel("too large");
    } catch (error) {
      // Nobody reads any more; or the client is gone, and then too the stream stays silent.
      await cancel(error).catch(() => undefined);
    }
  };
  return { stream: readable, start };
};
