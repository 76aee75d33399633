-- Times are ISO 8601 in UTC with milliseconds, so that they sort as text. Amounts are in minor units of their currency
-- (ISO 4217). The version counts the changes of an order and is what its entity tag is made of.
CREATE TABLE products (
  sku TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  unit_price INTEGER NOT NULL CHECK (unit_price >= 0),
  currency TEXT NOT NULL CHECK (length(currency) = 3)
) STRICT;

CREATE TABLE orders (
  id TEXT PRIMARY KEY NOT NULL,
  customer_id TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'confirmed', 'shipped', 'delivered', 'cancelled')),
  note TEXT,
  currency TEXT NOT NULL CHECK (length(currency) = 3),
  total INTEGER NOT NULL CHECK (total >= 0),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1)
) STRICT;

-- A customer's list is read in this order; a page begins after the last row of the page before.
CREATE INDEX orders_by_customer ON orders (customer_id, created_at DESC, id DESC);

-- The price is that of the moment of ordering: a later change of the product does not reach back.
CREATE TABLE order_items (
  order_id TEXT NOT NULL REFERENCES orders (id),
  line INTEGER NOT NULL CHECK (line >= 0),
  sku TEXT NOT NULL REFERENCES products (sku),
  quantity INTEGER NOT NULL CHECK (quantity >= 1),
  unit_price INTEGER NOT NULL CHECK (unit_price >= 0),
  PRIMARY KEY (order_id, line)
) STRICT, WITHOUT ROWID;
