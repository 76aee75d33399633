import { z } from "zod";
import type { HeaderEdit } from "../../core/header-edits.ts";
import { reservationOf } from "../../policies/headers/reserved.ts";
import { explain, headerName } from "../../policies/shapes.ts";

/** As templates write their references; JSON in a value does not look like one. */
const REFERENCE = /\{[A-Za-z_][A-Za-z0-9_.-]*\}/;

const value = () =>
  z
    .string({
      error: explain("The value of a header field is a text.", 'Write it in quotes: "1".'),
    })
    .regex(
      /^[\x20-\x7e]*$/,
      explain("A header field cannot hold this text.", "Write it in one line of visible ASCII characters."),
    )
    .refine(
      (text) => !REFERENCE.test(text),
      explain(
        "The fields of a lane are the same for every request.",
        "Write the value as it is; templates stand in the headers policy.",
      ),
    );

const values = () => z.record(headerName().in, value()).default({});

/** Names are not lower-cased yet: faults are told at the key that stands in the file. */
interface Written {
  readonly set: Readonly<Record<string, string>>;
  readonly add: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

type Tell = (path: (string | number)[], code: string, message: string) => void;

const checkNames = (written: Written, tell: Tell): void => {
  const reserved = (verb: "set" | "add" | "remove", key: string, path: (string | number)[]): void => {
    const reservation = reservationOf("request", verb, key.toLowerCase());
    if (reservation === undefined) return;
    const message = explain(`"${key}" cannot be changed here: ${reservation.why}.`, reservation.remedy);
    tell(path, "reserved-header", message);
  };
  for (const verb of ["set", "add"] as const) {
    const seen = new Set<string>();
    for (const key of Object.keys(written[verb])) {
      reserved(verb, key, [verb, key]);
      if (seen.has(key.toLowerCase())) {
        const wrong = `"${key}" stands here twice: the names of header fields have no case.`;
        tell([verb, key], "duplicate-header", explain(wrong, "Keep one of the two."));
      }
      seen.add(key.toLowerCase());
    }
  }
  const set = new Set(Object.keys(written.set).map((key) => key.toLowerCase()));
  for (const [index, name] of written.remove.entries()) {
    reserved("remove", name, ["remove", index]);
    if (!set.has(name)) continue;
    const wrong = `"${name}" is removed and set at the same time.`;
    const message = explain(wrong, "Remove one of the two: `set` replaces whatever came.");
    tell(["remove", index], "conflicting-edits", message);
  }
};

const editsOf = ({ set, add, remove }: Written): readonly HeaderEdit[] => [
  ...remove.map((name) => ({ op: "remove", name }) as const),
  ...Object.entries(set).map(([key, text]) => ({ op: "set", name: key.toLowerCase(), value: text }) as const),
  ...Object.entries(add).map(([key, text]) => ({ op: "add", name: key.toLowerCase(), value: text }) as const),
];

/** Edits to the requests of one lane, in the order in which they apply. */
export const laneHeaders = () =>
  z
    .strictObject({
      set: values().describe("Fields that get this value in place of any that came."),
      add: values().describe("Values that are added to those which a field has."),
      remove: z.array(headerName()).default([]).describe("Fields that are taken off."),
    })
    .superRefine((written, context) =>
      checkNames(written, (path, code, message) => {
        const onKey = typeof path[1] === "string";
        context.addIssue({ code: "custom", path, message, params: { code, onKey } });
      }),
    )
    .transform(editsOf);
