"""The rows of the bench: what is run beside which peer, and what must come of it. A ratio is the median over the pairs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import bench_functions
import bench_growth
import bench_s3
import bench_scale
from bench_claims import MIB, Claim, mib, ratio, spread
from bench_measure import Measured
from bench_work import PACKAGES, Bench, folder_bytes, new_bytes

MEMORY_MIB = 128
ZIP_MB = 6
INIT_MILLISECONDS = 50
READERS = (1, 2, 4)


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
    repository = bench.new_repository()
    bench.restic_dump(repository)
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


def readers(bench: Bench) -> list[Claim]:
    """What the one knob changes: connections at once, beside the number that is chosen without it."""
    claims = []
    for count in READERS:
        backups, restores = [], []
        for _ in range(bench.pairs):
            chosen = bench.first_backup(), bench.restore()
            with bench.setting("GORGEN_READERS", str(count)):
                backups.append((bench.first_backup(), chosen[0]))
                restores.append((bench.restore(), chosen[1]))
        for job, pairs in (("backup", backups), ("restore", restores)):
            claims.append(ratio("readers", f"{job}, wall, GORGEN_READERS={count} / unset", pairs, "wall", None))
    return claims


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

    run: Callable[[Bench], Iterable[Claim]]
    programs: Sequence[str] = ()
    # Run only when named, on a clinic of this size.
    size_mb: int | None = None
    # Run only when named, on an empty server, which it fills with up to so much.
    fills_mb: int | None = None

    @property
    def only_named(self) -> bool:
        """Does it take too long to run with the others?"""
        return self.size_mb is not None or self.fills_mb is not None

    def missing(self) -> list[str]:
        """Programs that are not there, each with the package that brings it."""
        gone = [program for program in self.programs if shutil.which(program) is None]
        return [f"{program} (package {PACKAGES[program]})" for program in gone]


ROWS: Mapping[str, Row] = {
    "backup": Row(backup, ("mariadb-dump", "zstd")),
    "mydumper": Row(mydumper, ("mydumper",)),
    "again": Row(again),
    "growth": Row(bench_growth.growth, ("mariadb-dump", "restic")),
    "daily": Row(bench_growth.daily),
    "work-days": Row(bench_growth.work_days),
    "restore": Row(restore, ("mydumper", "myloader")),
    "restore-sql": Row(restore_sql, ("mariadb-dump", "mariadb", "zstd")),
    "one-table": Row(bench_growth.one_table, ("strace",)),
    "verify": Row(verify),
    "size": Row(size, ("mariadb-dump", "restic")),
    "s3": Row(bench_s3.s3),
    "memory": Row(memory),
    "readers": Row(readers),
    "functions": Row(functions),
    "memory-4gb": Row(memory, size_mb=4000),
    "scale": Row(bench_scale.scale, fills_mb=bench_scale.LARGEST_MB),
}
