import { z } from "zod";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { constantOf, type Template } from "../../core/template.ts";
import { explain, headerName } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";
import { ALWAYS_ALLOWED, reservationOf } from "./reserved.ts";

const template = () =>
  z.string({
    error: explain(
      "The value of a header field is a text.",
      'Write it in quotes: "1". It may hold templates such as {identity.id}.',
    ),
  });

/** Not lower-cased yet: faults are told at the key that stands in the file. */
const nameAsWritten = () => headerName().in;

type Side = "request" | "response";

/** What `allow` means beyond its list; `reserved.ts` has the names. */
const PASSING: Readonly<Record<Side, string>> = {
  request:
    "what this gateway sets, what describes the body (Content-Type, -Length, -Encoding, -Language, -Range), and conditions (If-Match and its like)",
  response:
    "what this gateway sets, what describes the body (Content-Type, -Length, -Encoding, -Language, -Range, -Disposition), what caches obey (Cache-Control, Expires, Date, Age, Vary), Location, and what refusals say",
};

const edits = (side: Side) =>
  z.strictObject({
    set: z
      .record(nameAsWritten(), template())
      .default({})
      .describe(
        `Fields of the ${side} that get this value in place of any that came; where the templates of a value come out empty, the field is removed.`,
      ),
    add: z
      .record(nameAsWritten(), template())
      .default({})
      .describe(
        `Values that are added to those which a field of the ${side} has; where the templates of one come out empty, nothing is added.`,
      ),
    remove: z.array(headerName()).default([]).describe(`Fields of the ${side} that are taken off.`),
    allow: z
      .array(headerName())
      .optional()
      .describe(`The only fields of the ${side} that pass, beside ${PASSING[side]}.`),
  });

const schema = z.strictObject({
  request: edits("request").optional().describe("Edits to the request that goes to the upstream."),
  response: edits("response")
    .optional()
    .describe("Edits to the answer that goes to the client, stored answers included."),
});

type Config = z.output<typeof schema>;
type EditStep = Step["edits"][number];

export const headers = definePolicy({
  name: "headers",
  summary: "Sets, adds and removes header fields of requests and answers, or lets only listed ones pass.",
  attachment: "replaced",
  schema,
  compile: ([instance], context, stage): Step | undefined => {
    const side: Side = stage === "request" ? "request" : "response";
    const config = instance?.config[side];
    if (instance === undefined || config === undefined) return undefined;
    const list: EditStep[] = [
      ...config.remove.flatMap((name, index) => removal(instance, context, side, name, index)),
      ...writings(instance, context, side, "set"),
      ...writings(instance, context, side, "add"),
    ];
    if (list.length === 0 && config.allow === undefined) return undefined;
    const allow = config.allow && [...new Set([...ALWAYS_ALLOWED[side], ...config.allow])].sort();
    return { to: side, ...(allow === undefined ? {} : { allow }), edits: list };
  },
  describe,
  filter: () => import("./filter.ts"),
});

const removal = (
  instance: Instance<Config>,
  context: CompileContext,
  side: Side,
  name: string,
  index: number,
): EditStep[] => {
  const at = [side, "remove", index];
  if (isReserved(instance, context, side, "remove", name, at)) return [];
  if (Object.keys(instance.config[side]!.set).some((key) => key.toLowerCase() === name)) {
    context.report(instance, at, {
      code: "conflicting-edits",
      message: `"${name}" is removed and set at the same time.`,
      remedy: "Remove one of the two: `set` replaces whatever came.",
    });
    return [];
  }
  return [{ op: "remove", name }];
};

const writings = (
  instance: Instance<Config>,
  context: CompileContext,
  side: Side,
  op: "set" | "add",
): EditStep[] => {
  const seen = new Set<string>();
  return Object.entries(instance.config[side]![op]).flatMap(([key, text]) => {
    const name = key.toLowerCase();
    const at = [side, op, key];
    if (isReserved(instance, context, side, op, name, at)) return [];
    if (seen.has(name)) {
      context.report(instance, at, {
        code: "duplicate-header",
        message: `"${key}" stands here twice: the names of header fields have no case.`,
        remedy: "Keep one of the two.",
        onKey: true,
      });
    }
    seen.add(name);
    const value = context.template(text, instance, at, side === "response" ? "kept" : undefined);
    if (isFieldText(value)) return edit(op, name, value);
    context.report(instance, at, {
      code: "bad-header-value",
      message: `"${key}" cannot hold this value.`,
      remedy: "Write it in one line of visible ASCII characters.",
    });
    return [];
  });
};

const edit = (op: "set" | "add", name: string, value: Template): EditStep[] => {
  const constant = constantOf(value);
  if (name !== "vary" || constant === undefined) return [{ op, name, value }];
  // Each member by itself, so that none stands there twice.
  return constant.split(",").map((member) => ({ op: "merge", name, value: [member.trim()] }));
};

/** The literal parts of a value; what references come to is escaped when they are filled. */
const isFieldText = (value: Template): boolean =>
  /^[\x20-\x7e]*$/.test(constantOf(value) ?? value.filter((part) => typeof part === "string").join(""));

const isReserved = (
  instance: Instance<Config>,
  context: CompileContext,
  side: Side,
  verb: "set" | "add" | "remove",
  name: string,
  at: readonly (string | number)[],
): boolean => {
  const reservation = reservationOf(side, verb, name);
  if (reservation === undefined) return false;
  context.report(instance, at, {
    code: "reserved-header",
    message: `"${name}" cannot be changed here: ${reservation.why}.`,
    remedy: reservation.remedy,
    onKey: verb !== "remove",
  });
  return true;
};
