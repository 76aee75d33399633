INSERT INTO products (sku, name, unit_price, currency) VALUES
  ('LAMP-BRASS', 'Brass lamp', 6400, 'EUR'),
  ('LANTERN-IRON', 'Iron lantern', 4900, 'EUR'),
  ('CANDLE-WAX', 'Beeswax candle', 450, 'EUR'),
  ('LOCK-WARDED', 'Warded lock', 8900, 'EUR'),
  ('KEY-BLANK', 'Key blank', 350, 'EUR'),
  ('HINGE-STRAP', 'Strap hinge', 2150, 'EUR'),
  ('BELL-HAND', 'Hand bell', 1999, 'EUR'),
  ('ROPE-HEMP-10M', 'Hemp rope, 10 m', 1250, 'EUR'),
  ('BOLT-DOOR', 'Door bolt', 1675, 'EUR'),
  ('KNOCKER-LION', 'Lion door knocker', 11900, 'EUR'),
  ('SHIELD-OAK', 'Oak shield', 15900, 'EUR'),
  ('MAP-CASTLE', 'Map of the castle', 1800, 'EUR'),
  ('GUIDE-AUDIO', 'Audio guide', 500, 'USD');
