"""Restores as people ask for them: by one call, through the state machine, beside the live data, proved, swapped in, undone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloud_api import AT_REST, CONFIRMED
from cloud_deploy import CLINIC
from cloud_machines import ended, killing, states_of
from cloud_objects import read_record
from cloud_world import World, succeeded
from demo_proof import Proof, prove, require_equal

HOLE = "20200101T000000Z-00000000"
BESIDE = f"SHOW DATABASES LIKE '{CLINIC}\\_\\_%'"
IN_PLACE = {"backup": "latest", "mode": "in-place", **CONFIRMED}


def sql(world: World, text: str, database: str | None = CLINIC) -> str:
    """Run SQL as root on the clinic's server."""
    return world.cloud.place.clinic.sql(text, database)


def beside(world: World) -> set[str]:
    """The databases that restores have made beside the clinic's."""
    return set(sql(world, BESIDE, None).split())


def damage(world: World) -> Proof:
    """Ruin some of the clinic, and return what it is now."""
    sql(world, "SET FOREIGN_KEY_CHECKS = 0; DELETE FROM pacientes WHERE id % 2 = 0; DROP TABLE fila_impressao")
    return prove(world.cloud.place.clinic, CLINIC)


def require_stage(record: dict[str, Any], stage: str) -> None:
    """The restore must have come to this."""
    assert record["stage"] == stage, f"{record['stage']}: {record.get('error')}"


def execution(world: World, restore: str) -> dict[str, Any]:
    """What became of the execution that took a restore through its steps; it ends after the record does."""
    machine = world.cloud.outputs["RestoreMachineArn"]
    return ended(world, f"{machine.replace(':stateMachine:', ':execution:')}:{restore}-restore")


def steps_of(world: World, restore: str) -> list[str]:
    """The states that an execution entered."""
    return states_of(world, execution(world, restore)["executionArn"])


@pytest.fixture
def whole(world: World) -> Iterator[Proof]:
    """The clinic as it is in a new backup, and again after the test."""
    backup = succeeded(world.functions.invoke("backup"))["backup"]
    proof = prove(world.cloud.place.clinic, CLINIC)
    yield proof
    if prove(world.cloud.place.clinic, CLINIC) != proof:
        record = world.master.wait(world.master.restore(**IN_PLACE | {"backup": backup}))
        require_stage(record, "restored")
        require_equal(proof, prove(world.cloud.place.clinic, CLINIC), CLINIC)


def test_rows_and_a_table_come_back_by_one_call_and_can_be_taken_away_again(world: World, whole: Proof) -> None:
    place, backups = world.cloud.place.clinic, world.backups()
    ruined = damage(world)
    asked = world.master.call("POST", "/v1/restores", IN_PLACE)
    assert asked.status == 202 and asked.body["stage"] == "requested", asked
    restore = asked.body["restore"]
    assert asked.headers["Location"] == f"/v1/restores/{restore}"

    record = world.admin.wait(restore)
    assert record["stage"] == "restored" and record["live"] == "restored", record
    assert record["asked_by"] == "maria@clinica.example"
    require_equal(whole, prove(place, CLINIC), CLINIC)
    assert world.backups() - backups == {record["safety_backup"]}
    assert record["progress"]["rows_done"] == record["progress"]["rows"] > 0
    laps = [lap["name"] for lap in record["laps"]]
    assert laps.count("load") > 1, f"several groups of tables, each loaded by a call of its own: {laps}"
    expected = ["Plan", "Safety backup", "Prepare", "Load", "Verify", "Promote"]
    assert [step for step in steps_of(world, restore) if step in expected] == expected
    assert execution(world, restore)["status"] == "SUCCEEDED"
    assert restore in {found["restore"] for found in world.admin.get("/v1/restores")["restores"]}

    world.master.expect(202, "POST", f"/v1/restores/{restore}/undo", CONFIRMED)
    assert world.admin.wait(restore, ("undone", "failed"))["stage"] == "undone"
    require_equal(ruined, prove(place, CLINIC), CLINIC)


def test_what_is_staged_leaves_the_live_data_alone_until_it_is_promoted(world: World, whole: Proof) -> None:
    place, ruined = world.cloud.place.clinic, damage(world)
    restore = world.master.restore(backup="latest", mode="stage")
    record = world.admin.wait(restore)
    assert (record["stage"], record["live"]) == ("staged", "untouched"), record
    assert record["staging"] in beside(world)
    require_equal(ruined, prove(place, CLINIC), CLINIC)
    assert steps_of(world, restore)[-1] == "Staged"

    refused = world.master.call("POST", f"/v1/restores/{restore}/promote", {"confirm": "sim"})
    assert refused.status == 422, refused
    world.master.expect(202, "POST", f"/v1/restores/{restore}/promote", CONFIRMED)
    assert world.admin.wait(restore, ("restored", "failed"))["stage"] == "restored"
    require_equal(whole, prove(place, CLINIC), CLINIC)
    again = world.master.call("POST", f"/v1/restores/{restore}/promote", CONFIRMED)
    assert again.status == 409, again


def test_what_is_cancelled_leaves_nothing(world: World, whole: Proof) -> None:
    before = beside(world)
    restore = world.master.restore(backup="latest", mode="stage")
    staged = world.admin.wait(restore)
    require_stage(staged, "staged")
    assert beside(world) - before == {staged["staging"]}
    world.master.expect(202, "POST", f"/v1/restores/{restore}/cancel")
    assert world.admin.wait(restore, ("cancelled", "failed"))["stage"] == "cancelled"
    assert beside(world) == before
    require_equal(whole, prove(world.cloud.place.clinic, CLINIC), CLINIC)


