import { newPipe, readPieces } from "../../lib/pipe.ts";

/** A body that is counted on its way. */
export interface CountedBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Aborted where the stream will never be whole, so that the call which sends it ends. */
  readonly signal: AbortSignal;
  /** Begins to read: one piece, and the next when that has been taken. Never rejects. */
  start(): Promise<void>;
}

/**
 * The same bytes, counted. Once more than `max` have come, `onExcess` is called. The stream goes silent then, and also where
 * the client breaks off: it neither ends nor fails, since workerd closes the chunked body of a request whose stream fails as
 * if it were whole (cloudflare/workerd#4543), and an upstream would take the truncated body for all of it.
 */
export const countedBody = (
  body: ReadableStream<Uint8Array>,
  max: number,
  onExcess: () => void,
): CountedBody => {
  const { readable, writable } = newPipe();
  const writer = writable.getWriter();
  const call = new AbortController();
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
      // What this answers the client is on its way before the call fails.
      setTimeout(() => call.abort(), 0);
      await cancel("too large");
    } catch (error) {
      call.abort();
      await cancel(error).catch(() => undefined);
    }
  };
  return { stream: readable, signal: call.signal, start };
};
