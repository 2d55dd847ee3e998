"""The copied templates made fit for an emulator that enforces IAM (AUTH=true), and tells policies less than AWS does.

A condition on what it never tells never holds there: an Allow with it allows nothing, and would keep our own functions
out. Each condition that is taken out is said aloud; that it is in the real templates is for tests on the synthesized
ones. What never holds and needs only to be absent, as `kms:ViaService` in a call that is made directly, stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cloud_templates import Stack

Json = Any
Say = Callable[[str], None]

DATA_KEYS = "kms:EncryptionContext:gorgen:"
TLS = "aws:SecureTransport"
PRINCIPAL = "aws:PrincipalArn"
ABSENT = "s3:if-none-match"
SCHEDULE = ":schedule/"
# Roles CDK's command line would take on to deploy: here it deploys as the account, whose keys the emulator lets do all.
ROLES_OF_CDK = ("assumeRoleArn", "cloudFormationExecutionRoleArn", "lookupRole")


def make_fit(stacks: list[Stack], folder: Path, say: Say) -> None:
    """Change the templates, which must be copies in this folder, and say what was changed."""
    changed = {DATA_KEYS: 0, TLS: 0, PRINCIPAL: 0, ABSENT: 0, SCHEDULE: 0}
    for stack in stacks:
        template = stack.template
        for statement in statements(template):
            changed[DATA_KEYS] += _take_out_contexts(statement)
            changed[PRINCIPAL] += _name_sessions(statement)
            changed[SCHEDULE] += _name_group_default(statement)
        changed[TLS] += _take_out(template, asks_for_tls)
        changed[ABSENT] += _take_out(template, asks_for_absence)
        stack.template_file.write_text(json.dumps(template, indent=1), "utf-8")
    _deploy_as_the_account(folder)
    say("emulated: CDK deploys with the account's own keys, not with the roles of its bootstrap")
    say(f"emulated: {changed[DATA_KEYS]} conditions on {DATA_KEYS}* taken out: they never hold there")
    say(f"emulated: {changed[TLS]} denials of plain HTTP taken out: all there is plain HTTP")
    say(f"emulated: {changed[ABSENT]} denials of writes without If-None-Match taken out: it never sees that header")
    say(f"emulated: {changed[SCHEDULE]} rights on schedules name the group `default`, too, in which it takes all to be")
    say(f"emulated: {changed[PRINCIPAL]} conditions on {PRINCIPAL} name sessions of the roles as well, as it does")


def statements(value: Json) -> Iterator[dict[str, Json]]:
    """Every statement of every policy in a template, to be read or changed."""
    if isinstance(value, list):
        for item in value:
            yield from statements(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Statement":
                yield from item
            else:
                yield from statements(item)


def asks_for_tls(statement: dict[str, Json]) -> bool:
    """Whether a statement forbids plain HTTP."""
    return statement["Effect"] == "Deny" and statement.get("Condition") == {"Bool": {TLS: "false"}}


def asks_for_absence(statement: dict[str, Json]) -> bool:
    """Whether a statement forbids writes that don't ask that nothing be there."""
    return statement["Effect"] == "Deny" and ABSENT in statement.get("Condition", {}).get("Null", {})


def _take_out_contexts(statement: dict[str, Json]) -> int:
    found = 0
    for operator, tests in list(statement.get("Condition", {}).items()):
        ours = [key for key in tests if key.startswith(DATA_KEYS)]
        for key in ours:
            del tests[key]
        found += len(ours)
        if ours and not tests:
            del statement["Condition"][operator]
    return found


def _take_out(value: Json, unwanted: Callable[[dict[str, Json]], bool]) -> int:
    """Take out such statements, and a policy that says nothing else."""
    found = 0
    for name, resource in list(value["Resources"].items()):
        for policy in (item for item in resource.get("Properties", {}).values() if isinstance(item, dict)):
            given = policy.get("Statement")
            if not given:
                continue
            kept = [statement for statement in given if not unwanted(statement)]
            found += len(given) - len(kept)
            policy["Statement"] = kept
            if not kept:
                del value["Resources"][name]
    _forget_missing(value["Resources"])
    return found


def _forget_missing(resources: dict[str, Json]) -> None:
    """No resource waits for one that has gone."""
    for resource in resources.values():
        awaited = resource.get("DependsOn")
        if isinstance(awaited, list):
            resource["DependsOn"] = [name for name in awaited if name in resources]
        if isinstance(awaited, str) and awaited not in resources:
            del resource["DependsOn"]


def _name_sessions(statement: dict[str, Json]) -> int:
    """The emulator compares the ARN of a role's session, AWS that of the role."""
    found = 0
    for tests in statement.get("Condition", {}).values():
        if PRINCIPAL in tests:
            given = tests[PRINCIPAL]
            roles = [given] if isinstance(given, str) else given
            sessions = [
                arn.replace(":iam:", ":sts:", 1).replace(":role/", ":assumed-role/", 1) + "/*"
                for arn in roles
                if ":role/" in arn
            ]
            tests[PRINCIPAL] = [*roles, *sessions]
            found += 1
    return found


def _name_group_default(statement: dict[str, Json]) -> int:
    """The emulator leaves the group out when it works out which schedule a call is about."""
    resource = statement.get("Resource")
    if not isinstance(resource, str) or SCHEDULE not in resource:
        return 0
    place, schedule = resource.split(SCHEDULE)
    statement["Resource"] = [resource, f"{place}{SCHEDULE}default/{schedule.split('/', 1)[1]}"]
    return 1


def _deploy_as_the_account(folder: Path) -> None:
    """What CDK's CliCredentialsStackSynthesizer would leave out, left out of what was synthesized."""
    for file in (folder / "manifest.json", *folder.glob("*.assets.json")):
        file.write_text(json.dumps(_without_roles(json.loads(file.read_text("utf-8"))), indent=1), "utf-8")


def _without_roles(value: Json) -> Json:
    if isinstance(value, list):
        return [_without_roles(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _without_roles(item) for key, item in value.items() if key not in ROLES_OF_CDK}
