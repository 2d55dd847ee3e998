"""Every function does its job with no rights but those of its own role. Comes first: what it makes, others read."""

from __future__ import annotations

from cloud_api import CONFIRMED
from cloud_deploy import CLINIC
from cloud_objects import read_record
from cloud_world import World, succeeded
from demo_proof import prove, require_equal


def test_backup(world: World) -> None:
    first = succeeded(world.functions.invoke("backup"))
    assert first["rows"] > 0 and first["new_bytes"] > 0
    assert world.replica.objects("packs/") == world.vault.objects("packs/") != {}


def test_a_second_backup_opens_the_keys_of_the_first(world: World) -> None:
    keys = world.vault.objects("keys/")
    assert succeeded(world.functions.invoke("backup"))["tables"] > 0
    assert world.vault.objects("keys/") == keys


def test_verify_with_all_data(world: World) -> None:
    assert succeeded(world.functions.invoke("verify", {"read_data": True}))["problems"] == 0


def test_restore_test(world: World) -> None:
    assert succeeded(world.functions.invoke("restore-test"))["rows"] > 0


def test_restore_test_by_the_api_and_the_state_machine(world: World) -> None:
    runs = set(world.vault.objects("runs/"))
    world.master.expect(202, "POST", "/v1/runs", {"job": "restore-test", "backup": "latest"})
    run = world.vault.wait_for_new("runs/", runs, 60)
    record = read_record(world.vault.get(run))
    assert (record["job"], record["outcome"]) == ("restore-test", "succeeded"), record


def test_restore_into_a_new_database(world: World) -> None:
    place, into = world.cloud.place.clinic, f"{CLINIC}_restaurada"
    succeeded(world.functions.invoke("restore", {"backup": "latest", "into": into}))
    require_equal(prove(place, CLINIC), prove(place, into), into)
    place.sql(f"DROP DATABASE {into}")


def test_report(world: World) -> None:
    assert succeeded(world.functions.invoke("report"))


def test_api(world: World) -> None:
    assert len(world.admin.get("/v1/backups")["backups"]) == 2
    assert world.admin.get("/v1/status")["schedules"]


def test_restore_in_place_by_the_api_and_the_state_machine(world: World) -> None:
    place = world.cloud.place.clinic
    whole = prove(place, CLINIC)
    place.sql("SET FOREIGN_KEY_CHECKS = 0; DELETE FROM pacientes", CLINIC)
    restore = world.master.restore(backup="latest", mode="in-place", **CONFIRMED)
    record = world.admin.wait(restore)
    assert record["stage"] == "restored", record
    require_equal(whole, prove(place, CLINIC), CLINIC)
    world.master.expect(202, "POST", f"/v1/restores/{restore}/undo", CONFIRMED)
    assert world.admin.wait(restore, ("undone", "failed"))["stage"] == "undone"
    assert place.sql("SELECT COUNT(*) FROM pacientes", CLINIC).strip() == "0"
    world.master.expect(202, "POST", "/v1/runs", {"job": "report"})
    world.master.expect(200, "PATCH", "/v1/schedules/verify", {"enabled": False})


def test_cleanup(world: World) -> None:
    planned = world.functions.invoke("cleanup", {"dry_run": True})
    assert not planned.failed, planned
    answer = world.functions.invoke("cleanup")
    assert not answer.failed, answer
    assert answer.payload["locks_extended"] >= 1, "the keys, which the bucket's own lock holds for a day"


def test_old_tables(world: World) -> None:
    answer = world.functions.invoke("restore", {"step": "clean-up"})
    assert not answer.failed, answer
    assert answer.payload["cleaned_up"]["dropped"] == [], "undo is promised for 72 hours"


def test_every_job_left_a_record_of_its_run(world: World) -> None:
    assert len(world.vault.objects("runs/")) >= 5
