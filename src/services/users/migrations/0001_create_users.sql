-- Times are ISO 8601 in UTC with milliseconds, so that they sort as text. The version counts the changes of a row and
-- is what its entity tag is made of.
CREATE TABLE users (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  email TEXT NOT NULL COLLATE NOCASE UNIQUE,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1)
) STRICT;

-- Lists are read in this order; a page begins after the last row of the page before.
CREATE INDEX users_by_creation ON users (created_at, id);
