import { describe, expect, it } from "vitest";
import { streamOf } from "../../support/streams.ts";
import { answer, Gateway, settled } from "./harness.ts";

const LIVE = { "cache-control": "max-age=60" };

const isStored = async (gateway: Gateway): Promise<boolean> => (await gateway.send("/a")).result === "hit";

describe("which bodies are stored", () => {
  it.each<[string, boolean, string, Record<string, string>]>([
    ["as large as may be, length known", true, "x".repeat(10), { "content-length": "10" }],
    ["as large as may be, length unknown", true, "x".repeat(10), {}],
    ["larger, length known", false, "x".repeat(11), { "content-length": "11" }],
    ["larger, length unknown", false, "x".repeat(11), {}],
    ["empty", true, "", { "content-length": "0" }],
    [
      "a coded one, whose length is not that of what is read",
      true,
      "x".repeat(10),
      { "content-length": "3", "content-encoding": "x-other" },
    ],
    [
      "a coded one that is larger when decoded",
      false,
      "x".repeat(11),
      { "content-length": "3", "content-encoding": "x-other" },
    ],
  ])("%s: %s", async (_sentence, stored, body, fields) => {
    const gateway = new Gateway({ maxBody: 10 }).answers(() => answer({ ...LIVE, ...fields }, body));
    const seen = await gateway.send("/a");
    expect([seen.status, seen.text]).toEqual([200, body]);
    expect(await isStored(gateway)).toBe(stored);
  });

  it("a larger one is passed on as it is", async () => {
    const gateway = new Gateway({ maxBody: 10 });
    const given = answer({ ...LIVE, "content-length": "11" }, "x".repeat(11));
    gateway.origin = () => given;
    const { response, exchange } = gateway.begin("/a");
    expect(await response).toBe(given);
    expect(exchange.answerEdits).toEqual([
      { op: "add", name: "cache-status", value: "postern; fwd=miss; detail=too-large" },
    ]);
  });

  it("a stream is passed on while it comes, and stored when it is whole", async () => {
    const gateway = new Gateway();
    let close: () => void = () => undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode("first "));
        close = () => {
          controller.enqueue(new TextEncoder().encode("last"));
          controller.close();
        };
      },
    });
    gateway.origin = () => new Response(body, { headers: LIVE });
    const { response, exchange } = gateway.begin("/a");
    const reader = (await response).body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("first ");
    close();
    await settled(exchange.deferred);
    expect((await gateway.send("/a")).text).toBe("first last");
    expect(gateway.sent).toHaveLength(1);
  });

  it("a stream that breaks off is not stored", async () => {
    const gateway = new Gateway();
    gateway.origin = () => new Response(streamOf("first", new Error("reset")), { headers: LIVE });
    const { response, exchange } = gateway.begin("/a");
    await expect((await response).text()).rejects.toThrow();
    await settled(exchange.deferred);
    gateway.answers(() => answer(LIVE, "whole"));
    expect((await gateway.send("/a")).text).toBe("whole");
  });

  it("a stream that is shorter than its length is not stored", async () => {
    const gateway = new Gateway();
    const fields = { ...LIVE, "content-length": "100000" };
    gateway.origin = () => new Response(streamOf("short"), { headers: fields });
    await gateway.send("/a");
    expect(await isStored(gateway)).toBe(false);
  });

  it.each([
    [
      "is shorter than its length",
      () => new Response(streamOf("short"), { headers: { ...LIVE, "content-length": "10" } }),
    ],
    [
      "breaks off",
      () =>
        new Response(streamOf("short", new Error("reset")), { headers: { ...LIVE, "content-length": "10" } }),
    ],
  ])("a small one that %s is 502, because nothing of it went out yet", async (_sentence, response) => {
    const gateway = new Gateway();
    gateway.origin = response;
    const seen = await gateway.send("/a");
    expect([seen.status, seen.problemCode]).toEqual([502, "upstream-incomplete"]);
    expect(seen.headers.get("proxy-status")).toContain("http_response_incomplete");
    gateway.answers(() => answer(LIVE, "whole"));
    expect((await gateway.send("/a")).text).toBe("whole");
  });

  it("a client that goes away does not keep the response from being stored", async () => {
    const gateway = new Gateway().answers(() => new Response(streamOf("a", "b"), { headers: LIVE }));
    const { response, exchange } = gateway.begin("/a");
    const got = await response;
    const reading = settled(exchange.deferred);
    await got.body!.cancel();
    await reading;
    expect((await gateway.send("/a")).text).toBe("ab");
  });

  it("a stored body is the same however often it is sent", async () => {
    const gateway = new Gateway().answers(() => answer(LIVE, "body"));
    for (let times = 0; times < 5; times++) expect((await gateway.send("/a")).text).toBe("body");
  });
});

describe("what is passed by", () => {
  it("an upgrade passes untouched", async () => {
    const gateway = new Gateway();
    // The web's own Response has no 101; the runtime's has.
    const upgraded = Object.defineProperty(answer({}, null), "status", { value: 101 });
    gateway.origin = () => upgraded;
    const { response, exchange } = gateway.begin("/a", { headers: { upgrade: "websocket" } });
    expect(await response).toBe(upgraded);
    expect(exchange.answerEdits).toEqual([]);
  });

  it("a small body that was read goes out without what belonged to the connection it came by", async () => {
    const gateway = new Gateway().answers(() =>
      answer({
        ...LIVE,
        "content-length": "4",
        connection: "x-hop, keep-alive",
        "x-hop": "1",
        "proxy-connection": "x",
      }),
    );
    const { headers } = await gateway.send("/a");
    for (const name of ["connection", "x-hop", "proxy-connection"]) expect(headers.has(name)).toBe(false);
    expect(headers.get("content-length")).toBe("4");
  });

  it("a stream of events passes untouched, but for Cache-Status", async () => {
    const gateway = new Gateway({ ttlMs: 60_000 });
    const events = answer({ "content-type": "text/event-stream" }, "data: 1\n\n");
    gateway.origin = () => events;
    expect(await gateway.begin("/a").response).toBe(events);
  });
});
