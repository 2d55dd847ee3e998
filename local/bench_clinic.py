"""The clinic that is measured: filled once, kept under `.local/bench/`, and served by a private MariaDB.

What is kept is filled anew when the code that fills it changes. A run reads it, and loads only into databases of its
own, which the next run removes if this one could not.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import clinic
from bench_measure import BenchFailed
from folders import PROJECT, STATE
from mariadb import MariaDb

BENCH = STATE / "bench"
CLINIC = "clinica"
SEED = 7
SYSTEM_DATABASES = {"information_schema", "mysql", "performance_schema", "sys"}
FLUSH_SECONDS = 300
# A load should meet the cost of its rows, not that of a small log or of a disk from another time.
OPTIONS = ("--innodb-log-file-size=1G", "--innodb-io-capacity=20000", "--innodb-io-capacity-max=40000")

Say = Callable[[str], None]


class ClinicServer(MariaDb):
    """A MariaDB on a kept data folder. Without a binary log: myloader writes none, so nobody here does."""

    def __init__(self, data: Path, buffer_pool_mb: int) -> None:
        super().__init__(buffer_pool_mb, log_bin=False, options=OPTIONS)
        self.data = data

    def prepare(self) -> None:
        if not self.data.exists():
            super().prepare()

    @property
    def pid(self) -> int:
        """The server's process."""
        return int((self.folder / "server.pid").read_text())

    def settle(self) -> None:
        """Wait until all is written that was changed, so that the next run does not pay for the last."""
        self.sql("SET GLOBAL innodb_max_dirty_pages_pct = 0")
        deadline = time.monotonic() + FLUSH_SECONDS
        while int(self.sql("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'").split()[1]) > 0:
            if time.monotonic() > deadline:
                raise BenchFailed(f"the server did not write its changes within {FLUSH_SECONDS} s")
            time.sleep(0.2)
        self.sql("SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT")

    def drop(self, database: str) -> None:
        """Remove a database, if it is there."""
        self.sql(f"DROP DATABASE IF EXISTS `{database}`")

    def drop_leftovers(self) -> None:
        """Remove the databases of a run that was cut off."""
        for database in self.sql("SHOW DATABASES").split("\n")[:-1]:
            if database not in SYSTEM_DATABASES | {CLINIC}:
                self.drop(database)


@contextmanager
def open_clinic(size_mb: int, tenants: int, say: Say) -> Iterator[ClinicServer]:
    """The server with the clinic of this size in it, filled if it is not there yet; nobody else has it meanwhile."""
    home = BENCH / f"clinic-{size_mb}mb-{tenants}-tenants"
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchFailed("another bench runs on the same data; two at once would measure each other") from None
        pool = buffer_pool_mb(size_mb)
        if not is_filled(home):
            fill(home, size_mb, tenants, pool, say)
        with ClinicServer(home / "data", pool) as server:
            server.drop_leftovers()
            server.settle()
            yield server


@contextmanager
def open_empty(largest_mb: int, folder: Path, say: Say) -> Iterator[ClinicServer]:
    """A server with nothing in it yet, gone afterwards with all that was filled."""
    say(f"starting an empty server with room for {largest_mb} MB")
    with ClinicServer(folder / "data", buffer_pool_mb(largest_mb)) as server:
        yield server


def is_filled(home: Path) -> bool:
    """Whether the kept data was filled to its end, by the code that is here now."""
    stamp = home / "filled.json"
    return stamp.exists() and json.loads(stamp.read_text()) == stamp_text()


def stamp_text() -> dict[str, str]:
    """What tells whether kept data is still what would be filled now."""
    digest = hashlib.sha256(str(SEED).encode())
    local = PROJECT / "local"
    for path in sorted([*local.glob("clinic*.py"), *local.glob("clinic_sql/*.sql")]):
        digest.update(path.read_bytes())
    return {"filled_by": digest.hexdigest()}


def fill(home: Path, size_mb: int, tenants: int, pool: int, say: Say) -> None:
    """Fill a new data folder. The stamp comes last."""
    (home / "filled.json").unlink(missing_ok=True)
    shutil.rmtree(home / "data", ignore_errors=True)
    say(f"filling the clinic of {size_mb} MB, once")
    begun = time.monotonic()
    with ClinicServer(home / "data", pool) as server:
        rows = clinic.fill(server.socket, CLINIC, size_mb, SEED, tenants, say=lambda _line: None)
        tables = ", ".join(f"`{table}`" for table in rows)
        server.sql(f"ANALYZE TABLE {tables}", CLINIC)
        server.settle()
    (home / "filled.json").write_text(json.dumps(stamp_text()))
    say(f"filled {sum(rows.values()):,} rows in {time.monotonic() - begun:.0f} s")


def buffer_pool_mb(size_mb: int) -> int:
    """Room for the clinic and a copy of it with all keys, but not more than half of the machine."""
    machine_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    return max(min(4 * size_mb, machine_mb // 2), 512)
