-- What MariaDB and MySQL can both hold, spelled in ways that both read. Numbers and times have fixtures of their own.
SET sql_mode = '', foreign_key_checks = 0;

CREATE TABLE textos (
  id INT NOT NULL PRIMARY KEY,
  u VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci,
  b VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  l TEXT CHARACTER SET latin1 COLLATE latin1_swedish_ci,
  w VARCHAR(20) CHARACTER SET utf16 COLLATE utf16_bin,
  c CHAR(5) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'x',
  e ENUM('a', 'ç', '') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  s SET('x', 'é', 'z') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
INSERT INTO textos VALUES
  (1, 'Ação 😀\t\n\\', 'ÇÃO', 'Ação', 'Ação 😀', 'abc', 'ç', 'x,é'),
  (2, '', '', '', '', '', '', ''),
  (3, NULL, NULL, NULL, NULL, 'x', NULL, NULL),
  (4, 'trailing  ', '\0nul', '''"`', ' ', 'a b', 0, 'x,é,z');

CREATE TABLE bytes (
  id INT NOT NULL PRIMARY KEY, bl LONGBLOB, vb VARBINARY(20), fb BINARY(4), UNIQUE KEY by_bytes (vb), KEY by_start (bl(3))
);
INSERT INTO bytes VALUES
  (1, x'000102030405060708090a0b0c0d0e0f101a1b1c1d1e1f2022275c7f8081feff', x'00ff', x'00'),
  (2, REPEAT(x'5c0a0d0900', 100000), x'', x'01020304'), (3, '', NULL, NULL), (4, NULL, x'ff00', '');

CREATE TABLE pais (a INT NOT NULL, b VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, PRIMARY KEY (a, b));
CREATE TABLE filhos (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, pa INT, pb VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  preco DECIMAL(10,2) NOT NULL DEFAULT 1.10,
  dobro DECIMAL(12,2) GENERATED ALWAYS AS (preco * 2) STORED,
  nome VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin GENERATED ALWAYS AS (CONCAT('nº ', preco)) VIRTUAL,
  KEY by_double (dobro, preco), KEY to_parent (pa, pb),
  CONSTRAINT filho_pai FOREIGN KEY (pa, pb) REFERENCES pais (a, b) ON DELETE CASCADE,
  CONSTRAINT positivo CHECK (preco > 0)
) AUTO_INCREMENT=77;
INSERT INTO pais VALUES (1, 'x'), (1, 'X'), (2, '');
INSERT INTO filhos (id, pa, pb, preco) VALUES (1, 1, 'x', 2.50), (2, 2, '', 0.01), (3, NULL, 'none', 99999999.99);

-- No key, and rows that are there twice.
CREATE TABLE keyless (a INT, b VARCHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin);
INSERT INTO keyless VALUES (1, 'a'), (1, 'a'), (NULL, NULL), (NULL, '');

CREATE TABLE particoes (id INT NOT NULL, v INT, PRIMARY KEY (id)) PARTITION BY HASH (id) PARTITIONS 3;
INSERT INTO particoes VALUES (1, 1), (2, 2), (3, 3), (4, NULL);
