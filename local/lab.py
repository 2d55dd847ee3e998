"""Runs a command beside private servers: `python3 local/lab.py run [--mariadb] [--mysql] [--emulator] -- COMMAND...`

The servers asked for come up side by side, the command finds them through its environment, and when it ends they are
stopped and the command's exit status is ours.

    TEST_MARIADB_URL, TEST_MARIADB_SOCKET                   a MariaDB; the address ends in `/`, append a database
    TEST_MYSQL_URL, TEST_MYSQL_CLIENT, TEST_MYSQL_DUMP      a MySQL 9, and scripts running its `mysql`, `mysqldump`
    TEST_MYSQL_SKIP                                         instead of these: why no MySQL could be had
    TEST_S3_ENDPOINT, AWS_ACCESS_KEY_ID=test, ...           an emulated AWS
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from emulator import Emulator
from mariadb import MariaDb
from mysql import MySql, Unobtainable
from server import Server, ServerFailed, dying_with_us

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COMMAND_STOP_SECONDS = 15
# Credentials and endpoints of the person at the keyboard, which must not meet an emulator, nor it them.
FOREIGN_AWS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_SECURITY_TOKEN")


class Interrupted(BaseException):
    """A signal asked us to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Laboratory:
    """The servers one command asked for."""

    def __init__(self, servers: Sequence[Server], quiet: bool = False) -> None:
        self.servers = list(servers)
        self.quiet = quiet
        self.skipped: str | None = None

    def start(self) -> None:
        """Bring all servers up side by side; a MySQL that can't be had is left out, and `skipped` says why."""
        for server, failure in self._prepare():
            if isinstance(failure, Unobtainable):
                self.skipped = str(failure)
                self.servers.remove(server)
                server.stop()
            elif failure is not None:
                raise failure
        # Here and not in the threads of the preparation: a server dies with the thread that launched it.
        for server in self.servers:
            server.launch()
        for server in self.servers:
            server.wait_ready()
            if not self.quiet:
                say(f"{server.name} on port {server.port}, log {shown(server.log)}")

    def _prepare(self) -> list[tuple[Server, BaseException | None]]:
        """Prepare every server in a thread of its own. The threads don't hold up an interrupted laboratory."""
        failures: dict[Server, BaseException | None] = {}

        def prepare(server: Server) -> None:
            try:
                server.prepare()
            except BaseException as failure:  # handed to the main thread
                failures[server] = failure

        threads = [threading.Thread(target=prepare, args=(server,), daemon=True) for server in self.servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [(server, failures.get(server)) for server in self.servers]

    def stop(self) -> None:
        """Stop every server."""
        for server in self.servers:
            server.stop()

    def environment(self) -> dict[str, str]:
        """Our environment, and in it where the servers are."""
        found = {name: value for name, value in os.environ.items() if not name.startswith("TEST_MYSQL_")}
        if self.skipped is not None:
            found["TEST_MYSQL_SKIP"] = self.skipped
        for server in self.servers:
            if isinstance(server, MariaDb):
                found["TEST_MARIADB_URL"] = server.url()
                found["TEST_MARIADB_SOCKET"] = str(server.socket)
            elif isinstance(server, MySql):
                found["TEST_MYSQL_URL"] = server.url()
                found["TEST_MYSQL_CLIENT"] = str(server.write_wrapper("mysql"))
                found["TEST_MYSQL_DUMP"] = str(server.write_wrapper("mysqldump"))
            elif isinstance(server, Emulator):
                for name in FOREIGN_AWS:
                    found.pop(name, None)
                found |= server.client_environment() | {"TEST_S3_ENDPOINT": server.endpoint}
        return found


def run_command(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run the command on our terminal; when we are interrupted it gets the signal too, and time to end."""
    process = subprocess.Popen(dying_with_us(command, "TERM"), env=environment)
    try:
        status = process.wait()
    except Interrupted as interrupted:
        process.send_signal(interrupted.number)
        try:
            process.wait(COMMAND_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    return status if status >= 0 else 128 - status


def run(arguments: argparse.Namespace) -> int:
    """Start what was asked for, run the command, stop everything, and return the exit status."""
    begun = time.monotonic()
    laboratory = Laboratory(servers_of(arguments))
    try:
        laboratory.start()
        announce_skip(laboratory)
        say(f"ready after {time.monotonic() - begun:.1f} s")
        return run_command(arguments.command, laboratory.environment())
    except ServerFailed as failure:
        say(str(failure))
        return 1
    except Interrupted as interrupted:
        return 128 + interrupted.number
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        laboratory.stop()
        announce_skip(laboratory)


def servers_of(arguments: argparse.Namespace) -> list[Server]:
    """The servers the command line asks for, in the order they are named in the help."""
    servers: list[Server] = []
    if arguments.mariadb:
        servers.append(MariaDb(arguments.buffer_pool_mb, arguments.binlog))
    if arguments.mysql:
        servers.append(MySql(arguments.buffer_pool_mb, arguments.binlog))
    if arguments.emulator:
        servers.append(Emulator())
    return servers


def announce_skip(laboratory: Laboratory) -> None:
    """Say loudly that there is no MySQL: before the command, and after it, where nobody misses it."""
    if laboratory.skipped is not None:
        print(f"SKIPPED: MySQL server not obtainable: {laboratory.skipped}", file=sys.stderr, flush=True)


def say(text: str) -> None:
    """A line of our own, on stderr: stdout is the command's."""
    print(f"lab: {text}", file=sys.stderr, flush=True)


def shown(path: Path) -> str:
    """A path as seen from the current folder, where that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)


def on_signal(number: int, _frame: FrameType | None) -> NoReturn:
    """Turn a signal into an exception, so that one way out stops everything."""
    raise Interrupted(number)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="lab.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    run_parser = parser.add_subparsers(required=True).add_parser("run", help="run a command beside private servers")
    run_parser.add_argument("--mariadb", action="store_true", help="a MariaDB")
    run_parser.add_argument("--mysql", action="store_true", help="a MySQL 9, where it can be had")
    run_parser.add_argument("--emulator", action="store_true", help="an emulated AWS")
    run_parser.add_argument("--buffer-pool-mb", type=int, default=512, help="of each database (default 512)")
    run_parser.add_argument("--no-binlog", dest="binlog", action="store_false", help="databases without a binary log")
    run_parser.add_argument("command", nargs="+", metavar="COMMAND", help="after `--`")
    return parser.parse_args(argv)


def main() -> int:
    """Do what the command line says, and return the exit status."""
    arguments = parse(sys.argv[1:])
    for number in SIGNALS:
        signal.signal(number, on_signal)
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
