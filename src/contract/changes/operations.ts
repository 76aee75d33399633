import type { Json } from "../../core/json.ts";
import type { ReportDifference, Severity } from "./change.ts";
import { compareLimits } from "./limits.ts";
import { resolved, type Schema, schemaOf } from "./schema-references.ts";
import { compareSchemas, type Direction } from "./schemas.ts";
import { compareSecurity } from "./security.ts";

/** An operation of a public document, and where it stands there. */
export interface PlacedOperation {
  readonly document: Json;
  readonly pointer: string;
  readonly json: Schema;
}

/** Compares an operation with what became of it. */
export const compareOperations = (
  base: PlacedOperation,
  head: PlacedOperation,
  report: ReportDifference,
): void => {
  compareParameters(base, head, report);
  compareBodies(base, head, report);
  compareResponses(base, head, report);
  compareSecurity(base, head, report);
  compareLimits(base, head, report);
  if (head.json["deprecated"] === true && base.json["deprecated"] !== true)
    report({
      id: "operation-deprecated",
      severity: "compatible",
      message: "It is deprecated now.",
      base: base.pointer,
      head: `${head.pointer}/deprecated`,
    });
};

interface Parameter {
  readonly json: Schema;
  readonly pointer: string;
}

/** Parameters by location and name; those of the path have no name of which callers know. */
const parametersOf = ({ document, pointer, json }: PlacedOperation): ReadonlyMap<string, Parameter> => {
  const list = json["parameters"];
  const found = new Map<string, Parameter>();
  for (const [index, written] of (Array.isArray(list) ? (list as readonly Json[]) : []).entries()) {
    const { json: parameter, pointer: at } = resolved(written, `${pointer}/parameters/${index}`, document);
    const place = String(parameter["in"]);
    const name = String(parameter["name"]);
    found.set(`${place} ${place === "header" ? name.toLowerCase() : name}`, { json: parameter, pointer: at });
  }
  return found;
};

const compareParameters = (base: PlacedOperation, head: PlacedOperation, report: ReportDifference): void => {
  const before = parametersOf(base);
  const after = parametersOf(head);
  for (const [key, { json, pointer }] of after) {
    const old = before.get(key);
    const name = nameOf(key);
    if (old === undefined) {
      const required = json["required"] === true;
      report({
        id: required ? "required-parameter-added" : "parameter-added",
        severity: required ? "breaking" : "compatible",
        message: required ? `Callers must now send the ${name}.` : `Callers may now send the ${name}.`,
        head: pointer,
      });
      continue;
    }
    if (json["required"] === true && old.json["required"] !== true)
      report({
        id: "parameter-became-required",
        severity: "breaking",
        message: `Callers must now send the ${name}.`,
        base: old.pointer,
        head: pointer,
      });
    if (STYLE.some((setting) => json[setting] !== old.json[setting]))
      report({
        id: "parameter-style-changed",
        severity: "breaking",
        message: `The ${name} is written in another way.`,
        base: old.pointer,
        head: pointer,
      });
    schemas(`the ${name}`, "parameter", old, { json, pointer }, [base, head], "request", report);
  }
  for (const [key, { pointer }] of before) {
    if (after.has(key)) continue;
    report({
      id: "parameter-removed",
      severity: "risky",
      message: `The ${nameOf(key)} is no longer known: it is ignored, or refused.`,
      base: pointer,
      head: head.pointer,
    });
  }
};

const STYLE = ["style", "explode", "allowReserved"];

const nameOf = (key: string): string => {
  const [place, name] = key.split(" ") as [string, string];
  return `${place} parameter \`${name}\``;
};

/** Compares the schemas of two things that have one; what is said of them begins with what they are. */
const schemas = (
  subject: string,
  id: string,
  old: Parameter,
  now: Parameter,
  [base, head]: readonly [PlacedOperation, PlacedOperation],
  direction: Direction,
  report: ReportDifference,
): void =>
  compareSchemas(
    { json: old.json["schema"], pointer: `${old.pointer}/schema`, document: base.document },
    { json: now.json["schema"], pointer: `${now.pointer}/schema`, document: head.document },
    direction,
    ({ what, trend, certain, at, message, base: from, head: to }) => {
      const breaks = direction === "request" ? trend === "narrowed" : trend === "widened";
      // One value more that callers may send is nothing to those who do not.
      const isFree = what === "enum" && trend === "widened" && direction === "request";
      const severity: Severity = certain || isFree ? (breaks ? "breaking" : "compatible") : "risky";
      const where = at === "" ? subject : `\`${at}\` of ${subject}`;
      report({
        id: `${id}-${what}-${trend}`,
        severity,
        message: `${where.charAt(0).toUpperCase()}${where.slice(1)} ${message}.`,
        base: from,
        head: to,
      });
    },
  );

