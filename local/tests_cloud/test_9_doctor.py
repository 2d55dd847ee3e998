"""`doctor --aws` finds a deployed system well, and finds each thing that somebody breaks in it. Comes last: it breaks things."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cloud_aws import PRIMARY, REPLICA
from cloud_objects import schedules
from cloud_world import World, succeeded
from demo_tool import Tool
from folders import PROJECT

# Of the local cloud, which is thrown away with its key, and of its clinic, which has no safe.
NOT_HERE = {"key-policy", "replica-key-policy", "offline-recipient"}
RUNBOOK = (PROJECT / "docs" / "operations.md").read_text("utf-8")
PROBLEM = 1


def command() -> list[str]:
    """The runbook's line, for this environment."""
    (line,) = [line for line in RUNBOOK.splitlines() if line.startswith("gorgen-backup doctor --aws")]
    return shlex.split(line.replace("prod", "demo"))[1:]


def tool(world: World) -> Tool:
    """The command line with AWS's own settings, and none of ours."""
    return Tool(world.tool().binary, world.aws.environment())


def findings(world: World, expected: int = 0) -> dict[str, dict[str, Any]]:
    """What it finds, by check."""
    found = tool(world).json(*command(), expected=expected)["findings"]
    by_check = {finding["check"]: finding for finding in found}
    assert len(by_check) == len(found)
    return by_check


def set_schedule(world: World, job: str, **changes: Any) -> None:
    """Change one schedule, and leave all else of it as it is."""
    (found,) = [schedule for schedule in schedules(world.aws) if schedule["Name"] == f"gorgen-demo-{job}"]
    kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "State")
    kept = (*kept, "ScheduleExpressionTimezone") if found.get("ScheduleExpressionTimezone") else kept
    world.aws.client("scheduler").update_schedule(**{key: found[key] for key in kept} | changes)


def dead_letters(world: World) -> str:
    """The queue's URL."""
    return str(world.aws.client("sqs").get_queue_url(QueueName="gorgen-demo-dead-letters")["QueueUrl"])


def topic(world: World, region: str) -> str:
    """The topic of a region."""
    arn: str = world.functions.configuration("backup")["Environment"]["Variables"]["GORGEN_NOTICE_TOPIC"]
    return arn.replace(PRIMARY, region)


def subscribe(world: World, region: str) -> str:
    """A queue that hears what goes wrong in a region."""
    sqs = world.aws.client("sqs", region)
    url = sqs.create_queue(QueueName="gorgen-test-listener")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns = world.aws.client("sns", region)
    found = sns.subscribe(TopicArn=topic(world, region), Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    return str(found["SubscriptionArn"])


@pytest.fixture(scope="module")
def well(backed_up: World) -> Iterator[World]:
    """A cloud as AWS's would be: its schedules are on, people listen, and each job was done."""
    world = backed_up
    names = [schedule["Name"].removeprefix("gorgen-demo-") for schedule in schedules(world.aws)]
    for name in names:
        # Once a year: so that none begins while this looks.
        set_schedule(world, name, State="ENABLED", ScheduleExpression="cron(0 3 31 12 ? *)")
    for region in (PRIMARY, REPLICA):
        subscribe(world, region)
        cloudwatch = world.aws.client("cloudwatch", region)
        for alarm in cloudwatch.describe_alarms(AlarmNamePrefix="gorgen-demo-", MaxRecords=100)["MetricAlarms"]:
            cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="test")
    world.aws.client("sqs").purge_queue(QueueUrl=dead_letters(world))
    for job in ("backup", "verify", "restore-test"):
        succeeded(world.functions.invoke(job))
    yield world
    for name in names:
        set_schedule(world, name, State="DISABLED")


def test_a_system_that_is_well_has_no_problem(well: World) -> None:
    found = findings(well)
    assert {check for check, finding in found.items() if finding["status"] != "ok"} == NOT_HERE
    assert found["functions"]["fact"].startswith("7 functions of version ")
    assert found["schedule-backup"]["fact"].startswith("on: cron(0 3 31 12 ? *) in ")
    assert found["replication"]["fact"] == f"everything is copied to {well.replica.name} in {REPLICA}"
    assert all(finding["remedy"] for finding in found.values() if finding["status"] != "ok")
    assert len(found) == 36


