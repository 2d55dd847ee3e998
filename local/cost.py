"""What it costs a month, computed from list prices and measured figures: docs/cost.md is what this prints.

    python3 local/cost.py > docs/cost.md
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

# USD, on demand, without free tiers, as the authors know the lists of 2026. Change them here, never in the page.
HOME, REPLICA = "sa-east-1", "us-east-1"
STORAGE_GB_MONTH = {HOME: 0.0405, REPLICA: 0.023}
PUT_1000 = {HOME: 0.007, REPLICA: 0.005}
GET_1000 = {HOME: 0.00056, REPLICA: 0.0004}
BETWEEN_REGIONS_GB = 0.138
LAMBDA_ARM_GB_SECOND = 0.0000133334
KMS_KEY_MONTH = 1.0
KMS_10000_CALLS = 0.03
SECRET_MONTH = 0.40
ALARM_MONTH = 0.10
METRIC_MONTH = 0.30
LOG_GB = 0.90
ENDPOINT_HOUR = 0.021

# Measured (README, "Speed, so far"), on 2 cores.
STORED_SHARE = 0.21
BACKUP_MB_SECOND = 72.0
UNCHANGED_MB_SECOND = 120.0
RESTORE_MB_SECOND = 17.0
PACK_MB = 8.0

# Assumed, and said so on the page.
DAILY_NEW_SHARE = 0.02
KEPT_SHARE = 1.4
TENANTS = 20
KEYS_PER_TENANT = 2
SMALL_OBJECTS_A_DAY = 8
READS_PER_OBJECT = 4
LOGS_GB = 0.1
ALARMS = 34
METRICS = 40
MEMORY_GB = 3538 / 1024
ENDPOINTS, ZONES = 2, 2
DAYS, WEEKS, HOURS = 30.4, 4.35, 730.0


@dataclass(frozen=True)
class Database:
    """A database, by the size of its rows."""

    name: str
    gb: float


@dataclass(frozen=True)
class Line:
    """One line of the bill, and the quantity behind it."""

    what: str
    dollars: float
    quantity: str = ""


def bill(database: Database) -> list[Line]:
    """The bill of a month, in the first year, line by line."""
    stored = database.gb * STORED_SHARE
    kept = stored * KEPT_SHARE
    new = stored * DAILY_NEW_SHARE * DAYS
    packs = max(new * 1000 / PACK_MB, DAYS) + SMALL_OBJECTS_A_DAY * DAYS
    requests = packs / 1000 * (PUT_1000[HOME] + PUT_1000[REPLICA] + READS_PER_OBJECT * GET_1000[HOME])
    backup = database.gb * 1000 / UNCHANGED_MB_SECOND
    test = database.gb * 1000 / RESTORE_MB_SECOND
    second = MEMORY_GB * LAMBDA_ARM_GB_SECOND
    calls = KEYS_PER_TENANT * (TENANTS + 1) * (DAYS + 2 * WEEKS)
    return [
        Line(f"storage in {HOME}", kept * STORAGE_GB_MONTH[HOME], f"{kept:.1f} GB kept"),
        Line(f"storage in {REPLICA}", kept * STORAGE_GB_MONTH[REPLICA]),
        Line(f"copies to {REPLICA}", new * BETWEEN_REGIONS_GB, f"{new:.2f} GB copied"),
        Line("requests to S3", requests),
        Line("Lambda: a backup each day", backup * second * DAYS, f"{backup:.0f} s a backup"),
        Line("Lambda: a restore test each week", test * second * WEEKS, f"{test:.0f} s a restore test"),
        Line("KMS: a key and its replica", 2 * KMS_KEY_MONTH),
        Line("KMS: calls", calls / 10_000 * KMS_10000_CALLS, f"{calls:.0f} calls of KMS"),
        Line("Secrets Manager: three accounts", 3 * SECRET_MONTH),
        Line("CloudWatch: alarms", ALARMS * ALARM_MONTH),
        Line("CloudWatch: metrics", METRICS * METRIC_MONTH),
        Line("CloudWatch: logs", LOGS_GB * LOG_GB),
    ]


def endpoints() -> float:
    """Interface endpoints, which functions in a private subnet need."""
    return ENDPOINTS * ZONES * HOURS * ENDPOINT_HOUR


def page() -> str:
    """The page."""
    databases = [Database("500 MB", 0.5), Database("50 GB", 50.0)]
    bills = [bill(database) for database in databases]
    rows = [
        " | ".join([f"| {lines[0].what}", *(f"{line.dollars:.2f}" for line in lines)]) + " |"
        for lines in zip(*bills, strict=True)
    ]
    totals = [sum(line.dollars for line in lines) for lines in bills]
    facts = [
        f"- {database.name}: {', '.join(line.quantity for line in lines if line.quantity)}."
        for database, lines in zip(databases, bills, strict=True)
    ]
    return "\n".join(
        [
            "# What it costs",
            "",
            f"US dollars a month, at the list prices of {HOME} and {REPLICA} as the authors know them, without free tiers and taxes.",
            "`python3 local/cost.py > docs/cost.md` writes this page; prices and assumptions are at the head of that script.",
            "The prices were not fetched from AWS: check them before you rely on a figure.",
            "",
            "| | " + " | ".join(database.name for database in databases) + " |",
            "|---|" + "---:|" * len(databases),
            *rows,
            "| **together** | " + " | ".join(f"**{total:.2f}**" for total in totals) + " |",
            "| functions in a private subnet: two interface endpoints in two zones | "
            + " | ".join(f"+ {endpoints():.2f}" for _ in databases)
            + " |",
            "",
            "What stands behind it:",
            "",
            *facts,
            f"- Measured: a backup stores {STORED_SHARE:.0%} of the rows' bytes; an unchanged one reads {UNCHANGED_MB_SECOND:.0f} MB/s, a first one"
            f" {BACKUP_MB_SECOND:.0f} MB/s, a restore with its proof does {RESTORE_MB_SECOND:.0f} MB/s, on 2 cores. Lambda's are assumed to be as fast.",
            f"- Assumed: {DAILY_NEW_SHARE:.0%} of the stored bytes are new each day, and all kept backups together take {KEPT_SHARE} times the newest."
            " The replica keeps what cleanup drops, and grows with what is new.",
            "- A restore of 50 GB takes longer than the 15 minutes of one function; the scratch server's own cost is not counted.",
            "",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(page())
