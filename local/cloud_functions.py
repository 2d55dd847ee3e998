"""The deployed functions: invoking them, and reading what they wrote to their logs."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cloud_aws import Aws

NAMES = ("backup", "cleanup", "restore-test", "restore", "verify", "report", "api")
OUTPUT_PREFIX = "Function"


class NoFunction(Exception):
    """There is no function of this name; the message says which there are."""


@dataclass(frozen=True)
class Answer:
    """What an invocation came to."""

    payload: Any
    failed: bool
    seconds: float
    log: str

    @property
    def error_type(self) -> str | None:
        """The stable name of what went wrong."""
        return str(self.payload.get("errorType")) if self.failed else None

    @property
    def error_message(self) -> str:
        """What went wrong, for a person."""
        return str(self.payload.get("errorMessage")) if self.failed else ""


class Functions:
    """The functions a deployment gave names to in its outputs."""

    def __init__(self, aws: Aws, outputs: Mapping[str, str]) -> None:
        self._aws = aws
        self._names = {
            _kebab(key.removeprefix(OUTPUT_PREFIX)): value.split(":")[-1]
            for key, value in outputs.items()
            if key.startswith(OUTPUT_PREFIX)
        }

    def name(self, short: str) -> str:
        """The full name of a function."""
        if short not in self._names:
            raise NoFunction(f"there is no function {short!r}; there are {', '.join(sorted(self._names))}")
        return self._names[short]

    def names(self) -> list[str]:
        """The short names of all functions that were deployed."""
        return sorted(self._names)

    def invoke(self, short: str, event: Any | None = None) -> Answer:
        """Invoke a function and wait for its answer."""
        begun = time.monotonic()
        answer = self._aws.client("lambda").invoke(
            FunctionName=self.name(short), Payload=json.dumps(event or {}), LogType="Tail"
        )
        text = answer["Payload"].read()
        return Answer(
            payload=json.loads(text) if text else None,
            failed="FunctionError" in answer,
            seconds=time.monotonic() - begun,
            log=base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace"),
        )

    def send(self, short: str, event: Any | None = None) -> None:
        """Hand a function an event as a schedule does, without waiting for an answer."""
        self._aws.client("lambda").invoke(
            FunctionName=self.name(short), Payload=json.dumps(event or {}), InvocationType="Event"
        )

    def configuration(self, short: str) -> dict[str, Any]:
        """What Lambda says of a function."""
        return dict(self._aws.client("lambda").get_function_configuration(FunctionName=self.name(short)))

    def log_group(self, short: str) -> str:
        """Where a function's log is kept."""
        default = f"/aws/lambda/{self.name(short)}"
        return str(self.configuration(short).get("LoggingConfig", {}).get("LogGroup") or default)

    def log(self, short: str, since: float = 0.0) -> list[str]:
        """The lines a function has written since a moment, the oldest first."""
        return [text for _, text in self._events(self.log_group(short), since)]

    def follow(self, short: str, every_seconds: float = 1.0) -> Iterator[str]:
        """The lines a function has written, and those it writes from now on."""
        group = self.log_group(short)
        shown = 0
        while True:
            lines = self._events(group, 0.0)
            yield from (text for _, text in lines[shown:])
            shown = len(lines)
            time.sleep(every_seconds)

    def _events(self, group: str, since: float) -> list[tuple[int, str]]:
        logs = self._aws.client("logs")
        try:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(since * 1000))
            found = [(event["timestamp"], event["message"].rstrip("\n")) for page in pages for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return sorted(found, key=lambda item: item[0])


def metrics(lines: list[str]) -> list[dict[str, Any]]:
    """The lines of a log that are CloudWatch metrics in the embedded format."""
    return [line for line in json_lines(lines) if "_aws" in line]


def json_lines(lines: list[str]) -> list[dict[str, Any]]:
    """The lines of a log that are JSON objects."""
    found = []
    for line in lines:
        if line.startswith("{"):
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found


def _kebab(name: str) -> str:
    """RestoreTest becomes restore-test."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
