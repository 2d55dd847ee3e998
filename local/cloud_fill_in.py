"""What the emulator's CloudFormation leaves out of buckets and keys, set through the APIs of S3 and KMS.

A deploy is green there although Object Lock, encryption, life cycle and replication of a bucket are dropped without a
word, and a replica of a KMS key can't be made at all. So what the synthesized templates promise is read from them and
put in place here, with an "emulated: ..." for each thing: whoever reads the screen knows what CloudFormation did not do.
On real AWS nothing of this runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from cloud_aws import ACCOUNT, Aws
from cloud_buckets import FEATURES, promises
from cloud_templates import Resolver, Resource, Stack

Say = Callable[[str], None]
KEY, REPLICA_KEY, ALIAS = "AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::KMS::Alias"
ALARM = "AWS::CloudWatch::Alarm"


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


def replicate_keys(aws: Aws, home: Stack, others: list[Stack], region: str, say: Say) -> None:
    """Make the replicas of a deployed stack's keys, and take them out of the other stacks' templates, which are copies.

    The alias comes along: it is how a template names a key of another region that it does not make itself.
    """
    resolver = Resolver(aws, home)
    aliases = [resolver.resolve(alias.properties["AliasName"]) for alias in home.resources(ALIAS)]
    for key in home.resources(KEY):
        primary = resolver.resolve({"Fn::GetAtt": [key.id, "Arn"]})
        replica = primary.replace(f":{home.region}:", f":{region}:", 1)
        kms = aws.client("kms", home.region)
        try:
            kms.replicate_key(KeyId=primary, ReplicaRegion=region, Description=key.properties.get("Description", ""))
            for alias in aliases:
                aws.client("kms", region).create_alias(AliasName=alias, TargetKeyId=replica)
            say(f"emulated: {replica}: made by ReplicateKey, with the default policy")
        except kms.exceptions.AlreadyExistsException:
            pass
        for stack in others:
            _take_out(stack, stack.resources(REPLICA_KEY), replica)


def _take_out(stack: Stack, resources: list[Resource], arn: str) -> None:
    """Take resources out of a template, and put an ARN in the place of each reference to them."""
    template = stack.template
    for resource in resources:
        del template["Resources"][resource.id]
        template = _replaced(template, resource.id, arn)
    stack.template_file.write_text(json.dumps(template, indent=1), "utf-8")


def take_out_metric_math(stack: Stack, say: Say) -> None:
    """Take alarms on metric math, which the emulator refuses, out of a template, which must be a copy."""
    alarms = [alarm for alarm in stack.resources(ALARM) if "Metrics" in alarm.properties]
    if alarms:
        _take_out(stack, alarms, f"arn:aws:cloudwatch:{stack.region}:{ACCOUNT}:alarm:taken-out")
        say(f"emulated: {len(alarms)} alarms on metric math taken out of {stack.name}, their promises are infra's tests'")


def _replaced(value: Any, name: str, arn: str) -> Any:
    """A template with a key's ARN in the place of each reference to the resource it was."""
    if value == {"Ref": name}:
        return arn.rsplit("/", 1)[1]
    if value in ({"Fn::GetAtt": [name, "Arn"]}, {"Fn::GetAtt": f"{name}.Arn"}):
        return arn
    if isinstance(value, list):
        return [_replaced(item, name, arn) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _replaced(item, name, arn) for key, item in value.items() if not _waits_for(key, item, name)}


def _waits_for(key: str, item: Any, name: str) -> bool:
    """Whether this is a resource's `DependsOn` with nothing in it but the one that has gone."""
    return key == "DependsOn" and item in (name, [name])
