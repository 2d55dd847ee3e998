"""What a role must not do it can't do, tried with the role's own credentials; and beside it what it must be able to do,
so that no denial here is only a request that was wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from attempts import (
    Attempt,
    assume_another_role,
    change_bucket_policy,
    change_function,
    change_machine,
    create,
    delete_many,
    delete_object,
    delete_schedule,
    delete_version,
    delete_version_in_spite_of_its_lock,
    destroy_key,
    disable_key,
    end_replication,
    end_versions,
    expire_all,
    invoke,
    lengthen_lock,
    list_schedules,
    list_versions,
    make_data_key,
    must_be_refused,
    open_data_key,
    open_data_key_there,
    open_to_the_public,
    plain,
    publish,
    read,
    read_replica,
    read_secret_of,
    shorten_lock,
    start_machine,
    start_test_machine,
    update_schedule,
    write,
    write_replica,
    write_with_another_encryption,
)
from cloud_aws import ACCOUNT, Aws
from cloud_functions import NAMES
from cloud_world import World

READERS = ("restore", "restore-test", "verify")
READERS_OF_REPLICA = ("restore-test", "verify")
WRITERS_OF_RUNS = tuple(name for name in NAMES if name != "api")
# Those whose job is with records, never with rows.
WITHOUT_ROWS = ("report", "cleanup", "api")
# That cleanup opens the keys of manifests alone is a condition which is tested on the template.
WITHOUT_KEYS = ("report", "api")
LOCKERS = ("backup", "cleanup")
FOLDERS_OF_BACKUP = ("vault.json", "keys/x", "packs/x", "manifests/x", "locks/x")

# What the vault's policy forbids to everybody.
LOOSENING = [
    plain(do)
    for do in (
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
        change_bucket_policy,
        destroy_key,
        disable_key,
        assume_another_role,
        change_machine,
        change_function,
        delete_schedule,
    )
]
# Whom the API may ask to work; restore and restore-test work for state machines alone.
JOBS = ("backup", "verify", "report", "cleanup")
MACHINES = (start_machine, start_test_machine)
FOLDERS_OF_API = ("audit/x", "requests/x")

FORBIDDEN: list[tuple[str, Attempt]] = [
    *((name, attempt) for name in NAMES for attempt in (*LOOSENING, *DESTRUCTION)),
    # Of what is locked cleanup removes nothing either, but it is the lock that says so.
    *((name, plain(do)) for name in NAMES if name != "cleanup" for do in (delete_version, delete_many, list_versions)),
    *((name, plain(lengthen_lock)) for name in NAMES if name not in LOCKERS),
    *((name, read_secret_of("restore")) for name in NAMES if name != "restore"),
    *((name, read_secret_of("backup")) for name in NAMES if name != "backup"),
    *((name, read_secret_of("restore-test")) for name in NAMES if name not in ("restore", "restore-test")),
    *((name, open_data_key(purpose)) for name in WITHOUT_KEYS for purpose in ("rows", "manifest", "naming")),
    *((name, plain(make_data_key)) for name in NAMES if name != "backup"),
    *((name, read("packs/")) for name in WITHOUT_ROWS),
    *((name, write(key)) for name in NAMES if name != "backup" for key in FOLDERS_OF_BACKUP),
    *((name, write(key)) for name in NAMES if name != "api" for key in FOLDERS_OF_API),
    *((name, write("restores/x")) for name in NAMES if name not in ("restore", "api")),
    *((name, write("locks/restore.json")) for name in NAMES if name not in ("restore", "backup")),
    *((name, invoke(function)) for name in NAMES for function in ("restore", "restore-test")),
    *((name, invoke("backup")) for name in NAMES if name != "api"),
    *((name, plain(do)) for name in NAMES if name != "api" for do in (*MACHINES, list_schedules, update_schedule)),
    *((name, read_replica("manifests/")) for name in NAMES if name not in READERS_OF_REPLICA),
    *((name, plain(open_data_key_there)) for name in NAMES if name not in READERS_OF_REPLICA),
    *((name, write_replica("runs/x")) for name in NAMES),
    *((name, create("cleanups/")) for name in NAMES if name != "cleanup"),
    *((name, create("reports/")) for name in NAMES if name != "report"),
    *((name, publish("gorgen-demo-others")) for name in NAMES),
    ("api", publish("gorgen-demo-alarms")),
    ("cleanup", write("pins/x")),
    ("report", write("audit/x")),
    ("api", write("runs/x")),
    ("restore", write("locks/backup.json")),
    ("backup", write("elsewhere/x")),
    ("backup", plain(write_with_another_encryption)),
]

ALLOWED: list[tuple[str, Attempt]] = [
    *((name, read_secret_of(name)) for name in ("backup", "restore", "restore-test")),
    *((name, open_data_key(purpose)) for name in ("backup", *READERS) for purpose in ("rows", "manifest", "naming")),
    *((name, read_replica(folder)) for name in READERS_OF_REPLICA for folder in ("packs/", "manifests/", "keys/")),
    *((name, plain(open_data_key_there)) for name in READERS_OF_REPLICA),
    ("backup", plain(make_data_key)),
    *((name, read("packs/")) for name in ("backup", *READERS)),
    *((name, read(prefix)) for name in NAMES for prefix in ("vault.json", "keys/", "manifests/", "runs/")),
    *((name, write("runs/x")) for name in WRITERS_OF_RUNS),
    *((name, write("restores/x")) for name in ("restore", "api")),
    ("restore", write("locks/restore.json")),
    ("restore", read_secret_of("restore-test")),
    ("cleanup", open_data_key("manifest")),
    ("cleanup", create("cleanups/")),
    ("report", create("reports/")),
    ("cleanup", plain(list_versions)),
    *((name, plain(lengthen_lock)) for name in LOCKERS),
    ("backup", create("packs/")),
    ("backup", create("manifests/")),
    ("restore", create("restores/")),
    ("api", create("audit/")),
    ("api", write("requests/x")),
    *((name, read(prefix)) for name in ("report", "cleanup", "api") for prefix in ("restores/", "audit/", "reports/")),
    *((name, publish("gorgen-demo-alarms")) for name in NAMES if name != "api"),
    *(("api", invoke(job)) for job in JOBS),
    *(("api", plain(do)) for do in (*MACHINES, list_schedules, update_schedule)),
]

# The functions that the roles of state machines may call, by the machine's output.
CALLS = {"RestoreMachineArn": ("restore", "backup"), "RestoreTestMachineArn": ("restore-test",)}
OF_NO_MACHINE: list[Attempt] = [
    *DESTRUCTION,
    read("manifests/"),
    read_secret_of("restore"),
    open_data_key("rows"),
    *(plain(do) for do in MACHINES),
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


def opened(world: World, arn: str) -> Aws:
    """A role that trusts Step Functions for one machine and nobody else, made to trust the account for a moment."""
    iam, name = world.aws.client("iam"), arn.rsplit("/", 1)[1]
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
        world.aws.as_role(arn)
    trusted = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    anybody = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    changed = trusted | {"Statement": [*trusted["Statement"], anybody]}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(changed))
    role = world.aws.as_role(arn)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trusted))
    return role


@pytest.fixture(scope="module")
def machines(world: World) -> dict[str, Aws]:
    """The roles of the state machines, by the machines' outputs."""
    states = world.aws.client("stepfunctions")
    described = {output: states.describe_state_machine(stateMachineArn=world.cloud.outputs[output]) for output in CALLS}
    return {output: opened(world, machine["roleArn"]) for output, machine in described.items()}


