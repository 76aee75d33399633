import type { Json } from "../core/json.ts";
import type { JsonObject } from "./json.ts";

/** The name of the component. */
export const PROBLEM = "GatewayProblem";

const text = (description: string): Json => ({ type: "string", description });

/** Members beside the registered ones, by the codes of the problems that have them. */
const EXTENSIONS: readonly {
  readonly codes: readonly string[];
  readonly name: string;
  readonly schema: Json;
}[] = [
  {
    codes: ["validation-failed"],
    name: "errors",
    schema: {
      type: "array",
      description: "Every fault of the request.",
      items: {
        type: "object",
        required: ["in", "code", "message"],
        properties: {
          in: { enum: ["path", "query", "header", "cookie", "body"] },
          name: text("Name of the faulty parameter."),
          pointer: text("JSON Pointer to the faulty value (RFC 6901)."),
          code: text("The kind of fault; stable."),
          message: text("What is wrong, in words."),
        },
      },
    },
  },
  {
    codes: ["rate-limited", "quota-exceeded"],
    name: "violated-policies",
    schema: {
      type: "array",
      description: "Names of the limits that are used up.",
      items: { type: "string" },
    },
  },
  { codes: ["path-refused"], name: "reason", schema: text("What of the path is refused.") },
  {
    codes: ["body-edit-failed", "malformed-json"],
    name: "pointer",
    schema: text("JSON Pointer to the faulty value (RFC 6901)."),
  },
  {
    codes: ["aggregate-failed"],
    name: "calls",
    schema: { type: "array", description: "The calls that failed, and how.", items: { type: "object" } },
  },
];

/** The schema of the gateway's problems, with the members of those that have some of the codes. */
export const problemSchema = (codes: ReadonlySet<string>): JsonObject => ({
  ...PROBLEM_SCHEMA,
  properties: {
    ...PROBLEM_SCHEMA.properties,
    ...Object.fromEntries(
      EXTENSIONS.filter((one) => one.codes.some((code) => codes.has(code))).map(({ name, schema }) => [
        name,
        schema,
      ]),
    ),
  },
});

/** Every problem of the gateway (RFC 9457), see `core/problem.ts`. */
const PROBLEM_SCHEMA = {
  type: "object",
  description: "What the gateway answers where a request failed (RFC 9457).",
  required: ["type", "title", "status", "instance", "code"],
  properties: {
    type: { type: "string", format: "uri", description: "Identifies the kind of problem; stable." },
    title: { type: "string", description: "The kind of problem in words." },
    status: { type: "integer", minimum: 400, maximum: 599, description: "The status of the answer." },
    detail: { type: "string", description: "What is wrong with this request." },
    instance: { type: "string", format: "uri", description: "Identifies this answer, for support." },
    code: { type: "string", description: "The last part of `type`, for programs; stable." },
  },
  examples: [
    {
      type: "urn:postern:problem:rate-limited",
      title: "Too many requests",
      status: 429,
      detail: "Used up: per-ip. Try again in 12 s.",
      instance: "urn:uuid:7d4f5a52-3f4e-4f0a-9d0e-0f3a5a1f6a11",
      code: "rate-limited",
    },
  ],
};

/** The schema of a problem with one of some codes. */
export const problemWith = (codes: readonly string[]): Json => ({
  allOf: [
    { $ref: `#/components/schemas/${PROBLEM}` },
    { type: "object", properties: { code: { enum: [...new Set(codes)].sort() } } },
  ],
});

export const PROBLEM_TYPE = "application/problem+json";
