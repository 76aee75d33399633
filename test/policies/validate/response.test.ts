import { describe, expect, it } from "vitest";
import { judging, type Words } from "./judging.ts";

const ITEM = { type: "object", required: ["id"], properties: { id: { type: "integer" } } };
const json = (schema: object) => ({ "application/json": { schema } });
const words = (config: object = {}): Words => ({
  paths: {
    "/things": {
      get: {
        operationId: "read",
        responses: {
          200: {
            description: "Read.",
            content: { ...json(ITEM), "text/event-stream": {}, "text/csv": { schema: { type: "string" } } },
            headers: { "X-Total": { required: true, schema: { type: "integer" } } },
          },
          204: { description: "Nothing." },
          "4XX": { description: "Wrong.", content: json({ type: "object", required: ["error"] }) },
        },
      },
    },
    "/all": {
      get: {
        operationId: "all",
        responses: { default: { description: "All.", content: { "*/*": { schema: ITEM } } } },
      },
    },
  },
  config: { request: false, response: true, maxBody: "1KiB", ...config },
});

const TOTAL = { "x-total": "3" };
const stream = (...chunks: string[]) =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });

const asked = async (
  answer: () => Response,
  config: object = {},
  target = "/things",
  init: RequestInit = {},
) => {
  const made = judging(words(config));
  made.answer = answer;
  return { ...(await made.ask(target, init)), ports: made.ports };
};

describe("answers", () => {
  it.each([
    ["that fit pass", () => Response.json({ id: 1 }, { headers: TOTAL }), 200],
    ["with a fault do not", () => Response.json({ id: "1" }, { headers: TOTAL }), 502],
    ["without a field that they need do not", () => Response.json({ id: 1 }), 502],
    [
      "with a fault in a field do not",
      () => Response.json({ id: 1 }, { headers: { "x-total": "many" } }),
      502,
    ],
    [
      "that are no JSON do not",
      () => new Response("{", { headers: { ...TOTAL, "content-type": "application/json" } }),
      502,
    ],
    [
      "of a type that is not described do not",
      () => new Response("<a/>", { headers: { ...TOTAL, "content-type": "text/html" } }),
      502,
    ],
    [
      "of another type that is described pass unread",
      () => new Response("a,b", { headers: { ...TOTAL, "content-type": "text/csv" } }),
      200,
    ],
    ["without a body pass", () => new Response(null, { status: 204 }), 204],
    ["of a class of statuses are judged", () => Response.json({}, { status: 404 }), 502],
    ["of a class of statuses that fit pass", () => Response.json({ error: "a" }, { status: 404 }), 404],
    ["of a status that is not described pass", () => Response.json({}, { status: 500 }), 500],
    ["that are confirmations pass", () => new Response(null, { status: 304 }), 304],
    [
      "that are too large pass",
      () => Response.json({ id: "1".repeat(2_000) }, { headers: { ...TOTAL, "content-length": "2009" } }),
      200,
    ],
    [
      "of unknown length are judged",
      () =>
        new Response(stream('{"id"', ":1}"), { headers: { ...TOTAL, "content-type": "application/json" } }),
      200,
    ],
    [
      "of unknown length with a fault do not pass",
      () =>
        new Response(stream('{"id"', ':"1"}'), { headers: { ...TOTAL, "content-type": "application/json" } }),
      502,
    ],
  ])("%s", async (_, answer, status) => {
    const { status: got, code, errors } = await asked(answer);
    expect([got, code]).toEqual([status, status === 502 ? "response-invalid" : undefined]);
    expect(errors).toEqual([]);
  });

  it("are judged by what is said of all statuses and types", async () => {
    expect((await asked(() => Response.json({}, { status: 418 }), {}, "/all")).status).toBe(502);
    expect(
      (await asked(() => new Response("x", { headers: { "content-type": "text/plain" } }), {}, "/all"))
        .status,
    ).toBe(200);
  });

  it("to HEAD are judged by their fields alone", async () => {
    const words204: Words = {
      ...words(),
      paths: {
        "/things": {
          head: { operationId: "head", responses: { 200: { description: "Read.", content: json(ITEM) } } },
        },
      },
    };
    const made = judging(words204);
    made.answer = () => new Response(null, { headers: { "content-type": "application/json" } });
    expect((await made.ask("/things", { method: "HEAD" })).status).toBe(200);
  });

  it("that are too long on their way pass to the last byte, with a note", async () => {
    const long = ["x".repeat(700), "y".repeat(700), "z".repeat(700)];
    const { status, ports } = await asked(
      () => new Response(stream(...long), { headers: { ...TOTAL, "content-type": "application/json" } }),
    );
    expect(status).toBe(200);
    expect(ports.records.map(({ message }) => message)).toEqual([
      "the answer was not judged: it is too large",
    ]);
  });

  it("are only reported on, where that is wanted", async () => {
    const { status, ports } = await asked(() => Response.json({ id: "1" }, { headers: TOTAL }), {
      mode: "report",
    });
    expect(status).toBe(200);
    expect(ports.records).toEqual([
      {
        level: "warn",
        message: "would have been refused: response-invalid",
        policy: "apis.shop.policies.validate",
        route: "shop.read",
        requestId: expect.any(String),
        faults: [{ in: "body", pointer: "/id", code: "type", message: "must be an integer" }],
        faultCount: 1,
      },
    ]);
  });

  it("of the gateway itself are not judged", async () => {
    const made = judging(words());
    made.answer = () => {
      throw new TypeError("connection refused");
    };
    const { status, code } = await made.ask("/all");
    expect([status, code === "response-invalid"]).toEqual([502, false]);
  });

  it("that are confirmations need no field of whole ones", async () => {
    const made = judging({
      ...words(),
      paths: {
        "/a": {
          get: {
            operationId: "a",
            responses: { default: { description: "a", headers: { "X-A": { required: true, schema: {} } } } },
          },
        },
      },
    });
    made.answer = () => new Response(null, { status: 304 });
    expect((await made.ask("/a")).status).toBe(304);
    made.answer = () => new Response(null, { status: 201 });
    expect((await made.ask("/a")).status).toBe(502);
  });
});
