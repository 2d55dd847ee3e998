"""The accounts the functions log in with, each with no more than its job needs, and their secrets in Secrets Manager."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

from cloud_aws import Aws
from cloud_servers import Database, Place

# What a backup reads: tables, views, triggers, events, and routines, whose bodies MariaDB keeps in mysql.proc.
READ_ONLY = (
    "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `{clinic}`.* TO {user}",
    "GRANT SELECT ON mysql.proc TO {user}",
)
# A restore fills databases beside the clinic's own, changes their tables for those of the clinic, and gives programs
# back their definers (SET USER).
CLINIC_AND_BESIDE_IT = (
    "GRANT ALL ON `{clinic_like}`.* TO {user}",
    "GRANT ALL ON `{clinic_like}\\_%`.* TO {user}",
    "GRANT SET USER ON *.* TO {user}",
    "GRANT SELECT ON mysql.proc TO {user}",
)
ALL_OF_A_SERVER = ("GRANT ALL ON *.* TO {user}",)


@dataclass(frozen=True)
class Account:
    """An account on one of the servers, and the name of its secret."""

    user: str
    secret: str
    grants: tuple[str, ...]


BACKUP = Account("gorgen_backup", "gorgen/demo/backup", READ_ONLY)
RESTORE = Account("gorgen_restore", "gorgen/demo/restore", CLINIC_AND_BESIDE_IT)
SCRATCH = Account("gorgen_scratch", "gorgen/demo/scratch", ALL_OF_A_SERVER)


@dataclass(frozen=True)
class SecretArns:
    """Where the functions find user and password."""

    backup: str
    restore: str
    scratch: str


def create(place: Place, clinic: str) -> SecretArns:
    """Make the accounts, with new passwords, and put these into Secrets Manager as RDS does."""
    return SecretArns(
        backup=_create(place.aws, place.clinic, BACKUP, clinic),
        restore=_create(place.aws, place.clinic, RESTORE, clinic),
        scratch=_create(place.aws, place.scratch, SCRATCH, clinic),
    )


def _create(aws: Aws, database: Database, account: Account, clinic: str) -> str:
    """An account and its secret. What is there stays: functions that run have read its password already."""
    manager = aws.client("secretsmanager")
    try:
        return str(manager.describe_secret(SecretId=account.secret)["ARN"])
    except manager.exceptions.ResourceNotFoundException:
        pass
    user, password = f"'{account.user}'@'%'", secrets.token_urlsafe(24)
    places = {"user": user, "clinic": clinic, "clinic_like": clinic.replace("_", "\\_")}
    grants = [grant.format(**places) for grant in account.grants]
    database.sql(";\n".join([f"CREATE OR REPLACE USER {user} IDENTIFIED BY '{password}'", *grants]))
    secret = json.dumps({"username": account.user, "password": password})
    return str(manager.create_secret(Name=account.secret, SecretString=secret)["ARN"])
