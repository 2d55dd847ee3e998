"""The synthesized templates of the CDK app, and what their references came to once they were deployed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud_aws import ACCOUNT, Aws

Json = Any


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    id: str
    type: str
    properties: dict[str, Any]


@dataclass(frozen=True)
class Stack:
    """A stack of the app: its names in the app and in CloudFormation, its region, and its template."""

    artifact: str
    name: str
    region: str
    template_file: Path
    depends_on: tuple[str, ...]

    @property
    def template(self) -> dict[str, Any]:
        """What was synthesized."""
        return dict(json.loads(self.template_file.read_text("utf-8")))

    def resources(self, kind: str) -> list[Resource]:
        """All resources of a type."""
        return [
            Resource(name, kind, resource.get("Properties", {}))
            for name, resource in self.template.get("Resources", {}).items()
            if resource["Type"] == kind
        ]


def stacks(cdk_out: Path) -> list[Stack]:
    """The stacks of a folder `cdk synth` wrote, each after those it depends on."""
    manifest = json.loads((cdk_out / "manifest.json").read_text("utf-8"))
    found: dict[str, Stack] = {}
    for name, artifact in manifest["artifacts"].items():
        if artifact["type"] != "aws:cloudformation:stack":
            continue
        properties = artifact["properties"]
        found[name] = Stack(
            artifact=artifact.get("displayName", name),
            name=properties.get("stackName", name),
            region=artifact["environment"].rsplit("/", 1)[1],
            template_file=cdk_out / properties["templateFile"],
            depends_on=tuple(artifact.get("dependencies", ())),
        )
    return _in_order(found)


def _in_order(found: Mapping[str, Stack]) -> list[Stack]:
    ordered: dict[str, Stack] = {}

    def visit(name: str) -> None:
        if name not in found or name in ordered:
            return
        for dependency in found[name].depends_on:
            visit(dependency)
        ordered[name] = found[name]

    for name in found:
        visit(name)
    return list(ordered.values())


class Unresolved(Exception):
    """A template says something in a way this reader does not know."""


class Resolver:
    """Works out the references of a deployed stack's template, as CloudFormation does, from what is really there."""

    def __init__(self, aws: Aws, stack: Stack) -> None:
        self._aws = aws
        self._stack = stack
        cloud = aws.client("cloudformation", stack.region)
        resources = cloud.describe_stack_resources(StackName=stack.name)["StackResources"]
        self._physical = {found["LogicalResourceId"]: found.get("PhysicalResourceId", "") for found in resources}
        described = cloud.describe_stacks(StackName=stack.name)["Stacks"][0]
        self._parameters = {given["ParameterKey"]: given["ParameterValue"] for given in described.get("Parameters", [])}
        pages = cloud.get_paginator("list_exports").paginate()
        self._exports = {export["Name"]: export["Value"] for page in pages for export in page["Exports"]}
        self._pseudo = {
            "AWS::Region": stack.region,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack.name,
        }

    def resolve(self, value: Json) -> Json:
        """A value with all references in it replaced; properties that come to `AWS::NoValue` are left out."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._ref(argument)
            if name.startswith("Fn::"):
                return self._function(name, argument)
        return {key: self.resolve(item) for key, item in value.items() if item != {"Ref": "AWS::NoValue"}}

    def _ref(self, name: str) -> str:
        for known in (self._pseudo, self._physical, self._parameters):
            if name in known:
                return known[name]
        raise Unresolved(f"{self._stack.name} refers to {name}, which is not there")

    def _function(self, name: str, argument: Json) -> Json:
        if name == "Fn::GetAtt":
            return self._attribute(*(argument.split(".", 1) if isinstance(argument, str) else argument))
        if name == "Fn::Join":
            separator, parts = argument
            return separator.join(self.resolve(parts))
        if name == "Fn::Sub":
            text, given = (argument, {}) if isinstance(argument, str) else argument
            return re.sub(r"\$\{([^!}]+)\}", lambda found: self._substitute(found[1], given), text)
        if name == "Fn::Select":
            index, parts = argument
            return self.resolve(parts)[int(index)]
        if name == "Fn::Split":
            separator, text = argument
            return self.resolve(text).split(separator)
        if name == "Fn::ImportValue":
            return self._exports[self.resolve(argument)]
        raise Unresolved(f"{self._stack.name} uses {name}, which is not known here")

    def _substitute(self, name: str, given: Mapping[str, Json]) -> str:
        if name in given:
            return str(self.resolve(given[name]))
        return str(self._attribute(*name.split(".", 1)) if "." in name else self._ref(name))

    def _attribute(self, name: str, attribute: str) -> str:
        """An attribute of a resource, asked of its own service."""
        kind, physical = self._stack.template["Resources"][name]["Type"], self._physical[name]
        region = self._stack.region
        if attribute == "Arn" and kind == "AWS::S3::Bucket":
            return f"arn:aws:s3:::{physical}"
        if attribute == "Arn" and kind == "AWS::KMS::Key":
            return str(self._aws.client("kms", region).describe_key(KeyId=physical)["KeyMetadata"]["Arn"])
        if attribute == "Arn" and kind == "AWS::IAM::Role":
            return str(self._aws.client("iam", region).get_role(RoleName=physical)["Role"]["Arn"])
        if attribute == "Arn" and kind == "AWS::Lambda::Function":
            return f"arn:aws:lambda:{region}:{ACCOUNT}:function:{physical}"
        raise Unresolved(f"{self._stack.name} asks for {name}.{attribute} of a {kind}, which is not known here")
