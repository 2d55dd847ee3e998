"""What a role may try in the cloud, and how a policy's refusal looks."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloud_aws import ACCOUNT, REPLICA, Aws
from cloud_objects import read_record
from cloud_world import World
from emulator import REGION as PRIMARY

DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
SCHEDULES, A_SCHEDULE = "gorgen-demo-jobs", "gorgen-demo-verify"


@dataclass(frozen=True)
class Attempt:
    """Something a role tries."""

    what: str
    do: Callable[[World, Aws], Any]


def an_object(world: World, prefix: str) -> dict[str, str]:
    """Bucket, key and version of an object of the vault."""
    key = min(world.vault.objects(prefix))
    version = world.vault.s3.head_object(Bucket=world.vault.name, Key=key)["VersionId"]
    return {"Bucket": world.vault.name, "Key": key, "VersionId": version}


def read(prefix: str) -> Attempt:
    """Read an object of the vault."""

    def do(world: World, role: Aws) -> Any:
        return world.vault_as(role).get(an_object(world, prefix)["Key"])

    return Attempt(f"read {prefix}", do)


def read_replica(prefix: str) -> Attempt:
    """Read an object of the vault's copy."""

    def do(world: World, role: Aws) -> Any:
        s3 = role.client("s3", REPLICA)
        return s3.get_object(Bucket=world.replica.name, Key=an_object(world, prefix)["Key"])["Body"].read()

    return Attempt(f"read {prefix} of the replica", do)


def write_replica(key: str) -> Attempt:
    """Write an object into the vault's copy."""

    def do(world: World, role: Aws) -> Any:
        return role.client("s3", REPLICA).put_object(Bucket=world.replica.name, Key=key, Body=b"{}")

    return Attempt(f"write {key} into the replica", do)


def open_data_key_there(world: World, role: Aws) -> Any:
    """Have the key's replica open a data key."""
    record = read_record(world.vault.get(an_object(world, "keys/rows.")["Key"]))
    (wrapping,) = record["wrapped"]
    context = {"gorgen:key": record["key"], "gorgen:purpose": "rows", "gorgen:vault": record["vault"]}
    return role.client("kms", REPLICA).decrypt(
        KeyId=wrapping["wrapping_key"].replace(PRIMARY, REPLICA),
        CiphertextBlob=base64.b64decode(wrapping["ciphertext"]),
        EncryptionContext=context,
    )


def write(key: str) -> Attempt:
    """Write an object into the vault."""
    return Attempt(f"write {key}", lambda world, role: world.vault_as(role).put(key, b"{}"))


def create(folder: str) -> Attempt:
    """Write an object into the vault that was never there, as what is written once must be."""

    def do(world: World, role: Aws) -> Any:
        key = f"{folder}{secrets.token_hex(8)}"
        return role.client("s3").put_object(Bucket=world.vault.name, Key=key, Body=b"{}", IfNoneMatch="*")

    return Attempt(f"create an object in {folder}", do)


def open_data_key(purpose: str) -> Attempt:
    """Have KMS open a data key, with the encryption context it was wrapped with."""

    def do(world: World, role: Aws) -> Any:
        record = read_record(world.vault.get(an_object(world, f"keys/{purpose}.")["Key"]))
        (wrapping,) = record["wrapped"]
        return role.client("kms").decrypt(
            KeyId=wrapping["wrapping_key"],
            CiphertextBlob=base64.b64decode(wrapping["ciphertext"]),
            EncryptionContext={
                "gorgen:key": record["key"],
                "gorgen:purpose": purpose,
                "gorgen:vault": record["vault"],
            },
        )

    return Attempt(f"open a data key for {purpose}", do)


def make_data_key(world: World, role: Aws) -> Any:
    """Have KMS make a data key."""
    context = {"gorgen:key": "x", "gorgen:purpose": "rows", "gorgen:vault": "x"}
    return role.client("kms").generate_data_key(
        KeyId=world.cloud.outputs["VaultKeyArn"], KeySpec="AES_256", EncryptionContext=context
    )


def read_secret_of(function: str) -> Attempt:
    """Read the secret that is a function's."""

    def do(world: World, role: Aws) -> Any:
        return role.client("secretsmanager").get_secret_value(SecretId=world.secret_of(function))

    return Attempt(f"read the secret of {function}", do)


def delete_object(world: World, role: Aws) -> Any:
    """Delete an object, which leaves its versions."""
    found = an_object(world, "packs/")
    return role.client("s3").delete_object(Bucket=found["Bucket"], Key=found["Key"])


def delete_version(world: World, role: Aws) -> Any:
    """Delete a version."""
    return role.client("s3").delete_object(**an_object(world, "packs/"))


def delete_many(world: World, role: Aws) -> Any:
    """Delete objects with the one call that takes many. It answers for each of them."""
    found = an_object(world, "packs/")
    answer = role.client("s3").delete_objects(
        Bucket=found["Bucket"], Delete={"Objects": [{"Key": found["Key"], "VersionId": found["VersionId"]}]}
    )
    for error in answer.get("Errors", []):
        raise ClientError({"Error": {"Code": error["Code"], "Message": error["Message"]}}, "DeleteObjects")


def delete_version_in_spite_of_its_lock(world: World, role: Aws) -> Any:
    """Delete a version, with the header that overrules a lock in governance mode."""
    return role.client("s3").delete_object(**an_object(world, "packs/"), BypassGovernanceRetention=True)


def lengthen_lock(world: World, role: Aws) -> Any:
    """Lock a version for longer."""
    found = an_object(world, "packs/")
    until = datetime.now(UTC) + timedelta(days=36_000)
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    return role.client("s3").put_object_retention(Bucket=found["Bucket"], Key=found["Key"], Retention=retention)


