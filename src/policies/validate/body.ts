import type { Site } from "../../core/policy.ts";
import type { Validator } from "../../core/validator.ts";
import { isInRange, type MediaType } from "../../lib/http/media-type.ts";
import { pointerToken } from "../../lib/json-pointer-path.ts";
import { linkPairs, pairsOf } from "../../lib/parameter-pairs.ts";
import {
  decodeForm,
  emptyObject,
  isUnreadable,
  type Style,
  scalarOf,
  type Wanted,
} from "../../lib/parameter-styles.ts";
import { type Fault, judge, MOST_FAULTS, nameOf, UNREADABLE } from "./faults.ts";
import { NotJson, parsedJson } from "./json.ts";
import { textOf } from "./read.ts";

export type BodyPlan = {
  readonly required?: true;
  readonly maxBytes: number;
  /** The narrowest first. */
  readonly media: readonly MediaPlan[];
  /** What is taken, as Accept has it. */
  readonly accept: string;
};

/** Bodies of one media type, or of a range of types. */
export type MediaPlan = {
  /** In lower case, without parameters. */
  readonly range: string;
  /** How it is read; `unread` passes as it is. */
  readonly kind: "json" | "form" | "multipart" | "text" | "unread";
  readonly validator?: string;
  /** Of a text. */
  readonly wanted?: Wanted;
  /** Of a form. */
  readonly fields?: readonly FieldPlan[];
  /** Of a form: fields that are not named. */
  readonly rest?: Wanted;
};

/** How one field of a form is written. */
export type FieldPlan = {
  readonly name: string;
  readonly style: Style;
  readonly explode: boolean;
  readonly wanted: Wanted;
  /** It is text in JSON. */
  readonly json?: true;
  /** A file; the media types that it may have, none for any. */
  readonly file?: readonly string[];
};

/** Why a body is none of the form that its type promises. */
export interface Malformed {
  readonly malformed: string;
}

/** Bodies of one range with what reads and judges them. */
export interface LinkedMedia {
  readonly range: string;
  /** Undefined where a body passes unread. */
  readonly judge:
    | ((
        bytes: Uint8Array<ArrayBuffer>,
        type: string,
        faults: Fault[],
      ) => undefined | Malformed | Promise<undefined | Malformed>)
    | undefined;
}

export const linkMedia = (plan: MediaPlan, site: Site): LinkedMedia => {
  const validate = plan.validator === undefined ? undefined : site.validator(plan.validator);
  return { range: plan.range, judge: plan.kind === "unread" ? undefined : KINDS[plan.kind](plan, validate) };
};

/** The first range that a type is in. */
export const mediaFor = (media: readonly LinkedMedia[], { essence }: MediaType): LinkedMedia | undefined =>
  media.find(({ range }) => isInRange(essence, range));

type Kind = (plan: MediaPlan, validate: Validator | undefined) => NonNullable<LinkedMedia["judge"]>;

const json: Kind = (_, validate) => (bytes, _type, faults) => {
  const text = textOf(bytes);
  if (text === undefined) return { malformed: "The body is not text in UTF-8." };
  const value = parsedJson(text);
  if (value instanceof NotJson) return { malformed: `The body ${value.because}.` };
  if (validate !== undefined) judge(validate, value, { in: "body" }, faults);
  return undefined;
};

const text: Kind =
  ({ wanted = { scalars: "s" } }, validate) =>
  (bytes, _type, faults) => {
    const read = textOf(bytes);
    if (read === undefined) return { malformed: "The body is not text in UTF-8." };
    if (validate !== undefined) judge(validate, scalarOf(read, wanted.scalars), { in: "body" }, faults);
    return undefined;
  };

const BROKEN_ENCODING = "The form has a percent-encoding that is broken.";

