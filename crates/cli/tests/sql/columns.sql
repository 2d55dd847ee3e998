-- Columns that are computed, hidden, filled by default, or hold documents and shapes.
SET sql_mode = '';

CREATE TABLE computed (
  first_v INT GENERATED ALWAYS AS (price * 2) VIRTUAL,
  id INT NOT NULL PRIMARY KEY,
  price DECIMAL(10,2),
  amount INT,
  total DECIMAL(20,2) GENERATED ALWAYS AS (price * amount) STORED,
  label VARCHAR(40) GENERATED ALWAYS AS (CONCAT('nº ', id, ' "', amount, '"')) VIRTUAL,
  note VARCHAR(20) DEFAULT 'none',
  KEY k_total (total), KEY k_label (label)
) DEFAULT CHARSET=utf8mb4;
INSERT INTO computed (id, price, amount, note) VALUES (1, 1.10, 3, 'a'), (2, NULL, 1, NULL), (3, 0.01, -7, '');

CREATE TABLE only_computed (id INT NOT NULL, twice INT GENERATED ALWAYS AS (id * 2) STORED, UNIQUE KEY twice (twice));
INSERT INTO only_computed (id) VALUES (1), (2), (30);

CREATE TABLE hidden (
  id INT NOT NULL PRIMARY KEY,
  seen VARCHAR(10),
  secret VARCHAR(20) DEFAULT 'not told' INVISIBLE,
  required INT NOT NULL DEFAULT 7 INVISIBLE
);
INSERT INTO hidden (id, seen, secret, required) VALUES (1, 'a', 'told', 1), (2, 'b', NULL, 2);
INSERT INTO hidden (id, seen) VALUES (3, 'c');

CREATE TABLE defaults (
  id INT NOT NULL PRIMARY KEY,
  n INT DEFAULT (1 + 2 * 3),
  s VARCHAR(60) DEFAULT (CONCAT('it''s ', 'DEFAULT_GENERATED')),
  u CHAR(36) DEFAULT (UUID()),
  r DOUBLE DEFAULT (RAND()),
  b BLOB DEFAULT (REPEAT('x', 3)),
  t DATETIME DEFAULT CURRENT_TIMESTAMP,
  quoted VARCHAR(60) DEFAULT 'GENERATED ALWAYS AS (1), KEY `x`' COMMENT 'VIRTUAL; AUTO_INCREMENT=9, \'\\ é'
) DEFAULT CHARSET=utf8mb4;
INSERT INTO defaults (id) VALUES (1), (2);
INSERT INTO defaults VALUES (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE checked (
  id INT NOT NULL PRIMARY KEY, a INT, b INT, c VARCHAR(20),
  CONSTRAINT `a before b` CHECK (a < b), CHECK (c <> 'x,) CHECK ('), CONSTRAINT c3 CHECK (a > 0 OR a IS NULL)
);
INSERT INTO checked VALUES (1, 1, 2, 'a'), (2, NULL, NULL, NULL);

CREATE TABLE documents (id INT NOT NULL PRIMARY KEY, doc JSON, doc_required JSON NOT NULL);
INSERT INTO documents VALUES
  (1, NULL, 'null'),
  (2, '{}', '[]'),
  (3, '{"a": 1, "é": "ção 🩺 \\u0007 \\"q\\" \\\\ / \\n"}', '"just a text"'),
  (4, '[1, -1, 0, 18446744073709551615, -9223372036854775808, 1.5, 1e300, 0.1, 1e-7, true, false, null]', '-0.0'),
  (5, '{"deep": [[[[[{"x": [{}, [], "", 0]}]]]]], "": "empty name", "b": 2, "aa": 1}', '3.0'),
  (6, CONCAT('{"long": "', REPEAT('á', 70000), '"}'), '1e20');

CREATE TABLE shapes (
  id INT NOT NULL PRIMARY KEY, any_shape GEOMETRY, p POINT, l LINESTRING, a POLYGON,
  mp MULTIPOINT, ml MULTILINESTRING, ma MULTIPOLYGON, c GEOMETRYCOLLECTION
);
INSERT INTO shapes VALUES
  (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (2, ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(-46.633 -23.55)'), ST_GeomFromText('LINESTRING(0 0,1 1,2 0.1)'),
   ST_GeomFromText('POLYGON((0 0,10 0,10 10,0 10,0 0),(1 1,2 1,2 2,1 2,1 1))'),
   ST_GeomFromText('MULTIPOINT(1 1,2 2)'), ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))'),
   ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))'),
   ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')),
  (3, ST_GeomFromText('POINT(-46.633 -23.55)', 4326), ST_GeomFromText('POINT(1e-300 1e300)'), ST_GeomFromText('LINESTRING(1 2,3 4)', 4326),
   NULL, ST_GeomFromText('MULTIPOINT(0.1 0.2)', 3857), NULL, NULL, NULL),
  (4, ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))', 3857), ST_GeomFromText('POINT(12 34)', 4326), NULL, NULL, NULL, NULL, NULL,
   ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))', 4326));
