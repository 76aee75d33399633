import { type ReadBytes, readWhole } from "../../lib/read-whole.ts";
import { LOST_MS } from "./flights.ts";

/**
 * Reads a body for the cache, at most `most` bytes, and for no longer than anybody could wait for it: one that never ends would
 * keep its upstream at work when its client has gone long since. Never rejects.
 */
export const readInTime = (
  body: ReadableStream<Uint8Array>,
  most: number,
): Promise<ReadBytes | "too-slow"> => {
  const reader = body.getReader();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void reader.cancel().catch(() => undefined);
  }, LOST_MS);
  return readWhole(reader, most).then((bytes) => {
    clearTimeout(timer);
    // What was cancelled looks as if it had come to its end.
    return isLate ? "too-slow" : bytes;
  });
};
