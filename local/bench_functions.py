"""What a Lambda function weighs, and how long its process takes until it asks for its first event."""

from __future__ import annotations

import os
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from bench_measure import BenchFailed
from folders import PROJECT

ZIPS = PROJECT / "target" / "lambda"
PREFIX = "gorgen-function-"
STARTS = 9
PATIENCE_SECONDS = 10


def zips() -> dict[str, Path]:
    """The zip of each function, by the function's name."""
    found = {path.parent.name.removeprefix(PREFIX): path for path in ZIPS.glob(f"{PREFIX}*/bootstrap.zip")}
    if not found:
        raise BenchFailed(f"no zips in {ZIPS}: make functions PROFILE=cloud")
    return dict(sorted(found.items()))


def init_seconds(zipped: Path, folder: Path) -> float:
    """The median time from the start of the process until it asks for an event, as Lambda's init is measured."""
    binary = folder / "bootstrap"
    with zipfile.ZipFile(zipped) as archive:
        binary.write_bytes(archive.read("bootstrap"))
    binary.chmod(0o755)
    return median(_start(binary) for _ in range(STARTS))


def _start(binary: Path) -> float:
    with _runtime() as (address, asked):
        environment = {
            "PATH": os.defpath,
            "AWS_LAMBDA_RUNTIME_API": address,
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_REGION": "sa-east-1",
            "GORGEN_VAULT": "s3://bench",
        }
        begun = time.monotonic()
        process = subprocess.Popen([binary], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if not asked.wait(PATIENCE_SECONDS):
                raise BenchFailed(f"{binary} asked for no event in {PATIENCE_SECONDS} s")
            return time.monotonic() - begun
        finally:
            process.kill()
            process.wait()


@contextmanager
def _runtime() -> Iterator[tuple[str, threading.Event]]:
    """A runtime that never has an event; says where it is, and when it was asked."""
    asked, ended = threading.Event(), threading.Event()

    class Runtime(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            ended.wait(PATIENCE_SECONDS)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Runtime)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", asked
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
