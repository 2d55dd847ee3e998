"""What is kept: locked for its class in the bucket, planned by cleanup, and held against the copy in the second region."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from cloud_world import World

YEARS = timedelta(days=20 * 365)


def locked_for(world: World, key: str) -> timedelta:
    """How long nobody can remove an object of the vault."""
    retention = world.vault.s3.get_object_retention(Bucket=world.vault.name, Key=key)["Retention"]
    until: datetime = retention["RetainUntilDate"]
    return until - datetime.now(UTC)


def test_the_first_backup_of_a_year_is_locked_for_twenty_years_and_so_is_what_it_needs(world: World) -> None:
    first = min(world.backups())
    packs = [key for key in world.vault.objects("packs/") if first in key]
    assert packs
    for key in (f"manifests/{first}.manifest", *packs):
        assert locked_for(world, key) > YEARS, key
    for backup in world.backups() - {first}:
        assert locked_for(world, f"manifests/{backup}.manifest") > timedelta(hours=23)


def test_nobody_removes_or_shortens_what_is_locked(world: World) -> None:
    key = f"manifests/{min(world.backups())}.manifest"
    place = {"Bucket": world.vault.name, "Key": key}
    version = world.vault.s3.head_object(**place)["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        world.vault.s3.delete_object(**place, VersionId=version)
    sooner = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(days=30)}
    with pytest.raises(ClientError, match="AccessDenied"):
        world.vault.s3.put_object_retention(**place, Retention=sooner)
    assert locked_for(world, key) > YEARS


def test_cleanup_plans_and_keeps_all_of_a_day_or_two(world: World) -> None:
    before = world.backups()
    planned = world.functions.invoke("cleanup", {"dry_run": True})
    assert not planned.failed, planned
    assert planned.payload["dry_run"] and planned.payload["dropped"] == []
    done = world.functions.invoke("cleanup")
    assert not done.failed, done
    assert done.payload["kept"] == len(before) and world.backups() == before
    assert done.payload["locks_extended"] >= 1, "keys are born with the day that the bucket gives them"
    again = world.functions.invoke("cleanup")
    assert again.payload["locks_extended"] == 0, "what is locked long enough is left alone"
    assert all(locked_for(world, key) > timedelta(days=30) for key in world.vault.objects("keys/"))


def test_what_is_damaged_in_the_copy_is_found_and_brought_back(world: World) -> None:
    pack = min(world.replica.objects("packs/"))
    whole = world.vault.get(pack)
    world.replica.put(pack, whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    answer = world.functions.invoke("verify", {"read_data": True})
    assert answer.error_type == "Integrity" and pack in answer.error_message, answer
    given = world.functions.configuration("verify")["Environment"]["Variables"]
    tool = world.tool(**{name: given[name] for name in ("GORGEN_REPLICA_VAULT", "GORGEN_REPLICA_KEYRING")})
    tool.run("verify", "--repair")
    assert world.replica.get(pack) == whole
    assert not world.functions.invoke("verify", {"read_data": True}).failed
