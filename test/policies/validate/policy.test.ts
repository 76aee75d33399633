import { describe, expect, it } from "vitest";
import { validate } from "../../../src/policies/validate/policy.ts";
import { compiledApis, planOf, stepsOf } from "../../support/compiling.ts";
import { compilePolicy } from "../compiling.ts";
import { bodyDocument, compileDocument } from "./judging.ts";

describe("the policy", () => {
  it.each([
    ["nothing to judge", { request: false }, ["custom"]],
    ["a body too large for memory", { maxBody: "1GiB" }, ["custom"]],
    ["a key that is none", { strict: true }, ["unrecognized_keys"]],
  ])("refuses %s", (_, config, codes) => {
    expect(compilePolicy(validate, [{ config }], "request").faults.map(({ code }) => code)).toEqual(codes);
  });

  it("says that a route without an operation has nothing to be judged by", () => {
    expect(compilePolicy(validate, [{ config: {} }], "request").faults.map(({ code }) => code)).toEqual([
      "no-operation",
    ]);
  });

  it("passes over such a route where it stands further out", () => {
    const { faults, step } = compilePolicy(validate, [{ config: {}, level: "api" }], "request");
    expect([faults, step]).toEqual([[], undefined]);
  });

  it("does nothing where a route has nothing to judge", () => {
    const plan = planOf(
      compiledApis(
        "apis:\n  shop:\n    upstream: orders\n    public: true\n    openapi: { file: a.json, operations: all }\n    policies: { validate: {} }\n",
        {
          openapi: {
            "a.json": JSON.stringify({
              openapi: "3.1.0",
              info: { title: "a", version: "1" },
              paths: { "/a": { get: { operationId: "a", responses: { 204: { description: "a" } } } } },
            }),
          },
        },
      ),
    );
    expect(stepsOf(plan, "shop.a")).toEqual([]);
    expect(plan.validators).toBeUndefined();
  });

  it("has code for each schema once, and no schema in the plan", () => {
    const { plan } = compileDocument({
      ...bodyDocument({ $ref: "#/components/schemas/Thing" }),
      components: {
        schemas: { Thing: { type: "object", properties: { unusual: { type: "string", minLength: 3 } } } },
      },
    });
    const { validators, ...rest } = plan!;
    expect(validators!.match(/unusual/g)!.length).toBeGreaterThan(0);
    expect(JSON.stringify(rest)).not.toContain("unusual");
    expect(validators).not.toMatch(/require\(|new Function|eval\(|schemaPath/);
  });

  it("leaves out what the gateway sets, keeps or takes off by other policies", () => {
    const { plan } = compileDocument({
      paths: {
        "/a": {
          get: {
            operationId: "a",
            parameters: [
              ...["x-tenant", "x-own"].map((name) => ({
                name,
                in: "header",
                required: true,
                schema: { type: "string" },
              })),
              ...["source", "own"].map((name) => ({
                name,
                in: "query",
                required: true,
                schema: { type: "string" },
              })),
            ],
            responses: { 204: { description: "a" } },
          },
        },
      },
      config: { unknownParameters: "refuse" },
      policies: {
        headers: { request: { set: { "x-tenant": "one" } } },
        query: { set: { source: "gateway" } },
      },
    });
    const step = stepsOf(plan!, "shop.a").find(({ policy }) => policy === "validate")!.step as unknown as {
      parameters: { name: string }[];
      alsoKnown: string[];
    };
    expect(step.parameters.map(({ name }) => name)).toEqual(["x-own", "own"]);
    expect(step.alsoKnown).toEqual(["source"]);
  });

  it("leaves out fields that other policies do not let through", () => {
    const parameters = ["x-tenant", "x-own"].map((name) => ({
      name,
      in: "header",
      required: true,
      schema: {},
    }));
    const { plan } = compileDocument({
      paths: { "/a": { get: { operationId: "a", parameters, responses: { 204: { description: "a" } } } } },
      policies: { headers: { request: { allow: ["x-own"] } } },
    });
    const step = stepsOf(plan!, "shop.a").find(({ policy }) => policy === "validate")!.step as unknown as {
      parameters: { name: string }[];
    };
    expect(step.parameters.map(({ name }) => name)).toEqual(["x-own"]);
  });

  it("tells callers what it may answer", () => {
    const operation = {
      parameters: [],
      body: { required: true, content: {}, pointer: "" },
      responses: {},
    } as never;
    const described = (stage: string) =>
      validate.describe!(
        [{ config: validate.schema.parse({ response: true }), level: "api", node: "apis.a", path: [] }],
        { route: { operation } } as never,
        stage,
      );
    expect(described("request").answers!.map(({ status }) => status)).toEqual([422, 400, 413, 415]);
    expect(described("response").answers!.map(({ status }) => status)).toEqual([502]);
    expect(described("request").limits).toEqual([{ kind: "body", maxBytes: 1024 * 1024 }]);
  });
});
