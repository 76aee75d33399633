import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Served, serve } from "../support/served.ts";
import { type Stage, startStage } from "./stage.ts";
import { ask, fieldOf, problemOf, requestText } from "./wire.ts";

const CLOSE = "Connection: close";
const JSON_TYPE = "Content-Type: application/json";

const DOCUMENT = `openapi: 3.1.0
info: { title: Things, version: "1" }
paths:
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer, minimum: 1 } }]
    get:
      operationId: readThing
      parameters:
        - { name: fields, in: query, style: pipeDelimited, explode: false, schema: { type: array, items: { enum: [a, b] } } }
        - { name: filter, in: query, style: deepObject, explode: true, schema: { type: object, properties: { max: { type: integer } }, additionalProperties: false } }
        - { name: X-Trace, in: header, schema: { type: string, format: uuid } }
        - { name: session, in: cookie, schema: { type: string, pattern: "^(a+)+$" } }
      responses:
        "200": { description: Read., content: { application/json: { schema: { $ref: "#/components/schemas/Thing" } } } }
    put:
      operationId: writeThing
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Thing" } } } }
      responses: { "204": { description: Written. } }
  /forms:
    post:
      operationId: sendForm
      requestBody:
        content:
          application/x-www-form-urlencoded: { schema: { $ref: "#/components/schemas/Form" } }
          multipart/form-data: { schema: { $ref: "#/components/schemas/Form" } }
          application/octet-stream: {}
      responses: { "204": { description: Sent. } }
components:
  schemas:
    Thing:
      type: object
      required: [id, name]
      properties:
        id: { type: integer, readOnly: true }
        name: { type: string, minLength: 1, maxLength: 10 }
        made: { type: string, format: date-time }
        tags: { type: array, uniqueItems: true, items: { type: string, pattern: "^[a-z]+$" } }
        parent: { $ref: "#/components/schemas/Thing" }
        price: { type: number, multipleOf: 0.01 }
        kind: { enum: [{ x: 1 }, plain] }
      unevaluatedProperties: false
    Form: { type: object, required: [name], properties: { name: { type: string }, age: { type: integer }, photo: { type: string, format: binary } } }
`;

const policies = (url: string): string => `
gateway:
  name: judged
  hosts: { public: api.example.com, local: 127.0.0.1 }
  clientIp: connection
upstreams:
  stage: { targets: { only: { url: "${url}", network: private } }, timeout: 5s }
apis:
  things:
    public: true
    upstream: stage
    openapi: { file: things.yaml, operations: all }
    policies: { validate: { response: true, unknownParameters: refuse, maxBody: 256KiB } }
`;

let stage: Stage;
let served: Served;
let read = "";

beforeAll(async () => {
  stage = await startStage();
  served = await serve({
    files: { "gateway.yaml": policies(stage.url) },
    openapi: { "things.yaml": DOCUMENT },
  });
  for (const path of ["/things/1", "/forms"])
    stage.on(path, (request, response) => {
      if (request.method === "GET") {
        response.writeHead(200, { "content-type": "application/json" });
        response.end(answer);
        return;
      }
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        read = Buffer.concat(chunks).toString();
        response.writeHead(204).end();
      });
    });
});

let answer = "";

afterAll(async () => {
  expect(await served.stop()).toBe(0);
  await stage.stop();
});

const get = (target: string, fields: readonly string[] = []) =>
  ask(served.port, requestText(`GET ${target}`, [...fields, CLOSE]));
const send = (line: string, body: string | Buffer, fields: readonly string[] = [JSON_TYPE]) =>
  ask(
    served.port,
    requestText(
      line,
      [...fields, `Content-Length: ${Buffer.byteLength(body)}`, CLOSE],
      Buffer.from(body).toString("latin1"),
    ),
  );
const faultsOf = (raw: Awaited<ReturnType<typeof ask>>): string[] =>
  (
    (
      problemOf(raw) as unknown as {
        errors?: { in: string; name?: string; pointer?: string; code: string }[];
      }
    ).errors ?? []
  )
    .map(({ in: place, name, pointer, code }) =>
      [place, name, pointer, code].filter((part) => part !== undefined).join(" "),
    )
    .sort();

