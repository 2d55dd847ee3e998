"""Running `gorgen-backup` as its user would: the program that was built, settings in the environment, its exit status.

    0 done; 1 failed; 2 usage or settings; 3 integrity problem found; 4 refused
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from folders import PROJECT

BINARY = PROJECT / "target" / "fast" / "gorgen-backup"
DONE = 0
INTEGRITY_PROBLEM = 3


class StepFailed(Exception):
    """Something did not do what it should; the message says what."""


@dataclass(frozen=True)
class Ran:
    """A command that ended."""

    words: list[str]
    status: int
    out: str
    err: str
    seconds: float

    def document(self) -> Any:
        """The JSON document on stdout."""
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise StepFailed(f"`{' '.join(self.words)}` printed no JSON document ({error}):\n{self.out}") from error


class Tool:
    """The program with its settings."""

    def __init__(self, binary: Path, settings: Mapping[str, str]) -> None:
        if not os.access(binary, os.X_OK):
            raise StepFailed(f"{binary} is not there: cargo build --profile fast --package gorgen-backup")
        self.binary = binary
        self.settings = dict(settings)

    def environment(self) -> dict[str, str]:
        """Our environment with these settings, and without those of the person at the keyboard."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GORGEN_")}
        return inherited | self.settings

    def run(self, *arguments: str, expected: int = DONE) -> Ran:
        """Run a command to its end; `StepFailed` if its exit status is not the expected one."""
        words = [self.binary.name, *arguments]
        begun = time.monotonic()
        ended = subprocess.run(
            [str(self.binary), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=self.environment(),
            check=False,
        )
        ran = Ran(words, ended.returncode, ended.stdout, ended.stderr, time.monotonic() - begun)
        if ran.status != expected:
            said = (ran.err + ran.out).strip() or "it printed nothing"
            raise StepFailed(f"`{' '.join(words)}` ended with status {ran.status}, expected {expected}:\n{said}")
        return ran

    def json(self, *arguments: str, expected: int = DONE) -> Any:
        """Run a command and read the document it prints."""
        return self.run(*arguments, "--json", expected=expected).document()


def exports(settings: Mapping[str, str]) -> Sequence[str]:
    """Lines for a shell that set these settings."""
    return [f"export {name}='{value}'" for name, value in settings.items()]
