"""A backup into an S3 vault, beside one into a folder. The emulator keeps objects in memory, on the same processors."""

from __future__ import annotations

import urllib.request
from dataclasses import replace

from bench_claims import Claim, ratio
from bench_measure import Measured
from bench_work import Bench
from demo_tool import Tool
from emulator import REGION, Emulator

PLACE = f"<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"


def s3(bench: Bench) -> list[Claim]:
    """Pairs of backups into new vaults, in a bucket and in a folder."""
    with Emulator() as emulator:
        buckets = (f"bench-{number}" for number in range(bench.pairs))

        def into_bucket() -> Measured:
            bucket = next(buckets)
            request = urllib.request.Request(f"{emulator.endpoint}/{bucket}", PLACE.encode(), method="PUT")
            urllib.request.urlopen(request).close()
            found = emulator.client_environment() | {"AWS_ENDPOINT_URL": emulator.endpoint}
            settings = bench.tool.settings | found | {"GORGEN_VAULT": f"s3://{bucket}"}
            own = replace(bench)
            own.tool = Tool(bench.tool.binary, settings)
            return own.ours("backup into s3://", "backup")

        pairs = bench.take_turns(into_bucket, bench.first_backup)
    return [ratio("s3", "wall, s3:// on the emulator / file://", pairs, "wall", 1.3)]
