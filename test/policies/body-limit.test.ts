import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/core/exchange.ts";
import { countedBody } from "../../src/policies/body-limit/counted-body.ts";
import { bodyLimit } from "../../src/policies/body-limit/policy.ts";
import { fakeExchange, fakePorts } from "../support/ports.ts";
import { compilePolicy, linkPolicy } from "./compiling.ts";

/** A body without a length, in pieces of these sizes; `pulled` tells how many were asked for. */
const pieces = (sizes: readonly number[], type?: "bytes") => {
  const state = { pulled: 0, cancelled: false };
  const stream = new ReadableStream(
    {
      type,
      pull: (controller: ReadableStreamDefaultController<Uint8Array> | ReadableByteStreamController) => {
        if (state.pulled < sizes.length) {
          controller.enqueue(new Uint8Array(sizes[state.pulled]!).fill(97) as Uint8Array<ArrayBuffer>);
        }
        state.pulled++;
        if (state.pulled < sizes.length) return;
        controller.close();
        // A read into a buffer that is still waiting ends only so.
        if ("byobRequest" in controller) controller.byobRequest?.respond(0);
      },
      cancel: () => {
        state.cancelled = true;
      },
    } as UnderlyingDefaultSource<Uint8Array>,
    { highWaterMark: 0 },
  );
  return { stream, state };
};

const request = (headers: Record<string, string>, body?: ReadableStream | string, method = "POST"): Request =>
  new Request("https://api.example.com/orders", { method, headers, body, duplex: "half" } as RequestInit);

/** Reads what an upstream would get. */
const received = async (exchange: Exchange): Promise<number> => {
  const body = exchange.requestBody === undefined ? exchange.request.body : exchange.requestBody;
  return body === null ? 0 : (await new Response(body).arrayBuffer()).byteLength;
};

const run = async (
  config: unknown,
  incoming: Request,
  upstream: (exchange: Exchange) => Response | Promise<Response>,
) => {
  const exchange = fakeExchange(incoming);
  const filter = await linkPolicy(bodyLimit, config, fakePorts());
  const answer = await filter(upstream)(exchange);
  return { exchange, answer };
};

/** An upstream that reads everything before it answers. */
const reading = async (exchange: Exchange): Promise<Response> =>
  new Response(String(await received(exchange)));

describe("bodyLimit on a body that says how long it is", () => {
  it.each([
    ["as long as allowed", "100", 200],
    ["one byte longer", "101", 413],
    ["far longer", "999999999999999", 413],
    ["empty", "0", 200],
  ])("%s: %s", async (_, length, status) => {
    let reached = false;
    const { answer } = await run({ max: "100B" }, request({ "content-length": length }, "x"), () => {
      reached = true;
      return new Response();
    });
    expect(answer.status).toBe(status);
    expect(reached).toBe(status === 200);
  });

  it("answers a problem and reads nothing", async () => {
    const body = pieces([200]);
    const { answer } = await run({ max: "100B" }, request({ "content-length": "200" }, body.stream), reading);
    expect(await answer.json()).toMatchObject({
      status: 413,
      code: "body-too-large",
      detail: "The body is larger than 100 bytes.",
    });
    expect(body.state.pulled).toBe(0);
  });

  it("hands on the body itself, uncounted: its framing holds it to its length", async () => {
    const { exchange } = await run(
      { max: "100B" },
      request({ "content-length": "50" }, "x".repeat(50)),
      () => new Response(),
    );
    expect(exchange.requestBody).toBeUndefined();
  });

  it.each(["-1", "1e9", "0x10", "+5", "5, 5", "5 5", "١", "", "9".repeat(65_536)])(
    "counts a body whose length reads %s",
    async (length) => {
      const incoming = request({}, pieces([60, 60]).stream);
      const headers = { get: (name: string) => (name === "content-length" ? length : null) } as Headers;
      const odd = { headers, body: incoming.body, url: incoming.url, method: "POST" } as unknown as Request;
      const { answer } = await run({ max: "100B" }, odd, reading);
      expect(answer.status).toBe(413);
    },
  );
});

