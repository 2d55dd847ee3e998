"""The rows of the bench: what is run beside which peer, and what must come of it.

Ours and the peer's take turns, and who begins changes from pair to pair, so that a machine that gets slower or faster
meanwhile favours nobody. A ratio is the median over the pairs.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import bench_functions
from bench_clinic import CLINIC, ClinicServer
from bench_measure import BenchFailed, Command, Measured, Stopwatch
from demo_tool import Tool

MIB = 2**20
MEMORY_MIB = 128
ZIP_MB = 6
INIT_MILLISECONDS = 50
# The Debian package of each program that we are compared with.
PACKAGES = {
    "mariadb-dump": "mariadb-client",
    "mariadb": "mariadb-client",
    "zstd": "zstd",
    "mydumper": "mydumper",
    "myloader": "mydumper",
    "restic": "restic",
}

Pairs = Sequence[tuple[Measured, Measured]]


@dataclass(frozen=True)
class Claim:
    """One line of the table: what was measured, and what it should be."""

    row: str
    what: str
    measured: float
    target: float | None
    unit: str = "x"
    at_least: bool = False
    low: float | None = None
    high: float | None = None
    ours: str = ""
    peer: str = ""
    noisy: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target was reached; `None` without a target."""
        if self.target is None:
            return None
        return self.measured >= self.target if self.at_least else self.measured <= self.target

    def to_json(self) -> dict[str, Any]:
        """All of it as a document."""
        return asdict(self) | {"met": self.met}


@dataclass
class Bench:
    """What rows need: the server, the tool, a folder, a stopwatch; and the record of all runs."""

    server: ClinicServer
    tool: Tool
    folder: Path
    stopwatch: Stopwatch
    pairs: int
    say: Callable[[str], None]
    runs: list[Measured] = field(default_factory=list)

    @property
    def vault(self) -> Path:
        """The vault of ours."""
        return self.folder / "vault"

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
        return self.client("mariadb-dump", "--single-transaction", "--quick", CLINIC)

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


def backup(bench: Bench) -> list[Claim]:
    """A first backup beside the dump that everybody knows."""
    pairs = bench.take_turns(bench.first_backup, bench.zstd_dump)
    peer = "mariadb-dump | zstd -3"
    return [
        ratio("backup", f"wall / {peer}", pairs, "wall", 0.45),
        ratio("backup", f"client CPU / {peer}", pairs, "cpu", 0.55),
    ]


def mydumper(bench: Bench) -> list[Claim]:
    """A first backup beside mydumper."""
    pairs = bench.take_turns(bench.first_backup, bench.mydumper)
    return [ratio("mydumper", "wall / mydumper -t 2, plain files", pairs, "wall", 0.65)]


def again(bench: Bench) -> list[Claim]:
    """A second backup of a database in which nothing changed."""
    pairs = []
    for _ in range(bench.pairs):
        first = bench.first_backup()
        pairs.append((bench.ours("backup, unchanged", "backup"), first))
    shares = [100 * new_bytes(second) / new_bytes(first) for second, first in pairs]
    return [
        ratio("again", "wall, unchanged / the first backup", pairs, "wall", 0.75),
        spread("again", "new bytes, unchanged, of the first's", shares, 1.0, unit="%"),
    ]


def restore(bench: Bench) -> list[Claim]:
    """A restore, its digests verified, beside myloader."""
    bench.have_backup()
    if not (bench.folder / "mydumper").is_dir():
        bench.mydumper()
    pairs = bench.take_turns(bench.restore, bench.myloader)
    return [ratio("restore", "wall, verified / myloader -t 2", pairs, "wall", 0.55)]


def restore_sql(bench: Bench) -> list[Claim]:
    """A restore, its digests verified, beside the usual load."""
    bench.have_backup()
    if not (bench.folder / "dump.sql.zst").exists():
        bench.zstd_dump()
    pairs = bench.take_turns(bench.restore, bench.load_sql)
    return [ratio("restore-sql", "wall, verified / zstd -dc | mariadb", pairs, "wall", 0.25)]


def verify(bench: Bench) -> list[Claim]:
    """Reading, authenticating and hashing all data again."""
    bench.have_backup()
    runs = [bench.ours("verify", "verify", "--read-data") for _ in range(bench.pairs)]
    rates = [run.facts["raw_bytes_read"] / 1e6 / run.cpu for run in runs]
    by_wall = [run.facts["raw_bytes_read"] / 1e6 / run.wall for run in runs]
    return [
        spread("verify", "raw data per second of CPU", rates, 500, unit="MB/s", at_least=True),
        spread("verify", "raw data per second of wall", by_wall, None, unit="MB/s"),
    ]


