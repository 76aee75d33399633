INSERT INTO users (id, name, email, created_at, updated_at) VALUES
  ('1', 'Grace Hopper', 'grace@example.com', '2026-01-05T09:00:00.000Z', '2026-01-05T09:00:00.000Z'),
  ('2', 'Alan Turing', 'alan@example.com', '2026-01-06T09:00:00.000Z', '2026-01-06T09:00:00.000Z'),
  ('3', 'Katherine Johnson', 'katherine@example.com', '2026-01-07T09:00:00.000Z', '2026-01-07T09:00:00.000Z'),
  ('4', 'Edsger Dijkstra', 'edsger@example.com', '2026-01-08T09:00:00.000Z', '2026-01-08T09:00:00.000Z'),
  ('5', 'Barbara Liskov', 'barbara@example.com', '2026-01-09T09:00:00.000Z', '2026-01-09T09:00:00.000Z'),
  ('6', 'Donald Knuth', 'donald@example.com', '2026-01-10T09:00:00.000Z', '2026-01-10T09:00:00.000Z'),
  ('7', 'Radia Perlman', 'radia@example.com', '2026-01-11T09:00:00.000Z', '2026-01-11T09:00:00.000Z'),
  ('8', 'Leslie Lamport', 'leslie@example.com', '2026-01-12T09:00:00.000Z', '2026-01-12T09:00:00.000Z'),
  ('9', 'Frances Allen', 'frances@example.com', '2026-01-13T09:00:00.000Z', '2026-01-13T09:00:00.000Z'),
  ('10', 'Tony Hoare', 'tony@example.com', '2026-01-14T09:00:00.000Z', '2026-01-14T09:00:00.000Z'),
  ('11', 'Margaret Hamilton', 'margaret@example.com', '2026-01-15T09:00:00.000Z', '2026-01-15T09:00:00.000Z'),
  ('12', 'Niklaus Wirth', 'niklaus@example.com', '2026-01-16T09:00:00.000Z', '2026-01-16T09:00:00.000Z'),
  ('42', 'Ada Lovelace', 'ada@example.com', '2026-01-17T09:00:00.000Z', '2026-01-17T09:00:00.000Z');
