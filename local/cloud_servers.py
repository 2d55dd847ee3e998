"""The servers of the local cloud: the emulated AWS, an issuer of tokens, the clinic's database, and a scratch server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import clinic
from cloud_aws import Aws
from database import run_sql
from emulator import Emulator
from folders import STATE
from issuer import Issuer, Tokens
from lab import Laboratory
from mariadb import MariaDb

# The lambdas are processes of this machine, and share its two or more cores and its memory with three servers.
CLINIC_POOL_MB, SCRATCH_POOL_MB = 256, 256

# Lambda tells a function which format its log has; the emulator does not, but hands on what it is given.
LAMBDA_OPTIONS = {"AWS_LAMBDA_LOG_FORMAT": "JSON"}


@dataclass(frozen=True)
class Database:
    """Where a database server listens, for those who did not start it."""

    port: int
    socket: str

    def sql(self, text: str, db: str | None = None) -> str:
        """Run SQL as root and return the rows as tab-separated text."""
        return run_sql(clinic.client(self.socket), text, db)


@dataclass(frozen=True)
class Place:
    """Where the servers are."""

    aws: Aws
    clinic: Database
    scratch: Database
    tokens: Tokens
    emulator_log: str

    def as_json(self) -> str:
        """To be read by another process."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Place:
        """What `as_json` wrote."""
        given = json.loads(text)
        return cls(
            Aws(**given["aws"]),
            Database(**given["clinic"]),
            Database(**given["scratch"]),
            Tokens(**given["tokens"]),
            given["emulator_log"],
        )


class CloudServers:
    """The servers, up for as long as this is entered."""

    def __init__(self, options: Mapping[str, str] | None = None, state: Path = STATE) -> None:
        self.emulator = Emulator(state=state, options=LAMBDA_OPTIONS | dict(options or {}))
        self.clinic = MariaDb(buffer_pool_mb=CLINIC_POOL_MB, state=state)
        self.scratch = MariaDb(buffer_pool_mb=SCRATCH_POOL_MB, log_bin=False, state=state)
        self.issuer = Issuer(state=state)
        self._laboratory = Laboratory([self.emulator, self.issuer, self.clinic, self.scratch], quiet=True)

    @property
    def place(self) -> Place:
        """Where they are."""
        return Place(
            Aws(self.emulator.endpoint),
            Database(self.clinic.port, str(self.clinic.socket)),
            Database(self.scratch.port, str(self.scratch.socket)),
            self.issuer.tokens,
            str(self.emulator.log),
        )

    def __enter__(self) -> Self:
        try:
            self._laboratory.start()
        except BaseException:
            self._laboratory.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._laboratory.stop()
