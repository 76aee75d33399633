import type { z } from "zod";
import type { Path } from "../core/policy.ts";

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
  readonly description?: string | undefined;
}

/** The keys that a schema knows at a path below it; none where it is no map with fixed keys. */
export const keysAt = (schema: z.ZodType, path: Path): readonly string[] => [
  ...new Set(
    schemasAt(schema as unknown as Schema, path).flatMap((found) => unwrapped(found).flatMap(shapeKeys)),
  ),
];

/** What a schema says of the key at a path below it; undefined where it says nothing. */
export const descriptionAt = (schema: z.ZodType, path: Path): string | undefined =>
  schemasAt(schema as unknown as Schema, path)
    .map(described)
    .find((text) => text !== undefined);

const shapeKeys = ({ def }: Schema): string[] => Object.keys(def.shape ?? {});

/** The schemas at a path, with their wrappers: several where a union leads there on several ways. */
const schemasAt = (schema: Schema, path: Path): readonly Schema[] => {
  const [head, ...rest] = path;
  if (head === undefined) return [schema];
  return unwrapped(schema).flatMap(({ def }) => {
    const below = def.shape === undefined ? (def.valueType ?? def.element) : own(def.shape, String(head));
    return below === undefined ? [] : schemasAt(below, rest);
  });
};

/** The schemas inside of optional, default, pipe and union. */
const unwrapped = (schema: Schema): readonly Schema[] => {
  const { def } = schema;
  const inner = def.innerType ?? def.in;
  if (inner !== undefined) return unwrapped(inner);
  return def.options === undefined ? [schema] : def.options.flatMap(unwrapped);
};

const described = (schema: Schema): string | undefined => {
  const inner = schema.def.innerType ?? schema.def.in;
  return schema.description ?? (inner === undefined ? undefined : described(inner));
};

const own = (shape: Readonly<Record<string, Schema>>, key: string): Schema | undefined =>
  Object.hasOwn(shape, key) ? shape[key] : undefined;
