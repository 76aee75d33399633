import type { z } from "zod";
import type { Path } from "../core/policy.ts";

/** The keys that a schema knows at a path below it; none where it is no map with fixed keys. */
export const keysAt = (schema: z.ZodType, path: Path): readonly string[] =>
  keysOf(schema as unknown as Schema, path);

/** What we look at of zod's public definitions (`schema.def`). */
interface Schema {
  readonly def: {
    readonly type: string;
    readonly shape?: Readonly<Record<string, Schema>>;
    readonly innerType?: Schema;
    readonly in?: Schema;
    readonly options?: readonly Schema[];
    readonly element?: Schema;
    readonly valueType?: Schema;
  };
}

const keysOf = (schema: Schema | undefined, path: Path): readonly string[] => {
  const def = schema?.def;
  if (def === undefined) return [];
  if (def.innerType !== undefined) return keysOf(def.innerType, path);
  if (def.in !== undefined) return keysOf(def.in, path);
  if (def.options !== undefined) return [...new Set(def.options.flatMap((option) => keysOf(option, path)))];
  const [head, ...rest] = path;
  if (head === undefined) return Object.keys(def.shape ?? {});
  return keysOf(def.shape?.[String(head)] ?? def.valueType ?? def.element, rest);
};
