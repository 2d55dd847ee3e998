"""What not even an administrator of the account can do in passing: policies of the buckets and of the key forbid it.
And what is taken out of the templates for this emulator stands in the real ones, and works when it is put back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest

from attempts import (
    Attempt,
    an_object,
    delete_version,
    delete_version_in_spite_of_its_lock,
    end_replication,
    end_versions,
    expire_all,
    make_data_key,
    must_be_refused,
    open_data_key,
    open_to_the_public,
    plain,
    shorten_lock,
    write_with_another_encryption,
)
from cloud_aws import ACCOUNT, Aws
from cloud_enforced import DATA_KEYS, asks_for_absence, asks_for_tls, statements
from cloud_templates import Resolver
from cloud_world import World

ADMINISTRATOR = "administrator"


@pytest.fixture(scope="module")
def administrator(world: World) -> Aws:
    """A role of the account that IAM lets do everything."""
    iam = world.aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    all_of_it = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    arn = iam.create_role(RoleName=ADMINISTRATOR, AssumeRolePolicyDocument=policy([trust]))["Role"]["Arn"]
    iam.put_role_policy(RoleName=ADMINISTRATOR, PolicyName="all", PolicyDocument=policy([all_of_it]))
    return world.aws.as_role(arn)


def policy(given: list[dict[str, Any]]) -> str:
    """A policy's text."""
    return json.dumps({"Version": "2012-10-17", "Statement": given})


FORBIDDEN = [
    plain(delete_version),
    plain(delete_version_in_spite_of_its_lock),
    plain(shorten_lock),
    plain(end_versions),
    plain(expire_all),
    plain(end_replication),
    plain(open_to_the_public),
    plain(write_with_another_encryption),
    plain(make_data_key),
    open_data_key("rows"),
    open_data_key("manifest"),
]


@pytest.mark.parametrize("attempt", FORBIDDEN, ids=lambda attempt: attempt.what)
def test_an_administrator_may_not(world: World, administrator: Aws, attempt: Attempt) -> None:
    must_be_refused(attempt, world, administrator)


def test_an_administrator_is_one(world: World, administrator: Aws) -> None:
    assert world.vault_as(administrator).get(an_object(world, "manifests/")["Key"])
    administrator.client("kms").describe_key(KeyId=world.cloud.outputs["VaultKeyArn"])


@contextmanager
def whole_policy(world: World) -> Iterator[None]:
    """The vault's policy as it was synthesized, with what forbids plain HTTP, for a while."""
    s3, bucket = world.vault.s3, world.vault.name
    without = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(promised_policy(world, bucket)))
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=without)


def promised_policy(world: World, bucket: str) -> Any:
    """The policy of a bucket in the templates that go to AWS."""
    for stack in world.synthesized:
        found = stack.resources("AWS::S3::BucketPolicy")
        if not found:
            continue
        resolver = Resolver(world.aws, stack)
        for resource in found:
            if resolver.resolve(resource.properties["Bucket"]) == bucket:
                return resolver.resolve(resource.properties["PolicyDocument"])
    raise AssertionError(f"no template has a policy for {bucket}")


def test_with_its_whole_policy_the_vault_takes_tls_alone(world: World) -> None:
    key = an_object(world, "manifests/")["Key"]

    def get(over_tls: bool) -> None:
        s3 = world.roles["backup"].client("s3")
        if over_tls:
            # How the emulator is told that a proxy before it has ended a TLS connection.
            s3.meta.events.register("before-send.s3", as_a_proxy_does)
        s3.get_object(Bucket=world.vault.name, Key=key)

    plain_http = Attempt("plain HTTP", lambda _world, _role: get(over_tls=False))
    with whole_policy(world):
        said = must_be_refused(plain_http, world, world.aws)
        assert "explicit deny in a resource-based policy" in said
        get(over_tls=True)
    get(over_tls=False)


def as_a_proxy_does(request: AWSPreparedRequest, **_given: Any) -> None:
    """Say that the request came over TLS."""
    request.headers["X-Forwarded-Proto"] = "https"


def test_every_bucket_asks_for_tls_in_the_real_templates(world: World) -> None:
    buckets = 0
    for stack in world.synthesized:
        policies = [resource.properties for resource in stack.resources("AWS::S3::BucketPolicy")]
        assert all(any(asks_for_tls(found) for found in statements(given)) for given in policies)
        asking = [given["Bucket"] for given in policies]
        for bucket in stack.resources("AWS::S3::Bucket"):
            assert {"Ref": bucket.id} in asking, bucket.id
            assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}
            buckets += 1
    assert buckets == 4


def test_what_is_written_once_asks_for_absence_in_the_real_templates(world: World) -> None:
    asking = []
    for stack in world.synthesized:
        for resource in stack.resources("AWS::S3::BucketPolicy"):
            asking += [found["Resource"] for found in statements(resource.properties) if asks_for_absence(found)]
    assert len(asking) == 2
    assert all(str(found).count(folder) == 1 for found in asking for folder in ("/packs/*", "/manifests/*", "/audit/*"))


def test_the_public_is_shut_out(world: World) -> None:
    for bucket in (world.vault, world.replica):
        block = bucket.s3.get_public_access_block(Bucket=bucket.name)["PublicAccessBlockConfiguration"]
        assert set(block.values()) == {True} and len(block) == 4
        given = json.loads(bucket.s3.get_bucket_policy(Bucket=bucket.name)["Policy"])["Statement"]
        assert given and all(statement["Effect"] == "Deny" for statement in given)


def test_data_keys_are_bound_to_their_context_in_the_real_templates(world: World) -> None:
    """Every right on the vault's key that a role has is bound: to our context, or to a service that uses it for us."""
    bound = 0
    for stack in world.synthesized:
        for role in stack.resources("AWS::IAM::Role"):
            for statement in statements(role.properties.get("Policies", [])):
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                if not any(action.startswith("kms:") for action in actions):
                    continue
                conditions = [key for tests in statement["Condition"].values() for key in tests]
                ours = any(key.startswith(DATA_KEYS) for key in conditions)
                assert ours or "kms:ViaService" in conditions, (role.id, statement)
                bound += ours
    assert bound == 7
