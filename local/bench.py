"""The bench: what our tool takes, beside what a clinic would use instead, on the same data and the same server.

    make bench                                   all rows on a clinic of 1 GB; some forty minutes
    make bench ROW=backup                        one row (or several, with commas between)
    make bench ROW=memory-4gb                    one that runs only when it is named; so does scale
    make bench ARGS="--size-mb 200 --pairs 5"

The targets are ratios, as absolute times drift from machine to machine and from hour to hour. A run is called noisy
when other programs took part of the machine meanwhile. The results also go to `.local/bench/` as JSON and as a chart.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import bench_scale
import bench_scale_chart
from bench_chart import chart
from bench_claims import Claim
from bench_clinic import BENCH, open_clinic, open_empty
from bench_measure import BenchFailed, Measured, Stopwatch
from bench_rows import ROWS
from bench_table import table
from bench_work import PACKAGES, Bench
from database import SqlFailed
from demo_tool import BINARY, StepFailed
from folders import RunFolder
from lab import SIGNALS, Interrupted, shown
from server import ServerFailed


SIZE_MB = 1000


@dataclass
class Results:
    """What came of the rows."""

    claims: list[Claim] = field(default_factory=list)
    runs: dict[str, list[Measured]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def run(arguments: argparse.Namespace) -> int:
    """Run the rows asked for, each on its clinic, and return the exit status."""
    results = Results()
    begun = datetime.now(UTC)
    try:
        for (size_mb, is_empty), names in by_data(arguments).items():
            measure(arguments, size_mb, is_empty, names, results)
    except (BenchFailed, ServerFailed, SqlFailed, StepFailed) as failure:
        say(f"failed: {failure}")
        return 1
    except Interrupted as interrupted:
        say(f"ended by signal {signal.Signals(interrupted.number).name}")
        return 128 + interrupted.number
    finally:
        report(arguments, begun, results)
    return 0


def report(arguments: argparse.Namespace, begun: datetime, results: Results) -> None:
    """Show what was measured, also when a later row failed."""
    if results.claims:
        say("")
        print(table(results.claims), flush=True)
        path = write(arguments, begun, results)
        picture = path.with_suffix(".svg")
        picture.write_text(chart(results.claims))
        say(f"\nall of it in {shown(path)}, and as a chart in {shown(picture)}")
        if runs := results.runs.get("scale"):
            curves = path.with_name(f"{path.stem}-scale.svg")
            curves.write_text(bench_scale_chart.chart(bench_scale.points(runs)))
            say(f"how it grows is in {shown(curves)}")
    for name, why in results.skipped.items():
        say(f"SKIPPED {name}: {why}")


def by_data(arguments: argparse.Namespace) -> dict[tuple[int, bool], list[str]]:
    """The rows to run, by the size of the data they run on, and whether they fill it themselves."""
    groups: dict[tuple[int, bool], list[str]] = {}
    for name in arguments.row or [name for name, row in ROWS.items() if not row.only_named]:
        row = ROWS[name]
        if row.fills_mb is None:
            data = row.size_mb or arguments.size_mb or SIZE_MB, False
        else:
            data = arguments.size_mb or row.fills_mb, True
        groups.setdefault(data, []).append(name)
    return groups


def measure(
    arguments: argparse.Namespace, size_mb: int, is_empty: bool, names: Sequence[str], results: Results
) -> None:
    """Run some rows on a clinic of one size, or on an empty server."""
    with ExitStack() as cleanup:
        folder = RunFolder("bench")
        cleanup.callback(folder.remove)
        opening = (
            open_empty(size_mb, folder.path, say) if is_empty else open_clinic(size_mb, arguments.tenants, say)
        )
        server = cleanup.enter_context(opening)
        stopwatch = Stopwatch(server.pid, folder.path / "errors.txt")
        how = (size_mb, arguments.tenants, arguments.pairs, say)
        bench = Bench(server, arguments.binary.resolve(), folder.path, stopwatch, *how)
        if not is_empty:
            say("reading everything once, so that all rows find a warm server")
            stopwatch.measure("warming", bench.dump())
        for name in names:
            if missing := ROWS[name].missing():
                results.skipped[name] = f"not installed: {', '.join(missing)}"
                continue
            say(f"{name}, {size_mb} MB")
            bench.runs = results.runs.setdefault(name, [])
            for claim in ROWS[name].run(bench):
                results.claims.append(claim)


def write(arguments: argparse.Namespace, begun: datetime, results: Results) -> Path:
    """Write everything as JSON, and return the file."""
    document = {
        "begun": begun.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "size_mb": arguments.size_mb or SIZE_MB,
        "tenants": arguments.tenants,
        "pairs": arguments.pairs,
        "claims": [claim.to_json() for claim in results.claims],
        "runs": {name: [run.to_json() for run in runs] for name, runs in results.runs.items()},
        "skipped": results.skipped,
    }
    BENCH.mkdir(parents=True, exist_ok=True)
    path = BENCH / f"{begun:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def machine() -> dict[str, Any]:
    """What was measured on."""
    about_cpus = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":")[1].strip() for line in about_cpus if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20,
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "?"),
        "kernel": platform.release(),
        "versions": {program: version(program) for program in PACKAGES},
    }


def version(program: str) -> str | None:
    """What a program says of its version; `None` if it is not there."""
    if shutil.which(program) is None:
        return None
    words = [program, "version" if program == "restic" else "--version"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip().split("\n")[0]


def say(text: str) -> None:
    """What goes on, on stderr: stdout is the table's."""
    print(text, file=sys.stderr, flush=True)


def interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    """One signal is enough; the next must not cut the cleaning short."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted(number)


def rows_in_environment() -> list[str]:
    """The rows that `make bench ROW=...` asks for."""
    return os.environ.get("ROW", "").replace(",", " ").split()


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="bench.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--row", action="append", metavar="NAME", help=f"only this row: {', '.join(ROWS)}")
    parser.add_argument(
        "--size-mb", type=int, help=f"of the clinic's rows as text, at the most (default {SIZE_MB}; for scale 4000)"
    )
    parser.add_argument("--tenants", type=int, default=2, help="clinics that share the database (default 2)")
    parser.add_argument("--pairs", type=int, default=3, help="how often ours and the peer take turns (default 3)")
    parser.add_argument("--binary", type=Path, default=BINARY, help="the program (default: target/fast/gorgen-backup)")
    arguments = parser.parse_args(argv)
    arguments.row = arguments.row or rows_in_environment()
    if unknown := [name for name in arguments.row if name not in ROWS]:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    return arguments


def main() -> int:
    """Do what the command line says, and return the exit status."""
    arguments = parse(sys.argv[1:])
    for number in SIGNALS:
        signal.signal(number, interrupt)
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