def list_versions(world: World, role: Aws) -> Any:
    """See which versions there are."""
    return role.client("s3").list_object_versions(Bucket=world.vault.name, Prefix="packs/")


def shorten_lock(world: World, role: Aws) -> Any:
    """Take a version's lock away, with the same header."""
    return role.client("s3").put_object_retention(
        **an_object(world, "packs/"), Retention={}, BypassGovernanceRetention=True
    )


def end_versions(world: World, role: Aws) -> Any:
    """Stop the bucket from keeping versions."""
    return role.client("s3").put_bucket_versioning(
        Bucket=world.vault.name, VersioningConfiguration={"Status": "Suspended"}
    )


def expire_all(world: World, role: Aws) -> Any:
    """Have S3 itself delete everything tomorrow."""
    rule = {"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    return role.client("s3").put_bucket_lifecycle_configuration(
        Bucket=world.vault.name, LifecycleConfiguration={"Rules": [rule]}
    )


def open_to_the_public(world: World, role: Aws) -> Any:
    """Let the public in."""
    return role.client("s3").delete_public_access_block(Bucket=world.vault.name)


def change_bucket_policy(world: World, role: Aws) -> Any:
    """Take the bucket's policy away."""
    return role.client("s3").delete_bucket_policy(Bucket=world.vault.name)


def end_replication(world: World, role: Aws) -> Any:
    """Cut the second region off."""
    return role.client("s3").delete_bucket_replication(Bucket=world.vault.name)


def write_with_another_encryption(world: World, role: Aws) -> Any:
    """Write an object that is not encrypted with KMS."""
    return role.client("s3").put_object(
        Bucket=world.vault.name, Key="runs/x", Body=b"{}", ServerSideEncryption="AES256"
    )


def destroy_key(world: World, role: Aws) -> Any:
    """Schedule the key's end."""
    return role.client("kms").schedule_key_deletion(KeyId=world.cloud.outputs["VaultKeyArn"], PendingWindowInDays=7)


def disable_key(world: World, role: Aws) -> Any:
    """Disable the key."""
    return role.client("kms").disable_key(KeyId=world.cloud.outputs["VaultKeyArn"])


def assume_another_role(world: World, role: Aws) -> Any:
    """Become the restore."""
    return role.as_role(world.functions.configuration("restore")["Role"])


def invoke(function: str) -> Attempt:
    """Have a job run, without waiting for it."""

    def do(world: World, role: Aws) -> Any:
        name = world.functions.name(function)
        return role.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload="{}")

    return Attempt(f"invoke {function}", do)


def publish(topic: str) -> Attempt:
    """Tell those who subscribed to a topic something."""

    def do(_world: World, role: Aws) -> Any:
        arn = f"arn:aws:sns:{PRIMARY}:{ACCOUNT}:{topic}"
        return role.client("sns").publish(TopicArn=arn, Subject="a test", Message="a test")

    return Attempt(f"publish to {topic}", do)


def start_test_machine(world: World, role: Aws) -> Any:
    """Have a restore tested, of a backup that is not there."""
    given = json.dumps({"backup": "20200101T000000Z-00000000"})
    return role.client("stepfunctions").start_execution(
        stateMachineArn=world.cloud.outputs["RestoreTestMachineArn"], name=secrets.token_hex(8), input=given
    )


def start_machine(world: World, role: Aws) -> Any:
    """Have a restore taken through its steps; there is no such action, so nothing comes of it."""
    given = json.dumps({"restore": "x", "action": "nothing"})
    return role.client("stepfunctions").start_execution(
        stateMachineArn=world.cloud.outputs["RestoreMachineArn"], name=secrets.token_hex(8), input=given
    )


def change_machine(world: World, role: Aws) -> Any:
    """Have the state machine do something else."""
    return role.client("stepfunctions").update_state_machine(
        stateMachineArn=world.cloud.outputs["RestoreMachineArn"], definition="{}"
    )


def change_function(world: World, role: Aws) -> Any:
    """Give a function other settings."""
    return role.client("lambda").update_function_configuration(
        FunctionName=world.functions.name("restore"), Environment={"Variables": {}}
    )


def list_schedules(_world: World, role: Aws) -> Any:
    """See which schedules there are."""
    return role.client("scheduler").list_schedules()


def update_schedule(_world: World, role: Aws) -> Any:
    """Write a schedule as it is."""
    scheduler = role.client("scheduler")
    found = scheduler.get_schedule(GroupName=SCHEDULES, Name=A_SCHEDULE)
    kept = ("GroupName", "Name", "ScheduleExpression", "FlexibleTimeWindow", "Target", "State")
    return scheduler.update_schedule(**{key: found[key] for key in kept})


def delete_schedule(_world: World, role: Aws) -> Any:
    """Remove a schedule."""
    return role.client("scheduler").delete_schedule(GroupName=SCHEDULES, Name=A_SCHEDULE)


def plain(do: Callable[[World, Aws], Any]) -> Attempt:
    """An attempt named by its function."""
    return Attempt(do.__name__.replace("_", " "), do)


def must_be_refused(attempt: Attempt, world: World, role: Aws) -> str:
    """Try it; a policy must refuse it, not a lock, nor a mistake in the request. Returns what was said."""
    with pytest.raises(ClientError) as refused:
        attempt.do(world, role)
    error = refused.value.response["Error"]
    assert error["Code"] in DENIED and "not authorized to perform" in error["Message"], refused.value
    return str(error["Message"])
