"""One deployed cloud for all tests of this folder: `make test-cloud`.

The functions come from target/lambda, or from the folder TEST_CLOUD_BINARIES names; the command line is
target/fast/gorgen-backup.
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
from cloud_functions import Functions  # noqa: E402
from cloud_objects import Bucket  # noqa: E402
from cloud_servers import CloudServers  # noqa: E402
from cloud_templates import Stack  # noqa: E402
from demo_tool import BINARY, Tool  # noqa: E402
from folders import RunFolder  # noqa: E402

SIZE_MB = 4


@dataclass(frozen=True)
class World:
    """The cloud under test, and shortcuts into it."""

    servers: CloudServers
    cloud: Cloud
    binaries: Path

    @property
    def aws(self) -> Aws:
        """The emulated AWS."""
        return self.cloud.place.aws

    @property
    def functions(self) -> Functions:
        """The deployed functions."""
        return self.cloud.functions

    @property
    def vault(self) -> Bucket:
        """The vault's bucket."""
        return Bucket(self.aws, self.cloud.outputs["VaultBucket"], PRIMARY)

    @property
    def replica(self) -> Bucket:
        """Its copy in the second region."""
        return Bucket(self.aws, self.cloud.outputs["ReplicaBucket"], REPLICA)

    @property
    def templates(self) -> list[Stack]:
        """What was synthesized; in the place of a replica of a key stands its ARN."""
        return cloud_templates.stacks(Path(self.cloud.folder) / "cdk.emulated")

    def tool(self, **more: str) -> Tool:
        """The command line on this cloud's vault."""
        return Tool(Path(os.environ.get("GORGEN_BINARY", BINARY)), self.cloud.settings() | more)

    def backups(self) -> set[str]:
        """The ids of all backups, by the names of their manifests."""
        return {key.split("/")[1].split(".")[0] for key in self.vault.objects("manifests/")}

    def runs(self) -> dict[str, Any]:
        """The keys of all run records."""
        return self.vault.objects("runs/")


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Deployed once, with one schedule that fires after a minute."""
    folder = RunFolder("cloud-tests")
    binaries = Path(os.environ.get("TEST_CLOUD_BINARIES", BINARIES)).resolve()

    def say(text: str) -> None:
        print(f"cloud: {text}", file=sys.stderr)

    try:
        with CloudServers() as servers:
            cloud_deploy.fill_clinic(servers.place, say, SIZE_MB)
            yield World(servers, cloud_deploy.deploy(servers.place, folder.path, say, binaries), binaries)
    finally:
        folder.remove()
