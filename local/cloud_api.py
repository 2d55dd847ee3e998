"""Calls of the API over HTTP, and waiting for a restore that one of them began."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cloud_objects import TooLate

ANSWER_SECONDS = 60
# Stages in which a restore rests, until somebody promotes it or takes it back.
AT_REST = ("planned", "staged", "restored", "undone", "cancelled", "failed")
CONFIRMED = {"confirm": "RESTAURAR"}


@dataclass(frozen=True)
class Reply:
    """What the API answered."""

    status: int
    headers: Mapping[str, str]
    body: Any

    def __str__(self) -> str:
        return f"{self.status} {json.dumps(self.body, ensure_ascii=False)}"


@dataclass(frozen=True)
class Api:
    """The API at an address, as a caller with a token."""

    url: str
    token: str | None

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Call it; the answer may be a refusal. In the names of headers `_` stands for `-`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            given["Authorization"] = f"Bearer {self.token}"
        content = body
        if body is not None and not isinstance(body, bytes):
            content = json.dumps(body).encode()
            given.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(f"{self.url}{path}", data=content, headers=given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
                return Reply(answer.status, answer.headers, _read(answer.read()))
        except urllib.error.HTTPError as refused:
            with refused:
                return Reply(refused.code, refused.headers, _read(refused.read()))

    def get(self, path: str) -> Any:
        """The body of an answer that must be good."""
        return self.expect(200, "GET", path)

    def expect(self, status: int, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The body of an answer that must have this status."""
        reply = self.call(method, path, body, **headers)
        assert reply.status == status, f"{method} {path}: {reply}"
        return reply.body

    def restore(self, **wish: Any) -> str:
        """Ask for a restore, and return its id."""
        return str(self.expect(202, "POST", "/v1/restores", wish)["restore"])

    def wait(self, restore: str, stages: Collection[str] = AT_REST, seconds: float = 120) -> dict[str, Any]:
        """The record of a restore once it is in one of these stages."""
        deadline = time.monotonic() + seconds
        while True:
            record: dict[str, Any] = self.get(f"/v1/restores/{restore}")
            if record["stage"] in stages and (record["stage"] != "staged" or _rests_when_staged(record)):
                return record
            if time.monotonic() > deadline:
                raise TooLate(f"{restore} is {record['stage']} after {seconds:.0f} s, expected {', '.join(stages)}: {record}")
            time.sleep(0.2)


def _rests_when_staged(record: Mapping[str, Any]) -> bool:
    """Whether it was asked to stay beside the live data; else it is on its way into their place."""
    return bool(record["wish"]["destination"].get("stage_only"))


def _read(content: bytes) -> Any:
    """JSON, or the text itself where it is none."""
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")
