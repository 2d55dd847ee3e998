"""Counts the instructions of each step that every byte goes through, and compares them with the kept counts.

    python3 local/instructions.py             exit status 1 if a step takes over 5 % more than local/instructions.json says
    python3 local/instructions.py --renew     keep the counts of today, with the change that explains them

callgrind counts them, in crates/engine/benches/instructions.rs. A count is of one compiler: with another one nothing is compared.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from folders import PROJECT

KEPT = PROJECT / "local" / "instructions.json"
STEPS = ("rows", "digest", "cut", "name", "compress", "seal", "open", "decompress")
# What making the data takes, which every count has in it.
NO_STEP = "none"
TOLERANCE = 0.05


class CountFailed(Exception):
    """No count could be had."""


@dataclass(frozen=True)
class Counts:
    """Instructions of each step, and the compiler that the steps were built with."""

    compiler: str
    steps: Mapping[str, int]


def build(profile: str) -> Path:
    """Build the program and return where it is."""
    words = ["cargo", "build", "--workspace", "--all-features", "--profile", profile, "--bench", "instructions"]
    built = subprocess.run([*words, "--message-format=json"], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        raise CountFailed("cargo could not build crates/engine/benches/instructions.rs")
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == "instructions":
            return Path(message["executable"])
    raise CountFailed("cargo named no program of crates/engine/benches/instructions.rs")


def compiler() -> str:
    """The version of rustc."""
    return subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True).stdout.split()[1]


def count(program: Path, step: str) -> int:
    """Run one step under callgrind, and return the instructions of the whole run."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        words = ["valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={out}", str(program), step]
        ran = subprocess.run(words, capture_output=True, text=True)
        if ran.returncode != 0:
            raise CountFailed(f"step {step} ended with {ran.returncode}: {ran.stderr.strip()}")
        return total(out.read_text())


def total(callgrind: str) -> int:
    """The number of instructions that callgrind's file says."""
    found = re.search(r"^(?:summary|totals): (\d+)", callgrind, re.MULTILINE)
    if found is None:
        raise CountFailed("callgrind's file has no total")
    return int(found[1])


def count_all(program: Path) -> Counts:
    """Count every step."""
    before = count(program, NO_STEP)
    return Counts(compiler(), {step: count(program, step) - before for step in STEPS})


def compare(kept: Counts, now: Counts) -> tuple[list[str], bool]:
    """A line for each step, and whether all are within what is kept."""
    lines, good = [f"{'STEP':12}{'KEPT':>14}{'NOW':>14}  CHANGE"], True
    for step in now.steps:
        if step not in kept.steps:
            lines.append(f"{step:12}{'-':>14}{now.steps[step]:>14,}  NOT KEPT: run it with --renew")
            good = False
            continue
        change = now.steps[step] / kept.steps[step] - 1
        verdict = ""
        if now.steps[step] > kept.steps[step] * (1 + TOLERANCE):
            verdict, good = f"  MORE THAN {TOLERANCE:.0%}", False
        elif change < -TOLERANCE:
            verdict = "  less: --renew keeps it so"
        lines.append(f"{step:12}{kept.steps[step]:>14,}{now.steps[step]:>14,}  {change:+.1%}{verdict}")
    return lines, good


def load() -> Counts:
    """The kept counts."""
    document = json.loads(KEPT.read_text())
    return Counts(document["compiler"], document["instructions"])


def keep(counts: Counts) -> None:
    """Write the counts that later ones are compared with."""
    KEPT.write_text(json.dumps({"compiler": counts.compiler, "instructions": dict(counts.steps)}, indent=2) + "\n")


def main() -> int:
    """Count, and compare or keep."""
    parser = argparse.ArgumentParser(
        prog="instructions.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--renew", action="store_true", help="keep the counts of today")
    parser.add_argument("--profile", default="fast", help="the cargo profile to build with (default fast)")
    arguments = parser.parse_args()
    try:
        now = count_all(build(arguments.profile))
    except CountFailed as failure:
        print(f"instructions: {failure}", file=sys.stderr)
        return 1
    if arguments.renew:
        keep(now)
        print(f"kept in {KEPT.relative_to(PROJECT)}")
        return 0
    kept = load()
    lines, good = compare(kept, now)
    print("\n".join(lines))
    if kept.compiler != now.compiler:
        print(f"the kept counts are of rustc {kept.compiler}, this is {now.compiler}: not compared")
        return 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
