INSERT INTO orders (id, customer_id, status, note, currency, total, created_at, updated_at, version) VALUES
  ('6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a01', '42', 'delivered', NULL, 'EUR', 7300,
   '2026-02-02T10:15:00.000Z', '2026-02-06T16:40:00.000Z', 4),
  ('6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a02', '42', 'shipped', 'Please leave it at the gate.', 'EUR', 9600,
   '2026-03-10T08:30:00.000Z', '2026-03-11T09:00:00.000Z', 3),
  ('6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a03', '42', 'confirmed', NULL, 'EUR', 11900,
   '2026-04-21T19:05:00.000Z', '2026-04-21T19:20:00.000Z', 2),
  ('6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a04', '42', 'pending', NULL, 'EUR', 4050,
   '2026-05-30T12:00:00.000Z', '2026-05-30T12:00:00.000Z', 1),
  ('6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a05', '1', 'pending', NULL, 'EUR', 15900,
   '2026-06-01T07:45:00.000Z', '2026-06-01T07:45:00.000Z', 1);

INSERT INTO order_items (order_id, line, sku, quantity, unit_price) VALUES
  ('6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a01', 0, 'LAMP-BRASS', 1, 6400),
  ('6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a01', 1, 'CANDLE-WAX', 2, 450),
  ('6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a02', 0, 'LOCK-WARDED', 1, 8900),
  ('6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a02', 1, 'KEY-BLANK', 2, 350),
  ('6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a03', 0, 'KNOCKER-LION', 1, 11900),
  ('6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a04', 0, 'MAP-CASTLE', 1, 1800),
  ('6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a04', 1, 'CANDLE-WAX', 5, 450),
  ('6f1c2f0e-3b52-4c7e-9d55-0f5a1c0b7a05', 0, 'SHIELD-OAK', 1, 15900);
