"""What the emulator's CloudFormation leaves out of buckets and keys, set through the APIs of S3 and KMS.

A deploy is green there although Object Lock, encryption, life cycle and replication of a bucket are dropped without a
word, and a replica of a KMS key can't be made at all. So what the synthesized templates promise is read from them and
put in place here, with an "emulated: ..." for each thing: whoever reads the screen knows what CloudFormation did not do.
On real AWS nothing of this runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cloud_aws import Aws
from cloud_buckets import FEATURES, promises
from cloud_templates import Resolver, Resource, Stack

Say = Callable[[str], None]
KEY = "AWS::KMS::Key"


def fill_in_buckets(aws: Aws, stacks: list[Stack], say: Say) -> None:
    """Give every bucket what its template promises and the emulator dropped."""
    for stack, bucket in _buckets(stacks):
        resolver = Resolver(aws, stack)
        name = resolver.resolve({"Ref": bucket.id})
        wanted = promises(resolver.resolve(bucket.properties))
        s3 = aws.client("s3", stack.region)
        missing = [feature for feature in FEATURES if feature.dropped and feature.name in wanted]
        for feature in missing:
            feature.write(s3, name, wanted[feature.name])
        if missing:
            say(f"emulated: {name}: {', '.join(feature.name for feature in missing)}, set through the S3 API")


def _buckets(stacks: list[Stack]) -> Iterator[tuple[Stack, Resource]]:
    """Every bucket, replicas first: a bucket can be replicated only to one that keeps versions already."""
    found = [(stack, bucket) for stack in stacks for bucket in stack.resources("AWS::S3::Bucket")]
    yield from sorted(found, key=lambda item: "ReplicationConfiguration" in item[1].properties)


def has_key_of_many_regions(stack: Stack) -> bool:
    """Whether a stack makes a key that is to have replicas."""
    return any(key.properties.get("MultiRegion") for key in stack.resources(KEY))


def replicate_keys(aws: Aws, stack: Stack, region: str, say: Say) -> None:
    """Make the replicas of a deployed stack's keys, with the same aliases; on AWS a stack of that region does."""
    resolver = Resolver(aws, stack)
    for key in stack.resources(KEY):
        primary = resolver.resolve({"Fn::GetAtt": [key.id, "Arn"]})
        kms = aws.client("kms", stack.region)
        try:
            kms.replicate_key(KeyId=primary, ReplicaRegion=region, Description=key.properties.get("Description", ""))
        except kms.exceptions.AlreadyExistsException:
            continue
        replica = primary.replace(f":{stack.region}:", f":{region}:", 1)
        for alias in stack.resources("AWS::KMS::Alias"):
            name = resolver.resolve(alias.properties["AliasName"])
            aws.client("kms", region).create_alias(AliasName=name, TargetKeyId=replica)
        say(f"emulated: {replica}: made by ReplicateKey, with the default policy")
