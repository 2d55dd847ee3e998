"""The functions do their jobs: once for each delivery, one at a time, and back in order after they were cut off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

import clinic
from cloud_deploy import CLINIC
from cloud_functions import Answer
from cloud_processes import processes_of
from cloud_world import World, succeeded
from demo_proof import prove, require_equal

LEASE_SECONDS = 5
HELD_TABLE = "pacientes"


@contextmanager
def table_held(world: World) -> Iterator[None]:
    """Hold a table so that no backup gets past it, as a long migration does."""
    place = world.cloud.place.clinic
    session = subprocess.Popen(
        [*clinic.client(place.socket), CLINIC], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert session.stdin is not None and session.stdout is not None
    try:
        session.stdin.write(f"LOCK TABLES {HELD_TABLE} WRITE;\nSELECT 'held';\n\\! echo held\n")
        session.stdin.flush()
        wait_until(lambda: place.sql(f"SHOW OPEN TABLES FROM {CLINIC} WHERE In_use > 0").strip() != "")
        yield
    finally:
        session.stdin.close()
        session.wait()
        session.stdout.close()


def wait_until(condition: object, seconds: float = 20) -> None:
    """Wait for something that comes by itself."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


@contextmanager
def configured(world: World, name: str, timeout: int | None = None, **more: str) -> Iterator[None]:
    """A function with another timeout and more settings, for a while."""
    lambdas, function = world.aws.client("lambda"), world.functions.name(name)
    before = world.functions.configuration(name)
    variables = before["Environment"]["Variables"]
    lambdas.update_function_configuration(
        FunctionName=function, Timeout=timeout or before["Timeout"], Environment={"Variables": variables | more}
    )
    try:
        yield
    finally:
        lambdas.update_function_configuration(
            FunctionName=function, Timeout=before["Timeout"], Environment={"Variables": variables}
        )


def test_an_event_delivered_twice_runs_once(world: World) -> None:
    # A moment is remembered for two days.
    event = {"scheduled_time": datetime.now(UTC).strftime("%Y-%m-%dT%H:00:00Z")}
    before = world.backups()
    first = succeeded(world.functions.invoke("backup", event))
    second = succeeded(world.functions.invoke("backup", event))
    assert (first["already_done"], second["already_done"]) == (False, True)
    assert first["backup"] == second["backup"]
    assert world.backups() - before == {first["backup"]}


def test_of_two_at_once_one_runs(world: World) -> None:
    before = world.backups()

    def back_up() -> Answer | str:
        try:
            return world.functions.invoke("backup")
        except ClientError as throttled:
            return str(throttled.response["Error"]["Code"])

    with ThreadPoolExecutor(2) as both:
        with table_held(world):
            answers = [both.submit(back_up), both.submit(back_up)]
            wait_until(lambda: any(answer.done() for answer in answers), 60)
        ended = [answer.result() for answer in answers]
    good = [answer for answer in ended if isinstance(answer, Answer) and not answer.failed]
    other = [answer for answer in ended if answer not in good]
    assert len(good) == 1, ended
    assert other[0] == "TooManyRequestsException" or getattr(other[0], "error_type", None) == "Locked", other
    assert len(world.backups() - before) == 1


def test_out_of_time_it_stops_by_itself_and_the_next_one_succeeds(world: World) -> None:
    before = world.backups()
    with configured(world, "backup", timeout=6), table_held(world):
        answer = world.functions.invoke("backup")
    assert answer.error_type == "OutOfTime", answer
    assert world.backups() == before
    succeeded(world.functions.invoke("backup"))
    assert succeeded(world.functions.invoke("verify"))["problems"] == 0


def test_killed_in_the_middle_it_leaves_nothing_wrong_and_the_next_one_succeeds(world: World) -> None:
    before = world.backups()
    with configured(world, "backup", GORGEN_LOCK_LEASE=str(LEASE_SECONDS)):
        with ThreadPoolExecutor(1) as other, table_held(world):
            answer = other.submit(world.functions.invoke, "backup")
            wait_until(lambda: processes_of(world, "backup"))
            time.sleep(1.5)
            for number in processes_of(world, "backup"):
                os.kill(number, signal.SIGKILL)
            assert answer.result().failed
        assert world.backups() == before
        time.sleep(LEASE_SECONDS + 1)
        succeeded(world.functions.invoke("backup"))
    assert len(world.backups() - before) == 1
    assert succeeded(world.functions.invoke("verify", {"read_data": True}))["problems"] == 0


def test_a_second_backup_of_unchanged_data_stores_next_to_nothing(world: World) -> None:
    found = succeeded(world.functions.invoke("backup"))
    assert int(str(found["new_bytes"])) <= 0.01 * int(str(found["stored_bytes"]))


def test_a_restore_test_proves_the_latest_backup_and_leaves_no_scratch(world: World) -> None:
    before = world.cloud.place.scratch.sql("SHOW DATABASES")
    found = succeeded(world.functions.invoke("restore-test"))
    assert int(str(found["tables"])) > 0 and int(str(found["rows"])) > 0
    assert world.cloud.place.scratch.sql("SHOW DATABASES") == before


def test_a_restore_without_a_database_only_plans(world: World) -> None:
    before = world.cloud.place.clinic.sql("SHOW DATABASES")
    succeeded(world.functions.invoke("restore"))
    assert world.cloud.place.clinic.sql("SHOW DATABASES") == before


def test_a_restore_into_a_database_is_equal(world: World) -> None:
    place, into = world.cloud.place.clinic, f"{CLINIC}_restaurada"
    succeeded(world.functions.invoke("backup"))
    succeeded(world.functions.invoke("restore", {"backup": "latest", "into": into}))
    require_equal(prove(place, CLINIC), prove(place, into), into)
    place.sql(f"DROP DATABASE {into}")


def test_the_region_is_lost_and_the_replica_restores_with_its_own_key(world: World) -> None:
    succeeded(world.functions.invoke("backup"))
    kms, key = world.aws.client("kms"), world.cloud.outputs["VaultKeyArn"]
    place, into = world.cloud.place, f"{CLINIC}_de_volta"
    expected = prove(place.clinic, CLINIC)
    kms.disable_key(KeyId=key)
    try:
        world.tool().run("restore", "latest", "--into", into, expected=1)
        there = world.tool(**world.cloud.settings("us-east-1", database=place.scratch))
        there.run("restore", "latest", "--into", into)
    finally:
        kms.enable_key(KeyId=key)
    require_equal(expected, prove(place.scratch, into), into)
    place.scratch.sql(f"DROP DATABASE {into}")


def test_the_report_says_what_happened(world: World) -> None:
    found = succeeded(world.functions.invoke("report"))
    kept = json.loads(world.vault.get(found["report"]))
    assert kept["sha256"] == found["sha256"]
    page = world.vault.get(found["page"]).decode()
    assert found["sha256"] in page
    assert '<html lang="pt-BR">' in page
    listed = world.admin.get("/v1/reports")["reports"]
    assert (listed[0]["run"], listed[0]["sha256"]) == (found["run"], found["sha256"])
    assert world.admin.get(f"/v1/reports/{found['month']}/page") == page
