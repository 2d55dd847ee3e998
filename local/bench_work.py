"""What is measured: our tool and its peers at work on one clinic.

Ours and the peer's take turns, and who begins changes from pair to pair, so that a machine that gets slower or faster
meanwhile favours nobody.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from bench_clinic import CLINIC, ClinicServer
from bench_claims import Pairs
from bench_measure import BenchFailed, Command, Measured, Stopwatch
from demo_tool import Tool

# The Debian package of each program that we are compared with, or measured by.
PACKAGES = {
    "mariadb-dump": "mariadb-client",
    "mariadb": "mariadb-client",
    "zstd": "zstd",
    "mydumper": "mydumper",
    "myloader": "mydumper",
    "restic": "restic",
    "strace": "strace",
}


@dataclass
class Bench:
    """What rows need: the server, the tool, a folder, a stopwatch; and the record of all runs."""

    server: ClinicServer
    binary: Path
    folder: Path
    stopwatch: Stopwatch
    size_mb: int
    tenants: int
    pairs: int
    say: Callable[[str], None]
    database: str = CLINIC
    tool: Tool = field(init=False)
    runs: list[Measured] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make our tool's keys, once."""
        key = self.folder / "bench.key"
        self.tool = Tool(self.binary, self.settings(key))
        if not key.exists():
            self.tool.run("keys", "create", str(key))

    def settings(self, key: Path) -> dict[str, str]:
        """Our tool's settings: everything on, nothing tuned."""
        socket = quote(str(self.server.socket), safe="/")
        return {
            "GORGEN_DATABASE_URL": f"mysql://root@/{self.database}?socket={socket}",
            "GORGEN_VAULT": self.vault.as_uri(),
            "GORGEN_KEYRING": key.as_uri(),
            "GORGEN_TENANT_COLUMN": "tenant_id",
        }

    @property
    def vault(self) -> Path:
        """The vault of ours."""
        return self.folder / f"vault-{self.database}"

    def on(self, database: str) -> Bench:
        """The same on another database, with a vault of its own."""
        return replace(self, database=database)

    @contextmanager
    def setting(self, name: str, value: str) -> Iterator[None]:
        """Our tool with another setting."""
        before = self.tool
        self.tool = Tool(before.binary, before.settings | {name: value})
        try:
            yield
        finally:
            self.tool = before

    def measure(self, name: str, *pipeline: Command, **files: Path) -> Measured:
        """Run, measure, record and say."""
        self.server.settle()
        measured = self.stopwatch.measure(name, *pipeline, **files)
        self.runs.append(measured)
        self.say(f"  {measured}")
        return measured

    def ours(self, name: str, *arguments: str) -> Measured:
        """Run our tool; its JSON document becomes the run's facts."""
        out = self.folder / "out.json"
        command = Command([str(self.tool.binary), *arguments, "--json"], self.tool.environment())
        measured = self.measure(f"gorgen-backup {name}", command, stdout=out)
        measured.facts.update(json.loads(out.read_text()))
        return measured

    def take_turns(self, ours: Callable[[], Measured], peer: Callable[[], Measured]) -> Pairs:
        """Run both as many times as asked for, in turns."""
        found = []
        for pair in range(self.pairs):
            if pair % 2 == 0:
                one = ours()
                found.append((one, peer()))
            else:
                other = peer()
                found.append((ours(), other))
        return found

    def client(self, program: str, *arguments: str) -> Command:
        """A program of MariaDB's, connected to the server."""
        return Command([program, "--no-defaults", f"--socket={self.server.socket}", "--user=root", *arguments])

    def dump(self) -> Command:
        """The dump that everybody knows."""
        return self.client("mariadb-dump", "--single-transaction", "--quick", self.database)

    def first_backup(self) -> Measured:
        """A backup into a new vault."""
        shutil.rmtree(self.vault, ignore_errors=True)
        return self.ours("backup", "backup")

    def have_backup(self) -> None:
        """A vault with a backup in it, made if there is none."""
        if not (self.vault / "manifests").is_dir():
            self.first_backup()

    def zstd_dump(self) -> Measured:
        """The usual dump, compressed."""
        zstd = Command(["zstd", "-3", "-q", "-c"])
        return self.measure("mariadb-dump | zstd -3", self.dump(), zstd, stdout=self.folder / "dump.sql.zst")

    def mydumper(self) -> Measured:
        """mydumper, two threads, plain files."""
        out = self.folder / "mydumper"
        shutil.rmtree(out, ignore_errors=True)
        words = ["mydumper", "--threads=2", f"--database={CLINIC}", f"--outputdir={out}", *self.login()]
        return self.measure("mydumper -t 2", Command([*words, "--triggers", "--routines", "--events"]))

    def login(self) -> list[str]:
        """How mydumper and myloader find the server."""
        return [f"--socket={self.server.socket}", "--user=root"]

    def new_repository(self) -> Path:
        """A restic repository with nothing in it."""
        repository = self.folder / f"restic-{self.database}"
        shutil.rmtree(repository, ignore_errors=True)
        self.measure("restic init", self.restic(repository, "init"))
        return repository

    def restic_dump(self, repository: Path) -> Measured:
        """The usual dump into a restic repository."""
        backing_up = self.restic(repository, "backup", "--stdin", "--stdin-filename=dump.sql")
        return self.measure("mariadb-dump | restic", self.dump(), backing_up)

    @staticmethod
    def restic(repository: Path, *arguments: str) -> Command:
        """restic on this repository."""
        environment = dict(os.environ) | {"RESTIC_REPOSITORY": str(repository), "RESTIC_PASSWORD": "bench"}
        return Command(["restic", "--no-cache", "--quiet", *arguments], environment)

    def restore(self) -> Measured:
        """A restore into a database that is not there, verified."""
        self.server.drop("bench_ours")
        measured = self.ours("restore", "restore", "latest", "--into", "bench_ours")
        self.server.drop("bench_ours")
        return measured

    def myloader(self) -> Measured:
        """myloader, two threads."""
        self.server.drop("bench_peer")
        words = ["myloader", "--threads=2", "--database=bench_peer", f"--directory={self.folder / 'mydumper'}"]
        measured = self.measure("myloader -t 2", Command([*words, *self.login()]))
        self.require_loaded()
        return measured

    def load_sql(self) -> Measured:
        """The usual load of the usual dump."""
        self.server.drop("bench_peer")
        self.server.sql("CREATE DATABASE bench_peer")
        unpack = Command(["zstd", "-d", "-q", "-c", str(self.folder / "dump.sql.zst")])
        measured = self.measure("zstd -dc | mariadb", unpack, self.client("mariadb", "bench_peer"))
        self.require_loaded()
        return measured

    def require_loaded(self) -> None:
        """A peer that lost rows would win unjustly."""
        for table in self.server.sql("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'", CLINIC).splitlines():
            name = table.split("\t")[0]
            counts = self.server.sql(
                f"SELECT COUNT(*) FROM {CLINIC}.`{name}`; SELECT COUNT(*) FROM bench_peer.`{name}`"
            ).split()
            if counts[0] != counts[1]:
                raise BenchFailed(f"the peer loaded {counts[1]} of {counts[0]} rows of {name}")
        self.server.drop("bench_peer")


def new_bytes(run: Measured) -> int:
    """What a backup added to the vault."""
    return int(run.facts["totals"]["new_bytes"])


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