@pytest.mark.parametrize("output", CALLS)
@pytest.mark.parametrize("attempt", OF_NO_MACHINE, ids=lambda attempt: attempt.what)
def test_a_state_machine_may_not(world: World, machines: dict[str, Aws], output: str, attempt: Attempt) -> None:
    must_be_refused(attempt, world, machines[output])


@pytest.mark.parametrize("output", CALLS)
def test_a_state_machine_may_invoke_its_functions_and_no_other(world: World, machines: dict[str, Aws], output: str) -> None:
    for function in NAMES:
        if function in CALLS[output]:
            invoke(function).do(world, machines[output])
        else:
            must_be_refused(invoke(function), world, machines[output])


def test_the_api_cannot_change_what_it_wrote_into_the_trail(world: World) -> None:
    """The bucket's policy asks for this header, which the emulator never sees; that it does is for the template's test."""
    api, bucket = world.roles["api"].client("s3"), world.vault.name
    trail = {"Bucket": bucket, "Key": min(world.vault.objects("audit/"))}
    before = world.vault.get(trail["Key"])
    with pytest.raises(ClientError) as refused:
        api.put_object(**trail, Body=b"{}", IfNoneMatch="*")
    assert refused.value.response["Error"]["Code"] == "PreconditionFailed"
    version = world.vault.s3.head_object(**trail)["VersionId"]
    for deletion in (trail, trail | {"VersionId": version}):
        must_be_refused(Attempt("delete", lambda _world, _role, given=deletion: api.delete_object(**given)), world, world.aws)
    assert world.vault.get(trail["Key"]) == before
    (lock,) = [world.vault.s3.get_object_retention(**trail)["Retention"]]
    assert lock["Mode"] == "GOVERNANCE"


@pytest.mark.parametrize("name, attempt", named(ALLOWED))
def test_a_role_may(world: World, name: str, attempt: Attempt) -> None:
    attempt.do(world, world.roles[name])
