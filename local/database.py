"""What the laboratory's MariaDB and MySQL have in common: their options, their address, and a way to run SQL."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from folders import STATE
from server import Server, dying_with_us


class SqlFailed(Exception):
    """A client ended with an error; the message is what it said."""


def run_sql(client: Sequence[str], text: str, database: str | None = None) -> str:
    """Feed SQL to a command-line client and return its output: tab-separated rows, without column names."""
    command = [*client, "--batch", "--skip-column-names", "--default-character-set=utf8mb4"]
    done = subprocess.run(
        command + ([database] if database else []),
        input=text.encode("utf-8", "surrogateescape"),
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise SqlFailed(done.stderr.decode("utf-8", "replace").strip())
    return done.stdout.decode("utf-8", "surrogateescape")


class DatabaseServer(Server):
    """A private database server with an account `root` that needs no password, on 127.0.0.1 and a socket."""

    def __init__(
        self,
        buffer_pool_mb: int = 512,
        log_bin: bool = True,
        options: Sequence[str] = (),
        state: Path = STATE,
    ) -> None:
        super().__init__(state)
        self.buffer_pool_mb = buffer_pool_mb
        self.log_bin = log_bin
        self.options = list(options)
        self.socket = self._folder.socket()
        self.data = self.folder / "data"
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()

    def client(self) -> list[str]:
        """The command line of the server's own client, connected as root."""
        raise NotImplementedError

    def url(self, database: str = "") -> str:
        """The address of a database in the form the product takes."""
        return f"mysql://root@127.0.0.1:{self.port}/{database}"

    def sql(self, text: str, db: str | None = None) -> str:
        """Run SQL as root and return the rows as tab-separated text."""
        return run_sql(self.client(), text, db)

    def is_ready(self) -> bool:
        try:
            return self.socket.exists() and self.sql("SELECT 1").strip() == "1"
        except SqlFailed:
            return False

    def common_options(self) -> list[str]:
        """Options both servers know. Shutdown is the quick kind: the data is thrown away after it."""
        return [
            *user_option(),
            f"--datadir={self.data}",
            f"--tmpdir={self.temporary}",
            f"--socket={self.socket}",
            f"--port={self.port}",
            f"--pid-file={self.folder / 'server.pid'}",
            "--bind-address=127.0.0.1",
            f"--innodb-buffer-pool-size={self.buffer_pool_mb}M",
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-fast-shutdown=2",
            "--sync-binlog=0",
            "--local-infile=1",
            "--max-allowed-packet=256M",
            "--event-scheduler=OFF",
            "--log-bin-trust-function-creators=1",
            *(["--log-bin=binlog", "--server-id=1"] if self.log_bin else ["--skip-log-bin"]),
        ]


def user_option() -> list[str]:
    """Servers refuse to run as root unless told to."""
    return ["--user=root"] if os.geteuid() == 0 else []


def run_quietly(command: Sequence[str], log: Path) -> int:
    """Run a command to its end with its output in a log, and return its status; it dies with the calling thread."""
    with open(log, "ab") as file:
        return subprocess.run(
            dying_with_us(command), stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False
        ).returncode
