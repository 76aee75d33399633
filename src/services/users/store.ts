import type { D1Database } from "@cloudflare/workers-types";
import type { Position, Stored } from "../http/page.ts";
import type { NewUser, User, UserPatch } from "./schemas.ts";

/** How a change ended. `changed` means that the expected version is no longer the current one. */
export type Update =
  | { readonly outcome: "updated"; readonly stored: Stored<User> }
  | { readonly outcome: "missing" | "changed" | "email-taken" };

interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly version: number;
}

const toStored = (row: UserRow): Stored<User> => ({
  record: {
    id: row.id,
    name: row.name,
    email: row.email,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  },
  version: row.version,
});

const SELECT_USER = "SELECT * FROM users WHERE id = ?1";

// A row value compares as a whole, so that one range of the index users_by_creation is read.
const LIST_USERS = `
  SELECT * FROM users WHERE (created_at, id) > (?1, ?2) ORDER BY created_at, id LIMIT ?3`;

// A taken address is an expected outcome: the insert does nothing, in place of an error whose text would have to be read.
const INSERT_USER = `
  INSERT INTO users (id, name, email, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?4)
  ON CONFLICT (email) DO NOTHING
  RETURNING *`;

const UPDATE_USER = `
  UPDATE users
  SET name = COALESCE(?2, name), email = COALESCE(?3, email), updated_at = ?4, version = version + 1
  WHERE id = ?1 AND (?5 IS NULL OR version = ?5)
    AND NOT EXISTS (SELECT 1 FROM users AS other WHERE other.email = ?3 AND other.id <> ?1)
  RETURNING *`;

/** The user with this id, or undefined. Rejects when the database fails, as all functions of this file do. */
export const findUser = async (db: D1Database, id: string): Promise<Stored<User> | undefined> => {
  const row = await db.prepare(SELECT_USER).bind(id).first<UserRow>();
  return row === null ? undefined : toStored(row);
};

/** At most `limit` users, the oldest first, from the beginning or after a position. */
export const listUsers = async (
  db: D1Database,
  after: Position | undefined,
  limit: number,
): Promise<readonly Stored<User>[]> => {
  // Every time of creation sorts after the empty text.
  const { createdAt, id } = after ?? { createdAt: "", id: "" };
  const { results } = await db.prepare(LIST_USERS).bind(createdAt, id, limit).all<UserRow>();
  return results.map(toStored);
};

/** Adds a user under a new id; undefined when the address belongs to another user. */
export const insertUser = async (
  db: D1Database,
  { name, email }: NewUser,
  now: Date,
): Promise<Stored<User> | undefined> => {
  const insert = db.prepare(INSERT_USER).bind(crypto.randomUUID(), name, email, now.toISOString());
  const row = await insert.first<UserRow>();
  return row === null ? undefined : toStored(row);
};

/**
 * Changes a user where it still has the expected version, or whichever it has when none is expected. One transaction,
 * so that the reason for a change that did not happen is that of the same moment.
 */
export const updateUser = async (
  db: D1Database,
  id: string,
  patch: UserPatch,
  expectedVersion: number | undefined,
  now: Date,
): Promise<Update> => {
  const [updated, current] = await db.batch<UserRow>([
    db
      .prepare(UPDATE_USER)
      .bind(id, patch.name ?? null, patch.email ?? null, now.toISOString(), expectedVersion ?? null),
    db.prepare(SELECT_USER).bind(id),
  ]);
  const row = updated?.results[0];
  if (row !== undefined) return { outcome: "updated", stored: toStored(row) };
  const version = current?.results[0]?.version;
  if (version === undefined) return { outcome: "missing" };
  const isStale = expectedVersion !== undefined && version !== expectedVersion;
  return { outcome: isStale ? "changed" : "email-taken" };
};