describe("bodyLimit on a body that does not say how long it is", () => {
  it.each([
    ["as long as allowed", [50, 50], 200],
    ["one byte longer", [50, 51], 413],
    ["too long in one piece", [1000], 413],
    ["in many small pieces", new Array(200).fill(1), 413],
    ["empty", [], 200],
  ])("%s: %j", async (_, sizes, status) => {
    for (const type of [undefined, "bytes"] as const) {
      const { answer } = await run({ max: "100B" }, request({}, pieces(sizes, type).stream), reading);
      expect(answer.status).toBe(status);
      if (status === 200)
        expect(await answer.text()).toBe(String(sizes.reduce((sum, size) => sum + size, 0)));
    }
  });

  it("never lets the upstream take the truncated body for a whole one", async () => {
    const body = pieces([60, 60, 60]);
    let ended = false;
    const { exchange, answer } = await run({ max: "100B" }, request({}, body.stream), async (inner) => {
      await received(inner).finally(() => {
        ended = true;
      });
      return new Response();
    });
    expect(answer.status).toBe(413);
    expect(exchange.problemCode).toBe("body-too-large");
    expect(exchange.requestSignal?.aborted).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect([ended, exchange.requestSignal?.aborted]).toEqual([false, true]);
    expect(body.state.cancelled).toBe(true);
  });

  it("ends the call where the client breaks off, and the body does not look whole", async () => {
    let sent = 0;
    const broken = new ReadableStream<Uint8Array>(
      {
        pull: (it) => (sent++ === 0 ? it.enqueue(new Uint8Array(10)) : it.error(new Error("gone"))),
      },
      { highWaterMark: 0 },
    );
    let ended = false;
    const { exchange, answer } = await run({ max: "100B" }, request({}, broken), async (inner) => {
      void received(inner).finally(() => {
        ended = true;
      });
      await new Promise((resolve) => inner.requestSignal!.addEventListener("abort", resolve));
      return new Response("ended");
    });
    expect([await answer.text(), ended, exchange.requestSignal?.aborted]).toEqual(["ended", false, true]);
  });

  it("passes piece after piece as they come", async () => {
    const body = pieces([10, 10, 10]);
    const { answer } = await run({ max: "100B" }, request({}, body.stream), async (exchange) => {
      const reader = (exchange.requestBody as ReadableStream<Uint8Array>).getReader();
      const first = await reader.read();
      expect(body.state.pulled).toBe(1);
      return new Response(String(first.value?.byteLength));
    });
    expect(await answer.text()).toBe("10");
  });

  it("reads nothing before the upstream asks", async () => {
    const body = pieces([10, 10]);
    const { answer } = await run({ max: "5B" }, request({}, body.stream), () => new Response("not read"));
    expect(await answer.text()).toBe("not read");
    expect(body.state.pulled).toBe(0);
  });

  it("keeps the call under way alive, and drops what it answers after all", async () => {
    const late = Promise.withResolvers<Response>();
    const { exchange, answer } = await run({ max: "5B" }, request({}, pieces([10]).stream), (inner) => {
      received(inner).catch(() => undefined);
      return late.promise;
    });
    expect(answer.status).toBe(413);
    const deferred = (exchange as Exchange & { deferred: Promise<unknown>[] }).deferred;
    expect(deferred).toHaveLength(1);
    let cancelled = false;
    late.resolve(new Response(new ReadableStream({ cancel: () => void (cancelled = true) })));
    await Promise.all(deferred);
    expect(cancelled).toBe(true);
  });

  it("lets an error of the gateway itself pass", async () => {
    const failing = () => {
      throw new Error("bug");
    };
    await expect(run({}, request({}, "body"), failing)).rejects.toThrow("bug");
  });

  it("is not there for a request without a body", async () => {
    const { exchange } = await run(
      { max: "0B", contentTypes: ["application/json"] },
      request({}, undefined, "GET"),
      () => new Response(),
    );
    expect(exchange.requestBody).toBeUndefined();
  });
});

