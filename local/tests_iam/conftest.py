"""One deployed cloud for all tests of this folder, with IAM enforced: `make test-iam`.

The functions come from target/lambda, or from the folder TEST_CLOUD_BINARIES names.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cloud_objects import schedule_of, switch_off  # noqa: E402
from cloud_world import World, deployed  # noqa: E402

SIZE_MB = 2


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Deployed once; nothing runs but what a test starts."""
    with deployed("iam-tests", SIZE_MB, enforced=True) as made:
        switch_off(made.aws, schedule_of(made.aws, made.functions.name("backup")))
        yield made
