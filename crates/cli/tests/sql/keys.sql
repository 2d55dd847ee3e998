-- Tables that order their rows in every way there is: by no key, by one that may be NULL, by text, by several columns.
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';

CREATE TABLE empty_table (id INT NOT NULL PRIMARY KEY, v VARCHAR(10));
CREATE TABLE empty_keyless (v VARCHAR(10));
CREATE TABLE one_row (id INT NOT NULL PRIMARY KEY, v VARCHAR(10));
INSERT INTO one_row VALUES (1, 'one');

-- Equal rows are different rows.
CREATE TABLE duplicates (a INT, b VARCHAR(20), c BLOB);
INSERT INTO duplicates VALUES (1, 'x', NULL), (1, 'x', NULL), (1, 'x', NULL), (NULL, NULL, NULL), (NULL, NULL, NULL),
  (1, 'x', ''), (2, '', x'00'), (2, '', x'00'), (0, 'X', NULL);
INSERT INTO duplicates SELECT d.* FROM duplicates d, duplicates e, duplicates f;

-- A unique key that may be NULL is no key to walk along.
CREATE TABLE nullable_key (k INT, v VARCHAR(10), UNIQUE KEY k (k));
INSERT INTO nullable_key VALUES (NULL, 'a'), (NULL, 'a'), (3, 'c'), (1, 'b'), (NULL, 'd');

-- One that may not is.
CREATE TABLE unique_key (v VARCHAR(10), k INT NOT NULL, UNIQUE KEY k (k));
INSERT INTO unique_key VALUES ('a', 3), (NULL, 1), ('a', 2);

-- The primary key's order is not the columns' order.
CREATE TABLE several_columns (v TEXT, b VARCHAR(20) NOT NULL, a INT NOT NULL, c DATE NOT NULL, PRIMARY KEY (c, b, a));
INSERT INTO several_columns VALUES ('1', 'z', 1, '2024-01-01'), ('2', 'a', 2, '2024-01-01'), ('3', 'a', 1, '2024-01-01'),
  (NULL, '', -1, '2023-12-31');

-- Names that a collation holds for neighbours, with bytes that lie far apart.
CREATE TABLE people (name VARCHAR(60) NOT NULL, n INT NOT NULL DEFAULT 0, PRIMARY KEY (name))
  DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
INSERT INTO people (name) VALUES ('ana'), ('Ángel'), ('Árvore'), ('árvores'), ('azul'), ('Zé'), ('zebra'), ('ß'), ('st'), (''), ('ｆｕｌｌ'), ('東京'), ('🩺'), ('ñ'), ('o');
CREATE TABLE people_bin (name VARCHAR(60) COLLATE utf8mb4_bin NOT NULL, PRIMARY KEY (name)) DEFAULT CHARSET=utf8mb4;
INSERT INTO people_bin SELECT name FROM people UNION SELECT UPPER(name) FROM people UNION SELECT 'ana ';

-- Enough rows with a key of text, over several chunks, to meet cuts between names that differ only by case and accent.
CREATE TABLE many_names (name VARCHAR(80) NOT NULL, ordinal INT NOT NULL, filler VARCHAR(200), PRIMARY KEY (name, ordinal))
  DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
INSERT INTO many_names
  WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
  SELECT CONCAT(ELT(1 + n.i % 5, 'josé', 'JOSE', 'Jose', 'jôse', 'ｊosé'), CHAR(97 + n.i % 26 USING utf8mb4)), n.i * 20 + m.i, REPEAT(CHAR(65 + m.i USING utf8mb4), 150)
  FROM n, n m WHERE m.i < 20;

-- Counters: rows numbered 0 and below, a counter far ahead of its rows, one that is not the whole key.
CREATE TABLE zero_id (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, v VARCHAR(10));
INSERT INTO zero_id VALUES (0, 'zero'), (-5, 'minus'), (7, 'seven');
CREATE TABLE ahead (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, v VARCHAR(10)) AUTO_INCREMENT=123456789012;
CREATE TABLE behind (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, v VARCHAR(10));
INSERT INTO behind VALUES (1, 'a'), (2, 'b'), (90, 'last');
DELETE FROM behind WHERE id = 90;
CREATE TABLE second_counter (tenant INT NOT NULL, id INT NOT NULL AUTO_INCREMENT, v VARCHAR(10), PRIMARY KEY (tenant, id), KEY id (id));
INSERT INTO second_counter VALUES (1, 1, 'a'), (2, 2, 'b'), (1, 3, 'c');
CREATE TABLE unique_counter (id INT NOT NULL AUTO_INCREMENT, v VARCHAR(10), UNIQUE KEY id (id));
INSERT INTO unique_counter VALUES (1, 'a'), (5, 'b');

-- Secondary keys of all kinds.
CREATE TABLE indexed (
  id INT NOT NULL PRIMARY KEY, a VARCHAR(100), b TEXT, c INT, d INT, g POINT NOT NULL,
  UNIQUE KEY u_a (a), KEY k_prefix (b(20)), KEY k_two (c, d), KEY k_desc (c DESC, d ASC), KEY `odd, KEY name (` (d),
  FULLTEXT KEY ft (a, b), SPATIAL KEY sp (g), KEY k_comment (d, c) COMMENT 'a comment, with ''quotes'' and (brackets'
) DEFAULT CHARSET=utf8mb4;
INSERT INTO indexed VALUES (1, 'um', 'texto livre', 1, 1, ST_GeomFromText('POINT(1 2)')), (2, NULL, NULL, NULL, NULL, ST_GeomFromText('POINT(-3.5 4)'));
