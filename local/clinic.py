"""The made-up clinic: a database in Portuguese like the one this project protects, made by the server itself.

    python3 local/clinic.py fill --socket S --database D [--size-mb 50] [--seed 7] [--tenants 2]
    python3 local/clinic.py day  --socket S --database D [--seed 7]

The same arguments give the same bytes. Needs MariaDB: the rows come out of its sequences.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import clinic_day
from clinic_plan import Clinic
from clinic_rows import inserts
from database import SqlFailed, run_sql

SQL = Path(__file__).resolve().parent / "clinic_sql"
# With both checks off, InnoDB fills an empty table in bulk and sorts its indexes once. The clock stands still.
FILL_SESSION = """\
SET time_zone = '+00:00', sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', timestamp = 1735700400;
SET foreign_key_checks = 0, unique_checks = 0;
SET SESSION sql_log_bin = 0;
"""
DAY_SESSION = "SET time_zone = '+00:00', sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION';\n"
FILLERS = 2

Say = Callable[[str], None]


def client(socket: str | Path) -> list[str]:
    """The client's command line for a server's socket."""
    return ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root"]


def fill(
    socket: str | Path, database: str, size_mb: int = 50, seed: int = 7, tenants: int = 2, say: Say = print
) -> dict[str, int]:
    """Create the database, which must not exist, fill it, and return the rows of each table."""
    clinic = Clinic(size_mb, seed, tenants)
    name = database.replace("`", "``")
    run_sql(client(socket), f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    run_sql(client(socket), (SQL / "tables.sql").read_text("utf-8"), database)

    def fill_table(table: str, statement: str) -> None:
        begun = time.monotonic()
        run_sql(client(socket), FILL_SESSION + statement, database)
        say(f"{table:26} filled in {time.monotonic() - begun:5.1f} s")

    with ThreadPoolExecutor(FILLERS) as fillers:
        for done in [fillers.submit(fill_table, *item) for item in inserts(clinic).items()]:
            done.result()
    run_sql(client(socket), FILL_SESSION + (SQL / "programs.sql").read_text("utf-8"), database)
    return counts(socket, database)


def counts(socket: str | Path, database: str) -> dict[str, int]:
    """The rows of every table, counted."""
    tables = run_sql(client(socket), "SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'", database).splitlines()
    names = [line.split("\t")[0] for line in tables]
    text = "".join(f"SELECT COUNT(*) FROM `{name}`;\n" for name in names)
    return dict(zip(names, map(int, run_sql(client(socket), text, database).split()), strict=True))


def day(socket: str | Path, database: str, seed: int = 7, say: Say = print) -> dict[str, int]:
    """Work a day at the clinic, and return how many rows each change touched, those by triggers not included."""
    return change(socket, database, clinic_day.changes(morning(socket, database, seed)), say)


def grow(socket: str | Path, database: str, seed: int, new_one_in: int) -> None:
    """A day that only brings new rows, one in so many of each table that grows."""
    start = replace(morning(socket, database, seed), new_one_in=new_one_in)
    change(socket, database, clinic_day.growth(start), say=lambda _line: None)


def change(socket: str | Path, database: str, statements: list[clinic_day.Change], say: Say) -> dict[str, int]:
    """Run a day's statements, and return how many rows each touched."""
    session = DAY_SESSION + clinic_day.clock()
    text = session + "".join(f"{change.sql};\nSELECT '{change.label}', ROW_COUNT();\n" for change in statements)
    touched = {}
    for line in run_sql(client(socket), text, database).splitlines():
        label, rows = line.split("\t")
        touched[label] = int(rows)
        say(f"{label:34} {touched[label]:>9,}")
    return touched


def morning(socket: str | Path, database: str, seed: int) -> clinic_day.Morning:
    """What a day at the clinic starts from."""
    tables = ("pacientes", "agendamentos", "atendimentos", "evolucoes", "resultados_laboratoriais")
    text = "".join(f"SELECT MAX(id) FROM {table};\n" for table in tables)
    last = dict(zip(tables, map(int, run_sql(client(socket), text, database).split()), strict=True))
    return clinic_day.Morning(counts(socket, database), last, seed)


def parse(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="clinic.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, explanation in (("fill", "create and fill the database"), ("day", "change it by a day of work")):
        verb_parser = verbs.add_parser(verb, help=explanation)
        verb_parser.add_argument("--socket", required=True, help="of the MariaDB server")
        verb_parser.add_argument("--database", required=True)
        verb_parser.add_argument("--seed", type=int, default=7)
    fill_parser = verbs.choices["fill"]
    fill_parser.add_argument("--size-mb", type=int, default=50, help="of the rows as text (default 50)")
    fill_parser.add_argument("--tenants", type=int, default=2)
    return parser.parse_args(argv)


def main() -> int:
    """Do what the command line says, and return the exit status."""
    arguments = parse(sys.argv[1:])
    begun = time.monotonic()
    try:
        if arguments.verb == "fill":
            rows = fill(arguments.socket, arguments.database, arguments.size_mb, arguments.seed, arguments.tenants)
            for table, count in rows.items():
                print(f"{table:34} {count:>9,}")
        else:
            rows = day(arguments.socket, arguments.database, arguments.seed)
    except SqlFailed as failure:
        print(f"clinic: {failure}", file=sys.stderr)
        return 1
    print(f"{sum(rows.values()):,} rows in {time.monotonic() - begun:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
