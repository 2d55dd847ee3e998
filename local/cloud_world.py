"""The deployed cloud that a folder of tests shares, and shortcuts into it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cloud_deploy
import cloud_templates
from cloud_api import Api
from cloud_aws import PRIMARY, REPLICA, Aws
from cloud_deploy import BINARIES, Cloud
from cloud_functions import NAMES, Answer, Functions
from cloud_objects import Bucket
from cloud_servers import CloudServers
from cloud_templates import Stack
from demo_tool import BINARY, Tool
from folders import RunFolder
from issuer import ADMIN, MASTER

ENFORCED = {"AUTH": "true"}


@dataclass(frozen=True)
class World:
    """The cloud under test, and who can act in it."""

    cloud: Cloud
    binaries: Path

    @property
    def aws(self) -> Aws:
        """The emulated AWS, as the account itself, which may do all."""
        return self.cloud.place.aws

    @property
    def functions(self) -> Functions:
        """The deployed functions."""
        return self.cloud.functions

    @property
    def vault(self) -> Bucket:
        """The vault's bucket, as the account."""
        return self.vault_as(self.aws)

    @property
    def replica(self) -> Bucket:
        """Its copy in the second region, as the account."""
        return Bucket(self.aws, self.cloud.outputs["ReplicaBucket"], REPLICA)

    @property
    def templates(self) -> list[Stack]:
        """What was deployed; in the place of a replica of a key stands its ARN."""
        return cloud_templates.stacks(Path(self.cloud.folder) / "cdk.emulated")

    @property
    def synthesized(self) -> list[Stack]:
        """The templates as they would go to AWS."""
        return cloud_templates.stacks(Path(self.cloud.folder) / "cdk.out")

    @cached_property
    def roles(self) -> dict[str, Aws]:
        """Each function's role, acted in as only Lambda can on AWS."""
        return {name: self.aws.as_role(self.functions.configuration(name)["Role"]) for name in NAMES}

    @property
    def admin(self) -> Api:
        """The API, called by somebody who may look."""
        return self.api(self.cloud.place.tokens.token(ADMIN))

    @property
    def master(self) -> Api:
        """The API, called by somebody who may restore."""
        return self.api(self.cloud.place.tokens.token(MASTER))

    def api(self, token: str | None) -> Api:
        """The API, called with a token."""
        return Api(self.cloud.api_url, token)

    def vault_as(self, aws: Aws) -> Bucket:
        """The vault's bucket, as somebody."""
        return Bucket(aws, self.cloud.outputs["VaultBucket"], PRIMARY)

    def secret_of(self, name: str) -> str:
        """The secret a function logs in to its database with."""
        given: dict[str, Any] = self.functions.configuration(name)["Environment"]["Variables"]
        return str(given["GORGEN_SCRATCH_SECRET" if name == "restore-test" else "GORGEN_DATABASE_SECRET"])

    def tool(self, **more: str) -> Tool:
        """The command line on this cloud's vault."""
        return Tool(Path(os.environ.get("GORGEN_BINARY", BINARY)), self.cloud.settings() | more)

    def backups(self) -> set[str]:
        """The ids of all backups, by the names of their manifests."""
        return {key.split("/")[1].split(".")[0] for key in self.vault.objects("manifests/")}

    def runs(self) -> dict[str, Any]:
        """The keys of all run records."""
        return self.vault.objects("runs/")


@contextmanager
def deployed(name: str, size_mb: int, enforced: bool = False) -> Iterator[World]:
    """A cloud of its own, with a clinic of this size, and one schedule that fires after a minute.

    The functions come from target/lambda, or from the folder TEST_CLOUD_BINARIES names.
    """
    folder = RunFolder(name)
    binaries = Path(os.environ.get("TEST_CLOUD_BINARIES", BINARIES)).resolve()
    options: Mapping[str, str] = ENFORCED if enforced else {}

    def say(text: str) -> None:
        print(f"cloud: {text}", file=sys.stderr)

    try:
        with CloudServers(options) as servers:
            cloud_deploy.fill_clinic(servers.place, say, size_mb)
            yield World(cloud_deploy.deploy(servers.place, folder.path, say, binaries, enforced=enforced), binaries)
    finally:
        folder.remove()


def succeeded(answer: Answer) -> dict[str, Any]:
    """The payload of a function's answer; it must not be a failure."""
    assert not answer.failed, f"{answer.error_type}: {answer.error_message}\n{answer.log}"
    return dict(answer.payload)
