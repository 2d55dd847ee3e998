-- Text in many character sets and bytes of every value.
SET sql_mode = '';
SET NAMES utf8mb4;

CREATE TABLE texts (
  id INT NOT NULL PRIMARY KEY,
  padded CHAR(10) CHARACTER SET utf8mb4, free VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci,
  west VARCHAR(300) CHARACTER SET latin1, west_ci VARCHAR(300) CHARACTER SET latin1 COLLATE latin1_german1_ci,
  old VARCHAR(200) CHARACTER SET utf8mb3, plain VARCHAR(200) CHARACTER SET ascii,
  wide VARCHAR(200) CHARACTER SET utf16, wider VARCHAR(200) CHARACTER SET utf32, narrow VARCHAR(200) CHARACTER SET ucs2,
  japanese VARCHAR(200) CHARACTER SET sjis, chinese VARCHAR(200) CHARACTER SET gbk, taiwan VARCHAR(200) CHARACTER SET big5,
  cyrillic VARCHAR(300) CHARACTER SET cp1251,
  tiny TINYTEXT, usual TEXT, medium MEDIUMTEXT, huge LONGTEXT
) DEFAULT CHARSET=utf8mb4;
INSERT INTO texts VALUES
  (1, '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', ''),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (3, 'a  ', 'b  ', 'c  ', 'd  ', 'e  ', 'f  ', 'g  ', 'h  ', 'i  ', 'j  ', 'k  ', 'l  ', 'm  ', 'n  ', 'o  ', 'p  ', 'q  '),
  (4, 'NULL', '\\N', '\\', '\'', '"', '`', '\\\\N', '\n', '\r\n', '\t', ',', ';', '--', '/*', '#', '\\0', '\Z'),
  (5, 'ação', 'João "Zé" D\'Ávila\n\\ 🩺👩🏽‍⚕️ naïve e\u0301\0fim', _latin1 x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', _latin1 x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', 'ç €', 'ASCII ~',
      _utf16 x'0041d83dde00005c00270022', _utf32 x'000000410001f600', _ucs2 x'0041d83d005c',
      -- Two bytes each, the second one a backslash, a quote's neighbour or a pipe.
      _sjis x'955c835c945c5c', _gbk x'bf5c815c', _big5 x'a55cb35c', _cp1251 x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
      REPEAT('x', 255), REPEAT('é', 32767), REPEAT('🩺', 70000), REPEAT('linha\r\n', 30000)),
  (6, 'ÀÉÎõü', 'x\0y\0', 'caf\u00e9', 'Stra\u00dfe', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0', '\0');

CREATE TABLE bytes (
  id INT NOT NULL PRIMARY KEY,
  fixed BINARY(16), free VARBINARY(1000), tiny TINYBLOB, usual BLOB, medium MEDIUMBLOB, huge LONGBLOB
);
INSERT INTO bytes VALUES
  (1, '', '', '', '', '', ''),
  (2, NULL, NULL, NULL, NULL, NULL, NULL),
  (3, x'00', x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfe', x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', REPEAT(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', 300), REPEAT(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', 5000)),
  (4, x'20', x'2020', x'20', x'0000', x'5c4e', x'5c'),
  -- What is no UTF-8: overlong forms, half characters, surrogates, what lies past the last code point.
  (5, x'ff', x'c080', x'e28228', x'f8888080', x'eda080', x'f4908080'),
  (6, x'80', x'c3', x'fe', x'fffe', x'efbbbf', x'0d0a1a09');

-- Keys of bytes, in which every value comes first once.
CREATE TABLE byte_keys (k VARBINARY(3) NOT NULL PRIMARY KEY, v BINARY(1));
INSERT INTO byte_keys
  WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 255)
  SELECT UNHEX(CONCAT(LPAD(HEX(i), 2, '0'), LPAD(HEX(255 - i), 2, '0'))), UNHEX(LPAD(HEX(i), 2, '0')) FROM n;

CREATE TABLE choices (
  id INT NOT NULL PRIMARY KEY,
  e ENUM('a,b', 'it''s', 'ção', '', 'back\\slash', '"', '1') CHARACTER SET utf8mb4,
  e_latin ENUM('é', 'ü') CHARACTER SET latin1,
  s SET('x', 'y y', 'ção', 'it''s') CHARACTER SET utf8mb4,
  s64 SET('m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9', 'm10', 'm11', 'm12', 'm13', 'm14', 'm15', 'm16', 'm17', 'm18', 'm19', 'm20', 'm21', 'm22', 'm23', 'm24', 'm25', 'm26', 'm27', 'm28', 'm29', 'm30', 'm31', 'm32', 'm33', 'm34', 'm35', 'm36', 'm37', 'm38', 'm39', 'm40', 'm41', 'm42', 'm43', 'm44', 'm45', 'm46', 'm47', 'm48', 'm49', 'm50', 'm51', 'm52', 'm53', 'm54', 'm55', 'm56', 'm57', 'm58', 'm59', 'm60', 'm61', 'm62', 'm63')
);
INSERT INTO choices VALUES
  (1, 'a,b', 'é', '', ''), (2, 'it''s', 'ü', 'x', 'm63'), (3, 'ção', NULL, 'x,ção,it''s', 'm0,m31,m63'),
  (4, '', NULL, 'y y', 18446744073709551615), (5, 'back\\slash', NULL, NULL, NULL), (6, '"', NULL, NULL, NULL), (7, '1', NULL, NULL, NULL),
  (8, NULL, NULL, NULL, NULL);
-- The empty value that stands for one which is not allowed; where '' is a member as well the two look alike.
INSERT INTO choices VALUES (9, NULL, 'not among them', 'not', 'not'), (10, NULL, 0, 0, 0);
