"""What a vault grows by, and how little of it one table needs. These rows change data, so each fills a database of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import clinic
from bench_claims import Claim, mib, spread
from bench_clinic import CLINIC, SEED
from bench_measure import BenchFailed, Command
from bench_work import Bench, folder_bytes, new_bytes

DAYS = 30
# 0.5 % of a table's rows.
GROWS_ONE_IN = 200
# Thirty days of work at more than this take as long as all other rows together.
WORK_MB = 200
# Of visits, which no trigger watches; spread over the whole table, and the same ones each time.
UPDATE = "UPDATE atendimentos SET queixa = CONCAT(LEFT(COALESCE(queixa, ''), 200), ' (revista)') WHERE CRC32(id) % 100 = 7"
APPEND = """\
INSERT INTO resultados_laboratoriais (tenant_id, atendimento_id, exame, valor, unidade, situacao, coletado_em)
SELECT tenant_id, atendimento_id, exame, valor + 0.25, unidade, situacao, coletado_em + INTERVAL 1 DAY
FROM resultados_laboratoriais WHERE CRC32(id) % 100 = 7 ORDER BY id"""
# strace -y: `17 pread64(9</vault/packs/x>, "..."..., 4096, 0) = 4096`; it cuts what was read short.
READ = re.compile(r"^\d+ +(?:read|pread64|readv|preadv2?)\(\d+<(?P<path>[^>]*)>.* = (?P<bytes>\d+)$")


@contextmanager
def own_clinic(bench: Bench, database: str, size_mb: int) -> Iterator[Bench]:
    """A clinic that may be changed, gone afterwards."""
    bench.server.drop(database)
    try:
        clinic.fill(bench.server.socket, database, size_mb, SEED, bench.tenants, say=lambda _line: None)
        yield bench.on(database)
    finally:
        bench.server.drop(database)


def growth(bench: Bench) -> list[Claim]:
    """Stored growth beside restic's, after 1 % of a table is updated at random and 1 % appended to another."""
    with own_clinic(bench, "bench_growth", bench.size_mb) as own:
        own.first_backup()
        repository = own.new_repository()
        own.restic_dump(repository)
        before = folder_bytes(own.vault), folder_bytes(repository)
        own.server.sql(UPDATE, own.database)
        own.server.sql(APPEND, own.database)
        own.ours("backup, 1 % changed", "backup")
        own.restic_dump(repository)
        ours, peer = folder_bytes(own.vault) - before[0], folder_bytes(repository) - before[1]
    what = "stored growth, 1 % changed / restic of the dump"
    return [Claim("growth", what, ours / peer, 1.0, ours=mib(ours), peer=mib(peer))]


def daily(bench: Bench) -> list[Claim]:
    """The vault after thirty days of growth, beside one backup of the last day."""
    kept, one, shares = thirty_days(bench, lambda own: clinic.grow(own.server.socket, own.database, SEED, GROWS_ONE_IN))
    what = f"vault of {DAYS} daily backups / of one, 0.5 % new rows a day"
    return [
        Claim("daily", what, kept / one, 1.4, ours=mib(kept), peer=mib(one)),
        spread("daily", "new bytes of a day, of the backup's", shares, None, unit="%"),
    ]


def work_days(bench: Bench) -> list[Claim]:
    """The same after days of work: new rows, corrections of recent ones, and changes all over the patients and sessions."""
    small = replace(bench, size_mb=min(WORK_MB, bench.size_mb))
    kept, one, shares = thirty_days(
        small, lambda own: clinic.day(own.server.socket, own.database, SEED, say=lambda _line: None)
    )
    what = f"vault of {DAYS} daily backups / of one, days of work at {small.size_mb} MB"
    return [
        Claim("work-days", what, kept / one, None, ours=mib(kept), peer=mib(one)),
        spread("work-days", "new bytes of a day, of the backup's", shares, None, unit="%"),
    ]


def thirty_days(bench: Bench, day: Callable[[Bench], object]) -> tuple[int, int, list[float]]:
    """Bytes of a vault with a backup of each day, and of one with the last day's only; and new bytes of each day in percent."""
    with own_clinic(bench, "bench_daily", bench.size_mb) as own:
        own.first_backup()
        shares = []
        for _ in range(DAYS - 1):
            day(own)
            run = own.ours("backup, a day later", "backup")
            shares.append(100 * new_bytes(run) / run.facts["totals"]["stored_bytes"])
        kept = folder_bytes(own.vault)
        own.first_backup()
        return kept, folder_bytes(own.vault), shares


def one_table(bench: Bench) -> list[Claim]:
    """What is read of the vault to restore the table that is nearest to 1 % of the data, as the kernel counts it."""
    bench.have_backup()
    table, percent = table_of_one_percent(bench)
    target, trace = "bench_ours", bench.folder / "reads.txt"
    bench.server.drop(target)
    strace = ["strace", "-f", "-y", "-q", "-e", "trace=read,pread64,readv,preadv,preadv2", "-o", str(trace)]
    words = [str(bench.tool.binary), "restore", "latest", "--into", target, "--table", table]
    bench.measure(f"strace restore --table {table}", Command([*strace, *words], bench.tool.environment()))
    bench.server.drop(target)
    read, whole = bytes_read(trace.read_text("utf-8", "replace"), str(bench.vault)), folder_bytes(bench.vault)
    if read == 0:
        raise BenchFailed("strace saw no read of the vault")
    what = f"reads of the vault for {table}, {percent:.1f} % of the data"
    return [Claim("one-table", what, 100 * read / whole, 2.0, "%", ours=mib(read), peer=mib(whole))]


def table_of_one_percent(bench: Bench) -> tuple[str, float]:
    """The table whose share of the data is nearest to 1 %, and that share."""
    query = (
        "SELECT TABLE_NAME, 100 * DATA_LENGTH / SUM(DATA_LENGTH) OVER () FROM information_schema.TABLES "
        f"WHERE TABLE_SCHEMA = '{CLINIC}' AND TABLE_TYPE = 'BASE TABLE'"
    )
    shares = [line.split("\t") for line in bench.server.sql(query).splitlines()]
    name, percent = min(shares, key=lambda share: abs(float(share[1]) - 1))
    return name, float(percent)


def bytes_read(trace: str, folder: str) -> int:
    """Bytes that a traced program read of files below a folder."""
    found = (READ.search(line) for line in trace.splitlines())
    return sum(int(match["bytes"]) for match in found if match and match["path"].startswith(folder))
