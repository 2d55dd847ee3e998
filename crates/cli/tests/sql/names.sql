-- Names with everything that a name may hold.
CREATE TABLE `select` (`from` INT NOT NULL PRIMARY KEY, `where` VARCHAR(10), KEY `group` (`where`));
INSERT INTO `select` VALUES (1, 'a');
CREATE TABLE `two words` (`a column` INT NOT NULL PRIMARY KEY, ` leading` INT, `a.b` INT, `c%d` INT, `e/f` INT);
INSERT INTO `two words` VALUES (1, 2, 3, 4, 5);
CREATE TABLE `a.b` (`x` INT NOT NULL PRIMARY KEY); INSERT INTO `a.b` VALUES (1);
CREATE TABLE `100%` (`%s` INT NOT NULL PRIMARY KEY); INSERT INTO `100%` VALUES (1);
CREATE TABLE `in/out` (`../..` INT NOT NULL PRIMARY KEY); INSERT INTO `in/out` VALUES (1);
CREATE TABLE `..` (`.` INT NOT NULL PRIMARY KEY); INSERT INTO `..` VALUES (1);
CREATE TABLE `tick``s` (```` INT NOT NULL PRIMARY KEY, `a``` INT, KEY `k``` (`a```)); INSERT INTO `tick``s` VALUES (1, 2);
CREATE TABLE `quote's "here"` (`it's` INT NOT NULL PRIMARY KEY, `"q"` INT, KEY `'` (`"q"`)); INSERT INTO `quote's "here"` VALUES (1, 2);
CREATE TABLE `back\slash` (`\` INT NOT NULL PRIMARY KEY, `\'` INT); INSERT INTO `back\slash` VALUES (1, 2);
CREATE TABLE `semi;colon -- /* # */` (`a,b` INT NOT NULL PRIMARY KEY, `) (` INT, KEY `PRIMARY KEY (` (`) (`));
INSERT INTO `semi;colon -- /* # */` VALUES (1, 2);
CREATE TABLE `prontuário médico` (`número` INT NOT NULL PRIMARY KEY, `観察` VARCHAR(10)) DEFAULT CHARSET=utf8mb4;
INSERT INTO `prontuário médico` VALUES (1, 'ação');
CREATE TABLE `çççççççççççççççççççççççççççççççççççççççççççççççççççççççççççççççç` (`éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé` INT NOT NULL PRIMARY KEY, b INT, KEY `ãããããããããããããããããããããããããããããããããããããããããããããããããããããããããããããããã` (b)); INSERT INTO `çççççççççççççççççççççççççççççççççççççççççççççççççççççççççççççççç` VALUES (1, 2);
CREATE TABLE `Case` (id INT NOT NULL PRIMARY KEY); INSERT INTO `Case` VALUES (1);
CREATE TABLE `case` (id INT NOT NULL PRIMARY KEY); INSERT INTO `case` VALUES (2);
CREATE TABLE `1234` (`5678` INT NOT NULL PRIMARY KEY); INSERT INTO `1234` VALUES (1);
CREATE TABLE `1e5` (`0x41` INT NOT NULL PRIMARY KEY); INSERT INTO `1e5` VALUES (1);
CREATE TABLE `#sql-odd` (`?` INT NOT NULL PRIMARY KEY, `:a` INT, `@b` INT, `$c` INT); INSERT INTO `#sql-odd` VALUES (1, 2, 3, 4);
CREATE TABLE `CONSTRAINT x FOREIGN KEY` (`KEY` INT NOT NULL PRIMARY KEY, `UNIQUE KEY` INT, `AUTO_INCREMENT` INT, KEY `KEY ``` (`UNIQUE KEY`));
INSERT INTO `CONSTRAINT x FOREIGN KEY` VALUES (1, 2, 3);
CREATE VIEW `a view of ``ticks``` AS SELECT ```` AS `back``tick` FROM `tick``s`;
CREATE VIEW `vista/médica.100%` AS SELECT `número`, `観察` FROM `prontuário médico`;
DELIMITER //
CREATE TRIGGER `gatilho ``de`` 100%/dia` BEFORE INSERT ON `two words` FOR EACH ROW SET NEW.`a.b` = NEW.`e/f` + 1 //
CREATE PROCEDURE `proc ``x`` / y.z %`() BEGIN SELECT * FROM `tick``s`; END //
CREATE FUNCTION `função`(`parâmetro um` INT) RETURNS INT DETERMINISTIC RETURN `parâmetro um` + 1 //
CREATE EVENT `evento ``e``/%.` ON SCHEDULE EVERY 1 DAY STARTS '2020-01-01 00:00:00' DISABLE DO DELETE FROM `two words` WHERE `a.b` = 0 //
DELIMITER ;
