import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { filter } from "../../src/policies/validate/filter.ts";
import { compileDocument, validatorsOf } from "../policies/validate/judging.ts";
import { planOf, stepsOf } from "../support/compiling.ts";
import { fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";
import { run, writeWorkspace } from "../support/served.ts";

const NAMES = ["user", "order", "product", "invoice", "address"];

/** A resource with what real ones have: formats, bounds, enums, patterns, references, lists and objects in objects. */
const resource = (name: string, index: number) => ({
  type: "object",
  required: ["id", "name", "status"],
  properties: {
    id: { type: "string", format: "uuid", readOnly: true },
    name: { type: "string", minLength: 1, maxLength: 80 },
    email: { type: "string", format: "email" },
    status: { type: "string", enum: ["open", "paid", `${name}-closed`] },
    sku: { type: "string", pattern: "^[A-Z]{2}-[0-9]{4,8}$" },
    createdAt: { type: "string", format: "date-time", readOnly: true },
    amount: { type: "number", minimum: 0, multipleOf: 0.01 },
    quantity: { type: "integer", minimum: 1, maximum: 1000 * (index + 1) },
    tags: { type: "array", maxItems: 20, uniqueItems: true, items: { type: "string", maxLength: 40 } },
    owner: { $ref: `#/components/schemas/${NAMES[(index + 1) % NAMES.length]}` },
    note: { type: ["string", "null"], maxLength: 500 },
    lines: {
      type: "array",
      maxItems: 100,
      items: {
        type: "object",
        required: ["product", "count"],
        properties: {
          product: { type: "string" },
          count: { type: "integer", minimum: 1 },
          price: { type: "number" },
        },
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
});

const PAGE = [
  { name: "limit", in: "query", schema: { type: "integer", minimum: 1, maximum: 100 } },
  {
    name: "sort",
    in: "query",
    explode: false,
    schema: { type: "array", items: { enum: ["name", "createdAt"] } },
  },
  { name: "since", in: "query", schema: { type: "string", format: "date" } },
];

/** Twenty operations: four on each of five resources. */
const paths = Object.fromEntries(
  NAMES.flatMap((name) => {
    const content = { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } };
    const many = {
      "application/json": { schema: { type: "array", items: { $ref: `#/components/schemas/${name}` } } },
    };
    const one = (description: string) => ({ 200: { description, content } });
    const id = { name: "id", in: "path", required: true, schema: { type: "string", format: "uuid" } };
    return [
      [
        `/${name}`,
        {
          get: {
            operationId: `${name}List`,
            parameters: PAGE,
            responses: { 200: { description: "Listed.", content: many } },
          },
          post: {
            operationId: `${name}Create`,
            requestBody: { required: true, content },
            responses: one("Created."),
          },
        },
      ],
      [
        `/${name}/{id}`,
        {
          parameters: [id],
          get: { operationId: `${name}Get`, responses: one("Read.") },
          put: {
            operationId: `${name}Put`,
            requestBody: { required: true, content },
            responses: one("Written."),
          },
        },
      ],
    ];
  }),
);
const components = { schemas: Object.fromEntries(NAMES.map((name, index) => [name, resource(name, index)])) };
const DOCUMENT = JSON.stringify({
  openapi: "3.1.0",
  info: { title: "Twenty", version: "1" },
  paths,
  components,
});

const policies = (validate: string): string => `
gateway: { name: twenty, hosts: { public: api.example.com }, clientIp: connection }
upstreams: { stage: { targets: { only: { binding: STAGE } } } }
apis:
  twenty:
    public: true
    upstream: stage
    openapi: { file: twenty.json, operations: all }
    policies: { ${validate} }
`;

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** The Worker of a set of policies. */
const workerOf = async (validate: string): Promise<Buffer> => {
  const workspace = await writeWorkspace({
    files: { "gateway.yaml": policies(validate) },
    openapi: { "twenty.json": DOCUMENT },
  });
  folders.push(workspace.folder);
  const out = path.join(workspace.folder, "dist");
  const { code, stderr } = await run([
    "compile",
    "--policies",
    workspace.policies,
    "--openapi",
    workspace.openapi,
    "--out",
    out,
  ]);
  expect([code, stderr]).toEqual([0, ""]);
  return readFile(path.join(out, "worker.js"));
};

describe("twenty operations", () => {
  it("add less than 40 KB gzip to the Worker, and no code that is made at run time", async () => {
    const bare = await workerOf("requestId: {}");
    for (const [words, most] of [
      ["validate: {}", 40_000],
      ["validate: { response: true }", 40_000],
      ["validate: { response: true, unknownProperties: refuse }", 40_000],
    ] as const) {
      const judged = await workerOf(`requestId: {}, ${words}`);
      const added = gzipSync(judged, { level: 9 }).length - gzipSync(bare, { level: 9 }).length;
      console.log(`${words} adds ${added} bytes gzip, ${judged.length - bare.length} bytes bare`);
      expect(added).toBeLessThan(most);
      expect(judged.toString()).not.toMatch(/new Function\(|\beval\(|\brequire\(/);
    }
  });

  it("are judged in a few microseconds", async () => {
    const body = JSON.stringify({
      name: "A name of some length",
      email: "someone@example.com",
      status: "open",
      sku: "AB-123456",
      amount: 19.99,
      quantity: 3,
      tags: ["one", "two"],
      lines: [{ product: "p1", count: 2 }],
    });
    const plan = planOf(compileDocument({ paths, components }));
    const validators = validatorsOf(plan);
    const { step } = stepsOf(plan, "shop.userCreate")[0]!;
    const handler = filter(
      step as never,
      fakePorts(),
      fakeSite({}, { validator: (name) => validators[name]! }),
    )!(() => new Response(null, { status: 204 }));
    const bytes = new TextEncoder().encode(body);
    const request = new Request("http://api.example.com/user", {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": String(bytes.length) },
      body,
    });
    // The body is there already, as behind a policy that reads it: what reading costs is the platform's.
    const exchange = fakeExchange(request, { requestBody: bytes });
    const bare = new Response(null, { status: 204 });
    expect((await handler(exchange)).status).toBe(204);
    const cost = (work: () => unknown): number => {
      const begin = performance.now();
      for (let count = 0; count < 20_000; count++) work();
      return ((performance.now() - begin) * 1_000) / 20_000;
    };
    const decoder = new TextDecoder();
    const value = JSON.parse(body) as unknown;
    const { body: planned } = step as unknown as { body: { media: { validator: string }[] } };
    const validate = validators[planned.media[0]!.validator]!;
    const rounds = Array.from({ length: 7 }, () => [
      cost(() => handler(exchange)) - cost(() => new Response(null, { status: bare.status })),
      cost(() => JSON.parse(decoder.decode(bytes))),
      cost(() => validate(value)),
    ]);
    const least = (index: number): string => Math.min(...rounds.map((round) => round[index]!)).toFixed(2);
    console.log(
      `judging a body of ${bytes.length} bytes: ${least(0)} µs, of which JSON ${least(1)} µs, the validator ${least(2)} µs`,
    );
  });
});
