"""The objects of a vault's bucket and of its replica, as S3 shows them, its records, and the schedules."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

from cloud_aws import Aws


class TooLate(Exception):
    """Something that had to happen by itself did not; the message says what was waited for."""


@dataclass(frozen=True)
class Bucket:
    """A bucket of the local cloud, in its region."""

    aws: Aws
    name: str
    region: str

    @property
    def s3(self) -> Any:
        """A client of S3 in the bucket's region."""
        return self.aws.client("s3", self.region)

    def objects(self, prefix: str = "") -> dict[str, tuple[int, str]]:
        """Size and ETag of every object."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return {
            found["Key"]: (found["Size"], found["ETag"]) for page in pages for found in page.get("Contents", [])
        }

    def get(self, key: str) -> bytes:
        """An object's bytes."""
        return bytes(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read())

    def put(self, key: str, content: bytes) -> None:
        """Write an object; one that is there gets a newer version."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=content)

    def wait_for_new(self, prefix: str, known: set[str], seconds: float) -> str:
        """Wait for an object under a prefix that is not among the known ones, and return its key."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if new := sorted(set(self.objects(prefix)) - known):
                return new[0]
            time.sleep(0.25)
        raise TooLate(f"no new object under s3://{self.name}/{prefix} in {seconds:.0f} s")


def read_record(content: bytes) -> dict[str, Any]:
    """What a record of the vault says; see docs/format.md."""
    return dict(json.loads(content)["record"])


def write_record(record: dict[str, Any]) -> bytes:
    """A record with a digest that is right."""
    text = json.dumps(record, separators=(",", ":"))
    return f'{{"sha256":"{hashlib.sha256(text.encode()).hexdigest()}","record":{text}}}\n'.encode()


def schedules(aws: Aws) -> list[dict[str, Any]]:
    """All schedules, whole."""
    scheduler = aws.client("scheduler")
    names = [(found["GroupName"], found["Name"]) for found in scheduler.list_schedules()["Schedules"]]
    return [scheduler.get_schedule(GroupName=group, Name=name) for group, name in names]


def schedule_of(aws: Aws, function: str) -> dict[str, Any]:
    """The schedule that starts a function, by the function's full name."""
    found = [schedule for schedule in schedules(aws) if schedule["Target"]["Arn"].endswith(f":{function}")]
    if len(found) != 1:
        raise TooLate(f"{len(found)} schedules start {function}, expected 1")
    return found[0]


def switch_off(aws: Aws, schedule: dict[str, Any]) -> None:
    """Keep a schedule from firing again."""
    kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    given = {key: schedule[key] for key in kept}
    aws.client("scheduler").update_schedule(**given, State="DISABLED")
