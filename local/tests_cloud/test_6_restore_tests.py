"""Restore tests by the state machine: proved step by step, told once, recorded and cleared away whatever became of them."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from cloud_functions import metrics
from cloud_machines import ended, killing, states_of
from cloud_objects import read_record, schedule_of, switch_off
from cloud_world import World

JOB = "restore-test"
HOLE = "20200101T000000Z-00000000"
# The schedule says every minute, and the emulator looks every ten seconds.
FIRES_WITHIN = 100


@dataclass(frozen=True)
class Trail:
    """What a test left behind."""

    execution: dict[str, Any]
    states: list[str]
    records: list[dict[str, Any]]
    measured: list[dict[str, Any]]

    @property
    def record(self) -> dict[str, Any]:
        """The only record."""
        (record,) = self.records
        return record

    def counted(self) -> tuple[float, float]:
        """How often it was told that a test succeeded, and that one failed."""
        return (
            sum(line.get("Succeeded", 0) for line in self.measured),
            sum(line.get("Failed", 0) for line in self.measured),
        )


def taken(world: World, given: dict[str, Any], seconds: float = 120) -> Trail:
    """Start the machine and wait until it has ended; nothing stays on the scratch server."""
    scratch, runs, begun = databases(world), set(world.vault.objects("runs/")), time.time()
    started = world.aws.client("stepfunctions").start_execution(
        stateMachineArn=world.cloud.outputs["RestoreTestMachineArn"], name=secrets.token_hex(8), input=json.dumps(given)
    )
    execution = ended(world, started["executionArn"], seconds)
    assert databases(world) == scratch
    return Trail(
        execution,
        states_of(world, started["executionArn"]),
        [record for record in records(world, runs) if record["job"] == JOB],
        metrics(world.functions.log("restore-test", begun)),
    )


def records(world: World, known: set[str]) -> list[dict[str, Any]]:
    """The records of runs that are not among the known ones."""
    return [read_record(world.vault.get(run)) for run in sorted(set(world.vault.objects("runs/")) - known)]


def next_record(world: World, known: set[str], seconds: float) -> dict[str, Any]:
    """Wait for the record of a test; backups may have theirs meanwhile."""
    deadline = time.monotonic() + seconds
    while True:
        world.vault.wait_for_new("runs/", known, deadline - time.monotonic())
        for record in records(world, known):
            known.add(f"runs/{record['run']}.json")
            if record["job"] == JOB:
                return record


def databases(world: World) -> str:
    """What there is on the scratch server."""
    return str(world.cloud.place.scratch.sql("SHOW DATABASES"))


def test_a_backup_is_proved_step_by_step_and_told_once(backed_up: World) -> None:
    found = taken(backed_up, {})
    assert found.execution["status"] == "SUCCEEDED", found.execution
    assert found.states[:4] == ["Begin", "Choose", "Done before?", "Prepare"]
    assert found.states[-4:] == ["Prove", "End", "How did it end?", "Proved"]
    # Besides `choose`, `prepare` and `prove`, which tell as little of how the test ended.
    loads = len([line for line in found.measured if "Succeeded" not in line and "Failed" not in line]) - 3
    assert loads > 1, "several groups of tables, each loaded by a call of its own"
    assert found.record["outcome"] == "succeeded"
    summary = found.record["summary"]
    assert summary["restore"]["rows"] > 0 and summary["foreign_keys"] > 0 and summary["views"] > 0
    assert len(summary["restore"]["tables"]) == json.loads(found.execution["output"])["ended"]["Payload"]["tables"]
    assert found.counted() == (1, 0)
    (told,) = [line for line in found.measured if "Succeeded" in line]
    assert told["DurationSeconds"] >= told["RestoreSeconds"] == summary["seconds"] > 0


def test_the_schedule_starts_it(backed_up: World) -> None:
    schedule = schedule_of(backed_up.aws, backed_up.functions.name("restore-test"))
    assert schedule["Target"]["Arn"] == backed_up.cloud.outputs["RestoreTestMachineArn"]
    runs = set(backed_up.vault.objects("runs/"))
    often = schedule | {"ScheduleExpression": "rate(1 minute)"}
    kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    backed_up.aws.client("scheduler").update_schedule(**{key: often[key] for key in kept}, State="ENABLED")
    try:
        record = next_record(backed_up, runs, FIRES_WITHIN)
    finally:
        switch_off(backed_up.aws, schedule)
    assert record["outcome"] == "succeeded", record


def test_the_api_starts_it_and_a_moment_is_served_once(backed_up: World) -> None:
    runs = set(backed_up.vault.objects("runs/"))
    backed_up.master.expect(202, "POST", "/v1/runs", {"job": "restore-test", "backup": "latest"})
    record = next_record(backed_up, runs, 60)
    assert (record["outcome"], record["summary"]["turn"]["pick"]) == ("succeeded", "latest"), record

    moment = {"scheduled_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    assert taken(backed_up, moment).record["outcome"] == "succeeded"
    again = taken(backed_up, moment)
    assert (again.execution["status"], again.records, again.counted()) == ("SUCCEEDED", [], (0, 0))
    assert again.states[-1] == "Already done"


def test_a_damaged_backup_fails_the_execution_with_its_cause_and_is_recorded(backed_up: World) -> None:
    packs = {pack: backed_up.vault.get(pack) for pack in backed_up.vault.objects("packs/")}
    for pack, content in packs.items():
        middle = len(content) // 2
        backed_up.vault.put(pack, content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :])
    try:
        found = taken(backed_up, {"backup": "latest", "from": "vault"})
    finally:
        for pack, content in packs.items():
            backed_up.vault.put(pack, content)
    assert (found.execution["status"], found.execution["error"]) == ("FAILED", "Integrity"), found.execution
    assert any(pack in found.execution["cause"] for pack in packs), found.execution
    assert found.record["outcome"] == "failed" and found.record["summary"]["turn"]["place"] == "vault"
    assert any(pack in line for line in found.record["error"] for pack in packs), found.record
    assert found.states[-3:] == ["End", "How did it end?", "Failed"]
    assert found.counted() == (0, 1)


def test_a_test_of_a_backup_that_is_not_there_ends_and_is_recorded(backed_up: World) -> None:
    found = taken(backed_up, {"backup": HOLE})
    assert (found.execution["status"], found.execution["error"]) == ("FAILED", "NotFound"), found.execution
    assert found.states[2:] == ["End", "How did it end?", "Failed"]
    assert found.record["outcome"] == "failed" and HOLE in " ".join(found.record["error"]), found.record
    assert found.counted() == (0, 1)


def test_functions_that_are_lost_on_the_way_are_called_again(backed_up: World) -> None:
    with killing(backed_up, "restore-test", times=4) as killed:
        found = taken(backed_up, {"backup": "latest"}, seconds=300)
    assert len(killed) == 4
    assert found.execution["status"] == "SUCCEEDED", found.execution
    assert found.record["outcome"] == "succeeded"