def test_a_plan_changes_nothing(world: World, whole: Proof) -> None:
    before = beside(world)
    sql(world, "DELETE FROM fila_impressao LIMIT 1")
    ruined = prove(world.cloud.place.clinic, CLINIC)
    restore = world.master.restore(backup="latest", mode="plan")
    record = world.admin.wait(restore)
    assert (record["stage"], record["live"]) == ("planned", "untouched"), record
    assert record["plan"]
    assert steps_of(world, restore)[-1] == "Planned"
    assert beside(world) == before
    require_equal(ruined, prove(world.cloud.place.clinic, CLINIC), CLINIC)


@pytest.mark.parametrize("server", ["primary", "scratch"])
def test_a_look_at_the_past_is_on_either_server(world: World, whole: Proof, server: str) -> None:
    place = world.cloud.place.clinic if server == "primary" else world.cloud.place.scratch
    name = f"{CLINIC}_passado"
    record = world.admin.wait(world.master.restore(backup="latest", mode="database", database=name, server=server))
    require_stage(record, "restored")
    require_equal(whole, prove(place, name), name)
    place.sql(f"DROP DATABASE {name}")


def test_one_tenant_comes_back_and_the_others_keep_their_day(world: World, whole: Proof) -> None:
    of = "SELECT MD5(GROUP_CONCAT(CONCAT_WS('|', id, status, motivo) ORDER BY id)) FROM agendamentos WHERE tenant_id = {}"
    sql(world, "SET GLOBAL group_concat_max_len = 1 << 30")
    first, second = sql(world, "SELECT id FROM tenants ORDER BY id LIMIT 2").split()
    before = sql(world, of.format(first))
    sql(world, f"UPDATE agendamentos SET motivo = 'APAGADO' WHERE tenant_id = {first}")
    sql(world, f"UPDATE agendamentos SET status = 'confirmado' WHERE tenant_id = {second}")
    others = sql(world, of.format(second))
    record = world.admin.wait(world.master.restore(tenant=first, **IN_PLACE))
    require_stage(record, "restored")
    assert sql(world, of.format(first)) == before
    assert sql(world, of.format(second)) == others


def test_the_same_request_twice_is_one_restore(world: World, whole: Proof) -> None:
    wish, key = {"backup": "latest", "mode": "plan"}, "um-pedido-do-dia-24"
    first = world.master.call("POST", "/v1/restores", wish, Idempotency_Key=key)
    second = world.master.call("POST", "/v1/restores", wish, Idempotency_Key=key)
    assert (first.status, second.status) == (202, 202) and first.body == second.body
    other = world.master.call("POST", "/v1/restores", wish | {"mode": "stage"}, Idempotency_Key=key)
    assert other.status == 422, other
    world.admin.wait(first.body["restore"])


def test_a_load_that_fails_leaves_the_live_data_alone_and_nothing_beside_it(world: World, whole: Proof) -> None:
    before, ruined = beside(world), damage(world)
    # All of them: a backup does not build on packs that an earlier test damaged and a verification named.
    packs = {pack: world.vault.get(pack) for pack in world.vault.objects("packs/")}
    for pack, content in packs.items():
        middle = len(content) // 2
        world.vault.put(pack, content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :])
    try:
        restore = world.master.restore(safety_backup=False, **IN_PLACE)
        record = world.admin.wait(restore)
    finally:
        for pack, content in packs.items():
            world.vault.put(pack, content)
    assert (record["stage"], record["live"]) == ("failed", "untouched"), record
    assert any(pack in line for line in record["error"] for pack in packs), record["error"]
    assert beside(world) == before
    require_equal(ruined, prove(world.cloud.place.clinic, CLINIC), CLINIC)
    failed = execution(world, restore)
    assert (failed["status"], failed["error"]) == ("FAILED", "Integrity"), failed
    assert steps_of(world, restore)[-3:] == ["Discard", "What became of it?", "Failed"]


def test_a_backup_that_is_not_there_is_refused_at_once(world: World) -> None:
    reply = world.master.call("POST", "/v1/restores", IN_PLACE | {"backup": HOLE})
    assert reply.status == 422 and HOLE in reply.body["detail"], reply


def test_functions_that_are_lost_on_the_way_are_called_again(world: World, whole: Proof) -> None:
    damage(world)
    with killing(world, "restore", times=4) as killed:
        restore = world.master.restore(safety_backup=False, **IN_PLACE)
        record = world.admin.wait(restore, seconds=300)
    assert len(killed) == 4
    require_stage(record, "restored")
    require_equal(whole, prove(world.cloud.place.clinic, CLINIC), CLINIC)


def test_who_restored_stands_in_the_trail(world: World) -> None:
    records = [read_record(world.vault.get(key)) for key in world.vault.objects("audit/")]
    by_restore = [record for record in records if record["action"] == "POST /v1/restores" and record["verdict"] == "allowed"]
    known = {key.split("/")[1].split(".")[0] for key in world.vault.objects("restores/")}
    assert {record["about"] for record in by_restore} == known != set()
    undone = [record for record in records if record["action"].endswith("/undo") and record["verdict"] == "allowed"]
    assert len(undone) == 1 and undone[0]["about"] in known
    of_the_console_event = "console"
    assert {record["caller"]["subject"] for record in by_restore} - {of_the_console_event} == {"maria"}


def test_nothing_is_on_its_way_any_more(world: World) -> None:
    for found in world.admin.get("/v1/restores?limit=100")["restores"]:
        assert found["stage"] in AT_REST, found
