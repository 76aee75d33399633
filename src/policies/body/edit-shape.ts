import { z } from "zod";
import { explain, oneOf } from "../shapes.ts";
import { parsePointer } from "./pointer.ts";
import type { Token } from "./walk.ts";

const pointer = () =>
  z.string().refine((text) => parsePointer(text) !== undefined, {
    error: explain(
      "This is not a JSON Pointer (RFC 6901).",
      'Write names and indices, each behind a slash: /items/0/name; `~1` is a slash in a name, `~0` a tilde, "" the whole body.',
    ),
    params: { code: "bad-pointer" },
  });

const common = {
  op: oneOf("add", "remove", "replace", "move", "copy", "test").describe(
    "The operation, as RFC 6902 defines it: `add` puts a member there, or inserts an element; `replace` and `remove` need one that is there; `test` refuses a body whose value is another.",
  ),
  path: pointer().describe(
    "Where, as a JSON Pointer: /items/0/name; `-` is the end of a list, `*` every member or element.",
  ),
  from: pointer()
    .optional()
    .describe("Where `move` and `copy` take the value from; a `*` of it stands for the same in `path`."),
  value: z
    .unknown()
    .optional()
    .describe("The value that `add` and `replace` write, and `test` compares with; any JSON, null too."),
};

const optional = (meaning: string) => z.boolean().default(false).describe(meaning);

const PASSED_OVER = "Where its place does not exist, the edit is passed over; otherwise the body is refused";

/** An edit of an answer. Nothing of the request goes into it: a stored answer is used for other requests, too. */
export const responseEdit = () =>
  z
    .strictObject({
      ...common,
      expression: z
        .never({
          error: explain(
            "What is written into an answer cannot depend on the request: a stored answer is used for others, too.",
            "Write the value under `value`.",
          ),
        })
        .optional()
        .describe("In edits of requests only."),
      optional: optional(`${PASSED_OVER}.`),
    })
    .superRefine(check);

/** An edit of a request. */
export const requestEdit = () =>
  z
    .strictObject({
      ...common,
      expression: z
        .string({
          error: () =>
            explain(
              "An expression is a text.",
              'Write CEL in quotes: "identity.id". A value stands under `value`.',
            ),
        })
        .optional()
        .describe("A CEL expression for the value, in place of `value`."),
      optional: optional(
        `${PASSED_OVER}. Where its expression has no value, what stands there is taken away.`,
      ),
    })
    .superRefine(check);

/** An edit as it is written. */
export interface Edit {
  readonly op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  readonly path: string;
  readonly from?: string | undefined;
  readonly value?: unknown;
  readonly expression?: string | undefined;
  readonly optional: boolean;
}

type Report = (key: string, code: string, wrong: string, remedy: string) => void;

const check = (edit: Edit, context: z.core.$RefinementCtx<Edit>): void => {
  const report: Report = (key, code, wrong, remedy) =>
    context.addIssue({
      code: "custom",
      path: [key],
      message: explain(wrong, remedy),
      params: { code, onKey: key === "from" || key === "value" || key === "expression" },
    });
  checkKeys(edit, report);
  checkPlaces(edit, report);
};

/** Which keys belong to which operation (RFC 6902 section 4). */
const checkKeys = (edit: Edit, report: Report): void => {
  const { op } = edit;
  const writes = op === "add" || op === "replace" || op === "test";
  const moves = op === "move" || op === "copy";
  const values = (["value", "expression"] as const).filter((key) => edit[key] !== undefined);
  if (moves && edit.from === undefined)
    report(
      "op",
      "edit-incomplete",
      `\`${op}\` does not say where the value comes from.`,
      "Add `from`: a JSON Pointer.",
    );
  if (!moves && edit.from !== undefined)
    report(
      "from",
      "edit-unused-key",
      `\`${op}\` takes nothing from elsewhere.`,
      "Remove `from`, or write `op: copy`.",
    );
  if (writes && values.length === 0)
    report("op", "edit-incomplete", `\`${op}\` has no value.`, "Add `value`, or in a request `expression`.");
  if (writes && values.length === 2)
    report("expression", "edit-unused-key", "The edit has two values.", "Remove `value` or `expression`.");
  if (!writes && values.length > 0)
    report(values[0]!, "edit-unused-key", `\`${op}\` takes no value.`, `Remove \`${values[0]}\`.`);
  if (hasLossyNumber(edit.value))
    report(
      "value",
      "edit-lossy-number",
      "The value holds a number that is not read exactly.",
      "Write whole numbers up to 9007199254740991, and no infinities.",
    );
};

const checkPlaces = ({ op, path, from }: Edit, report: Report): void => {
  const target = parsePointer(path);
  const source = from === undefined ? undefined : parsePointer(from);
  if (target === undefined) return;
  if (op === "remove" && target.length === 0)
    report(
      "path",
      "edit-of-everything",
      "Without the whole body nothing is left.",
      "Point to a member: /internal.",
    );
  if ((op === "add" || source !== undefined) && target.at(-1) === null)
    report(
      "path",
      "edit-wildcard",
      "A value is put at one place, not at each.",
      "End the path with a name: /items/*/source.",
    );
  if (source === undefined) return;
  if (!sharesWildcards(source, target))
    report(
      "from",
      "edit-wildcard",
      "`from` and `path` do not mean the same by `*`.",
      "Begin both alike, up to their last `*`: from /items/*/old, path /items/*/new.",
    );
  else if (
    op === "move" &&
    target.length > source.length &&
    source.every((token, index) => token === target[index])
  )
    report(
      "path",
      "edit-into-itself",
      "A value cannot be moved into itself.",
      "Write `op: copy`, or another path.",
    );
};

/** Whether both are the same up to the last wildcard of either. */
const sharesWildcards = (source: readonly Token[], target: readonly Token[]): boolean => {
  const last = Math.max(source.lastIndexOf(null), target.lastIndexOf(null));
  for (let at = 0; at <= last; at++) if (source[at] !== target[at]) return false;
  return true;
};

/** Numbers of YAML become doubles; what that changes is no longer what somebody wrote. */
const hasLossyNumber = (value: unknown): boolean => {
  if (typeof value === "number")
    return !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value));
  return typeof value === "object" && value !== null && Object.values(value).some(hasLossyNumber);
};
