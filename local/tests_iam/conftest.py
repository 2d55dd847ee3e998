"""One deployed cloud for all tests of this folder, with IAM enforced: `make test-iam`.

The functions come from target/lambda, or from the folder TEST_CLOUD_BINARIES names.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cloud_deploy  # noqa: E402
import cloud_templates  # noqa: E402
from cloud_aws import PRIMARY, REPLICA, Aws  # noqa: E402
from cloud_deploy import BINARIES, Cloud  # noqa: E402
from cloud_functions import NAMES, Functions  # noqa: E402
from cloud_objects import Bucket, schedule_of, switch_off  # noqa: E402
from cloud_servers import CloudServers  # noqa: E402
from cloud_templates import Stack  # noqa: E402
from folders import RunFolder  # noqa: E402

SIZE_MB = 2
ENFORCED = {"AUTH": "true"}


@dataclass(frozen=True)
class World:
    """The cloud under test, and who can act in it."""

    cloud: Cloud
    roles: dict[str, Aws]

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
    def synthesized(self) -> list[Stack]:
        """The templates as they would go to AWS."""
        return cloud_templates.stacks(Path(self.cloud.folder) / "cdk.out")

    def vault_as(self, aws: Aws) -> Bucket:
        """The vault's bucket, as somebody."""
        return Bucket(aws, self.cloud.outputs["VaultBucket"], PRIMARY)

    def secret_of(self, name: str) -> str:
        """The secret a function logs in to its database with."""
        given: dict[str, Any] = self.functions.configuration(name)["Environment"]["Variables"]
        return str(given["GORGEN_SCRATCH_SECRET" if name == "restore-test" else "GORGEN_DATABASE_SECRET"])


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Deployed once; each function's role can be acted in, as only Lambda can on AWS."""
    folder = RunFolder("iam-tests")
    binaries = Path(os.environ.get("TEST_CLOUD_BINARIES", BINARIES)).resolve()

    def say(text: str) -> None:
        print(f"cloud: {text}", file=sys.stderr)

    try:
        with CloudServers(ENFORCED) as servers:
            aws = servers.place.aws
            cloud_deploy.fill_clinic(servers.place, say, SIZE_MB)
            cloud = cloud_deploy.deploy(servers.place, folder.path, say, binaries, enforced=True)
            switch_off(aws, schedule_of(aws, cloud.functions.name("backup")))
            roles = {name: aws.as_role(cloud.functions.configuration(name)["Role"]) for name in NAMES}
            yield World(cloud, roles)
    finally:
        folder.remove()
