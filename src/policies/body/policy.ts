import { z } from "zod";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { canonicalJson } from "../../lib/canonical-json.ts";
import { hash32 } from "../../lib/hash.ts";
import { explain, size } from "../shapes.ts";
import { describe } from "./describe.ts";
import { type Edit, requestEdit, responseEdit } from "./edit-shape.ts";
import type { EditStep, Step } from "./filter.ts";
import { parsePointer } from "./pointer.ts";

const MEBIBYTE = 1024 * 1024;
const LARGEST = 16 * MEBIBYTE;
/** More is no longer an edit but another body. */
const MOST_EDITS = 100;

const maxBody = (beyond: string) =>
  size()
    .refine((bytes) => bytes > 0 && bytes <= LARGEST, {
      error: explain(
        "A body that is edited is held in memory, and cannot be as large.",
        "Write a size from 1B to 16MiB: 64KiB.",
      ),
    })
    .default(MEBIBYTE)
    .describe(`The largest body that is edited; ${beyond}.`);

const list = <T extends z.ZodType>(edit: T) =>
  z
    .array(edit)
    .min(1, explain("No edit is listed.", "List at least one: { op: remove, path: /internal }."))
    .max(MOST_EDITS, explain("These are too many edits.", `List ${MOST_EDITS} at most.`));

const schema = z.strictObject({
  request: z
    .strictObject({
      maxBody: maxBody("a larger one is answered with 413"),
      edits: list(requestEdit()).describe(
        "Edits to the body of requests, in this order, all or none. It has to be JSON: another type is answered with 415, and a body that an edit does not fit with 422.",
      ),
    })
    .optional()
    .describe("Edits to the JSON body that goes to the upstream; a request without a body passes."),
  response: z
    .strictObject({
      maxBody: maxBody("in place of a larger one the caller gets 502"),
      edits: list(responseEdit()).describe(
        "Edits to the body of answers that are 2xx and JSON, in this order, all or none; in place of one that they do not fit the caller gets 502. Others pass as they are.",
      ),
    })
    .optional()
    .describe(
      "Edits to the JSON body of the upstream's answers; a stored answer was edited before it was stored.",
    ),
});

type Config = z.output<typeof schema>;

/** Declared edits of JSON bodies. */
export const body = definePolicy({
  name: "body",
  summary:
    "Edits JSON bodies of requests and answers by the operations of JSON Patch (RFC 6902), and leaves all else of them to the letter.",
  attachment: "replaced",
  schema,
  compile: ([instance], context, stage): Step | undefined => {
    if (instance === undefined) return undefined;
    const { request, response } = instance.config;
    if (stage === "request") return request && requestStep(instance, request, context);
    if (response === undefined) return undefined;
    const edits = response.edits.map(editStep);
    // Part of the tags of edited answers: under other edits the same answer is another.
    const mark = hash32(canonicalJson(edits)).toString(36);
    return { to: "response", maxBytes: response.maxBody, edits, mark };
  },
  describe,
  filter: () => import("./filter.ts"),
});

const requestStep = (
  instance: Instance<Config>,
  { maxBody: maxBytes, edits }: NonNullable<Config["request"]>,
  context: CompileContext,
): Step | undefined => {
  const { methods } = context.route;
  if (methods.length > 0 && methods.every(isBodiless)) {
    if (instance.level === "route")
      context.report(instance, ["request"], {
        code: "edits-without-body",
        message: `${context.route.id} takes no request with a body, so there is nothing to edit.`,
        remedy: "Remove `request`, or attach it to the route that writes.",
        severity: "warning",
        onKey: true,
      });
    return undefined;
  }
  const steps = edits.map((edit, index): EditStep => {
    const step = editStep(edit);
    if (edit.expression === undefined) return step;
    const at = ["request", "edits", index, "expression"];
    const expression = context.expression(edit.expression, instance, at, { result: "dyn" });
    return expression === undefined ? step : { ...step, expression };
  });
  return { to: "request", maxBytes, edits: steps };
};

/** The forwarder sends none with these. */
const isBodiless = (method: string): boolean => method === "GET" || method === "HEAD";

const editStep = ({ op, path, from, value, optional }: Edit): EditStep => ({
  op,
  path: parsePointer(path)!,
  ...(from === undefined ? {} : { from: parsePointer(from)! }),
  ...(value === undefined ? {} : { value: JSON.stringify(value) }),
  ...(optional ? { optional: true } : {}),
});
