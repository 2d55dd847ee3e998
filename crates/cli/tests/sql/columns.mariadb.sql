-- Columns that only MariaDB has.
CREATE TABLE addresses (id UUID NOT NULL PRIMARY KEY, six INET6, four INET4, u UUID);
INSERT INTO addresses VALUES
  ('00000000-0000-0000-0000-000000000000', '::', '0.0.0.0', NULL),
  ('ffffffff-ffff-ffff-ffff-ffffffffffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '255.255.255.255', '123e4567-e89b-12d3-a456-426655440000'),
  ('123e4567-e89b-12d3-a456-426655440000', '::ffff:192.0.2.1', '192.0.2.1', 'ffffffff-ffff-ffff-ffff-fffffffffffe'),
  ('5c5c5c5c-2727-1227-8022-0a0d00095c4e', NULL, NULL, NULL);

CREATE TABLE compressed_columns (id INT NOT NULL PRIMARY KEY, t TEXT COMPRESSED, b VARBINARY(2000) COMPRESSED) DEFAULT CHARSET=utf8mb4;
INSERT INTO compressed_columns VALUES (1, REPEAT('ção ', 5000), REPEAT(x'00ff5c', 600)), (2, NULL, NULL), (3, '', '');

-- A document is a text there, kept as it was written.
CREATE TABLE verbatim_documents (id INT NOT NULL PRIMARY KEY, doc JSON);
INSERT INTO verbatim_documents VALUES (1, '{"b" :1,  "a":1.10, "b": 2}'), (2, ' [ 1 ,\n\t2 ] '), (3, '123456789012345678901234567890.10');

CREATE TABLE persistent_column (id INT NOT NULL PRIMARY KEY, v INT AS (id + 1) PERSISTENT, w INT AS (id % 3) VIRTUAL INVISIBLE);
INSERT INTO persistent_column (id) VALUES (1), (2);

CREATE TABLE dynamic_columns (id INT NOT NULL PRIMARY KEY, extra BLOB);
INSERT INTO dynamic_columns VALUES (1, COLUMN_CREATE('cor', 'azul', 'peso', 12.5));

CREATE SEQUENCE invoice_numbers START WITH 1000 INCREMENT BY 10 MINVALUE 1 MAXVALUE 99999999 CACHE 5 CYCLE;
SELECT NEXT VALUE FOR invoice_numbers;
CREATE SEQUENCE `odd ``sequence` START WITH -1 INCREMENT BY -1 NOCACHE;
CREATE TABLE numbered (id INT NOT NULL DEFAULT NEXTVAL(invoice_numbers) PRIMARY KEY, v VARCHAR(10));
INSERT INTO numbered (v) VALUES ('a'), ('b');
