-- Views, triggers, routines and events, each under settings of its own. @OWNER@ stands for an account that exists.
SET NAMES utf8mb4;
SET sql_mode = '';
CREATE TABLE base (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50), n INT, changed TIMESTAMP NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE log (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, what VARCHAR(200)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO base (id, name, n) VALUES (1, 'Ana', 10), (2, 'Zé', 20);

-- Views on views, in an order that no sorting by name gets right.
CREATE VIEW m_middle AS SELECT id, name, n * 2 AS twice FROM base WHERE n > 5;
CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW a_first AS
  SELECT m.id, CONCAT(m.name, ' "é" \'') AS label, _latin1'x' COLLATE latin1_bin AS tag FROM m_middle m;
CREATE ALGORITHM=TEMPTABLE DEFINER=@OWNER@ VIEW z_last AS SELECT COUNT(*) AS n FROM a_first;
CREATE VIEW b_both AS SELECT a.label, z.n FROM a_first a JOIN z_last z;
CREATE VIEW checked AS SELECT id, n FROM base WHERE n < 100 WITH CASCADED CHECK OPTION;

DELIMITER //
CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC NO SQL COMMENT 'it''s twice' RETURN x * 2 //
CREATE DEFINER=@OWNER@ FUNCTION greeting(who VARCHAR(30) CHARACTER SET latin1) RETURNS VARCHAR(60) CHARSET utf8mb4
  READS SQL DATA SQL SECURITY INVOKER
BEGIN
  -- a comment; with a semicolon
  RETURN CONCAT('olá, ', CONVERT(who USING utf8mb4), ' 🩺');
END //
CREATE VIEW uses_function AS SELECT twice(n) AS t, greeting(name) AS g FROM base //

SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES' //
CREATE PROCEDURE ansi(OUT "result" VARCHAR(50)) BEGIN SET "result" = 'a\b' || 'c"d'; END //
CREATE TRIGGER t_ansi BEFORE INSERT ON "base" FOR EACH ROW SET NEW."name" = NEW."name" || '\' //
CREATE VIEW ansi_view AS SELECT 'a' || "name" AS "quoted ""name""" FROM "base" //
CREATE EVENT e_ansi ON SCHEDULE EVERY 1 HOUR STARTS '2020-01-01 00:00:00' DISABLE DO INSERT INTO "log" ("what") VALUES ('x' || '\') //
SET sql_mode = 'STRICT_ALL_TABLES' //

-- Three triggers at one time, in an order that is not that of their names.
CREATE TRIGGER z_one BEFORE UPDATE ON base FOR EACH ROW SET NEW.n = NEW.n + 1 //
CREATE TRIGGER a_three BEFORE UPDATE ON base FOR EACH ROW SET NEW.n = NEW.n * 10 //
CREATE DEFINER=@OWNER@ TRIGGER m_two BEFORE UPDATE ON base FOR EACH ROW FOLLOWS z_one SET NEW.n = NEW.n + 2 //
-- Would change every row that is loaded while it is there.
CREATE TRIGGER t_stamp BEFORE INSERT ON base FOR EACH ROW PRECEDES t_ansi BEGIN SET NEW.changed = NOW(), NEW.n = -1; END //
CREATE TRIGGER t_log AFTER INSERT ON base FOR EACH ROW BEGIN INSERT INTO log (what) VALUES (CONCAT('ins', NEW.id)); END //
CREATE TRIGGER t_del AFTER DELETE ON base FOR EACH ROW INSERT INTO log (what) VALUES ('ção') //

SET NAMES latin1 //
CREATE PROCEDURE made_in_latin1() COMMENT 'x' BEGIN SELECT 'plain' AS a; END //
CREATE TRIGGER t_latin1 BEFORE DELETE ON base FOR EACH ROW SET @x = 'y' //
SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci //

CREATE DEFINER=@OWNER@ PROCEDURE busy(IN p INT, INOUT q DECIMAL(10,2), OUT r TEXT) MODIFIES SQL DATA COMMENT 'does; much'
BEGIN
  DECLARE done INT DEFAULT 0;
  DECLARE c CURSOR FOR SELECT n FROM base;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  lbl: LOOP SET q = q + p; IF q > 100 THEN LEAVE lbl; END IF; END LOOP;
  INSERT INTO log (what) VALUES ('DELIMITER ;; é');
  SELECT `name` FROM base LIMIT 1 INTO r;
END //

SET time_zone = '-03:00' //
CREATE EVENT e_zone ON SCHEDULE EVERY 2 DAY STARTS '2031-01-01 10:00:00' ENDS '2037-01-01 10:00:00' ON COMPLETION PRESERVE DISABLE
  COMMENT 'it''s "é"' DO BEGIN DELETE FROM log WHERE id < 0; DELETE FROM log WHERE what = ';'; END //
CREATE DEFINER=@OWNER@ EVENT e_once ON SCHEDULE AT '2038-01-01 00:00:00' ON COMPLETION PRESERVE DO DELETE FROM log //
DELIMITER ;
