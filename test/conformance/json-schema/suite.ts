import { readFileSync } from "node:fs";
import path from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { validatorsOf } from "../../policies/validate/judging.ts";
import { compiledApis } from "../../support/compiling.ts";

interface Group {
  readonly description: string;
  readonly schema: unknown;
  readonly tests: readonly {
    readonly description: string;
    readonly data: unknown;
    readonly valid: boolean;
  }[];
}

/** What came of the tests of a schema. */
export interface Result {
  /** File and description of the schema. */
  readonly name: string;
  readonly tests: number;
  /** Codes of the errors for which the schema is not taken. */
  readonly refused: readonly string[];
  /** Descriptions of the tests that are judged otherwise. */
  readonly wrong: readonly string[];
}

const suite = JSON.parse(
  brotliDecompressSync(readFileSync(path.join(import.meta.dirname, "draft2020-12.json.br"))).toString(),
) as Readonly<Record<string, readonly Group[]>>;

const DOCUMENT = JSON.stringify({
  openapi: "3.1.0",
  info: { title: "Suite", version: "1" },
  paths: {
    "/values": {
      post: {
        operationId: "judge",
        requestBody: { content: { "application/json": { schema: { $ref: "schema.json" } } } },
        responses: { 204: { description: "Judged." } },
      },
    },
  },
});

const APIS = `apis:
  suite:
    upstream: orders
    public: true
    openapi: { file: suite.json, operations: all }
    policies: { validate: {} }
`;

/** Judges the values of a file of the suite. */
export const resultsOf = (file: string): Result[] =>
  suite[file]!.map(({ description, schema, tests }) => {
    const { plan, diagnostics } = compiledApis(APIS, {
      openapi: { "suite.json": DOCUMENT, "schema.json": JSON.stringify(schema) },
    });
    const errors = diagnostics.filter(({ severity }) => severity === "error").map(({ code }) => code);
    const [fits = () => true] = plan === undefined ? [] : Object.values(validatorsOf(plan));
    return {
      name: `${file}: ${description}`,
      tests: tests.length,
      refused: [...new Set(errors)].sort(),
      wrong:
        plan === undefined
          ? []
          : tests.filter(({ data, valid }) => fits(data) !== valid).map((test) => test.description),
    };
  });

export const files = Object.keys(suite);
