import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newPipe } from "../../../src/lib/pipe.ts";
import { keepBody } from "../../../src/runtime/managed/replay.ts";

const bytesOf = async (body: RequestInit["body"]): Promise<Buffer> =>
  body === null ? Buffer.alloc(0) : Buffer.from(await new Response(body).arrayBuffer());

const pieces = (sizes: readonly number[]) => sizes.map((size, index) => new Uint8Array(size).fill(index + 1));

/** A stream that tells how many pieces were taken, and whether it was cancelled. */
const streamOf = (list: readonly Uint8Array[]) => {
  const state = { taken: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const piece = list[state.taken++];
        if (piece === undefined) controller.close();
        else controller.enqueue(piece.slice());
      },
      cancel: () => void (state.cancelled = true),
    },
    { highWaterMark: 0 },
  );
  return { stream: stream as ReadableStream<Uint8Array<ArrayBuffer>>, state };
};

describe("a body that may have to be sent again", () => {
  it("is kept up to the bound, and streamed on beyond it: the same bytes either way", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 8 }),
        fc.nat(200),
        async (sizes, max) => {
          const list = pieces(sizes);
          const whole = Buffer.concat(list);
          const kept = await keepBody(streamOf(list).stream, null, max);
          expect(kept.kind).toBe(whole.byteLength > max ? "stream" : "kept");
          expect(Buffer.compare(await bytesOf(kept.body), whole)).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("is read no further than to the first piece beyond the bound, before it goes on", async () => {
    const { stream, state } = streamOf(pieces([10, 10, 10, 10]));
    const kept = await keepBody(stream, null, 15);
    await new Promise((resolve) => setTimeout(resolve));
    expect([kept.kind, state.taken]).toEqual(["stream", 2]);
  });

  it("is not read at all where its length says that it is too long", async () => {
    const { stream, state } = streamOf(pieces([10]));
    expect(await keepBody(stream, "16", 15)).toEqual({ kind: "stream", body: stream });
    expect(state.taken).toBe(0);
  });

  it("may come out of a pipe, as one that a body limit counts does", async () => {
    const { readable, writable } = newPipe();
    const writer = writable.getWriter();
    const pour = async (): Promise<void> => {
      for (const piece of pieces([10, 10, 10])) await writer.write(piece);
      await writer.close();
    };
    void pour();
    const kept = await keepBody(readable as ReadableStream<Uint8Array<ArrayBuffer>>, null, 15);
    expect((await bytesOf(kept.body)).byteLength).toBe(30);
  });

  it("is let go of when nobody reads what goes on", async () => {
    const { stream, state } = streamOf(pieces([10, 10, 10, 10]));
    const kept = await keepBody(stream, null, 15);
    await (kept.body as ReadableStream).cancel("gone");
    await new Promise((resolve) => setTimeout(resolve));
    expect(state.cancelled).toBe(true);
  });

  it.each([
    ["bytes", new Uint8Array([1, 2, 3]), 3],
    ["nothing", null, 0],
  ])("is kept as it is where it is no stream: %s", async (_, body, length) => {
    const kept = await keepBody(body, null, 1);
    expect([kept.kind, (await bytesOf(kept.body)).byteLength]).toEqual(["kept", length]);
  });

  it("rejects where the client breaks off before", async () => {
    const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({ pull: (it) => it.error(new Error("gone")) });
    await expect(keepBody(broken, null, 10)).rejects.toThrow("gone");
  });

  it("goes silent where the client breaks off later, and ends its call: it must not look whole", async () => {
    let pulled = 0;
    const broken = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: (it) => {
          if (++pulled > 2) it.error(new Error("gone"));
          else it.enqueue(new Uint8Array(10));
        },
      },
      { highWaterMark: 0 },
    );
    const kept = await keepBody(broken, null, 15);
    const reader = (kept.body as ReadableStream<Uint8Array>).getReader();
    expect((await reader.read()).value?.byteLength).toBe(20);
    const next = await Promise.race([
      reader.read().then(
        () => "more",
        () => "failed",
      ),
      new Promise((resolve) => setTimeout(resolve, 5, "silent")),
    ]);
    expect(next).toBe("silent");
    expect(kept).toMatchObject({ kind: "stream", signal: { aborted: true } });
  });
});
