"""Measuring commands: wall time, processor time and peak memory of a pipeline, and what else ran meanwhile."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from server import dying_with_us

TICKS = os.sysconf("SC_CLK_TCK")
# Of all processors; more of it in the hands of strangers, and a run is called noisy.
NOISE = 0.05


class BenchFailed(Exception):
    """Something that was to be measured failed; the message says what."""


@dataclass(frozen=True)
class Command:
    """One program of a pipeline."""

    words: Sequence[str]
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Measured:
    """What a pipeline took. Memory is the sum of what each of its programs held at its own peak."""

    name: str
    wall: float
    cpu: float
    peak_bytes: int
    server_cpu: float
    strangers_cpu: float
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_noisy(self) -> bool:
        """Did other programs of the machine take a share that counts?"""
        return self.strangers_cpu > NOISE * self.wall * (os.cpu_count() or 1)

    def to_json(self) -> dict[str, Any]:
        """All of it as a document."""
        return asdict(self) | {"noisy": self.is_noisy}

    def __str__(self) -> str:
        noisy = f"  NOISY: others took {self.strangers_cpu:.1f} s" if self.is_noisy else ""
        return (
            f"{self.name:<34} {self.wall:7.2f} s wall {self.cpu:7.2f} s cpu {self.peak_bytes / 2**20:6.0f} MiB"
            f" {self.server_cpu:7.2f} s server{noisy}"
        )


class Stopwatch:
    """Runs pipelines beside one server, and measures them."""

    def __init__(self, server_pid: int, errors: Path) -> None:
        self.server_pid = server_pid
        self.errors = errors

    def measure(
        self, name: str, *pipeline: Command, stdin: Path | None = None, stdout: Path = Path(os.devnull)
    ) -> Measured:
        """Run a pipeline to its end; `BenchFailed` if one of its programs fails."""
        os.sync()
        server, busy, own = processor_seconds(self.server_pid), busy_seconds(), os.times()
        begun = time.monotonic()
        usages = self._run(name, pipeline, stdin or Path(os.devnull), stdout)
        wall = time.monotonic() - begun
        server = processor_seconds(self.server_pid) - server
        cpu = sum(usage.ru_utime + usage.ru_stime for usage in usages)
        now = os.times()
        ours = cpu + server + (now.user - own.user) + (now.system - own.system)
        return Measured(
            name,
            wall,
            cpu,
            # The kernel counts from the moment before a program replaces this one, so that less than what Python
            # holds (some 15 MiB) cannot be seen.
            sum(usage.ru_maxrss for usage in usages) * 1024,
            server,
            max(busy_seconds() - busy - ours, 0.0),
        )

    def _run(self, name: str, pipeline: Sequence[Command], stdin: Path, stdout: Path) -> list[Any]:
        processes: list[subprocess.Popen[bytes]] = []
        try:
            with open(stdin, "rb") as first, open(stdout, "wb") as last, open(self.errors, "wb") as errors:
                feed: Any = first
                for place, command in enumerate(pipeline):
                    is_last = place + 1 == len(pipeline)
                    process = subprocess.Popen(
                        dying_with_us(command.words),
                        stdin=feed,
                        stdout=last if is_last else subprocess.PIPE,
                        stderr=errors,
                        env=command.environment,
                    )
                    processes.append(process)
                    # Held here too, a pipe would not break when its reader ends.
                    feed.close()
                    feed = process.stdout
            return [self._await(name, process) for process in processes]
        except BaseException:
            for process in processes:
                if process.returncode is None:
                    process.kill()
                    process.wait()
            raise

    def _await(self, name: str, process: subprocess.Popen[bytes]) -> Any:
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said = self.errors.read_text("utf-8", "replace").strip()[-2000:]
            raise BenchFailed(f"{name}: a program ended with status {process.returncode}: {said or 'it said nothing'}")
        return usage


def processor_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    text = Path(f"/proc/{pid}/stat").read_text()
    fields = text[text.rindex(")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def busy_seconds() -> float:
    """Processor time of everything on this machine so far, and what the machine's host took away."""
    user, nice, system, _idle, _waiting, hard, soft, stolen = map(
        int, Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    )
    return (user + nice + system + hard + soft + stolen) / TICKS
