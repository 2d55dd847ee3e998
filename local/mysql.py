"""A private real MySQL 9.x, for what MariaDB cannot prove. `Unobtainable` when it cannot be had here."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from database import DatabaseServer, run_quietly, user_option
from folders import STATE, locked
from mysql_packages import Installation, Unobtainable, install
from server import ServerFailed

__all__ = ["MySql", "Unobtainable"]


class MySql(DatabaseServer):
    """A MySQL server whose packages and initialised data folder are kept in a cache."""

    name = "mysql"

    def __init__(
        self,
        buffer_pool_mb: int = 512,
        log_bin: bool = True,
        options: Sequence[str] = (),
        state: Path = STATE,
        cache: Path | None = None,
    ) -> None:
        super().__init__(buffer_pool_mb, log_bin, options, state)
        self._cache = cache or state / "mysql"
        self._installation: Installation | None = None

    @property
    def installation(self) -> Installation:
        """The unpacked packages, there once the server is prepared."""
        assert self._installation is not None, "prepare first"
        return self._installation

    def prepare(self) -> None:
        self._installation = install(self._cache)
        with locked(self._cache / "lock"):
            if not self.installation.template.exists():
                self._make_template()
        shutil.copytree(self.installation.template, self.data)

    def _make_template(self) -> None:
        """Initialise a data folder once: it takes ten times as long as copying one."""
        new = self.installation.folder / "template.new"
        shutil.rmtree(new, ignore_errors=True)
        status = run_quietly(
            self.installation.command(
                "mysqld",
                "--no-defaults",
                *user_option(),
                *self._layout(),
                f"--datadir={new}",
                "--initialize-insecure",
                "--skip-log-bin",
                "--innodb-redo-log-capacity=8M",
            ),
            self.log,
        )
        if status != 0:
            raise ServerFailed(f"mysqld --initialize ended with status {status}:\n{self.log_end()}")
        # Holds the server's identity; each copy makes its own.
        (new / "auto.cnf").unlink(missing_ok=True)
        new.replace(self.installation.template)

    def _layout(self) -> list[str]:
        """Where the unpacked files lie, and no folder for files to be confined to: the default one does not exist."""
        usr = self.installation.usr
        return [
            f"--basedir={usr}",
            f"--plugin-dir={usr / 'lib/mysql/plugin'}",
            f"--lc-messages-dir={usr / 'share/mysql'}",
            f"--character-sets-dir={usr / 'share/mysql/charsets'}",
            "--secure-file-priv=",
        ]

    def command(self) -> list[str]:
        return self.installation.command(
            "mysqld",
            "--no-defaults",
            *self._layout(),
            *self.common_options(),
            "--mysqlx=OFF",
            "--innodb-redo-log-capacity=256M",
            *self.options,
        )

    def client(self) -> list[str]:
        return self.installation.command("mysql", "--no-defaults", f"--socket={self.socket}", "--user=root")

    def run(self, program: str, args: Sequence[str] = ()) -> subprocess.CompletedProcess[bytes]:
        """Run one of MySQL's own programs, such as `mysqldump`, connected to this server."""
        return subprocess.run(self._connected(program) + list(args), capture_output=True, check=False)

    def write_wrapper(self, program: str) -> Path:
        """A script that runs one of MySQL's own programs, connected to this server unless told otherwise."""
        script = self.folder / program
        script.write_text(f'#!/bin/sh\nexec {shlex.join(self._connected(program))} "$@"\n')
        script.chmod(0o755)
        return script

    def _connected(self, program: str) -> list[str]:
        address = ["--protocol=tcp", "--host=127.0.0.1", f"--port={self.port}", "--user=root"]
        return self.installation.command(program, "--no-defaults", *address)
