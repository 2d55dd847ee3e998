"""How a backup and a restore grow: with the data, with its tables, its tenants and the length of its rows.

    make bench ROW=scale                         up to 4 GB; half an hour for each pair
    make bench ROW=scale ARGS="--size-mb 50 --pairs 1"

Nothing should grow faster than what it grows with: the claims compare what a byte or a table costs where there is most
of it with what it costs in the middle. All is filled into one server that is empty at first and gone afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from bench_claims import MIB, Claim, mib
from bench_clinic import ClinicServer
from bench_growth import own_clinic
from bench_measure import Command, Measured, Stopwatch
from bench_work import Bench, folder_bytes
from clinic import FILL_SESSION

DATABASE = "bench_scale"
LARGEST_MB = 4000
# What is divided into ever more tables; among ever more tenants; into ever longer rows.
TABLES_MB, TENANTS_MB, ROWS_MB = 20, 100, 256
FASTER_THAN_THE_DATA = 1.1
MEMORY_MIB = 128
# What it is, what is in it, and once to hold it still.
STATEMENTS_PER_TABLE = 3
ROW_OF_A_TABLE = 200
# Characters of an MD5; so many of them are written out rather than joined by a query of their own.
DIGEST, FEW = 32, 8
JOBS = ("backup", "restore")


@dataclass(frozen=True)
class Axis:
    """One thing that grows: where it is measured, and what the most of it is compared with."""

    name: str
    unit: str
    steps: tuple[int, ...]
    middle: int
    # What the time at both is divided by.
    per: str

    def shown(self, step: int) -> str:
        """A step for people."""
        return length(step) + " rows" if self.unit == "B" else f"{step:,} {self.unit}"


SIZES = Axis("size", "MB", (10, 100, 1000, LARGEST_MB), 100, "GB")
TABLES = Axis("tables", "tables", (10, 100, 500, 2000), 500, "table")
TENANTS = Axis("tenants", "tenants", (2, 20, 200, 1000), 20, "GB")
ROWS = Axis("row length", "B", (100, 10_000, 1_000_000, 16_000_000), 10_000, "GB")
AXES = (SIZES, TABLES, TENANTS, ROWS)


def length(number: int) -> str:
    """Bytes of a row for people."""
    for unit, size in (("MB", 10**6), ("KB", 10**3)):
        if number >= size:
            return f"{number // size} {unit}"
    return f"{number} B"


@dataclass(frozen=True)
class Point:
    """What a job took at one step of an axis: the median of all its runs there, of memory the most."""

    axis: str
    step: int
    job: str
    wall: float
    cpu: float
    peak_bytes: int
    raw_bytes: int
    vault_bytes: int
    statements: int
    noisy: bool


class Counting(Stopwatch):
    """A stopwatch that also counts the statements that the server was sent meanwhile."""

    def __init__(self, server: ClinicServer, stopwatch: Stopwatch) -> None:
        super().__init__(stopwatch.server_pid, stopwatch.errors)
        self._server = server

    def measure(self, name: str, *pipeline: Command, **files: Any) -> Measured:
        """Run, measure and count."""
        first = self._statements()
        before = self._statements()
        measured = super().measure(name, *pipeline, **files)
        measured.facts["statements"] = self._statements() - before - (before - first)
        return measured

    def _statements(self) -> int:
        return int(self._server.sql("SHOW GLOBAL STATUS LIKE 'Questions'").split()[1])


def scale(bench: Bench) -> Iterator[Claim]:
    """Walks along all axes, the small data first, and compares."""
    counting = replace(bench, stopwatch=Counting(bench.server, bench.stopwatch))
    for axis, steps, own_data in (
        (TABLES, TABLES.steps, own_tables),
        (TENANTS, TENANTS.steps, own_tenants),
        (ROWS, ROWS.steps, own_rows),
        (SIZES, sizes(bench.size_mb), own_size),
    ):
        for step in steps:
            bench.say(f" {axis.name}: {axis.shown(step)}")
            with own_data(counting, step) as own:
                measure(own, axis, step)
        yield from claims(axis, points(bench.runs))


def sizes(largest_mb: int) -> list[int]:
    """The steps up to the largest, which is one, too."""
    return [step for step in SIZES.steps if step < largest_mb] + [largest_mb]


def measure(own: Bench, axis: Axis, step: int) -> None:
    """Backups and restores at one step."""
    for _ in range(own.pairs):
        for run, job in ((own.first_backup(), "backup"), (own.restore(), "restore")):
            # Of a restore each table; nobody asks for two thousand of them here.
            run.facts.pop("tables", None)
            at = {"axis": axis.name, "step": step, "job": job}
            run.facts.update(at | {"vault_bytes": folder_bytes(own.vault)})


@contextmanager
def own_database(bench: Bench, text: str) -> Iterator[Bench]:
    """A database filled by some SQL, gone afterwards."""
    bench.server.drop(DATABASE)
    try:
        bench.server.sql(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        bench.server.sql(FILL_SESSION + text, DATABASE)
        yield bench.on(DATABASE)
    finally:
        bench.server.drop(DATABASE)


def own_size(bench: Bench, size_mb: int) -> AbstractContextManager[Bench]:
    """A clinic of this size."""
    return own_clinic(bench, DATABASE, size_mb)


def own_tenants(bench: Bench, tenants: int) -> AbstractContextManager[Bench]:
    """A clinic of so many tenants, together as large as always."""
    return own_clinic(replace(bench, tenants=tenants), DATABASE, min(TENANTS_MB, bench.size_mb))


def own_tables(bench: Bench, tables: int) -> AbstractContextManager[Bench]:
    """So many tables of the same shape, together as large as always."""
    rows = max(min(TABLES_MB, bench.size_mb) * 10**6 // ROW_OF_A_TABLE // tables, 1)
    return own_database(bench, "".join(small_table(number, rows) for number in range(tables)))


def small_table(number: int, rows: int) -> str:
    """One of many tables."""
    name = f"tabela_{number:04}"
    return f"""\
