"""recover.py against vaults that the real program made of real databases, and format.md's example against recover.py.

Needs the built program (GORGEN_BIN, usually target/fast/gorgen-backup). Servers are those of local/lab.py: the ones
it was started with, or else private ones of this test's own. Without MySQL only MySQL's part is left out.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent
PROJECT = DOCS.parent
sys.path[:0] = [str(DOCS), str(PROJECT / "local")]

import recover  # noqa: E402
from emulator import Emulator  # noqa: E402
from lab import Laboratory  # noqa: E402
from mariadb import MariaDb  # noqa: E402
from mysql import MySql  # noqa: E402

RECOVER = [sys.executable, str(DOCS / "recover.py")]
PROGRAM = Path(os.environ.get("GORGEN_BIN", PROJECT / "target/fast/gorgen-backup"))
CLIENT_OPTIONS = ["--binary-mode", "--comments", "--max-allowed-packet=1G"]


# --- Servers ----------------------------------------------------------------------------------------------------------


@dataclass
class Server:
    """A database server, and the programs that belong to it."""

    name: str
    url: str
    client: list[str]
    dump: list[str]

    def sql(self, text: str | bytes, database: str = "", options: Sequence[str] = ()) -> bytes:
        """Runs SQL; an error fails the test."""
        sent = text if isinstance(text, bytes) else text.encode()
        command = [*self.client, *CLIENT_OPTIONS, *options, *([database] if database else [])]
        done = subprocess.run(command, input=sent, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def fresh(self, database: str) -> str:
        """An empty database, whatever there was before."""
        self.sql(f"DROP DATABASE IF EXISTS `{database}`; CREATE DATABASE `{database}`")
        return database

    def dumped(self, database: str) -> str:
        """Everything in a database, as its own dump program writes it."""
        options = ["--routines", "--triggers", "--events", "--hex-blob", "--skip-dump-date", "--skip-comments"]
        command = [*self.dump, *options, "--order-by-primary", database]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        text = done.stdout.decode("utf-8", "surrogateescape").replace(f"ALTER DATABASE `{database}`", "ALTER DATABASE")
        # Of a column whose collation it printed unasked, MySQL prints the character set as well the next time.
        return text.replace(" CHARACTER SET utf8mb4 COLLATE", " COLLATE")


@pytest.fixture(scope="session")
def environment() -> Iterator[Mapping[str, str]]:
    """Where the servers are, in the words of local/lab.py."""
    if "TEST_MARIADB_URL" in os.environ:
        yield os.environ
        return
    laboratory = Laboratory([MariaDb(), MySql(), Emulator()])
    try:
        laboratory.start()
        yield laboratory.environment()
    finally:
        laboratory.stop()


@pytest.fixture(scope="session")
def mariadb(environment: Mapping[str, str]) -> Server:
    """The MariaDB."""
    options = ["--no-defaults", f"--socket={environment['TEST_MARIADB_SOCKET']}", "--user=root"]
    return Server("mariadb", environment["TEST_MARIADB_URL"], ["mariadb", *options], ["mariadb-dump", *options])


@pytest.fixture(scope="session")
def mysql(environment: Mapping[str, str]) -> Server:
    """The MySQL, where one can be had."""
    if "TEST_MYSQL_URL" not in environment:
        pytest.skip(f"no MySQL: {environment.get('TEST_MYSQL_SKIP', 'the laboratory was started without')}")
    dump = [environment["TEST_MYSQL_DUMP"], "--set-gtid-purged=OFF", "--no-tablespaces"]
    return Server("mysql", environment["TEST_MYSQL_URL"], [environment["TEST_MYSQL_CLIENT"]], dump)


# --- A nasty database -------------------------------------------------------------------------------------------------

# Understood by both servers. `%s` are types and literals that differ.
COMMON = r"""
SET NAMES utf8mb4;
ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', foreign_key_checks = 0;

CREATE TABLE números (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  a TINYINT, b SMALLINT UNSIGNED ZEROFILL, c DECIMAL(65,30), d FLOAT, e DOUBLE, f BIT(1), g BIT(64), h FLOAT(7,3)
) AUTO_INCREMENT = 4242;
INSERT INTO números VALUES
  (0, -128, 7, -12345678901234567890123456789012345.123456789012345678901234567890, 0.1, 0.1, 0, 0, 1.001),
  (18446744073709551615, 127, 65535, 0.5, 3.4028234663852886e38, 1.7976931348623157e308, 1, 18446744073709551615, -1.5),
  (3, NULL, NULL, NULL, 1.401298464324817e-45, 5e-324, NULL, NULL, NULL),
  (4, 0, 0, 0, 16777216, -2.2250738585072014e-308, b'0', 0x00ff5c27, 0),
  (5, 1, 1, 1, 8388609, 123456789012345678, b'1', 1, 99.5);