def test_a_person_reads_it_line_by_line(well: World) -> None:
    shown = tool(well).run(*command()).out
    assert "ok       vault-object-lock        what is written is locked for 1 day (GOVERNANCE)\n" in shown
    assert shown.splitlines()[-1] == (
        f"no problem, {len(NOT_HERE)} warnings (key-policy, replica-key-policy, offline-recipient), 33 ok"
    )


@dataclass(frozen=True)
class Breakage:
    """Something that somebody does, what undoes it, and what is found."""

    check: str
    status: str
    fact: str
    do: Callable[[World], Any]
    undo: Callable[[World, Any], object]


def feature(
    check: str, fact: str, get: str, field: str, remove: Callable[[Any, str], object], put: str
) -> Breakage:
    """A setting of the vault's bucket that is taken away, and put back as it was."""

    def do(world: World) -> Any:
        kept = getattr(world.vault.s3, get)(Bucket=world.vault.name)[field]
        remove(world.vault.s3, world.vault.name)
        return kept

    def undo(world: World, kept: Any) -> None:
        getattr(world.vault.s3, put)(Bucket=world.vault.name, **{field: kept})

    return Breakage(check, "problem", fact, do, undo)


def key(world: World) -> str:
    """The vault's."""
    return str(world.cloud.outputs["VaultKeyArn"])


def mute(world: World) -> str:
    """An alarm whose actions are switched off."""
    world.aws.client("cloudwatch").disable_alarm_actions(AlarmNames=["gorgen-demo-no-good-backup"])
    return "gorgen-demo-no-good-backup"


def end_by_age(world: World) -> Any:
    """A rule of somebody who saves money."""
    kept = world.vault.s3.get_bucket_lifecycle_configuration(Bucket=world.vault.name)["Rules"]
    rule = {"ID": "save-money", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 7}}
    world.vault.s3.put_bucket_lifecycle_configuration(
        Bucket=world.vault.name, LifecycleConfiguration={"Rules": [*kept, rule]}
    )
    return kept


def open_policy(world: World) -> str:
    """Somebody is let in, and one denial is gone."""
    kept: str = world.vault.s3.get_bucket_policy(Bucket=world.vault.name)["Policy"]
    document = json.loads(kept)
    document["Statement"] = [
        statement for statement in document["Statement"] if statement.get("Sid") != "NobodyShortensALock"
    ]
    world.vault.s3.put_bucket_policy(Bucket=world.vault.name, Policy=json.dumps(document))
    return kept


def silence(world: World) -> list[str]:
    """Nobody listens any longer."""
    sns = world.aws.client("sns")
    found = sns.list_subscriptions_by_topic(TopicArn=topic(world, PRIMARY))["Subscriptions"]
    for subscription in found:
        sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    return [subscription["Endpoint"] for subscription in found]


def listen_again(world: World, endpoints: list[str]) -> None:
    """Those who listened before."""
    for endpoint in endpoints:
        world.aws.client("sns").subscribe(TopicArn=topic(world, PRIMARY), Protocol="sqs", Endpoint=endpoint)


def tag(world: World, version: str) -> None:
    """Which version the function that backs up says it is."""
    arn = world.functions.configuration("backup")["FunctionArn"]
    world.aws.client("lambda").tag_resource(Resource=arn, Tags={"version": version})


def version(world: World) -> str:
    """Which it says."""
    arn = world.functions.configuration("backup")["FunctionArn"]
    return str(world.aws.client("lambda").list_tags(Resource=arn)["Tags"]["version"])


def newer(world: World) -> str:
    """One function is of another version."""
    kept = version(world)
    tag(world, "99.0.0")
    return kept


