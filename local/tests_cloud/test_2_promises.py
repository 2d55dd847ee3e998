"""Buckets, keys and functions are what the templates say, by what S3, KMS and Lambda answer."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloud_aws import PRIMARY, REPLICA
from cloud_buckets import FEATURES, promises
from cloud_functions import NAMES
from cloud_objects import Bucket
from cloud_templates import Resolver, Resource, Stack
from cloud_world import World

BUCKETS = ("vault", "replica")


def bucket_named(world: World, which: str) -> Bucket:
    """The vault's bucket, or its replica."""
    return world.vault if which == "vault" else world.replica


def template_of(world: World, bucket: Bucket) -> tuple[Stack, Resource, Resolver]:
    """The template's bucket that became this one."""
    for stack in world.templates:
        resolver = Resolver(world.aws, stack)
        for resource in stack.resources("AWS::S3::Bucket"):
            if resolver.resolve({"Ref": resource.id}) == bucket.name:
                return stack, resource, resolver
    raise AssertionError(f"no template has {bucket.name}")


def in_order(configuration: dict[str, Any]) -> dict[str, Any]:
    """A configuration whose rules are in the order of their names: S3 keeps none."""
    rules = configuration.get("Rules")
    return configuration | ({"Rules": sorted(rules, key=lambda rule: rule.get("ID", ""))} if rules else {})


@pytest.mark.parametrize("which", BUCKETS)
def test_a_bucket_has_all_its_template_promises(world: World, which: str) -> None:
    bucket = bucket_named(world, which)
    _, resource, resolver = template_of(world, bucket)
    promised = promises(resolver.resolve(resource.properties))
    for feature in FEATURES:
        if feature.name in promised:
            found = feature.read(bucket.s3, bucket.name)
            assert in_order(promised[feature.name]).items() <= in_order(found).items(), feature.name
    expected = {"public access block", "Object Lock", "encryption", "lifecycle", "access log"}
    assert promised.keys() == expected | ({"replication"} if which == "vault" else set())


@pytest.mark.parametrize("which", BUCKETS)
def test_a_bucket_keeps_versions_and_shuts_the_public_out(world: World, which: str) -> None:
    bucket = bucket_named(world, which)
    assert bucket.s3.get_bucket_versioning(Bucket=bucket.name)["Status"] == "Enabled"
    block = bucket.s3.get_public_access_block(Bucket=bucket.name)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True} and len(block) == 4


@pytest.mark.parametrize("which", BUCKETS)
def test_a_bucket_is_locked_and_encrypted_with_its_region_s_key(world: World, which: str) -> None:
    bucket = bucket_named(world, which)
    lock = bucket.s3.get_object_lock_configuration(Bucket=bucket.name)["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": 1}
    rules = bucket.s3.get_bucket_encryption(Bucket=bucket.name)["ServerSideEncryptionConfiguration"]["Rules"]
    ((rule,), key) = (rules, "VaultKeyArn" if which == "vault" else "ReplicaKeyArn")
    assert rule["BucketKeyEnabled"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == world.cloud.outputs[key]


@pytest.mark.parametrize("which", BUCKETS)
def test_a_bucket_s_policy_is_the_template_s_and_asks_for_tls(world: World, which: str) -> None:
    bucket = bucket_named(world, which)
    stack, _, resolver = template_of(world, bucket)
    (promised,) = [
        resolver.resolve(policy.properties["PolicyDocument"])
        for policy in stack.resources("AWS::S3::BucketPolicy")
        if resolver.resolve(policy.properties["Bucket"]) == bucket.name
    ]
    found = json.loads(bucket.s3.get_bucket_policy(Bucket=bucket.name)["Policy"])
    assert found == promised
    assert any(
        statement["Effect"] == "Deny" and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in found["Statement"]
    )


def test_a_version_in_the_vault_cannot_be_deleted(world: World) -> None:
    s3, key = world.vault.s3, next(iter(world.vault.objects("packs/")))
    version = s3.head_object(Bucket=world.vault.name, Key=key)["VersionId"]
    with pytest.raises(ClientError) as refused:
        s3.delete_object(Bucket=world.vault.name, Key=key, VersionId=version)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_a_delete_in_the_vault_hides_nothing_in_the_replica(world: World) -> None:
    world.vault.put("test/deleted", b"x")
    assert world.replica.get("test/deleted") == b"x"
    world.vault.s3.delete_object(Bucket=world.vault.name, Key="test/deleted")
    assert "test/deleted" not in world.vault.objects("test/")
    assert world.replica.get("test/deleted") == b"x"


def test_the_key_rotates_and_has_a_replica_in_the_second_region(world: World) -> None:
    kms, arn = world.aws.client("kms"), world.cloud.outputs["VaultKeyArn"]
    found = kms.describe_key(KeyId=arn)["KeyMetadata"]
    assert kms.get_key_rotation_status(KeyId=arn)["KeyRotationEnabled"]
    assert found["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"
    replicas = {(key["Region"], key["Arn"]) for key in found["MultiRegionConfiguration"]["ReplicaKeys"]}
    replica = world.aws.client("kms", REPLICA).describe_key(KeyId=world.cloud.outputs["ReplicaKeyArn"])["KeyMetadata"]
    assert replicas == {(REPLICA, replica["Arn"])}
    assert replica["Arn"] == arn.replace(PRIMARY, REPLICA)


@pytest.mark.parametrize("name", NAMES)
def test_a_deployed_function_is_the_binary_that_was_built(world: World, name: str) -> None:
    built = (world.binaries / f"gorgen-function-{name}" / "bootstrap.zip").read_bytes()
    configuration = world.functions.configuration(name)
    assert configuration["CodeSha256"] == base64.b64encode(hashlib.sha256(built).digest()).decode()
    assert configuration["Runtime"] == "provided.al2023"


def test_only_backup_restore_and_the_restore_test_know_a_database(world: World) -> None:
    for name in NAMES:
        given = world.functions.configuration(name).get("Environment", {}).get("Variables", {})
        expected = {
            "backup": {"GORGEN_DATABASE_URL", "GORGEN_DATABASE_SECRET"},
            "restore": {
                "GORGEN_DATABASE_URL",
                "GORGEN_DATABASE_SECRET",
                # For a look at the past that does not touch production.
                "GORGEN_SCRATCH_URL",
                "GORGEN_SCRATCH_SECRET",
            },
            "restore-test": {"GORGEN_SCRATCH_URL", "GORGEN_SCRATCH_SECRET"},
        }.get(name, set())
        assert {key for key in given if "DATABASE" in key or "SCRATCH" in key} == expected, name
        assert given["GORGEN_VAULT"] == f"s3://{world.vault.name}"
        assert "password" not in json.dumps(given).lower()
