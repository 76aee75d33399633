import { z } from "@hono/zod-openapi";
import { digestTag } from "./conditional.ts";

/** A place in a list that is sorted by time of creation, then by id: that of the last record of the page before. */
export interface Position {
  readonly createdAt: string;
  readonly id: string;
}

/** A record as it is answered, and the number of its version, from which its entity tag is made. */
export interface Stored<T extends Position> {
  readonly record: T;
  readonly version: number;
}

const POSITION = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([A-Za-z0-9-]{1,36})$/;

/** A position as text that fits a URL as it is (RFC 4648 section 5, without padding). */
const encodeCursor = ({ createdAt, id }: Position): string =>
  btoa(`${createdAt} ${id}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** The position that a cursor stands for; undefined when it is not one of ours. */
const decodeCursor = (cursor: string): Position | undefined => {
  try {
    const [, createdAt, id] = POSITION.exec(atob(cursor.replaceAll("-", "+").replaceAll("_", "/"))) ?? [];
    return createdAt === undefined || id === undefined ? undefined : { createdAt, id };
  } catch {
    return undefined;
  }
};

/** The query parameters of every list. */
export const PageQuery = z.object({
  // The text becomes a number before the check, for `z.coerce` would be documented as nullable.
  limit: z
    .preprocess(
      (text) => (typeof text === "string" && /^\d{1,6}$/.test(text) ? Number(text) : text),
      z.number("Expected a whole number").int().min(1).max(100).default(20),
    )
    .openapi({ param: { description: "How many records a page holds at most." } }),
  cursor: z
    .string("Expected one cursor")
    .max(200)
    .transform((cursor, context) => {
      const position = decodeCursor(cursor);
      if (position !== undefined) return position;
      context.addIssue("Not a cursor of this list");
      return z.NEVER;
    })
    .optional()
    .openapi({ param: { description: "Where to go on: the `nextCursor` of the page before, unchanged." } }),
});

/** How the end of a page is shown in its answer. */
export const NextCursor = z
  .string()
  .nullable()
  .openapi({ description: "The `cursor` of the next page; null on the last one." });

/**
 * Makes a page of at most `limit` records from `limit + 1` that were read: the one too many tells that there are more.
 * The entity tag is strong: it changes when a record joins the page, leaves it, moves or gets a new version, or when
 * the end of the list does. Rejects only where the runtime has no SHA-256.
 */
export const toPage = async <T extends Position>(read: readonly Stored<T>[], limit: number) => {
  const shown = read.slice(0, limit);
  const items = shown.map(({ record }) => record);
  const last = items.at(-1);
  const nextCursor = read.length > limit && last !== undefined ? encodeCursor(last) : null;
  const versions = shown.map(({ record, version }) => `${record.id} v${version}`);
  const etag = await digestTag([...versions, nextCursor ?? ""].join("\n"));
  return { page: { items, nextCursor }, etag };
};