const contentOf = (holder: Parameter): ReadonlyMap<string, Parameter> =>
  new Map(
    Object.entries(schemaOf(holder.json["content"])).map(([type, media]) => [
      type,
      { json: schemaOf(media), pointer: `${holder.pointer}/content/${type.replaceAll("/", "~1")}` },
    ]),
  );

const compareBodies = (base: PlacedOperation, head: PlacedOperation, report: ReportDifference): void => {
  const bodyOf = ({ document, pointer, json }: PlacedOperation): Parameter =>
    resolved(json["requestBody"], `${pointer}/requestBody`, document);
  const old = bodyOf(base);
  const now = bodyOf(head);
  if (now.json["required"] === true && old.json["required"] !== true)
    report({
      id: "body-became-required",
      severity: "breaking",
      message: "Callers must now send a body.",
      base: old.pointer,
      head: now.pointer,
    });
  const before = contentOf(old);
  const after = contentOf(now);
  for (const [type, media] of before) {
    const same = after.get(type);
    if (same !== undefined) schemas("the body", "body", media, same, [base, head], "request", report);
    else
      report({
        id: "body-media-type-removed",
        severity: "breaking",
        message: `A body of ${type} is no longer taken.`,
        base: media.pointer,
        head: now.pointer,
      });
  }
};

const compareResponses = (base: PlacedOperation, head: PlacedOperation, report: ReportDifference): void => {
  const responsesOf = ({ document, pointer, json }: PlacedOperation): ReadonlyMap<string, Parameter> =>
    new Map(
      Object.entries(schemaOf(json["responses"])).map(([status, response]) => [
        status,
        resolved(response, `${pointer}/responses/${status}`, document),
      ]),
    );
  const before = responsesOf(base);
  const after = responsesOf(head);
  for (const [status, old] of before) {
    const now = after.get(status);
    if (now !== undefined) compareResponse(status, old, now, [base, head], report);
    else
      report({
        id: isSuccess(status) ? "success-status-removed" : "error-status-removed",
        severity: isSuccess(status) ? "breaking" : "compatible",
        message: `It no longer answers ${status}.`,
        base: old.pointer,
        head: head.pointer,
      });
  }
  for (const [status, { pointer }] of after) {
    if (before.has(status)) continue;
    report({
      id: isSuccess(status) ? "success-status-added" : "error-status-added",
      severity: isSuccess(status) ? "risky" : "compatible",
      message: `It may now answer ${status}.`,
      base: base.pointer,
      head: pointer,
    });
  }
};

const isSuccess = (status: string): boolean => /^[23]/.test(status);

const compareResponse = (
  status: string,
  old: Parameter,
  now: Parameter,
  both: readonly [PlacedOperation, PlacedOperation],
  report: ReportDifference,
): void => {
  const after = contentOf(now);
  for (const [type, media] of contentOf(old)) {
    const same = after.get(type);
    const severity = isSuccess(status) ? "breaking" : "risky";
    if (same === undefined)
      report({
        id: "response-media-type-removed",
        severity,
        message: `Its answer ${status} no longer comes as ${type}.`,
        base: media.pointer,
        head: now.pointer,
      });
    else
      schemas(`the answer ${status}`, "response", media, same, both, "response", (difference) =>
        report(
          isSuccess(status) || difference.severity !== "breaking"
            ? difference
            : { ...difference, severity: "risky" },
        ),
      );
  }
  const fields = new Set(Object.keys(schemaOf(now.json["headers"])).map((name) => name.toLowerCase()));
  for (const name of Object.keys(schemaOf(old.json["headers"]))) {
    if (fields.has(name.toLowerCase())) continue;
    report({
      id: "response-field-removed",
      severity: "risky",
      message: `Its answer ${status} no longer has the field ${name}.`,
      base: `${old.pointer}/headers/${name}`,
      head: now.pointer,
    });
  }
};
