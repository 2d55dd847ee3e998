"""A private MariaDB out of the machine's own packages; the machine's own server, if it has one, is never touched."""

from __future__ import annotations

import shutil

from database import DatabaseServer, run_quietly, user_option
from server import ServerFailed


class MariaDb(DatabaseServer):
    """A MariaDB with a fresh data folder, ready after about a second."""

    name = "mariadb"

    def prepare(self) -> None:
        for program in ("mariadb-install-db", "mariadbd", "mariadb"):
            if shutil.which(program) is None:
                raise ServerFailed(f"{program} not found: install the packages mariadb-server and mariadb-client")
        status = run_quietly(
            [
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={self.data}",
                # A server that starts removes temporary tables from its folder, also another's that starts beside it.
                f"--tmpdir={self.temporary}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
                *user_option(),
            ],
            self.log,
        )
        if status != 0:
            raise ServerFailed(f"mariadb-install-db ended with status {status}:\n{self.log_end()}")

    def command(self) -> list[str]:
        program = shutil.which("mariadbd")
        assert program is not None, "prepare first"
        return [program, "--no-defaults", *self.common_options(), "--innodb-log-file-size=256M", *self.options]

    def client(self) -> list[str]:
        return ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root"]
