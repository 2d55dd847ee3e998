"""One deployed cloud for all tests of this folder: `make test-cloud`.

The functions come from target/lambda, or from the folder TEST_CLOUD_BINARIES names; the command line is
target/fast/gorgen-backup.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cloud_world import World, deployed, succeeded  # noqa: E402

SIZE_MB = 4


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Deployed once, with one schedule that fires after a minute."""
    with deployed("cloud-tests", SIZE_MB) as made:
        yield made


@pytest.fixture(scope="session")
def backed_up(world: World) -> World:
    """The cloud with a backup in its vault, whatever ran before."""
    if not world.backups():
        succeeded(world.functions.invoke("backup"))
    return world