BREAKAGES = [
    feature(
        "vault-encryption",
        "does not encrypt with a KMS key",
        "get_bucket_encryption",
        "ServerSideEncryptionConfiguration",
        lambda s3, bucket: s3.delete_bucket_encryption(Bucket=bucket),
        "put_bucket_encryption",
    ),
    feature(
        "vault-public-access",
        "does not block all that is public",
        "get_public_access_block",
        "PublicAccessBlockConfiguration",
        lambda s3, bucket: s3.delete_public_access_block(Bucket=bucket),
        "put_public_access_block",
    ),
    feature(
        "vault-object-lock",
        "locks nothing",
        "get_object_lock_configuration",
        "ObjectLockConfiguration",
        lambda s3, bucket: s3.put_object_lock_configuration(
            Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
        ),
        "put_object_lock_configuration",
    ),
    feature(
        "replication",
        "nothing is copied to another region",
        "get_bucket_replication",
        "ReplicationConfiguration",
        lambda s3, bucket: s3.delete_bucket_replication(Bucket=bucket),
        "put_bucket_replication",
    ),
    Breakage(
        "vault-policy",
        "problem",
        "shorten locks (s3:BypassGovernanceRetention)",
        open_policy,
        lambda world, kept: world.vault.s3.put_bucket_policy(Bucket=world.vault.name, Policy=kept),
    ),
    Breakage(
        "vault-lifecycle",
        "problem",
        "rules end backups by age, whatever retention says: save-money",
        end_by_age,
        lambda world, kept: world.vault.s3.put_bucket_lifecycle_configuration(
            Bucket=world.vault.name, LifecycleConfiguration={"Rules": kept}
        ),
    ),
    Breakage(
        "key-rotation",
        "warning",
        "KMS does not change its material",
        lambda world: world.aws.client("kms").disable_key_rotation(KeyId=key(world)),
        lambda world, _: world.aws.client("kms").enable_key_rotation(KeyId=key(world)),
    ),
    Breakage(
        "schedule-backup",
        "problem",
        "it is off, so no backup is made",
        lambda world: set_schedule(world, "backup", State="DISABLED"),
        lambda world, _: set_schedule(world, "backup", State="ENABLED"),
    ),
    Breakage(
        "schedule-restore-test",
        "warning",
        "it is off, so no restore is proven",
        lambda world: set_schedule(world, "restore-test", State="DISABLED"),
        lambda world, _: set_schedule(world, "restore-test", State="ENABLED"),
    ),
    Breakage(
        "dead-letters",
        "problem",
        "1 event was given up",
        lambda world: world.aws.client("sqs").send_message(QueueUrl=dead_letters(world), MessageBody="{}"),
        lambda world, _: world.aws.client("sqs").purge_queue(QueueUrl=dead_letters(world)),
    ),
    Breakage("alarm-listeners", "problem", "nobody hears what goes wrong", silence, listen_again),
    Breakage(
        "alarms",
        "problem",
        "nobody is told when they go off: gorgen-demo-no-good-backup",
        mute,
        lambda world, name: world.aws.client("cloudwatch").enable_alarm_actions(AlarmNames=[name]),
    ),
    Breakage(
        "replica-alarms",
        "problem",
        "ringing: gorgen-demo-replica-late",
        lambda world: world.aws.client("cloudwatch", REPLICA).set_alarm_state(
            AlarmName="gorgen-demo-replica-late", StateValue="ALARM", StateReason="test"
        ),
        lambda world, _: world.aws.client("cloudwatch", REPLICA).set_alarm_state(
            AlarmName="gorgen-demo-replica-late", StateValue="OK", StateReason="test"
        ),
    ),
    Breakage("functions", "warning", "of different versions: ", newer, tag),
]


@pytest.mark.parametrize("broken", BREAKAGES, ids=lambda broken: broken.check)
def test_what_somebody_breaks_is_found_and_nothing_else(well: World, broken: Breakage) -> None:
    kept = broken.do(well)
    try:
        found = findings(well, expected=PROBLEM if broken.status == "problem" else 0)
    finally:
        broken.undo(well, kept)
    assert {check for check, finding in found.items() if finding["status"] != "ok"} == NOT_HERE | {broken.check}
    assert found[broken.check]["status"] == broken.status
    assert broken.fact in found[broken.check]["fact"]
    assert found[broken.check]["remedy"]


def test_a_disabled_key_is_found_and_so_is_what_can_no_longer_be_read(well: World) -> None:
    kms = well.aws.client("kms")
    kms.disable_key(KeyId=key(well))
    try:
        found = findings(well, expected=PROBLEM)
    finally:
        kms.enable_key(KeyId=key(well))
    assert found["key"]["status"] == "problem"
    assert "is not enabled but Disabled" in found["key"]["fact"]
    assert "kms enable-key" in found["key"]["remedy"]


def test_an_environment_that_is_not_there_is_a_problem(well: World) -> None:
    ran = tool(well).run("doctor", "--aws", "prod", expected=PROBLEM)
    assert 'problem  functions                no function of the environment "prod" is in this region\n' in ran.out
