"""Proving two databases equal without the product: by what `mariadb-dump` makes of each.

Rows are dumped in the order of their key. A table without one has no order of its own, and a backup that divides its
rows by tenant gives them back in another: the rows of such tables are sorted before they are compared.
"""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from database import DatabaseServer
from demo_tool import StepFailed

BLOCK = 1 << 20
# A NULL in a unique key lets equal rows in, so it orders nothing.
TABLES_WITHOUT_KEY = """\
SELECT t.TABLE_NAME FROM information_schema.TABLES t
WHERE t.TABLE_SCHEMA = '{database}' AND t.TABLE_TYPE = 'BASE TABLE' AND NOT EXISTS (
  SELECT 1 FROM information_schema.STATISTICS s WHERE s.TABLE_SCHEMA = t.TABLE_SCHEMA AND s.TABLE_NAME = t.TABLE_NAME
  AND s.NON_UNIQUE = 0 GROUP BY s.INDEX_NAME HAVING SUM(s.NULLABLE = 'YES') = 0)
ORDER BY t.TABLE_NAME;
"""


@dataclass(frozen=True)
class Proof:
    """What a database's dump comes down to. Equal databases have equal ones."""

    whole: str
    dumped_bytes: int
    sorted_tables: dict[str, str]

    @property
    def short(self) -> str:
        """The beginning of the hash, for people."""
        return self.whole[:16]


def prove(server: DatabaseServer, database: str) -> Proof:
    """Dump a database, definitions, rows and programs, and hash what comes out."""
    keyless = server.sql(TABLES_WITHOUT_KEY.format(database=database)).split("\n")[:-1]
    left_out = [f"--ignore-table={database}.{table}" for table in keyless]
    whole, dumped = _hash(_dump(server, "--routines", "--events", "--triggers", *left_out, database))
    return Proof(whole, dumped, {table: _sorted_hash(server, database, table) for table in keyless})


def require_equal(expected: Proof, found: Proof, what: str) -> None:
    """`StepFailed` that names what differs, if anything does."""
    differences = []
    if expected.whole != found.whole:
        differences.append(
            f"the dump has SHA-256 {found.short} and {found.dumped_bytes:,} bytes, "
            f"expected {expected.short} and {expected.dumped_bytes:,}"
        )
    for table in sorted(expected.sorted_tables.keys() | found.sorted_tables.keys()):
        if expected.sorted_tables.get(table) != found.sorted_tables.get(table):
            differences.append(f"table {table} differs, its rows sorted")
    if differences:
        raise StepFailed(f"{what} is not equal: " + "; ".join(differences))


def _dump(server: DatabaseServer, *arguments: str) -> list[str]:
    return [
        "mariadb-dump",
        "--no-defaults",
        f"--socket={server.socket}",
        "--user=root",
        "--single-transaction",
        "--skip-dump-date",
        "--skip-comments",
        "--order-by-primary",
        "--hex-blob",
        *arguments,
    ]


def _hash(command: list[str]) -> tuple[str, int]:
    """SHA-256 and length of what a command prints."""
    digest, length = hashlib.sha256(), 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while block := process.stdout.read(BLOCK):
            digest.update(block)
            length += len(block)
    if process.returncode != 0:
        raise StepFailed(f"`{Path(command[0]).name}` ended with status {process.returncode}")
    return digest.hexdigest(), length


def _sorted_hash(server: DatabaseServer, database: str, table: str) -> str:
    """SHA-256 of a table's definition and of its rows, one a line, sorted."""
    command = _dump(server, "--skip-extended-insert", database, table)
    lines = subprocess.run(command, capture_output=True, check=False)
    if lines.returncode != 0:
        raise StepFailed(f"mariadb-dump of {table}: {lines.stderr.decode('utf-8', 'replace').strip()}")
    rows = [line for line in lines.stdout.splitlines() if line.startswith(b"INSERT ")]
    rest = [line for line in lines.stdout.splitlines() if not line.startswith(b"INSERT ")]
    return hashlib.sha256(b"\n".join([*rest, *sorted(rows)])).hexdigest()
