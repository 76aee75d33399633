import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newPipe, readPieces } from "../../src/lib/pipe.ts";

/** A stream of pieces of these sizes, each byte the number of its piece. */
const streamOf = (sizes: readonly number[], type?: "bytes"): ReadableStream<Uint8Array> => {
  let next = 0;
  return new ReadableStream({
    type,
    pull: (controller: ReadableStreamDefaultController<Uint8Array> | ReadableByteStreamController) => {
      if (next < sizes.length) {
        controller.enqueue(new Uint8Array(sizes[next]!).fill(++next) as Uint8Array<ArrayBuffer>);
        return;
      }
      controller.close();
      if ("byobRequest" in controller) controller.byobRequest?.respond(0);
    },
  } as UnderlyingDefaultSource<Uint8Array>);
};

const bytesOf = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> =>
  new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());

describe("reading piece by piece into a pipe", () => {
  it("moves the same bytes, whatever the pieces", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 200_000 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.constantFrom(undefined, "bytes" as const), async (given, type) => {
        const { readable, writable } = newPipe();
        const moved = bytesOf(readable);
        const writer = writable.getWriter();
        const { read } = readPieces(streamOf(given, type));
        for (let piece = await read(); piece !== undefined; piece = await read()) {
          await writer.write(piece);
        }
        await writer.close();
        expect(Buffer.compare(await moved, await bytesOf(streamOf(given)))).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it("takes nothing in before somebody reads", async () => {
    const { readable, writable } = newPipe();
    let taken = false;
    const write = writable
      .getWriter()
      .write(new Uint8Array(1))
      .then(() => (taken = true));
    await new Promise((resolve) => setTimeout(resolve));
    expect(taken).toBe(false);
    await readable.getReader().read();
    await write;
    expect(taken).toBe(true);
  });

  it("uses one buffer for all pieces of a stream of bytes", async () => {
    const { read } = readPieces(streamOf(new Array(20).fill(200_000), "bytes"));
    const lengths = new Set<number>();
    for (let piece = await read(); piece !== undefined; piece = await read())
      lengths.add(piece.buffer.byteLength);
    expect([...lengths]).toEqual([4096, 65_536]);
  });
});