const form: Kind = ({ fields = [], rest }, validate) => {
  const read = linkPairs(fields);
  return (bytes, _type, faults) => {
    const written = textOf(bytes);
    if (written === undefined) return { malformed: "The body is not a form in UTF-8." };
    const value = emptyObject();
    const { values, unknown } = read(pairsOf(written));
    for (const [index, field] of fields.entries()) {
      const found = values[index];
      if (found === undefined) continue;
      const parsed = field.json ? parsedField(found) : found;
      if (isUnreadable(parsed)) {
        if (parsed.unreadable === "malformed-encoding") return { malformed: BROKEN_ENCODING };
        fieldFault(field.name, parsed.unreadable, UNREADABLE[parsed.unreadable], faults);
      } else if (parsed instanceof NotJson) fieldFault(field.name, "malformed-json", parsed.because, faults);
      else value[field.name] = parsed;
    }
    for (const { name, raw } of unknown) {
      const decoded = decodeForm(raw);
      if (name === undefined || decoded === undefined) return { malformed: BROKEN_ENCODING };
      if (rest !== undefined && name in value) fieldFault(name, "repeated", UNREADABLE.repeated, faults);
      value[name] = scalarOf(decoded, rest?.scalars ?? "s");
    }
    if (validate !== undefined) judgeFields(validate, value, faults);
    return undefined;
  };
};

/** Judges a form; a field that could not be read is not called missing too. */
const judgeFields = (validate: Validator, value: Record<string, unknown>, faults: Fault[]): void => {
  const unread = new Set(
    faults.flatMap(({ in: place, name }) =>
      place === "body" && name !== undefined ? [`/${pointerToken(name)}`] : [],
    ),
  );
  const found: Fault[] = [];
  judge(validate, value, { in: "body" }, found);
  const told = found.filter(({ code, pointer = "" }) => code !== "required" || !unread.has(pointer));
  faults.push(...told.slice(0, MOST_FAULTS - faults.length));
};

/** A field that is text in JSON, or a list of such. */
const parsedField = (found: unknown): unknown => {
  if (typeof found === "string") return parsedJson(found);
  if (!Array.isArray(found)) return found;
  const items = found.map((item) => parsedJson(item as string));
  return items.find((item) => item instanceof NotJson) ?? items;
};

const multipart: Kind = ({ fields = [], rest }, validate) => {
  const byName = new Map(fields.map((field) => [field.name, field]));
  return async (bytes, type, faults) => {
    let parts: FormData;
    try {
      parts = await new Response(bytes, { headers: { "content-type": type } }).formData();
    } catch {
      return { malformed: "The body is not a form of parts." };
    }
    const value = emptyObject();
    for (const [name, part] of parts as unknown as Iterable<readonly [string, string | Blob]>) {
      if (faults.length >= MOST_FAULTS) break;
      const read = partValue(name, part, byName.get(name), rest, faults);
      if (read !== undefined)
        addPart(value, name, read.value, byName.get(name)?.wanted.items !== undefined, faults);
    }
    if (validate !== undefined) judgeFields(validate, value, faults);
    return undefined;
  };
};

const partValue = (
  name: string,
  part: string | Blob,
  field: FieldPlan | undefined,
  rest: Wanted | undefined,
  faults: Fault[],
): { readonly value: unknown } | undefined => {
  if (typeof part !== "string") {
    if (field !== undefined && field.file === undefined && !field.json) {
      fieldFault(name, "file", "must not be a file", faults);
      return undefined;
    }
    const { type } = part;
    const allowed = field?.file ?? [];
    const essence = type.split(";", 1)[0]!.trim().toLowerCase();
    if (allowed.length > 0 && !allowed.some((range) => isInRange(essence, range)))
      fieldFault(name, "media-type", `must be of the type ${allowed.join(" or ")}`, faults);
    return { value: "" };
  }
  if (field?.json) {
    const parsed = parsedJson(part);
    if (!(parsed instanceof NotJson)) return { value: parsed };
    fieldFault(name, "malformed-json", parsed.because, faults);
    return undefined;
  }
  const wanted = field?.wanted ?? rest;
  return { value: scalarOf(part, (wanted?.items ?? wanted)?.scalars ?? "s") };
};

const addPart = (
  value: Record<string, unknown>,
  name: string,
  read: unknown,
  isList: boolean,
  faults: Fault[],
): void => {
  if (isList) {
    if (name in value) (value[name] as unknown[]).push(read);
    else value[name] = [read];
  } else if (name in value) fieldFault(name, "repeated", "stands more than once", faults);
  else value[name] = read;
};

const fieldFault = (name: string, code: string, message: string, faults: Fault[]): void => {
  if (faults.length < MOST_FAULTS) faults.push({ in: "body", name: nameOf(name), code, message });
};

const KINDS: Readonly<Record<Exclude<MediaPlan["kind"], "unread">, Kind>> = { json, form, multipart, text };
