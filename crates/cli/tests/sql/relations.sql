-- Foreign keys in circles, to themselves, across several columns, and a row that points nowhere.
SET sql_mode = '', foreign_key_checks = 0;

CREATE TABLE hen (id INT NOT NULL PRIMARY KEY, egg INT, CONSTRAINT hen_egg FOREIGN KEY (egg) REFERENCES egg (id)) ENGINE=InnoDB;
CREATE TABLE egg (id INT NOT NULL PRIMARY KEY, hen INT, CONSTRAINT egg_hen FOREIGN KEY (hen) REFERENCES hen (id) ON DELETE CASCADE ON UPDATE SET NULL) ENGINE=InnoDB;
INSERT INTO hen VALUES (1, 1), (2, NULL), (3, 1);
INSERT INTO egg VALUES (1, 1), (2, 3);

CREATE TABLE `order` (id INT NOT NULL PRIMARY KEY, parent INT, `group` INT,
  CONSTRAINT self FOREIGN KEY (parent) REFERENCES `order` (id) ON DELETE CASCADE) ENGINE=InnoDB;
-- Children come before their parents.
INSERT INTO `order` VALUES (1, 5, 1), (2, 2, 1), (3, 1, NULL), (4, NULL, 2), (5, 4, 2);

CREATE TABLE parents (a INT NOT NULL, b VARCHAR(20) NOT NULL, PRIMARY KEY (a, b)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE children (
  id INT NOT NULL PRIMARY KEY, pa INT, pb VARCHAR(20),
  KEY by_parent (pa, pb),
  CONSTRAINT ch_1 FOREIGN KEY (pa, pb) REFERENCES parents (a, b) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT `FOREIGN KEY ``x`` (,` FOREIGN KEY (pa, pb) REFERENCES parents (a, b)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO parents VALUES (1, 'x'), (1, 'y'), (2, 'ç');
INSERT INTO children VALUES (1, 1, 'x'), (2, 2, 'ç'), (3, NULL, 'x'), (4, NULL, NULL);
-- Nobody's child: written while checks were off.
INSERT INTO children VALUES (5, 9, 'nobody');

CREATE TABLE unnamed (id INT NOT NULL PRIMARY KEY, h INT, FOREIGN KEY (h) REFERENCES hen (id)) ENGINE=InnoDB;
INSERT INTO unnamed VALUES (1, 2);

CREATE TABLE `sessenta_e_quatro_caracteres_de_nome_sao_o_maximo_que_se_permite` (
  id INT NOT NULL PRIMARY KEY, h INT,
  CONSTRAINT `restricao_de_quatro_e_sessenta_caracteres_que_ninguem_mais_teria` FOREIGN KEY (h) REFERENCES hen (id)
) ENGINE=InnoDB;
INSERT INTO `sessenta_e_quatro_caracteres_de_nome_sao_o_maximo_que_se_permite` VALUES (1, 1);
