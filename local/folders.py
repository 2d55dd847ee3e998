"""Where the laboratory keeps its state: everything under `.local/`, in folders that name their owner by a lock.

A run folder belongs to the process that holds the lock on its `owner` file. When that process is gone, however it
went, the lock is free, and the next laboratory sweeps the folder away.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PROJECT = Path(__file__).resolve().parent.parent
STATE = PROJECT / ".local"
# A socket's path, with its closing NUL, must fit in the kernel's sun_path of 108 bytes; servers append to it.
LONGEST_SOCKET_PATH = 100
LOGS_KEPT_SECONDS = 24 * 3600


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the only lock on a file, waiting for it when another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class RunFolder:
    """A server's own temporary folder, with a log file that outlives it and a place short enough for a socket."""

    def __init__(self, name: str, state: Path = STATE) -> None:
        runs = state / "run"
        logs = state / "log"
        logs.mkdir(parents=True, exist_ok=True)
        with locked(runs / "lock"):
            _sweep(runs, logs)
            self.path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=runs))
            self._owner: IO[str] = open(self.path / "owner", "w")
            fcntl.flock(self._owner, fcntl.LOCK_EX)
        self.log = logs / f"{self.path.name}.log"

    def socket(self) -> Path:
        """A path for a socket: in the folder, or in a short temporary folder when the project's path is too long."""
        inside = self.path / "server.sock"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_PATH:
            return inside
        short = Path(tempfile.mkdtemp(prefix="gorgen-", dir="/tmp"))
        (self.path / "short").symlink_to(short)
        return short / "s"

    def remove(self) -> None:
        """Remove the folder and the socket's folder; the log stays."""
        _remove(self.path)
        self._owner.close()


def _remove(folder: Path) -> None:
    """Remove a run folder and the short socket folder it points to."""
    short = folder / "short"
    if short.is_symlink():
        shutil.rmtree(short.readlink(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _sweep(runs: Path, logs: Path) -> None:
    """Remove what dead processes left behind: run folders whose lock is free, and logs of yesterday."""
    for owner in runs.glob("*/owner"):
        with open(owner) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            _remove(owner.parent)
    for log in logs.glob("*.log"):
        if time.time() - log.stat().st_mtime > LOGS_KEPT_SECONDS:
            log.unlink(missing_ok=True)
