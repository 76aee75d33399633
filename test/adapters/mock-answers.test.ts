import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { beforeAll, describe, expect, it } from "vitest";
import { readSources } from "../../src/adapters/node/files.ts";
import { mockAnswer } from "../../src/adapters/node/mock-answers.ts";
import { compile } from "../../src/compiler/compile.ts";
import type { OperationInfo } from "../../src/core/operation.ts";

const PATHS = `
openapi: 3.1.0
info: { title: t, version: "1" }
paths:
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get:
      operationId: getThing
      responses:
        "200":
          description: d
          headers:
            ETag: { schema: { type: string } }
            X-Total: { schema: { type: integer, minimum: 3 } }
            X-Named: { example: blue }
            Content-Length: { schema: { type: integer } }
          content:
            application/json:
              schema: { type: object, required: [id], properties: { id: { type: integer, minimum: 7 }, secret: { type: string, writeOnly: true } } }
              examples:
                first: { value: { id: 1 } }
                second: { $ref: "#/components/examples/second" }
            text/csv: { example: "id\\n1" }
        4XX: { description: d, content: { application/problem+json: { example: { title: gone } } } }
        default: { description: d }
    put:
      operationId: putThing
      responses:
        "201": { description: d, content: { "*/*": { schema: { type: array, items: { enum: [a] }, minItems: 1 } } } }
        "204": { description: d }
    delete: { operationId: deleteThing, responses: { "204": { description: d } } }
    post: { operationId: postThing, responses: { default: { description: d, content: { application/json: { schema: { type: boolean } } } } } }
components:
  examples: { second: { value: { id: 2 } } }
`;

const POLICIES = `
gateway: { name: t, hosts: { public: api.example.com } }
upstreams: { things: { targets: { only: { url: "https://things.example.com" } } } }
apis: { things: { public: true, upstream: things, openapi: { file: things.yaml, operations: all } } }
`;

const operationsOf = (
  sources: Parameters<typeof compile>[0],
  environment?: string,
): Map<string, OperationInfo> => {
  const found = new Map<string, OperationInfo>();
  const { value, diagnostics } = compile(sources, environment, {
    documents: () => undefined,
    route: ({ route, context }) =>
      void (context.route.operation && found.set(route.name, context.route.operation)),
  });
  expect(value, JSON.stringify(diagnostics)).toBeDefined();
  return found;
};

const things = operationsOf({
  policies: [{ file: "a.yaml", text: POLICIES }],
  openapi: new Map([["things.yaml", { file: "things.yaml", text: PATHS }]]),
});

const ask = (name: string, prefer?: string, accept?: string) =>
  mockAnswer(things.get(name)!, { prefer, accept });

describe("a mocked answer", () => {
  it.each<
    [
      sentence: string,
      name: string,
      prefer: string | undefined,
      accept: string | undefined,
      status: number,
      body: string | undefined,
    ]
  >([
    ["is the first success with its first example", "getThing", undefined, undefined, 200, '{"id":1}'],
    ["has the example that is preferred", "getThing", "example=second", undefined, 200, '{"id":2}'],
    ["has the media type that is accepted", "getThing", undefined, "text/csv", 200, "id\n1"],
    [
      "has the media type that is liked best",
      "getThing",
      undefined,
      "text/csv;q=0.5, application/*",
      200,
      '{"id":1}',
    ],
    [
      "comes as it is documented where nothing that is accepted is",
      "getThing",
      undefined,
      "image/png",
      200,
      '{"id":1}',
    ],
    ["has the status that is preferred", "getThing", "code=404", undefined, 404, '{"title":"gone"}'],
    ["has a status that only the default documents", "getThing", "code=503", undefined, 503, undefined],
    [
      "takes several preferences",
      "getThing",
      'respond-async, code="404"; example=none',
      undefined,
      501,
      undefined,
    ],
    ["is made from a schema where there is no example", "putThing", undefined, undefined, 201, '["a"]'],
    ["has no body where there is none", "deleteThing", undefined, undefined, 204, undefined],
    ["has no body with 204, whatever is preferred", "putThing", "code=204", undefined, 204, undefined],
    ["is that of the default where no success is documented", "postThing", undefined, undefined, 200, "true"],
    ["says that a status is not documented", "putThing", "code=418", undefined, 501, undefined],
    ["says that an example is not there", "getThing", "example=third", undefined, 501, undefined],
  ])("%s", (_, name, prefer, accept, status, body) => {
    const answer = ask(name, prefer, accept);
    expect(answer.status).toBe(status);
    if (status !== 501) expect(answer.body).toBe(body);
    else expect(answer.headers["content-type"]).toBe("application/problem+json");
  });

  it("has the fields that are documented, of which one that nobody shows is well-formed", () => {
    expect(ask("getThing").headers).toEqual({
      "content-type": "application/json",
      etag: '"mock"',
      "x-total": "3",
      "x-named": "blue",
    });
  });
});

describe("the shop", () => {
  let operations: Map<string, OperationInfo>;
  beforeAll(async () => {
    operations = operationsOf(await readSources("policies", "openapi"), "local");
  });

  it("is answered as its documents say, with whatever status", () => {
    expect(operations.size).toBeGreaterThan(6);
    for (const operation of operations.values()) {
      const ajv = new Ajv2020({ strict: false, allErrors: true });
      addFormats.default(ajv);
      ajv.addSchema(operation.document.json as object, "document");
      for (const [status, response] of Object.entries(operation.responses)) {
        const { body, headers } = mockAnswer(operation, { prefer: `code=${status}`, accept: undefined });
        const schema = response.content[headers["content-type"] ?? ""]?.schema;
        if (schema === undefined) continue;
        const validate = ajv.compile({ $ref: `document#${schema}` });
        expect(
          validate(JSON.parse(body!)),
          `${operation.id} ${status}: ${ajv.errorsText(validate.errors)}`,
        ).toBe(true);
      }
    }
  });
});