def size(bench: Bench) -> list[Claim]:
    """The vault beside a restic repository of the same dump."""
    bench.first_backup()
    repository = bench.folder / "restic"
    shutil.rmtree(repository, ignore_errors=True)
    environment = dict(os.environ) | {"RESTIC_REPOSITORY": str(repository), "RESTIC_PASSWORD": "bench"}
    restic = ["restic", "--no-cache", "--quiet"]
    bench.measure("restic init", Command([*restic, "init"], environment))
    backing_up = Command([*restic, "backup", "--stdin", "--stdin-filename=dump.sql"], environment)
    bench.measure("mariadb-dump | restic", bench.dump(), backing_up)
    ours, peer = folder_bytes(bench.vault), folder_bytes(repository)
    return [
        Claim("size", "vault / restic repository of the dump", ours / peer, 1.0, ours=mib(ours), peer=mib(peer)),
    ]


def memory(bench: Bench) -> list[Claim]:
    """The most memory that each job holds."""
    row = "memory"
    runs = {"backup": bench.first_backup(), "restore": bench.restore()}
    runs["verify"] = bench.ours("verify", "verify", "--read-data")
    raw = runs["backup"].facts["totals"]["raw_bytes"]
    return [
        Claim(row, f"peak of {job}, {raw / 1e9:.1f} GB of rows", run.peak_bytes / MIB, MEMORY_MIB, "MiB")
        for job, run in runs.items()
    ]


def functions(bench: Bench) -> list[Claim]:
    """The size of each function's zip, and how long it takes to start. Say `PROFILE=cloud`: that is what is deployed."""
    claims = []
    for name, zipped in bench_functions.zips().items():
        megabytes = zipped.stat().st_size / 1e6
        milliseconds = bench_functions.init_seconds(zipped, bench.folder) * 1000
        claims.append(Claim("functions", f"zip of {name}", megabytes, ZIP_MB, "MB"))
        claims.append(Claim("functions", f"init of {name}", milliseconds, INIT_MILLISECONDS, "ms"))
    return claims


@dataclass(frozen=True)
class Row:
    """One row, and the programs it needs."""

    run: Callable[[Bench], list[Claim]]
    programs: Sequence[str] = ()
    # Run only when named, on a clinic of this size.
    size_mb: int | None = None

    def missing(self) -> list[str]:
        """Programs that are not there, each with the package that brings it."""
        gone = [program for program in self.programs if shutil.which(program) is None]
        return [f"{program} (package {PACKAGES[program]})" for program in gone]


ROWS: Mapping[str, Row] = {
    "backup": Row(backup, ("mariadb-dump", "zstd")),
    "mydumper": Row(mydumper, ("mydumper",)),
    "again": Row(again),
    "restore": Row(restore, ("mydumper", "myloader")),
    "restore-sql": Row(restore_sql, ("mariadb-dump", "mariadb", "zstd")),
    "verify": Row(verify),
    "size": Row(size, ("mariadb-dump", "restic")),
    "memory": Row(memory),
    "functions": Row(functions),
    "memory-4gb": Row(memory, size_mb=4000),
}


def ratio(row: str, what: str, pairs: Pairs, quantity: str, target: float) -> Claim:
    """Ours through the peer's, pair by pair."""
    ours = [float(getattr(one, quantity)) for one, _ in pairs]
    peers = [float(getattr(other, quantity)) for _, other in pairs]
    ratios = [one / other for one, other in zip(ours, peers, strict=True)]
    return Claim(
        row,
        what,
        median(ratios),
        target,
        low=min(ratios),
        high=max(ratios),
        ours=f"{median(ours):.1f} s",
        peer=f"{median(peers):.1f} s",
        noisy=any(run.is_noisy for pair in pairs for run in pair),
    )


def spread(
    row: str, what: str, values: Sequence[float], target: float | None, unit: str, at_least: bool = False
) -> Claim:
    """The median of several measurements."""
    return Claim(row, what, median(values), target, unit, at_least, min(values), max(values))


def new_bytes(run: Measured) -> int:
    """What a backup added to the vault."""
    return int(run.facts["totals"]["new_bytes"])


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def mib(number: float) -> str:
    """Bytes for people."""
    return f"{number / MIB:.1f} MiB"
