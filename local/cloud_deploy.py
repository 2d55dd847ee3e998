"""A whole local cloud: a clinic's database, accounts with secrets, and the CDK app deployed beside them.

`deploy` can be run again on a cloud that is up: the clinic stays, the functions become what was built last.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clinic
import cloud_accounts
import cloud_enforced
from cloud_accounts import SecretArns
from cloud_aws import ACCOUNT, PRIMARY
from cloud_cdk import App
from cloud_functions import Functions
from cloud_servers import Database, Place
from folders import PROJECT
from issuer import AUDIENCE

CLINIC = "clinica"
TENANT_COLUMN = "tenant_id"
APPEND_ONLY = ["audit_log"]
RESTORE_SKIP = ["user_sessions"]
BINARIES = PROJECT / "target" / "lambda"
SIZE_MB = 20

Say = Callable[[str], None]


# The Scheduler of the emulator knows no time zones and would fire at no useful time: the demo has one quick schedule.
BACKUP_EVERY = "rate(1 minute)"
SCRATCH_DATABASE = "ensaio"


@dataclass(frozen=True)
class Cloud:
    """A cloud that is up, and where all of it is."""

    place: Place
    outputs: dict[str, str]
    folder: str

    @property
    def functions(self) -> Functions:
        """The functions."""
        return Functions(self.place.aws, self.outputs)

    @property
    def api_url(self) -> str:
        """The API's address, which the emulator has by path too: its name need not resolve on every machine."""
        api = self.outputs["ApiUrl"].split("://", 1)[1].split(".")[0]
        return f"{self.place.aws.endpoint}/_aws/execute-api/{api}/$default"

    def settings(self, region: str = PRIMARY, database: Database | None = None) -> dict[str, str]:
        """What the command line needs to use the vault of a region, and a database, as root."""
        vault, key = ("VaultBucket", "VaultKeyArn") if region == PRIMARY else ("ReplicaBucket", "ReplicaKeyArn")
        port = (database or self.place.clinic).port
        return {
            **self.place.aws.environment(region),
            "GORGEN_DATABASE_URL": f"mysql://root@127.0.0.1:{port}/{CLINIC}",
            "GORGEN_VAULT": f"s3://{self.outputs[vault]}",
            "GORGEN_KEYRING": f"kms:{self.outputs[key]}",
            "GORGEN_TENANT_COLUMN": TENANT_COLUMN,
        }

    def as_json(self) -> str:
        """To be read by another process."""
        return json.dumps({"place": self.place.as_json(), "outputs": self.outputs, "folder": self.folder}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Cloud:
        """What `as_json` wrote."""
        given = json.loads(text)
        return cls(Place.from_json(given["place"]), given["outputs"], given["folder"])


def fill_clinic(place: Place, say: Say, size_mb: int = SIZE_MB, seed: int = 7, tenants: int = 2) -> dict[str, int]:
    """Make up the clinic, unless it is there; returns the rows of its tables."""
    begun = time.monotonic()
    if place.clinic.sql(f"SHOW DATABASES LIKE '{CLINIC}'"):
        return clinic.counts(place.clinic.socket, CLINIC)
    rows = clinic.fill(place.clinic.socket, CLINIC, size_mb, seed, tenants, say=lambda _line: None)
    say(f"a clinic of {len(rows)} tables, {sum(rows.values()):,} rows ({time.monotonic() - begun:.1f} s)")
    return rows


def deploy(
    place: Place,
    folder: Path,
    say: Say,
    binaries: Path = BINARIES,
    bootstrap: bool = True,
    enforced: bool = False,
) -> Cloud:
    """Deploy the app, with accounts for its functions; `enforced` when the emulator enforces IAM."""
    app = App(place.aws, folder, say)
    if bootstrap:
        app.bootstrap()
    arns = cloud_accounts.create(place, CLINIC)
    say("accounts for backup, restore and scratch, their passwords in Secrets Manager")
    config = folder / "demo.json"
    config.write_text(json.dumps(environment(place, arns), indent=2), "utf-8")
    stacks = app.synthesize({"env": "demo", "config": str(config), "binaries": str(binaries)})
    if enforced:
        cloud_enforced.make_fit(stacks, app.emulated, say)
    return Cloud(place, app.deploy(stacks), str(folder))


def environment(place: Place, arns: SecretArns) -> dict[str, Any]:
    """What an operator writes into infra/environments: here of the environment `demo`."""
    off = ("cleanup", "restore-test", "verify", "report", "reminder")
    return {
        "account": ACCOUNT,
        "database": {
            "host": "127.0.0.1",
            "port": place.clinic.port,
            "name": CLINIC,
            "login": {"kind": "secret", "backup": arns.backup, "restore": arns.restore},
        },
        "scratch": {
            "host": "127.0.0.1",
            "port": place.scratch.port,
            "name": SCRATCH_DATABASE,
            "secretArn": arns.scratch,
        },
        "tenantColumn": TENANT_COLUMN,
        "appendOnly": APPEND_ONLY,
        "restoreSkip": RESTORE_SKIP,
        "jwt": {"issuer": place.tokens.issuer, "audience": [AUDIENCE]},
        "schedules": {"backup": BACKUP_EVERY} | dict.fromkeys(off, "off"),
    }
