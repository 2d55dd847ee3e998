"""A private server process: prepared, launched, awaited and stopped, and never outliving the one who started it.

`MariaDb`, `MySql` and `Emulator` fill in what differs. Used as a context manager a server does all steps in turn; the
laboratory calls the steps itself, so that several servers come up side by side.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from folders import STATE, RunFolder

START_SECONDS = 60
STOP_SECONDS = 20
# Below the kernel's range for outgoing connections, so that none of these can take the port before the server does.
PORTS = range(20_000, 32_000)


class ServerFailed(Exception):
    """A server did not come up; the message holds the end of its log."""


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now."""
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerFailed("no free port found on 127.0.0.1")


def dying_with_us(command: Sequence[str], sign: str = "KILL") -> list[str]:
    """The command, set up so that the kernel ends it when the thread that started it ends."""
    return ["setpriv", "--pdeathsig", sign, "--", *command]


class Server:
    """One server in a folder of its own; subclasses say how to prepare it, its command, and when it is ready."""

    name = "server"
    death_signal = "KILL"

    def __init__(self, state: Path = STATE) -> None:
        self._folder = RunFolder(self.name, state)
        self.folder = self._folder.path
        self.log = self._folder.log
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Install and initialise what the server needs; leaves no process behind."""

    def command(self) -> list[str]:
        """The server's command line."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """The server's environment."""
        return os.environ

    def is_ready(self) -> bool:
        """Whether the server answers."""
        raise NotImplementedError

    def launch(self) -> None:
        """Start the process. It dies with the calling thread, so call this from one that lives on."""
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                dying_with_us(self.command(), self.death_signal),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environment()),
                cwd=self.folder,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Wait until the server answers; `ServerFailed` when it ends or stays silent."""
        assert self._process is not None, "launch first"
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self._process.poll() is not None:
                raise ServerFailed(f"{self.name} ended with status {self._process.returncode}:\n{self.log_end()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} gave no answer in {START_SECONDS} s:\n{self.log_end()}")
            time.sleep(0.05)

    def log_end(self, lines: int = 15) -> str:
        """The last lines of the server's log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def start(self) -> None:
        """Prepare, launch and await the server."""
        self.prepare()
        self.launch()
        self.wait_ready()

    def stop(self) -> None:
        """End the process, by force if it must be, and remove its folder. Doing it twice does no harm."""
        if self._process is not None:
            if self._process.returncode is None:
                self._end(self._process)
            self._process = None
        self._folder.remove()

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        """SIGTERM to the server, then SIGKILL to whatever is left of its own process group."""
        process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        # Looked at but not reaped: until then the process id, and with it the group's, cannot become another's.
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
