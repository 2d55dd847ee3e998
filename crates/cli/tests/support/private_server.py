"""A database server for one test, with options of its own: `private_server.py mariadb|mysql [OPTION...]`

Prints one line of JSON that says where it is (or `{"skipped": why}`), and stops it when standard input is closed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(PROJECT / "local"))

from mariadb import MariaDb  # noqa: E402
from mysql import MySql, Unobtainable  # noqa: E402


def serve(kind: str, options: list[str]) -> None:
    """Start the server, say where it is, and keep it until nobody holds our standard input."""
    with MariaDb(64, options=options) if kind == "mariadb" else MySql(64, options=options) as server:
        found = {"url": server.url(), "socket": str(server.socket)}
        if isinstance(server, MySql):
            found |= {"client": str(server.write_wrapper("mysql")), "dump": str(server.write_wrapper("mysqldump"))}
        print(json.dumps(found), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    try:
        serve(sys.argv[1], sys.argv[2:])
    except Unobtainable as failure:
        print(json.dumps({"skipped": str(failure)}), flush=True)