CREATE TABLE {name} (
  id INT NOT NULL AUTO_INCREMENT, tenant_id INT NOT NULL, nota VARCHAR(200) NOT NULL, criada_em DATETIME NOT NULL,
  PRIMARY KEY (id), KEY idx_{name}_tenant (tenant_id, criada_em)
);
INSERT INTO {name} SELECT 1 + seq, 1 + seq % 2, {digests(5, f"'{name}', seq")}, '2024-01-08' + INTERVAL seq MINUTE
FROM seq_0_to_{rows - 1};
"""


def own_rows(bench: Bench, bytes_of_row: int) -> AbstractContextManager[Bench]:
    """One table of documents of this length, together as large as always."""
    rows = max(min(ROWS_MB, bench.size_mb) * 10**6 // bytes_of_row, 1)
    return own_database(bench, documents(bytes_of_row, rows))


def documents(bytes_of_row: int, rows: int) -> str:
    """A table of long values, none like another, which compress by half."""
    parts = max(bytes_of_row // DIGEST, 1)
    joined = "GROUP_CONCAT(MD5(CONCAT(d.seq, '-', p.seq)) SEPARATOR '')"
    value = digests(parts, "d.seq") if parts <= FEW else f"(SELECT {joined} FROM seq_1_to_{parts} AS p)"
    return f"""\
