-- Columns that only MySQL has.
SET sql_generate_invisible_primary_key = 1;
CREATE TABLE generated_key (v VARCHAR(10));
SET sql_generate_invisible_primary_key = 0;
INSERT INTO generated_key VALUES ('a'), ('a'), (NULL);
DELETE FROM generated_key WHERE my_row_id = 1;

CREATE TABLE vectors (id INT NOT NULL PRIMARY KEY, v VECTOR(4));
INSERT INTO vectors VALUES (1, STRING_TO_VECTOR('[1,2.5,-3e10,1e-30]')), (2, NULL), (3, STRING_TO_VECTOR('[16777217,0.1]'));

CREATE TABLE fixed_srid (id INT NOT NULL PRIMARY KEY, p POINT NOT NULL SRID 4326, q POLYGON SRID 0, SPATIAL KEY (p));
INSERT INTO fixed_srid VALUES (1, ST_GeomFromText('POINT(-23.55 -46.633)', 4326), NULL),
  (2, ST_GeomFromText('POINT(89.999 179.999)', 4326), ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))'));

CREATE TABLE functional (
  id INT NOT NULL PRIMARY KEY, name VARCHAR(50), tags JSON, hidden_key INT,
  KEY k_lower ((LOWER(name))), KEY k_tags ((CAST(tags->'$.n' AS UNSIGNED ARRAY))), KEY k_invisible (hidden_key) INVISIBLE,
  CONSTRAINT lax CHECK (hidden_key > 100) NOT ENFORCED
);
INSERT INTO functional VALUES (1, 'Ana', '{"n": [1, 2]}', 1), (2, 'ANA', '{"n": []}', NULL), (3, NULL, NULL, 3);

-- Documents whose parts have types that JSON's text does not tell.
CREATE TABLE typed_documents (id INT NOT NULL PRIMARY KEY, doc JSON);
INSERT INTO typed_documents VALUES
  (1, '{"b" :1,  "a":1.5, "b": 2}'),
  (2, '[0.1, 100.0, 1e16, 12345678901234567890, -0.0, 1e308, 123456789012345680000]'),
  -- DECIMAL values, as a trigger that writes an audit log makes them: text that is parsed gives 1.1 for 1.10.
  (3, JSON_OBJECT('price', 1.10, 'zero', 0.00, 'long', 12345678901234567890.123456789012345678901234567890)),
  (4, JSON_ARRAY(-1.10, JSON_OBJECT('a "quoted" name', 100.00, 'é', JSON_ARRAY(1.0, 1e0, 1, TRUE)))),
  (5, CAST(CAST(7.10 AS DECIMAL(10,2)) AS JSON)), (6, CAST(1.5e0 AS JSON)), (7, CAST(18446744073709551615 AS JSON));

-- Keys that are computed, and so are no part of the stored rows.
CREATE TABLE computed_key (id INT NOT NULL, k INT GENERATED ALWAYS AS (100 - id) STORED NOT NULL PRIMARY KEY);
INSERT INTO computed_key (id) VALUES (1), (2), (30);
CREATE TABLE computed_unique (id INT, k VARCHAR(20) GENERATED ALWAYS AS (CONCAT('k', id)) VIRTUAL NOT NULL, UNIQUE KEY (k));
INSERT INTO computed_unique (id) VALUES (1), (2), (30);
