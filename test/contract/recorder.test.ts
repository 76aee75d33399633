import { beforeEach, describe, expect, it } from "vitest";
import { type Exchange, Recorder } from "../support/recorder.ts";

const document = {
  openapi: "3.1.0",
  paths: {
    "/users/me": { get: { responses: { "200": { description: "Me.", content: { "text/plain": {} } } } } },
    "/users/{id}": {
      get: {
        responses: {
          "200": {
            description: "One.",
            headers: {
              RateLimit: { $ref: "#/components/headers/RateLimit" },
              Age: { $ref: "#/components/headers/Age" },
            },
            content: { "application/json": { schema: { $ref: "#/components/schemas/User" } } },
          },
          "304": { description: "None." },
          "4XX": { $ref: "#/components/responses/Refused" },
        },
      },
    },
  },
  components: {
    headers: {
      RateLimit: { required: true, schema: { type: "string" } },
      Age: { schema: { type: "integer", minimum: 0 } },
    },
    responses: {
      Refused: {
        description: "Refused.",
        content: { "application/problem+json": { schema: { type: "object", required: ["code"] } } },
      },
    },
    schemas: { User: { type: "object", required: ["id"], properties: { id: { type: "string" } } } },
  },
};

let recorder: Recorder;
beforeEach(() => {
  recorder = new Recorder(document);
});

const exchange = (
  its: Partial<Omit<Exchange, "headers">>,
  fields: Record<string, string> = {},
): Exchange => ({
  method: "GET",
  url: "http://127.0.0.1/users/1?x=1",
  status: 200,
  body: '{"id":"1"}',
  ...its,
  headers: new Headers({ "content-type": "application/json", ratelimit: "1", ...fields }),
});

describe("the recorder", () => {
  it.each([
    ["what is documented", exchange({})],
    ["a HEAD without a body", exchange({ method: "HEAD", body: "" })],
    ["a field that fits", exchange({}, { age: "3" })],
    ["a type with parameters", exchange({}, { "content-type": "application/json; charset=utf-8" })],
    ["an answer without a body", exchange({ status: 304, body: "" })],
    [
      "a status within a range",
      exchange({ status: 404, body: '{"code":"x"}' }, { "content-type": "application/problem+json" }),
    ],
    ["an unknown path", exchange({ url: "http://127.0.0.1/nothing", status: 404, body: "" })],
    ["another method", exchange({ method: "DELETE", status: 405, body: "" })],
    [
      "the path that is written out",
      exchange({ url: "http://127.0.0.1/users/me", body: "me" }, { "content-type": "text/plain" }),
    ],
  ])("takes %s", (_, it) => {
    expect(recorder.check(it)).toEqual([]);
  });

  it.each([
    ["a status that is not documented", exchange({ status: 500 }), /500 is not documented/],
    ["another type", exchange({}, { "content-type": "text/html" }), /type text\/html/],
    ["a body that does not fit", exchange({ body: '{"id":1}' }), /body is not as documented.*must be string/],
    ["a body that is no JSON", exchange({ body: "{" }), /no JSON/],
    ["a body where none is documented", exchange({ status: 304 }), /body is not documented/],
    ["a field that does not fit", exchange({}, { age: "soon" }), /field Age is not as documented/],
    [
      "a problem behind a reference that does not fit",
      exchange({ status: 403, body: "{}" }, { "content-type": "application/problem+json" }),
      /required property 'code'/,
    ],
  ])("tells %s", (_, it, words) => {
    expect(recorder.check(it).join()).toMatch(words);
  });

  it("tells a field that is missing", () => {
    const it = exchange({});
    it.headers.delete("ratelimit");
    expect(recorder.check(it).join()).toContain("RateLimit is missing");
  });

  it("knows what has not come", () => {
    expect(recorder.missing).toEqual([
      "GET /users/me 200",
      "GET /users/{id} 200",
      "GET /users/{id} 304",
      "GET /users/{id} 4XX",
    ]);
    recorder.check(exchange({}));
    recorder.check(exchange({ status: 304, body: "" }));
    expect(recorder.missing).toEqual(["GET /users/me 200", "GET /users/{id} 4XX"]);
  });
});