CREATE TABLE documentos (
  id INT NOT NULL AUTO_INCREMENT, tenant_id INT NOT NULL, corpo LONGBLOB NOT NULL, PRIMARY KEY (id)
);
SET group_concat_max_len = {2 * bytes_of_row + 1024};
INSERT INTO documentos SELECT 1 + d.seq, 1 + d.seq % 2, {value} FROM seq_0_to_{rows - 1} AS d;
"""


def digests(number: int, of: str) -> str:
    """An expression for some text that is different for each row."""
    return f"CONCAT({', '.join(f'MD5(CONCAT_WS(0, {of}, {part}))' for part in range(number))})"


def points(runs: Sequence[Measured]) -> list[Point]:
    """What all runs came to, in the order in which they were made. What was cut off has no place."""
    places: dict[tuple[str, int, str], list[Measured]] = {}
    for run in (run for run in runs if "axis" in run.facts):
        places.setdefault((run.facts["axis"], run.facts["step"], run.facts["job"]), []).append(run)
    return [
        Point(
            *place,
            wall=median(run.wall for run in found),
            cpu=median(run.cpu for run in found),
            peak_bytes=max(run.peak_bytes for run in found),
            raw_bytes=raw_bytes(found[0].facts),
            vault_bytes=found[0].facts["vault_bytes"],
            statements=round(median(run.facts["statements"] for run in found)),
            noisy=any(run.is_noisy for run in found),
        )
        for place, found in places.items()
    ]


def raw_bytes(facts: Mapping[str, Any]) -> int:
    """Bytes of all rows, as a backup tells them or a restore."""
    return int(facts["totals"]["raw_bytes"] if "totals" in facts else facts["raw_bytes"])


def claims(axis: Axis, found: Sequence[Point]) -> list[Claim]:
    """What is claimed of an axis."""
    made = []
    for job in JOBS:
        line = [point for point in found if (point.axis, point.job) == (axis.name, job)]
        made += [growth(axis, line, quantity, name) for quantity, name in (("wall", "wall"), ("cpu", "client CPU"))]
        made.append(peak(axis, line))
    backups = [point for point in found if (point.axis, point.job) == (axis.name, "backup")]
    if axis is TENANTS:
        made.append(vault_growth(backups))
    if axis is TABLES:
        made.append(statements_per_table(backups))
    return made


def growth(axis: Axis, line: Sequence[Point], quantity: str, name: str) -> Claim:
    """What one costs where there is the most, beside the middle of the axis."""
    most, middle = ends(axis, line)
    costs = [getattr(point, quantity) / share(axis, point) for point in (most, middle)]
    what = f"{most.job}, {name} per {axis.per}, {axis.shown(most.step)} / {axis.shown(middle.step)}"
    ours, peer = (f"{getattr(point, quantity):.2f} s" for point in (most, middle))
    noisy = most.noisy or middle.noisy
    return Claim("scale", what, costs[0] / costs[1], FASTER_THAN_THE_DATA, ours=ours, peer=peer, noisy=noisy)


def ends(axis: Axis, line: Sequence[Point]) -> tuple[Point, Point]:
    """The last point of an axis and its middle, or the first where the axis is cut short."""
    before = [point for point in line[:-1] if point.step <= axis.middle]
    return line[-1], (before or line)[-1]


def share(axis: Axis, point: Point) -> float:
    """How much there is of what the axis counts by."""
    return point.step if axis is TABLES else point.raw_bytes / 1e9


def peak(axis: Axis, line: Sequence[Point]) -> Claim:
    """The most memory on the whole axis."""
    peaks = [point.peak_bytes / MIB for point in line]
    what = f"peak of {line[0].job}, {axis.shown(line[0].step)} to {axis.shown(line[-1].step)}"
    most = axis.shown(max(line, key=lambda point: point.peak_bytes).step)
    return Claim("scale", what, max(peaks), MEMORY_MIB, "MiB", low=min(peaks), high=max(peaks), ours=f"at {most}")


def vault_growth(line: Sequence[Point]) -> Claim:
    """What the same data takes in the vault when more tenants share it."""
    most, least = line[-1], line[0]
    what = f"vault, {TENANTS.shown(most.step)} / {TENANTS.shown(least.step)}"
    ratio = most.vault_bytes / least.vault_bytes
    return Claim("scale", what, ratio, None, ours=mib(most.vault_bytes), peer=mib(least.vault_bytes))


def statements_per_table(line: Sequence[Point]) -> Claim:
    """Statements that one more table makes a backup send."""
    most, middle = ends(TABLES, line)
    each = (most.statements - middle.statements) / (most.step - middle.step)
    what = f"statements of a first backup per table, {TABLES.shown(middle.step)} to {TABLES.shown(most.step)}"
    ours, peer = f"{most.statements:,}", f"{middle.statements:,}"
    return Claim("scale", what, each, STATEMENTS_PER_TABLE, "", ours=ours, peer=peer)