describe("a counted body", () => {
  it("is the same bytes, and stops for good right after the last that fits", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(40), { maxLength: 12 }),
        fc.nat(200),
        fc.boolean(),
        async (given, max, bytes) => {
          const sizes = given.map((size) => size + 1);
          const total = sizes.reduce((sum, size) => sum + size, 0);
          let excess = 0;
          const counted = countedBody(pieces(sizes, bytes ? "bytes" : undefined).stream, max, () => excess++);
          void counted.start();
          const reader = counted.stream.getReader();
          let read = 0;
          while (excess === 0) {
            const next = await Promise.race([
              reader.read(),
              new Promise<undefined>((resolve) => setTimeout(resolve, 0, undefined)),
            ]);
            if (next === undefined || next.done) break;
            read += next.value.byteLength;
          }
          expect(excess).toBe(total > max ? 1 : 0);
          expect(read).toBe(total > max ? Math.min(read, max) : total);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("cancels the client's body when its reader goes away, before and after the first piece", async () => {
    for (const reads of [0, 1]) {
      const body = pieces([10, 10, 10]);
      const counted = countedBody(body.stream, 100, () => undefined);
      const reader = counted.stream.getReader();
      const over = counted.start();
      if (reads > 0) await reader.read();
      await reader.cancel("gone");
      await over;
      expect(body.state.cancelled).toBe(true);
    }
  });
});

describe("bodyLimit on types", () => {
  const types = ["application/json", "text/*", "application/*+json"];

  it.each([
    ["application/json", 200],
    ["Application/JSON; charset=utf-8", 200],
    [" application/json ;charset=utf-8", 200],
    ["text/csv", 200],
    ["application/problem+json", 200],
    ["application/xml", 415],
    ["application/jsonx", 415],
    ["application/json/x", 415],
    ["multipart/form-data; boundary=application/json", 415],
    ["textual/plain", 415],
    ["image/svg+json", 415],
    [undefined, 415],
    ["a".repeat(65_536), 415],
    [";".repeat(65_536), 415],
  ])("%s → %i", async (type, status) => {
    const headers: Record<string, string> = { "content-length": "2" };
    const incoming = request(
      type === undefined ? headers : { ...headers, "content-type": type },
      pieces([2]).stream,
    );
    const { answer } = await run({ contentTypes: types }, incoming, () => new Response());
    expect(answer.status).toBe(status);
    if (status === 415) expect(answer.headers.get("accept")).toBe(types.join(", "));
  });

  it("says nothing to a request without a body", async () => {
    for (const incoming of [
      request({}, undefined, "GET"),
      request({ "content-length": "0" }, undefined, "POST"),
    ]) {
      expect((await run({ contentTypes: types }, incoming, () => new Response())).answer.status).toBe(200);
    }
  });
});

describe("bodyLimit on header fields (S31)", () => {
  const many = (count: number, value: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, value]));

  it.each([
    ["as many as allowed", { count: 5 }, many(5, "1"), 200],
    ["one more", { count: 5 }, many(6, "1"), 431],
    ["as large as allowed", { size: "16B" }, { "x-a": "1234567890123" }, 200],
    ["one byte larger", { size: "16B" }, { "x-a": "12345678901234" }, 431],
    ["large names", { size: "16B" }, { ["x".repeat(17)]: "" }, 431],
    ["without limits", {}, many(500, "1"), 200],
  ])("%s", async (_, maxHeaders, headers, status) => {
    const { answer } = await run(
      { maxHeaders },
      request(headers as Record<string, string>, undefined, "GET"),
      () => new Response(),
    );
    expect(answer.status).toBe(status);
  });

  it("comes before what it says of the body", async () => {
    const { answer } = await run(
      { max: "1B", maxHeaders: { count: 1 } },
      request({ "content-length": "9", a: "1" }, "x"),
      () => new Response(),
    );
    expect(await answer.json()).toMatchObject({ status: 431, code: "header-fields-too-large" });
  });
});

describe("what the policy says in the plan and refuses", () => {
  it("allows 10 MiB by default", () => {
    expect(compilePolicy(bodyLimit, [{ config: {} }]).step).toEqual({ maxBytes: 10 * 1024 * 1024 });
  });

  it.each([
    ["a number without a unit", { max: 1000 }, "max"],
    ["a unit that is none", { max: "1MB" }, "max"],
    ["a type with parameters", { contentTypes: ["application/json; charset=utf-8"] }, "contentTypes.0"],
    ["a type without a subtype", { contentTypes: ["json"] }, "contentTypes.0"],
    ["every type", { contentTypes: ["*/*"] }, "contentTypes.0"],
    ["no type", { contentTypes: [] }, "contentTypes"],
    ["no field at all", { maxHeaders: { count: 0 } }, "maxHeaders.count"],
    ["an unknown key", { maxBody: "1MiB" }, ""],
  ])("%s", (_, config, at) => {
    expect(compilePolicy(bodyLimit, [{ config }]).faults).toMatchObject([{ at }]);
  });
});