describe("requests on plain workerd", () => {
  it.each([
    ["all that is written well", "/things/1?fields=a%7Cb&filter[max]=3", [], []],
    ["a path that is no number", "/things/x", [], ["path id type"]],
    ["a path out of bounds", "/things/0", [], ["path id too-small"]],
    ["a list with a fault", "/things/1?fields=a|c", [], ["query fields /1 enum"]],
    ["a deep object with a fault", "/things/1?filter[max]=x", [], ["query filter /max type"]],
    [
      "a deep object with the name of a prototype",
      "/things/1?filter[__proto__]=x",
      [],
      ["query filter /__proto__ unknown"],
    ],
    ["a parameter twice", "/things/1?fields=a&fields=b", [], ["query fields repeated"]],
    ["a parameter that nobody declares", "/things/1?constructor=1", [], ["query constructor unknown"]],
    ["a field with a fault", "/things/1", ["X-Trace: x"], ["header X-Trace format"]],
    [
      "a cookie that would cost a backtracking engine years",
      "/things/1",
      [`Cookie: session=${"a".repeat(4000)}!`],
      ["cookie session pattern"],
    ],
  ])("%s", async (_, target, fields, faults) => {
    answer = '{"id":1,"name":"a"}';
    const got = await get(target, fields);
    expect(got.status).toBe(faults.length === 0 ? 200 : 422);
    if (faults.length > 0) expect(faultsOf(got)).toEqual(faults);
  });

  it.each([
    [
      "one that fits",
      '{"name":"a","made":"2026-01-01T00:00:00Z","tags":["x","y"],"price":19.99,"kind":{"x":1}}',
      [],
    ],
    ["what is readOnly", '{"id":"any","name":"a"}', []],
    [
      "several faults",
      '{"name":"","tags":["a","a","B"],"made":"now","x":1}',
      [
        "body /made format",
        "body /name too-short",
        "body /tags not-unique",
        "body /tags/2 pattern",
        "body /x unknown",
      ],
    ],
    [
      "faults at a depth",
      '{"name":"a","parent":{"name":"b","parent":{}}}',
      ["body /parent/parent/name required"],
    ],
    ["the name of a prototype", '{"name":"a","__proto__":{"name":1}}', ["body /__proto__ unknown"]],
  ])("bodies: %s", async (_, body, faults) => {
    read = "";
    const got = await send("PUT /things/1", body);
    expect(got.status).toBe(faults.length === 0 ? 204 : 422);
    if (faults.length === 0) expect(read).toBe(body);
    else expect(faultsOf(got)).toEqual(faults);
  });

  it.each([
    [
      "another charset",
      '{"name":"a"}',
      ["Content-Type: application/json; charset=utf-16"],
      415,
      "unsupported-charset",
    ],
    ["another type", "<a/>", ["Content-Type: application/xml"], 415, "unsupported-media-type"],
    ["no type", "{}", [], 415, "unsupported-media-type"],
    ["a content coding", "x", [JSON_TYPE, "Content-Encoding: gzip"], 415, "unsupported-content-encoding"],
    ["JSON that is cut off", '{"name":', [JSON_TYPE], 400, "malformed-body"],
    ["no body", "", [JSON_TYPE], 422, "validation-failed"],
    ["too much", `{"name":"${"a".repeat(300_000)}"}`, [JSON_TYPE], 413, "body-too-large"],
  ])("refuses %s", async (_, body, fields, status, code) => {
    const got = await send("PUT /things/1", body, fields);
    expect([got.status, problemOf(got).code]).toEqual([status, code]);
    if (code === "unsupported-media-type") expect(fieldOf(got, "accept")).toBe("application/json");
  });

  it("answers bodies that are nested 100,000 deep, and lives on", async () => {
    const deep = '{"name":"a","parent":'.repeat(10_000) + "1" + "}".repeat(10_000);
    expect((await send("PUT /things/1", deep)).status).toBe(422);
    expect((await send("PUT /things/1", "[".repeat(100_000) + "]".repeat(100_000))).status).toBe(422);
    expect((await send("PUT /things/1", '{"name":"a"}')).status).toBe(204);
  });

  const chunked = (line: string, chunks: readonly string[], fields: readonly string[] = [JSON_TYPE]) =>
    ask(
      served.port,
      requestText(
        line,
        [...fields, "Transfer-Encoding: chunked", CLOSE],
        [...chunks, ""].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join(""),
      ),
    );

  it("judges bodies in chunks, and hands them on", async () => {
    read = "";
    expect((await chunked("PUT /things/1", ['{"na', 'me":"a"}'])).status).toBe(204);
    expect(read).toBe('{"name":"a"}');
    expect((await chunked("PUT /things/1", ['{"na', 'me":1}'])).status).toBe(422);
    expect((await chunked("PUT /things/1", ["[1", ...new Array(60).fill(",1".repeat(4_000))])).status).toBe(
      413,
    );
  });

  it("judges forms", async () => {
    const form = ["Content-Type: application/x-www-form-urlencoded"];
    expect((await send("POST /forms", "name=a&age=3", form)).status).toBe(204);
    expect(read).toBe("name=a&age=3");
    expect(faultsOf(await send("POST /forms", "age=x", form))).toEqual([
      "body /age type",
      "body /name required",
    ]);
  });

  it("judges forms of parts, and hands them on byte for byte", async () => {
    const part = (name: string, value: string, more = "") =>
      `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
    const parts = ["Content-Type: multipart/form-data; boundary=b"];
    const good = `${part("name", "a")}${part("photo", "\u0001\u0002", '; filename="a.png"')}--b--\r\n`;
    expect((await send("POST /forms", good, parts)).status).toBe(204);
    expect(read).toBe(good);
    expect(faultsOf(await send("POST /forms", `${part("age", "x")}--b--\r\n`, parts))).toEqual([
      "body /age type",
      "body /name required",
    ]);
    expect((await send("POST /forms", "--c\r\n", parts)).status).toBe(400);
  });

  it("streams what no schema describes, whatever its size", async () => {
    const bytes = "x".repeat(1_000_000);
    expect((await send("POST /forms", bytes, ["Content-Type: application/octet-stream"])).status).toBe(204);
    expect(read.length).toBe(bytes.length);
  });
});

describe("answers on plain workerd", () => {
  it("pass byte for byte where they fit", async () => {
    answer = ' {"id": 1, "name":"a","price":1.10}';
    const got = await get("/things/1");
    expect([got.status, got.body.toString()]).toEqual([200, answer]);
  });

  it("are 502 where they do not, without a word of why", async () => {
    answer = '{"name":"secret-of-the-service"}';
    const got = await get("/things/1");
    const { code, detail } = problemOf(got);
    expect([got.status, code]).toEqual([502, "response-invalid"]);
    expect(got.body.toString()).not.toContain("secret");
    expect(detail).toBe("The service answered with something that it does not promise.");
  });

  it("that are longer than is judged pass whole", async () => {
    answer = JSON.stringify({ id: 1, name: "a".repeat(600_000) });
    const got = await get("/things/1");
    expect([got.status, got.body.toString() === answer]).toEqual([200, true]);
  });
});
