import { describe, expect, it } from "vitest";
import { readWhole } from "../../src/lib/read-whole.ts";
import { streamOf } from "../support/streams.ts";

describe("reading a stream within a bound", () => {
  it.each<[string, string, (string | Error)[], number]>([
    ["all of it", "3: abc", ["a", "bc"], 3],
    ["nothing", "0: ", [], 0],
    ["more than the bound", "too-large", ["a", "bcd"], 3],
    ["one that fails", "broken", ["a", new Error("reset")], 3],
  ])("%s", async (_sentence, result, chunks, most) => {
    const read = await readWhole(streamOf(...chunks).getReader(), most);
    const text =
      typeof read === "string" ? read : `${read.buffer.byteLength}: ${new TextDecoder().decode(read)}`;
    expect(text).toBe(result);
  });
});
