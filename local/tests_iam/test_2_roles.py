"""What a role must not do it can't do, tried with the role's own credentials; and beside it what it must be able to do,
so that no denial here is only a request that was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from attempts import (
    Attempt,
    assume_another_role,
    change_bucket_policy,
    delete_many,
    delete_object,
    delete_version,
    delete_version_in_spite_of_its_lock,
    destroy_key,
    disable_key,
    end_replication,
    end_versions,
    expire_all,
    invoke_restore,
    make_data_key,
    must_be_refused,
    open_data_key,
    open_to_the_public,
    plain,
    read,
    read_secret_of,
    shorten_lock,
    write,
    write_with_another_encryption,
)
from cloud_functions import NAMES
from cloud_world import World

READERS = ("restore", "restore-test", "verify")
WRITERS_OF_RUNS = tuple(name for name in NAMES if name != "api")
# Those whose job is with records, never with rows.
WITHOUT_ROWS = ("report", "cleanup", "api")
FOLDERS_OF_BACKUP = ("vault.json", "keys/x", "packs/x", "manifests/x", "locks/x")

# What the vault's policy forbids to everybody.
LOOSENING = [
    plain(do)
    for do in (
        delete_version,
        delete_version_in_spite_of_its_lock,
        shorten_lock,
        end_versions,
        expire_all,
        open_to_the_public,
        end_replication,
    )
]
DESTRUCTION = [
    plain(do)
    for do in (
        delete_object,
        delete_many,
        change_bucket_policy,
        destroy_key,
        disable_key,
        assume_another_role,
        invoke_restore,
    )
]

FORBIDDEN: list[tuple[str, Attempt]] = [
    *((name, attempt) for name in NAMES for attempt in (*LOOSENING, *DESTRUCTION)),
    *((name, read_secret_of("restore")) for name in NAMES if name != "restore"),
    *((name, read_secret_of("backup")) for name in NAMES if name != "backup"),
    *((name, read_secret_of("restore-test")) for name in NAMES if name != "restore-test"),
    *((name, open_data_key(purpose)) for name in WITHOUT_ROWS for purpose in ("rows", "manifest", "naming")),
    *((name, plain(make_data_key)) for name in NAMES if name != "backup"),
    *((name, read("packs/")) for name in WITHOUT_ROWS),
    *((name, write(key)) for name in NAMES if name != "backup" for key in FOLDERS_OF_BACKUP),
    ("api", write("runs/x")),
    ("backup", write("elsewhere/x")),
    ("backup", plain(write_with_another_encryption)),
]

ALLOWED: list[tuple[str, Attempt]] = [
    *((name, read_secret_of(name)) for name in ("backup", "restore", "restore-test")),
    *((name, open_data_key(purpose)) for name in ("backup", *READERS) for purpose in ("rows", "manifest", "naming")),
    ("backup", plain(make_data_key)),
    *((name, read("packs/")) for name in ("backup", *READERS)),
    *((name, read(prefix)) for name in NAMES for prefix in ("vault.json", "keys/", "manifests/", "runs/")),
    *((name, write("runs/x")) for name in WRITERS_OF_RUNS),
    ("backup", write("packs/x")),
]


@contextmanager
def without_policy(world: World) -> Iterator[None]:
    """The vault's bucket without its policy, for a while."""
    s3, bucket = world.vault.s3, world.vault.name
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)


def named(cases: list[tuple[str, Attempt]]) -> list[Any]:
    """The cases, with names for people."""
    return [pytest.param(name, attempt, id=f"{name}: {attempt.what}") for name, attempt in cases]


@pytest.mark.parametrize("name, attempt", named(FORBIDDEN))
def test_a_role_may_not(world: World, name: str, attempt: Attempt) -> None:
    must_be_refused(attempt, world, world.roles[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_role_could_not_even_without_the_policy_of_the_vault(world: World, name: str) -> None:
    with without_policy(world):
        for attempt in LOOSENING:
            said = must_be_refused(attempt, world, world.roles[name])
            assert "no identity-based policy allows" in said, said


@pytest.mark.parametrize("name, attempt", named(ALLOWED))
def test_a_role_may(world: World, name: str, attempt: Attempt) -> None:
    attempt.do(world, world.roles[name])
