import { describe, expect, it } from "vitest";
import { mockAnswer } from "../../src/adapters/node/mock-answers.ts";
import { fitting } from "../../src/cli/mock-fitting.ts";
import { mockPlan } from "../../src/cli/mock-plan.ts";
import { compile } from "../../src/compiler/compile.ts";
import type { OperationInfo } from "../../src/core/operation.ts";
import { planOf, sourcesOf } from "../support/compiling.ts";

const schema = {
  type: "object",
  required: ["id", "email"],
  properties: { id: { type: "string", pattern: "^a" }, email: { type: "string", format: "email" } },
};
const pointer = { $ref: "#/components/schemas/User" };
const answers = (content: object) => ({
  200: { description: "Found.", content: { "application/json": content } },
});
const DOCUMENT = {
  openapi: "3.1.0",
  info: { title: "Users", version: "1" },
  paths: {
    "/good": {
      get: {
        operationId: "good",
        responses: answers({ schema: pointer, example: { id: "a1", email: "a@b.example" } }),
      },
    },
    "/part": {
      get: {
        operationId: "part",
        responses: answers({
          schema: { $ref: "#/components/schemas/Plain" },
          examples: { one: { value: { n: 1 } } },
        }),
      },
    },
    "/none": { get: { operationId: "none", responses: answers({ schema: pointer, example: { id: "b" } }) } },
  },
  components: {
    schemas: {
      User: schema,
      Plain: {
        type: "object",
        required: ["n", "m"],
        properties: { n: { type: "integer" }, m: { type: "boolean" } },
      },
    },
  },
};
const operations = new Map<string, OperationInfo>();
const { value: plan, diagnostics } = compile(
  sourcesOf(
    {
      "p.yaml": `gateway: { hosts: { public: api.example.com }, clientIp: connection }
upstreams: { up: { targets: { main: { binding: UP } } } }
apis: { users: { upstream: up, public: true, openapi: { file: d.json, operations: all }, policies: { validate: { response: true } } } }
`,
    },
    { "d.json": JSON.stringify(DOCUMENT) },
  ),
  undefined,
  {
    documents: () => undefined,
    route: ({ context }) => {
      const { operation } = context.route;
      if (operation !== undefined) operations.set(operation.id, operation);
    },
  },
);

describe("a mocked answer", () => {
  const fits = fitting();
  const ask = (id: string, prefer?: string) =>
    JSON.parse(mockAnswer(operations.get(id)!, { accept: undefined, prefer }, fits).body!);

  it("is the example where it fits the schema", () => {
    expect(ask("good")).toEqual({ id: "a1", email: "a@b.example" });
  });

  it("is made from the schema where the example does not fit, but for one that is asked for", () => {
    expect(ask("part")).toEqual({ n: 0, m: true });
    expect(ask("part", "example=one")).toEqual({ n: 1 });
  });

  it("is the example where nothing fits", () => {
    expect(ask("none")).toEqual({ id: "b" });
  });

  it("is never refused for what the document says", () => {
    const judges = (steps: readonly { policy: string; step: unknown }[]) =>
      steps
        .filter(({ policy }) => policy === "validate")
        .map(({ step }) => (step as { report?: true }).report);
    const whole = planOf({ plan, diagnostics, codes: [] });
    expect(new Set(judges(whole.steps))).toEqual(new Set([undefined]));
    expect(new Set(judges(mockPlan(whole).steps))).toEqual(new Set([true]));
  });
});
