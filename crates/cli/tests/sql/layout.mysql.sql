-- Layouts that only MySQL has.
CREATE TABLE compressed_pages (id INT NOT NULL PRIMARY KEY, v TEXT) ENGINE=InnoDB COMPRESSION='zlib';
INSERT INTO compressed_pages VALUES (1, REPEAT('x', 10000));
CREATE TABLE autoextend (id INT NOT NULL PRIMARY KEY) ENGINE=InnoDB AUTOEXTEND_SIZE=4M;
CREATE TABLE system_tablespace (id INT NOT NULL PRIMARY KEY, v INT) ENGINE=InnoDB TABLESPACE=innodb_system;
INSERT INTO system_tablespace VALUES (1, 2);
