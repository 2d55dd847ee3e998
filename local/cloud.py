"""The local cloud: the real CDK app and functions on an emulated AWS, beside a private MariaDB with a made-up clinic.

    make up                                     start it, or deploy to it again what was built
    make invoke FN=backup [EVENT='{...}']       run a function, and show what it answers
    make logs FN=backup                         what it has written; ARGS=--follow stays and shows more
    make token ROLE=admin_master                a token for the API
    make down                                   end it and remove all of it

It stays up in the background until `down`; its state lies in .local/cloud. Its schedules run.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

import cloud_deploy
from cloud_cdk import DeployFailed
from cloud_deploy import BINARIES, CLINIC, Cloud
from cloud_functions import NoFunction
from cloud_servers import CloudServers, Place
from database import SqlFailed
from demo_tool import BINARY, exports
from folders import STATE
from lab import SIGNALS, Interrupted, on_signal, shown
from server import ServerFailed

FOLDER = STATE / "cloud"
OWNER, PLACE, CLOUD, LOG = FOLDER / "owner", FOLDER / "place.json", FOLDER / "cloud.json", FOLDER / "servers.log"
START_SECONDS, STOP_SECONDS = 60, 30


class NotUp(Exception):
    """There is no local cloud to do it with."""


def up(arguments: argparse.Namespace) -> int:
    """Start the servers if need be, then deploy."""
    begun = time.monotonic()
    fresh = keeper() is None
    if fresh:
        start_keeper()
    place = Place.from_json(PLACE.read_text("utf-8"))
    say(f"emulated AWS at {place.aws.endpoint}, MariaDB on port {place.clinic.port}, scratch on {place.scratch.port}")
    try:
        cloud_deploy.fill_clinic(place, say, arguments.size_mb)
        cloud = cloud_deploy.deploy(place, FOLDER, say, arguments.binaries.resolve(), bootstrap=not CLOUD.exists())
    except BaseException:
        if fresh:
            stop_keeper()
        raise
    CLOUD.write_text(cloud.as_json(), "utf-8")
    say(f"up after {time.monotonic() - begun:.1f} s; `make down` ends it")
    invite(cloud)
    return 0


def invite(cloud: Cloud) -> None:
    """Say where all is, and what to try."""
    print("\nFor the command line, and any other AWS program:")
    print("\n".join(exports(cloud.settings())))
    print(f"alias gorgen-backup='{BINARY}'\n")
    for key, value in sorted(cloud.outputs.items()):
        print(f"  {key:24} {value}")
    print("\nTo try:\n  make invoke FN=backup\n  make logs FN=backup\n  gorgen-backup list")
    print(f"  curl -H \"Authorization: Bearer $(make -s token ROLE=admin)\" '{cloud.api_url}/v1/backups'")
    print(f"  mariadb --no-defaults --socket={cloud.place.clinic.socket} --user=root {CLINIC}", flush=True)


def down(_arguments: argparse.Namespace) -> int:
    """End it and remove it all; doing it twice does no harm."""
    was_up = keeper() is not None
    stop_keeper()
    say("down" if was_up else "was not up")
    return 0


def logs(arguments: argparse.Namespace) -> int:
    """Show what functions have written."""
    functions = running().functions
    if arguments.follow:
        if arguments.function is None:
            raise NoFunction(f"say which one to follow: {', '.join(functions.names())}")
        for line in functions.follow(arguments.function):
            print(line, flush=True)
    for name in [arguments.function] if arguments.function else functions.names():
        lines = functions.log(name)
        print(f"== {name}, log group {functions.log_group(name)}, {len(lines)} lines", flush=True)
        for line in lines:
            print(line)
    return 0


def invoke(arguments: argparse.Namespace) -> int:
    """Invoke a function; 0 when it succeeded."""
    try:
        event = json.loads(arguments.event)
    except ValueError as error:
        say(f"the event is no JSON: {error}")
        return 2
    answer = running().functions.invoke(arguments.function, event)
    if answer.failed:
        say(f"{arguments.function} failed after {answer.seconds:.1f} s")
        print(f"{answer.error_type}: {answer.error_message}")
        return 1
    say(f"{arguments.function} answered after {answer.seconds:.1f} s")
    print(json.dumps(answer.payload, indent=2, ensure_ascii=False))
    return 0


def token(arguments: argparse.Namespace) -> int:
    """Print a token for the API."""
    print(running().place.tokens.token(*arguments.role))
    return 0


def keep(_arguments: argparse.Namespace) -> int:
    """Hold the servers until told to end: `up` starts this in the background."""
    with open(OWNER, "a+") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        owner.truncate(0)
        owner.write(str(os.getpid()))
        owner.flush()
        with contextlib.suppress(Interrupted), CloudServers() as servers:
            written = PLACE.with_suffix(".new")
            written.write_text(servers.place.as_json(), "utf-8")
            written.replace(PLACE)
            signal.pause()
    return 0


def keeper() -> int | None:
    """The process that holds the servers, if it lives: it holds a lock as well, so that no number is taken for it."""
    if not OWNER.exists():
        return None
    with open(OWNER) as owner:
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(owner.read() or 0) or None
    return None


def start_keeper() -> None:
    """Start the servers in the background, and wait until they are there."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with open(LOG, "ab") as log:
        process = subprocess.Popen(
            [sys.executable, __file__, "keep"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not PLACE.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            stop_keeper()
            end = LOG.read_text("utf-8", "replace") if LOG.exists() else ""
            raise ServerFailed(f"the servers did not come up:\n{end}")
        time.sleep(0.05)


def stop_keeper() -> None:
    """Ask the process that holds the servers to end, wait for it, and remove the state."""
    number = keeper()
    if number is not None:
        os.kill(number, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while keeper() is not None:
            if time.monotonic() > deadline:
                raise ServerFailed(f"process {number}, which holds the local cloud, does not end; see {shown(LOG)}")
            time.sleep(0.05)
    if LOG.exists() and number is not None:
        shutil.rmtree(FOLDER, ignore_errors=True)


def running() -> Cloud:
    """The cloud that is up."""
    if keeper() is None:
        raise NotUp("the local cloud is not up: run `make up` first")
    if not CLOUD.exists():
        raise NotUp("the local cloud is still coming up, or its deploy failed: run `make up`")
    return Cloud.from_json(CLOUD.read_text("utf-8"))


def say(text: str) -> None:
    """A line of our own, on stderr: stdout is for results."""
    print(f"cloud: {text}", file=sys.stderr, flush=True)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="cloud.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    up_parser = verbs.add_parser("up", help="start it, or deploy to it again")
    up_parser.add_argument("--size-mb", type=int, default=cloud_deploy.SIZE_MB, help="of the clinic's rows as text")
    up_parser.add_argument("--binaries", type=Path, default=BINARIES, help="where the functions' zips are")
    up_parser.set_defaults(run=up)
    verbs.add_parser("down", help="end it and remove all of it").set_defaults(run=down)
    logs_parser = verbs.add_parser("logs", help="what functions have written")
    logs_parser.add_argument("function", nargs="?", help="backup, restore-test, ...; all of them if not given")
    logs_parser.add_argument("--follow", action="store_true", help="stay, and show what comes")
    logs_parser.set_defaults(run=logs)
    invoke_parser = verbs.add_parser("invoke", help="run a function")
    invoke_parser.add_argument("function", help="backup, restore-test, ...")
    invoke_parser.add_argument("event", nargs="?", default="{}", help="JSON (default {})")
    invoke_parser.set_defaults(run=invoke)
    token_parser = verbs.add_parser("token", help="a token for the API")
    token_parser.add_argument("role", nargs="*", help="admin, admin_master; none if not given")
    token_parser.set_defaults(run=token)
    verbs.add_parser("keep").set_defaults(run=keep)
    return parser.parse_args(argv)


def main() -> int:
    """Do what the command line says, and return the exit status."""
    arguments = parse(sys.argv[1:])
    for number in SIGNALS:
        signal.signal(number, on_signal)
    try:
        return int(arguments.run(arguments))
    except (NotUp, NoFunction, ServerFailed, DeployFailed, SqlFailed) as failure:
        say(str(failure))
        return 1
    except (BotoCoreError, ClientError) as failure:
        say(f"the emulator says: {failure}")
        return 1
    except Interrupted as interrupted:
        return 128 + interrupted.number


if __name__ == "__main__":
    sys.exit(main())