CREATE TABLE `datas, horas` (
  id INT PRIMARY KEY, d DATE, t TIME(6), dt DATETIME(3), ts TIMESTAMP(6) NULL DEFAULT NULL,
  y YEAR, alt TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
);
INSERT INTO `datas, horas` VALUES
  (1, '0000-00-00', '-838:59:59', '0000-00-00 00:00:00', '1970-01-01 00:00:01', 1901, '2001-02-03 04:05:06'),
  (2, '2026-02-31', '838:59:59.000001', '9999-12-31 23:59:59.999', '2038-01-19 03:14:07.999999', 2155, '2026-01-01'),
  (3, '2026-00-15', '00:00:00.1', '1000-01-01', '2026-11-23 06:00:00.000001', 0000, '1999-12-31 23:59:59'),
  (4, NULL, NULL, NULL, NULL, NULL, '2026-06-01');

CREATE TABLE `te``xto.%/ç♥` (
  `chave primária` VARCHAR(40) COLLATE utf8mb4_bin NOT NULL, u TEXT, l VARCHAR(300) CHARACTER SET latin1,
  w VARCHAR(20) CHARACTER SET ucs2, s VARCHAR(20) CHARACTER SET sjis, k VARCHAR(20) CHARACTER SET koi8r,
  c CHAR(10), b BINARY(4), vb VARBINARY(300), m MEDIUMBLOB,
  e ENUM('não','sim','it''s, "x"'), el ENUM('não','é') CHARACTER SET latin1, st SET('a','b','ção'),
  PRIMARY KEY (`chave primária`), KEY (u(20)), FULLTEXT KEY ft (u)
);
INSERT INTO `te``xto.%/ç♥` VALUES
  ('aspas ''" \\ `', 'linha 1\r\nlinha 2\n\ttab \\N \0 nul \Z fim', 0xE9E7FF80819D7F5C27, 'é😀', 'ソ表~', 'Привет',
   'x  ', 0x00, '', '', 'sim', 'é', 'a,ção'),
  ('emoji', '😀👩‍⚕️ e\n\\', '', '', '', '', '', 0x5C27000D, ALL_BYTES, ALL_BYTES, '', 'não', ''),
  ('nulos', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('DELIMITER ;;', 'DELIMITER ;;\n;\n-- x\n/* y', '--', ';', '#', NULL, ';;', NULL, 0x0A, 0x1A, 'it''s, "x"', NULL,
   'b');

CREATE TABLE vazia (id INT PRIMARY KEY, t TEXT);
CREATE TABLE sem_chave (a INT, b VARCHAR(10));
INSERT INTO sem_chave VALUES (1, 'x'), (1, 'x'), (NULL, NULL), (NULL, NULL), (2, '');

CREATE TABLE muitas (
  tenant_id INT, id INT NOT NULL AUTO_INCREMENT, t VARCHAR(200) NOT NULL,
  dobro INT GENERATED ALWAYS AS (tenant_id * 2) STORED,
  virtual_ VARCHAR(210) GENERATED ALWAYS AS (CONCAT(t, '!')) VIRTUAL, padrao VARCHAR(20) DEFAULT (CONCAT('a', 'b')),
  oculta INT INVISIBLE DEFAULT 5, PRIMARY KEY (id), KEY (tenant_id)
) PARTITION BY HASH (id) PARTITIONS 3;
INSERT INTO muitas (tenant_id, t, oculta)
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
  SELECT IF(a.i % 7 = 0, NULL, a.i % 3), CONCAT(SHA2(CONCAT(a.i, '-', b.i), 256), REPEAT('linha ', a.i % 20)), a.i
  FROM n a JOIN n b ON b.i <= 10;

CREATE TABLE galinha (
  id INT PRIMARY KEY, ovo_id INT, mae_id INT, CONSTRAINT fk_mae FOREIGN KEY (mae_id) REFERENCES galinha (id),
  CONSTRAINT fk_ovo FOREIGN KEY (ovo_id) REFERENCES ovo (id)
);
CREATE TABLE ovo (
  id INT PRIMARY KEY, galinha_id INT,
  CONSTRAINT fk_galinha FOREIGN KEY (galinha_id) REFERENCES galinha (id) ON DELETE CASCADE
);
INSERT INTO galinha VALUES (1, 1, 2), (2, NULL, 1);
INSERT INTO ovo VALUES (1, 2);

CREATE TABLE lugar (id INT PRIMARY KEY, p POINT, g GEOMETRY);
INSERT INTO lugar VALUES (2, NULL, NULL),
  (1, ST_GeomFromText('POINT(1.5 -2)'), ST_GeomFromText('POLYGON((0 0,0 9,9 9,0 0))', 0));

CREATE TABLE diario (id INT AUTO_INCREMENT PRIMARY KEY, o_que TEXT, j JSON);
INSERT INTO diario VALUES (0, 'zero', '{"a": "aspas \\" e \\\\ é😀", "b": [1, 2.5, null]}'), (9, 'nove', NULL);

DELIMITER ;;
SET sql_mode = '';;
CREATE FUNCTION soma(a INT, b INT) RETURNS INT DETERMINISTIC
BEGIN
  -- um comentário; com ponto e vírgula, 'aspas' e ç
  RETURN a + b; /* fim */
END;;
SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES';;
CREATE PROCEDURE "proc `x`"(IN p VARCHAR(20), OUT r TEXT)
  COMMENT 'ação'
BEGIN
  SET r = CONCAT('\', p, '";;"', 'ç');
END;;
SET sql_mode = '';;
CREATE TRIGGER t_um BEFORE INSERT ON galinha FOR EACH ROW SET NEW.ovo_id = IFNULL(NEW.ovo_id, 1);;
CREATE TRIGGER t_dois BEFORE INSERT ON galinha FOR EACH ROW FOLLOWS t_um
BEGIN
  INSERT INTO diario (o_que) VALUES (CONCAT('galinha; ', NEW.id));
END;;
CREATE EVENT ev ON SCHEDULE EVERY 1 DAY STARTS '2031-01-01 03:30:00' DISABLE COMMENT 'não'
DO DELETE FROM vazia WHERE id < 0;;
DELIMITER ;
ALTER DATABASE COLLATE latin1_bin;
CREATE FUNCTION de_outro_tempo(t VARCHAR(9)) RETURNS VARCHAR(9) DETERMINISTIC RETURN t;
ALTER DATABASE COLLATE utf8mb4_unicode_ci;
CREATE DEFINER = 'ninguém'@'%' PROCEDURE de_ninguem() SELECT 1;
CREATE VIEW z_base AS SELECT id, o_que, 'ç''' AS c FROM diario;
CREATE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW a_topo AS SELECT soma(id, 1) AS s FROM z_base WHERE c = 'ç''';
CREATE VIEW com_opcao AS SELECT id, o_que FROM diario WHERE id < 10 WITH CASCADED CHECK OPTION;
"""

OWN = {
    "mariadb": r"""
CREATE SEQUENCE seq START WITH 100 INCREMENT BY 5 CACHE 10;
SELECT NEXT VALUE FOR seq;
CREATE TABLE proprios (
  id INT PRIMARY KEY DEFAULT (NEXT VALUE FOR seq), u UUID, i4 INET4, i6 INET6, c VARCHAR(20) COMPRESSED
);
INSERT INTO proprios VALUES (2, NULL, NULL, NULL, NULL),
  (1, '123e4567-e89b-12d3-a456-426655440000', '10.0.0.1', '2001:db8::ff00:42:8329', 'x');
SET sql_mode = 'STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION';
CREATE PROCEDURE com_modo() SELECT 1;
SET character_set_client = latin1;
CREATE VIEW em_latin1 AS SELECT id FROM diario WHERE o_que = 'zé';
SET NAMES utf8mb4;
""",
    "mysql": r"""
CREATE TABLE proprios (id INT PRIMARY KEY, j JSON, z DOUBLE, g GEOMETRY SRID 4326, v VECTOR(3), KEY ((id + 1)));
INSERT INTO proprios VALUES
  (1, JSON_OBJECT(
      'valor', CAST(100.00 AS DECIMAL(10,2)), 'lista', JSON_ARRAY(1e0, CAST('0.10' AS DECIMAL(5,2)), 1.5e300),
      'aspas "x"', JSON_OBJECT('n', CAST('12345678901234567890.1234560000' AS DECIMAL(40,10)))
   ), -0e0, ST_GeomFromText('POINT(-30 -51.5)', 4326), STRING_TO_VECTOR('[1,2.5,-3]')),
  (2, JSON_ARRAY(18446744073709551615, '10.50', NULL, TRUE, NOW(6), CAST('7.10' AS DECIMAL(3,2))), 0, NULL, NULL),
  (3, CAST(CAST('7.10' AS DECIMAL(3,2)) AS JSON), 1e-300, NULL, NULL), (4, '"só texto 1.50"', NULL, NULL, NULL);
""",
}


def nasty(server: Server) -> str:
    """The SQL that makes the nasty database."""
    text = COMMON.replace("ALL_BYTES", "0x" + bytes(range(256)).hex())
    return text + "SET sql_mode = '';" + OWN[server.name]


@dataclass
class Vault:
    """A vault that the program made of the nasty database."""

    server: Server
    folder: Path
    key: Path
    database: str = "ninho"

    @property
    def address(self) -> list[str]:
        """What recover.py is told."""
        return ["--vault", self.folder.as_uri()]

    @property
    def opened(self) -> list[str]:
        """The same, with the key."""
        return [*self.address, "--keyring", self.key.as_uri()]


def gorgen(server: Server, database: str, vault: str, keyring: str, *arguments: str, **more: str) -> dict[str, object]:
    """Runs the program and gives its JSON."""
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is not built: cargo build --profile fast --package gorgen-backup")
    settings = {"GORGEN_DATABASE_URL": server.url + database, "GORGEN_VAULT": vault, "GORGEN_KEYRING": keyring, **more}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GORGEN_")}
    command = [str(PROGRAM), "--json", *arguments]
    done = subprocess.run(command, env=kept | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return result


def make_vault(server: Server, folder: Path) -> Vault:
    """Fills the nasty database and backs it up, twice: the second backup refers to packs of the first."""
    vault = Vault(server, folder / "vault", folder / "key")
    server.sql(nasty(server), server.fresh(vault.database))
    gorgen(server, vault.database, vault.folder.as_uri(), vault.key.as_uri(), "keys", "create", str(vault.key))
    for change in ("DELETE FROM muitas WHERE id = 17", "UPDATE vazia SET t = t"):
        back_up(server, vault.database, vault)
        server.sql(change, vault.database)
        # Ids tell the order of backups to the second only.
        time.sleep(1.1)
    back_up(server, vault.database, vault)
    return vault


def back_up(server: Server, database: str, vault: Vault) -> None:
    """Makes a backup."""
    arguments = (server, database, vault.folder.as_uri(), vault.key.as_uri(), "backup")
    gorgen(*arguments, GORGEN_TENANT_COLUMN="tenant_id")


@pytest.fixture(scope="session")
def vault(mariadb: Server, tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A vault of MariaDB; tests that damage it take a copy."""
    return make_vault(mariadb, tmp_path_factory.mktemp("mariadb"))


@pytest.fixture(scope="session")
def mysql_vault(mysql: Server, tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A vault of MySQL."""
    return make_vault(mysql, tmp_path_factory.mktemp("mysql"))


@pytest.fixture
def copy(vault: Vault, tmp_path: Path) -> Vault:
    """A vault to damage."""
    shutil.copytree(vault.folder, tmp_path / "copy")
    return Vault(vault.server, tmp_path / "copy", vault.key)


def run(*arguments: str, expected: int = 0, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Runs recover.py, expects an exit status, and never a traceback or a warning."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GORGEN_")}
    command = [RECOVER[0], "-W", "error", RECOVER[1], *arguments]
    done = subprocess.run(command, capture_output=True, check=False, env=kept | environment)
    assert b"Traceback" not in done.stderr and done.returncode == expected, done.stderr.decode()
    return done


# --- What is recovered ------------------------------------------------------------------------------------------------


def digests(server: Server, database: str, folder: Path) -> dict[str, tuple[int, str]]:
    """Rows and digest of each table, as the program sees it: exact where a dump rounds."""
    vault = Vault(server, folder / "again", folder / "key")
    address = (server, database, vault.folder.as_uri(), vault.key.as_uri())
    gorgen(*address, "keys", "create", str(vault.key))
    back_up(server, database, vault)
    tables = gorgen(*address, "show", "latest")["tables"]
    assert isinstance(tables, list) and tables
    return {table["table"]: (table["rows"], table["digest"]) for table in tables}


def check_equal(vault: Vault, database: str, folder: Path) -> None:
    """The recovered database is the one that was backed up."""
    server = vault.server
    assert server.dumped(database) == server.dumped(vault.database)
    (folder / "one").mkdir()
    (folder / "other").mkdir()
    assert digests(server, database, folder / "one") == digests(server, vault.database, folder / "other")


def test_sql_loads_into_an_equal_mariadb(vault: Vault, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = run("write", "latest", *vault.opened, "--to", str(out)).stderr
    assert b"each seal, name and count was right" in said
    assert out.stat().st_mode & 0o077 == 0 and all(file.stat().st_mode & 0o077 == 0 for file in out.iterdir())
    text = b"".join(file.read_bytes() for file in sorted(out.iterdir()))
    vault.server.sql(text, vault.server.fresh("de_volta"))
    check_equal(vault, "de_volta", tmp_path)


def test_without_blake3_it_says_what_was_not_compared(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "blake3.py").write_text("raise ImportError")
    out = ["--to", str(tmp_path / "out")]
    said = run("write", "latest", *vault.opened, *out, PYTHONPATH=str(tmp_path)).stderr
    assert b"each seal and count was right (names were not compared: python3 -m pip install blake3)" in said


def test_sql_loads_into_an_equal_mysql(mysql_vault: Vault, tmp_path: Path) -> None:
    text = run("write", "latest", *mysql_vault.opened, "--to", "-").stdout
    mysql_vault.server.sql(text, mysql_vault.server.fresh("de_volta"))
    check_equal(mysql_vault, "de_volta", tmp_path)


def test_an_older_backup_and_a_single_table_can_be_had(vault: Vault, tmp_path: Path) -> None:
    listed = run("list", *vault.address).stdout.decode().splitlines()[1:]
    assert len(listed) == 3 and all("ninho at " in line for line in listed)
    oldest = listed[0].split()[0]
    run("write", oldest, *vault.opened, "--to", str(tmp_path / "out"), "--table", "muitas")
    (file,) = (tmp_path / "out").iterdir()
    vault.server.sql(file.read_bytes(), vault.server.fresh("uma_so"))
    # The row was deleted after this backup.
    assert vault.server.sql("SELECT COUNT(*) FROM muitas WHERE id = 17", "uma_so", ["-BN"]) == b"1\n"


def test_definers_can_be_left_out(vault: Vault) -> None:
    text = run("write", "latest", *vault.opened, "--to", "-").stdout
    stripped = run("write", "latest", *vault.opened, "--to", "-", "--strip-definers").stdout
    assert b"DEFINER=`ningu\xc3\xa9m`@`%` " in text and b"DEFINER=" not in stripped
    vault.server.sql(stripped, vault.server.fresh("sem_dono"))


def make_identity(path: Path) -> str:
    """An identity of age, made by the official tool, and its recipient."""
    subprocess.run(["age-keygen", "-o", str(path)], capture_output=True, check=True)
    shown = subprocess.run(["age-keygen", "-y", str(path)], capture_output=True, text=True, check=True)
    return shown.stdout.strip()


@pytest.mark.parametrize("reader", ["pyrage", "the program age"])
def test_an_identity_out_of_the_safe_is_enough(mariadb: Server, tmp_path: Path, reader: str) -> None:
    recipient = make_identity(tmp_path / "identity.txt")
    made = Vault(mariadb, tmp_path / "vault", tmp_path / "key", "segura")
    mariadb.sql("CREATE TABLE p (id INT PRIMARY KEY, tenant_id INT, nome TEXT); INSERT INTO p VALUES (1, 7, 'Zoë')", mariadb.fresh("segura"))
    address = (mariadb, made.database, made.folder.as_uri(), made.key.as_uri())
    gorgen(*address, "keys", "create", str(made.key))
    gorgen(*address, "backup", GORGEN_TENANT_COLUMN="tenant_id", GORGEN_OFFLINE_RECIPIENT=recipient)
    made.key.unlink()
    environment = {}
    if reader != "pyrage":
        (tmp_path / "pyrage.py").write_text("raise ImportError")
        environment = {"PYTHONPATH": str(tmp_path)}

    safe = ["--keyring", f"age://{tmp_path}/identity.txt"]
    text = run("write", "latest", *made.address, *safe, "--to", "-", **environment).stdout
    mariadb.sql(text, mariadb.fresh("da_segura"))
    assert mariadb.sql("SELECT * FROM p", "da_segura", ["-BN"]).decode() == "1\t7\tZoë\n"

    out = ["--to", str(tmp_path / "out")]
    make_identity(tmp_path / "other.txt")
    other = ["--keyring", f"age://{tmp_path}/other.txt"]
    said = run("write", "latest", *made.address, *other, *out, expected=1, **environment).stderr
    assert f"is wrapped for file:{key_id_of(made)}, age:{recipient}, and you gave identity of age1".encode() in said
    (tmp_path / "bad.txt").write_text("AGE-SECRET-KEY-1NONE")
    bad = ["--keyring", f"age://{tmp_path}/bad.txt"]
    said = run("write", "latest", *made.address, *bad, *out, expected=1, **environment).stderr
    assert b"holds no identity of age" in said and b"NONE" not in said


def key_id_of(vault: Vault) -> str:
    """The id of the key file that wrapped this vault's keys, as a record tells it."""
    record = json.loads(next((vault.folder / "keys").iterdir()).read_bytes())["record"]
    return str(next(wrapping["wrapping_key"] for wrapping in record["wrapped"] if wrapping["by"] == "file"))


def test_settings_may_come_from_the_environment(vault: Vault, tmp_path: Path) -> None:
    settings = {"GORGEN_VAULT": vault.folder.as_uri(), "GORGEN_KEYRING": vault.key.as_uri()}
    assert len(run("list", **settings).stdout.splitlines()) == 4
    run("write", "latest", "--to", str(tmp_path / "out"), **settings)


def test_tsv_holds_what_the_database_says(vault: Vault, tmp_path: Path) -> None:
    run("write", "latest", *vault.opened, "--to", str(tmp_path / "out"), "--format", "tsv")
    files = {file.name.split("-", 2)[-1]: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    columns = "`chave primária`, u, l, w, s, k, c, LOWER(HEX(b)), LOWER(HEX(vb)), LOWER(HEX(m)), e, el, st"
    query = f"SELECT {columns} FROM `te``xto.%/ç♥` ORDER BY 1"
    asked = vault.server.sql(query, vault.database, ["-BN", "--default-character-set=utf8mb4"])
    # The client does not tell NULL from a text that says so, and leaves carriage returns as they are.
    asked = asked.replace(b"NULL", b"\\N").replace(b"\r", b"\\r")
    head, rows = files["te%60xto.%25%2F%C3%A7%E2%99%A5.tsv"].split(b"\n", 1)
    assert head.decode().split("\t")[:3] == ["chave primária", "u", "l"]
    assert sorted(rows.splitlines()) == sorted(asked.splitlines())
    assert len(files["muitas.tsv"].splitlines()) == 1 + 9989
    assert b"CREATE TABLE `vazia`" in (tmp_path / "out" / "definitions.txt").read_bytes()


def test_a_bucket_and_kms_are_as_good(environment: Mapping[str, str], mariadb: Server, tmp_path: Path) -> None:
    if "TEST_S3_ENDPOINT" not in environment:
        pytest.skip("the laboratory was started without the emulator")
    boto3 = pytest.importorskip("boto3")
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION")
    aws = {name: environment[name] for name in names}
    aws |= {"AWS_ENDPOINT_URL": environment["TEST_S3_ENDPOINT"], "AWS_EC2_METADATA_DISABLED": "true"}
    place = {"endpoint_url": environment["TEST_S3_ENDPOINT"], "region_name": aws["AWS_REGION"]}
    login = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    bucket = f"recover-{os.getpid()}"
    boto3.client("s3", **place, **login).create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": aws["AWS_REGION"]}
    )
    key = boto3.client("kms", **place, **login).create_key(MultiRegion=True)["KeyMetadata"]["Arn"]

    mariadb.sql("CREATE TABLE t (a INT); INSERT INTO t VALUES (42), (43)", mariadb.fresh("nuvem"))
    gorgen(mariadb, "nuvem", f"s3://{bucket}/a/b", f"kms:{key}", "backup", **aws)
    address = ["--vault", f"s3://{bucket}/a/b"]
    assert b"nuvem at" in run("list", *address, **aws).stdout
    said = run("write", "latest", *address, "--keyring", f"kms:{key}", "--to", "-", **aws).stdout
    assert b"(42),\n(43);" in said
    nowhere = ["--vault", f"s3://{bucket}/nowhere", "--keyring", f"kms:{key}", "--to", "-"]
    assert b"there is no backup latest" in run("write", "latest", *nowhere, expected=2, **aws).stderr
    run("list", "--vault", "s3://no-such-bucket", expected=1, **aws)
    mine = make_key_file(tmp_path / "key")
    refused = run("write", "latest", *address, "--keyring", mine, "--to", "-", expected=1, **aws).stderr
    assert b"is wrapped for kms:arn:" in refused


# --- Damage -----------------------------------------------------------------------------------------------------------


def flip(file: Path, at: float) -> str:
    """Flips a bit at a fraction of a file, and gives the object's name."""
    content = bytearray(file.read_bytes())
    content[int(len(content) * at)] ^= 4
    file.chmod(0o600)
    file.write_bytes(content)
    return f"{file.parent.name}/{file.name}"


@pytest.mark.parametrize("at", [0.0, 0.3, 0.999])
@pytest.mark.parametrize("objects", ["manifests/*", "keys/rows.shared.*", "keys/manifest.*", "keys/naming.t-*"])
def test_a_flipped_bit_is_found_and_named(copy: Vault, objects: str, at: float, tmp_path: Path) -> None:
    name = flip(sorted(copy.folder.glob(objects))[-1], at)
    said = run("write", "latest", *copy.opened, "--to", str(tmp_path / "out"), expected=3).stderr
    assert b"DAMAGED" in said and name.encode() in said


@pytest.mark.parametrize("at", [0.001, 0.3, 0.6])
def test_a_flipped_bit_in_a_pack_is_found_and_the_rest_recovered(copy: Vault, at: float, tmp_path: Path) -> None:
    # The oldest backup needs all that is in its pack.
    backup = min(copy.folder.glob("manifests/*")).stem
    name = flip(copy.folder / f"packs/{backup}-000001.pack", at).encode()
    said = run("write", backup, *copy.opened, "--to", str(tmp_path / "out"), expected=3).stderr
    assert b"DAMAGED" in said and name in said
    assert not list((tmp_path / "out").glob(".*"))

    going_on = run("write", backup, *copy.opened, "--to", str(tmp_path / "rest"), "--keep-going", expected=3).stderr
    assert name in going_on and b"INCOMPLETE: wrote" in going_on
    marked = [file for file in (tmp_path / "rest").iterdir() if ".incomplete." in file.name]
    assert len(marked) == 1 and b"-- INCOMPLETE: " + name in marked[0].read_bytes()
    whole = run("write", backup, *copy.opened, "--to", str(tmp_path / "more"), "--table", "vazia")
    assert b"wrote 0 rows of 1 tables" in whole.stderr


@pytest.mark.parametrize("objects", ["packs/*", "manifests/*", "keys/rows.t-*"])
def test_a_missing_object_is_named(copy: Vault, objects: str, tmp_path: Path) -> None:
    files = sorted(copy.folder.glob(objects))
    for file in files:
        file.unlink()
    expected = 2 if objects.startswith("manifests") else 3
    said = run("write", "latest", *copy.opened, "--to", str(tmp_path / "out"), expected=expected).stderr.decode()
    missing = any(f"{file.parent.name}/{file.name}: missing" in said for file in files)
    assert missing or "there is no backup latest" in said


def test_a_truncated_and_a_swapped_pack_are_found(copy: Vault, tmp_path: Path) -> None:
    largest = max(copy.folder.glob("packs/*"), key=lambda pack: pack.stat().st_size)
    largest.chmod(0o600)
    whole = largest.read_bytes()
    largest.write_bytes(whole[: len(whole) // 2])
    said = run("write", "latest", *copy.opened, "--to", str(tmp_path / "a"), expected=3).stderr
    assert largest.name.encode() in said and b"bytes, found" in said
    largest.write_bytes(whole[4096:] + whole[:4096])
    said = run("write", "latest", *copy.opened, "--to", str(tmp_path / "b"), expected=3).stderr
    assert largest.name.encode() in said and b"the seal does not open" in said


def test_what_is_not_needed_may_be_lost_if_one_insists(copy: Vault, tmp_path: Path) -> None:
    (copy.folder / "vault.json").unlink()
    for key in copy.folder.glob("keys/naming.*"):
        key.unlink()
    said = run("write", "latest", *copy.opened, "--to", str(tmp_path / "a"), expected=3).stderr
    assert b"vault.json: missing" in said
    said = run("write", "latest", *copy.opened, "--to", str(tmp_path / "b"), "--keep-going", expected=3).stderr
    assert b"keys/naming.shared.*.json: missing" in said
    assert not list((tmp_path / "b").glob("*.incomplete*")) and list((tmp_path / "b").glob("*-muitas.sql"))


def test_what_was_erased_is_left_out_and_is_no_loss(copy: Vault, tmp_path: Path) -> None:
    whole = run("write", "latest", *copy.opened, "--to", str(tmp_path / "whole"))
    tenant = next(name.name.split(".")[1] for name in copy.folder.glob("keys/rows.t-*"))
    erasing = ["keys", "erase", "--tenant", tenant[2:], "--confirm", f"ERASE {tenant[2:]}"]
    gorgen(copy.server, copy.database, copy.folder.as_uri(), copy.key.as_uri(), *erasing, GORGEN_TENANT_COLUMN="tenant_id")
    done = run("write", "latest", *copy.opened, "--to", str(tmp_path / "left"))
    assert f"rows of {tenant} are left out: their keys were erased at".encode() in done.stderr

    def wrote(text: bytes) -> int:
        return int(text.split(b"wrote ")[1].split()[0])

    gone = sum(int(line.split()[1]) for line in done.stderr.splitlines() if b"left out" in line)
    assert 0 < gone == wrote(whole.stderr) - wrote(done.stderr)
    assert not list((tmp_path / "left").glob("*.incomplete*"))


def test_a_list_shows_what_is_damaged(copy: Vault) -> None:
    newest = sorted(copy.folder.glob("manifests/*"))[-1]
    name = flip(newest, 0.0)
    listed = run("list", *copy.address, expected=3).stdout.decode().splitlines()
    assert len(listed) == 4 and f"DAMAGED: {name}" in listed[3]


# --- Keys and usage ---------------------------------------------------------------------------------------------------


def make_key_file(path: Path, key: bytes = bytes(range(1, 33)), identity: str | None = None) -> str:
    """A key file, and its address."""
    identity = identity or recover.hmac_16(key, b"gorgen-backup:1:key-file")[:8].hex()
    path.write_text(json.dumps({"format": 1, "id": identity, "key": base64.b64encode(key).decode()}))
    return path.as_uri()


def test_a_wrong_key_is_said_to_be_wrong_and_never_shown(copy: Vault, tmp_path: Path) -> None:
    out = ["--to", str(tmp_path / "out")]
    wrong = make_key_file(tmp_path / "wrong")
    said = run("write", "latest", *copy.address, "--keyring", wrong, *out, expected=1).stderr
    assert b"wrong key: data key manifest.shared." in said and b"is wrapped for file:" in said

    true_id = json.loads(copy.key.read_text())["id"]
    altered = make_key_file(tmp_path / "altered", identity=true_id)
    said = run("write", "latest", *copy.address, "--keyring", altered, *out, expected=1).stderr
    assert b"its key is not the one of its id" in said
    for content in ("", "{}", '{"format": 1, "id": "a", "key": "!"}', '{"format": 2, "id": "a", "key": ""}', "[1]"):
        (tmp_path / "bad").write_text(content)
        run("write", "latest", *copy.address, "--keyring", (tmp_path / "bad").as_uri(), *out, expected=1)
    run("write", "latest", *copy.address, "--keyring", (tmp_path / "none").as_uri(), *out, expected=1)
    assert base64.b64encode(bytes(range(1, 33))) not in said and not (tmp_path / "out").exists()


def test_wrong_usage_is_said_to_be(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    new = ["--to", str(tmp_path / "new")]
    for arguments, part in [
        (["list"], "which vault?"),
        (["list", "--vault", "http://x"], "--vault must be"),
        (["list", "--vault", (tmp_path / "nowhere").as_uri()], "there is no folder"),
        (["write", "latest", *vault.address, *new], "--keyring (or GORGEN_KEYRING) must be"),
        (["write", "20200101T000000Z-00000000", *vault.opened, *new], "there is no backup 20200101T000000Z-00000000"),
        (["write", "latest", *vault.opened, *new, "--table", "x"], "the backup has no table 'x'"),
        (["write", "latest", *vault.opened, "--to", str(tmp_path / "full")], "must be a new or an empty folder"),
        (["write", "latest", *vault.opened, "--to", "-", "--format", "tsv"], "tables of text need a folder"),
        (["write", "latest", *vault.opened], "--to"),
        ([], "list | write"),
    ]:
        assert part in run(*arguments, expected=2).stderr.decode()
    assert not (tmp_path / "new").exists()


# --- format.md --------------------------------------------------------------------------------------------------------

ROW = "023432045a6fc3abfb00"
VAULT = "000102030405060708090a0b0c0d0e0f"
KEY_ID, KEY = "rows.t-7.20261101T060000Z-4f2a91c3", bytes(range(32))
NAMING_ID, NAMING = "naming.t-7.20261101T060000Z-00c0ffee", bytes(range(0x20, 0x40))
CHUNK = "5d5af6748dc8e7f65a4512d3c40f9493"
SEALED = "404142434445464748494a4bca0c81de0636d603cdc623049f3e7c98d23d52ac7a8461d0eb71322b790f001791a70c"
KEY_FILE = '{"format":1,"id":"08f825bde4d70f75","key":"YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn8="}'
WRAPPED = "UFFSU1RVVldYWVpbttAjyoOHiMHHr+soIF4FfVh/2B/Wit15d4CHy1/16Gh7g84sXLivFLNFB8PT1OCK"


def test_the_worked_example_of_the_format_is_right(tmp_path: Path) -> None:
    rows = bytes.fromhex(ROW)
    assert list(recover.split_rows(rows, 4)) == [[b"42", "Zoë".encode(), None, b""]]
    assert recover.name_of(NAMING, rows) == CHUNK
    bound_to = recover.binding(VAULT, "chunk", KEY_ID, CHUNK)
    frame = recover.unseal(bytes.fromhex(SEALED), KEY, bound_to)
    assert recover.decompress(frame, len(rows)) == rows
    (tmp_path / "key").write_text(KEY_FILE)
    wrapping = {"by": "file", "wrapping_key": "08f825bde4d70f75", "ciphertext": WRAPPED}
    context = {"gorgen:vault": VAULT, "gorgen:key": KEY_ID, "gorgen:purpose": "rows"}
    assert recover.KeyFile(str(tmp_path / "key")).unwrap(wrapping, context) == KEY

    page = (DOCS / "format.md").read_text()
    checks = [
        recover.hmac_16(key, f"gorgen-backup:1:key-check:{key_id}".encode()).hex()
        for key_id, key in [(KEY_ID, KEY), (NAMING_ID, NAMING)]
    ]
    checks += [frame.hex(), bound_to.decode()]
    for shown in (ROW, VAULT, KEY_ID, NAMING_ID, CHUNK, SEALED, KEY_FILE, WRAPPED, *checks):
        assert f"`{shown}`" in page or f"= {shown}\n" in page, shown


LENGTH_FORMS = [(0xFC, 2), (0xFD, 3), (0xFE, 8)]


@pytest.mark.parametrize("length", [0, 1, 0xFA, 0xFB, 0xFFFF, 0x1_0000, 0xFF_FFFF, 0x100_0000])
def test_lengths_are_read_in_each_form(length: int) -> None:
    first, size = next((form for form in LENGTH_FORMS if length < 256 ** form[1]), LENGTH_FORMS[-1])
    head = bytes([length]) if length < 0xFB else bytes([first]) + length.to_bytes(size, "little")
    value = b"x" * length
    assert list(recover.split_rows((head + value) * 2, 1)) == [[value], [value]]
    with pytest.raises(IndexError):
        list(recover.split_rows(head + value, 2))
    if length:
        with pytest.raises(IndexError):
            list(recover.split_rows(head + value[1:], 1))


def test_decimals_in_documents_are_put_back() -> None:
    document = r'{"a": [1, {"b \"x, 1.50": 2.50, "c": "3.50"}, 4.50], "d": 5.50, "e": [], "f": 1.5, "g": 1e300}'
    found = list(recover.decimals(document.encode()))
    assert found == [(rb'$."a"[1]."b \"x, 1.50"', b"2.50"), (b'$."a"[2]', b"4.50"), (b'$."d"', b"5.50")]
    assert recover.json_literal(b"[0.10]") == b"JSON_SET('[0.10]', '$[0]', CAST('0.10' AS DECIMAL(2,2)))"
    assert recover.json_literal(b"[0.1, -2, 18446744073709551615]") == b"'[0.1, -2, 18446744073709551615]'"
