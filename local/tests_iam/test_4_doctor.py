"""Who may only read what the runbook says sees all of the system with `doctor --aws`, but for the records of runs."""

from __future__ import annotations

import json
from typing import Any

from cloud_aws import ACCOUNT, Aws
from cloud_world import World
from demo_tool import Tool
from folders import PROJECT

RUNBOOK = (PROJECT / "docs" / "operations.md").read_text("utf-8")
# What this emulator lets anybody do.
UNENFORCED = {"cloudwatch:DescribeAlarms"}
HISTORY = {"last-backup", "last-verify", "last-restore-test"}


def policy_of_the_runbook() -> dict[str, Any]:
    """What it says is enough."""
    section = RUNBOOK.split("## The whole system at one look", 1)[1].split("\n## ", 1)[0]
    return dict(json.loads(section.split("```json", 1)[1].split("```", 1)[0]))


def reader(world: World, name: str, policy: dict[str, Any]) -> Aws:
    """Somebody with this policy and no other."""
    iam = world.aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="reads", PolicyDocument=json.dumps(policy))
    return world.aws.as_role(arn)


def unchecked(world: World, aws: Aws) -> dict[str, str]:
    """What was not checked, and why."""
    tool = Tool(world.tool().binary, aws.environment())
    # This cloud lacks denials that the emulator cannot keep, and nobody listens: problems that are none of this test's.
    found = tool.json("doctor", "--aws", "demo", expected=1)["findings"]
    assert len(found) == 36
    facts = {finding["check"]: finding["fact"] for finding in found}
    return {check: fact for check, fact in facts.items() if fact.startswith("not checked")}


def test_the_runbook_s_policy_is_enough_for_all_but_the_records_of_runs(world: World) -> None:
    found = unchecked(world, reader(world, "looks", policy_of_the_runbook()))
    assert found.keys() == HISTORY
    assert all("AccessDenied" in fact for fact in found.values())


def test_each_right_of_it_is_needed_and_is_named_if_it_lacks(world: World) -> None:
    policy = policy_of_the_runbook()
    actions: list[str] = policy["Statement"][0]["Action"]
    # Without these nothing can be seen.
    first = {"lambda:GetFunctionConfiguration", "lambda:ListTags"}
    for number, action in enumerate(sorted(set(actions) - first - UNENFORCED)):
        statement = policy["Statement"][0] | {"Action": [each for each in actions if each != action]}
        found = unchecked(world, reader(world, f"looks-{number}", policy | {"Statement": [statement]}))
        assert found.keys() > HISTORY, action
        assert any(action in fact for fact in found.values()), (action, found)
