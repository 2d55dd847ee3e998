"""Clients of the local cloud's services, and the two regions it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from emulator import REGION as PRIMARY

REPLICA = "us-east-1"
ACCOUNT = "000000000000"
# A function of the cloud may run for 15 minutes, and whoever invokes it waits.
ANSWER_SECONDS = 930


@dataclass(frozen=True)
class Aws:
    """The emulated AWS at an address. The credentials are anybody's: the emulator asks for some, not for whose, unless it
    was started with AUTH=true; then these are the account's own, which may do all."""

    endpoint: str
    access_key: str = "test"
    secret_key: str = "test"
    session_token: str | None = None

    def as_role(self, arn: str) -> Aws:
        """The same AWS with the credentials of a role."""
        found = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return Aws(self.endpoint, found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])

    def client(self, service: str, region: str = PRIMARY) -> Any:
        """A client of a service in a region. It does not try again: an answer that was wrong once is shown."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            aws_session_token=self.session_token,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=ANSWER_SECONDS),
        )

    def environment(self, region: str = PRIMARY) -> dict[str, str]:
        """What makes any AWS program talk to this cloud."""
        token = {} if self.session_token is None else {"AWS_SESSION_TOKEN": self.session_token}
        return token | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
