import { balancer } from "../../../src/balancers/smooth-weighted-round-robin.ts";
import type { Plan } from "../../../src/core/plan.ts";
import type { Validator } from "../../../src/core/validator.ts";
import * as formats from "../../../src/lib/json-schema/formats.ts";
import * as linearPattern from "../../../src/lib/json-schema/linear-pattern.ts";
import * as values from "../../../src/lib/json-schema/values.ts";
import { filter } from "../../../src/policies/validate/filter.ts";
import { link } from "../../../src/runtime/link.ts";
import { type Compiled, compiledApis, planOf } from "../../support/compiling.ts";
import { type FakePorts, fakePorts } from "../../support/ports.ts";

const LIBRARY: Readonly<Record<string, object>> = {
  "formats.ts": formats,
  "linear-pattern.ts": linearPattern,
  "values.ts": values,
};

/** The validators of a plan, as a bundle has them. */
export const validatorsOf = ({ validators = "" }: Plan): Readonly<Record<string, Validator>> => {
  const code = validators
    .replaceAll(
      /^import \{ (.*) \} from "postern:json-schema\/(.*)";$/gm,
      (_, names: string, file: string) => `const { ${names} } = library["${file}"];`,
    )
    .replaceAll(/\bexport const (v\d+) = /g, "exported.$1 = ");
  const exported: Record<string, Validator> = {};
  new Function("library", "exported", `"use strict";${code}`)(LIBRARY, exported);
  return exported;
};

export interface Words {
  readonly openapi?: string;
  readonly paths: object;
  readonly components?: object;
  readonly config?: object;
  /** Policies beside. */
  readonly policies?: object;
}

/** Compiles a document with `validate` on all of its operations. */
export const compileDocument = ({
  openapi = "3.1.0",
  paths,
  components = {},
  config = {},
  policies = {},
}: Words): Compiled =>
  compiledApis(
    `apis:\n  shop:\n    upstream: orders\n    public: true\n    openapi: { file: shop.json, operations: all }\n    policies: ${JSON.stringify({ validate: config, ...policies })}\n`,
    {
      openapi: {
        "shop.json": JSON.stringify({ openapi, info: { title: "Shop", version: "1" }, paths, components }),
      },
      gateway: "  paths: { matrixParameters: keep }\n",
    },
  );

export interface Judged {
  readonly status: number;
  /** Of the problem, where it is one. */
  readonly code: string | undefined;
  readonly errors: readonly { in: string; name?: string; pointer?: string; code: string; message: string }[];
  readonly headers: Headers;
}

export interface Judging {
  readonly ports: FakePorts;
  readonly sent: { url: string; body: string | undefined }[];
  /** What the service answers. */
  answer: () => Response;
  ask(target: string, init?: RequestInit): Promise<Judged>;
  json(target: string, value: unknown, method?: string): Promise<Judged>;
}

/** A gateway in memory that judges by a document. */
export const judging = (words: Words): Judging => {
  const plan = planOf(compileDocument(words));
  const sent: { url: string; body: string | undefined }[] = [];
  const ports = fakePorts({
    secretValues: { SECRET: "0123456789abcdef0123456789abcdef0123456789abcdef" },
    network: async (url, init) => {
      sent.push({ url, body: init?.body ? await new Response(init.body as BodyInit).text() : undefined });
      return it.answer();
    },
  });
  const gateway = link(
    plan,
    {
      filters: { validate: filter },
      authenticators: {},
      balancers: { smoothWeightedRoundRobin: balancer },
      parts: {},
      validators: validatorsOf(plan),
    } as never,
    ports,
  );
  const it: Judging = {
    ports,
    sent,
    answer: () => new Response(null, { status: 204 }),
    ask: async (target, init) => {
      const { rawUrl, ...rest } = { rawUrl: `http://api.example.com${target}`, ...init };
      const request = new Request(rawUrl, {
        ...rest,
        ...(rest.body ? { duplex: "half" } : {}),
      } as RequestInit);
      // Node's Request normalizes what workerd leaves as it is written.
      Object.defineProperty(request, "url", { value: rawUrl });
      const response = await gateway(request, { waitUntil: () => undefined });
      const crash = ports.records.find(({ level }) => level === "error");
      if (crash !== undefined) throw new Error(JSON.stringify(crash));
      const isProblem = response.headers.get("content-type") === "application/problem+json";
      const problem = isProblem
        ? ((await response.json()) as { code: string; errors?: Judged["errors"] })
        : undefined;
      return {
        status: response.status,
        code: problem?.code,
        errors: problem?.errors ?? [],
        headers: response.headers,
      };
    },
    json: (target, value, method = "POST") =>
      it.ask(target, {
        method,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(value),
      }),
  };
  return it;
};

/** A document with one operation that takes a body of JSON. */
export const bodyDocument = (schema: unknown, more: Partial<Words> = {}): Words => ({
  paths: {
    "/things": {
      post: {
        operationId: "make",
        requestBody: { required: true, content: { "application/json": { schema } } },
        responses: { 204: { description: "Made." } },
      },
    },
  },
  ...more,
});
