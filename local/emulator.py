"""The emulated AWS: ministack out of the project's virtual environment, in an environment of its own.

Its Lambdas inherit what it is given, so it is given nothing of ours but PATH and LANG. Objects live in memory.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from folders import STATE
from server import Server, ServerFailed

MINISTACK = "ministack[full]==1.5.33"
REGION = "sa-east-1"


class Emulator(Server):
    """A ministack on a free port; `endpoint` is its address for every service."""

    name = "emulator"
    # It ends its Lambda processes itself when asked to; killed, it could not.
    death_signal = "TERM"

    def __init__(
        self, venv: Path = STATE / "venv", state: Path = STATE, options: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(state)
        self.venv = venv
        # More of ministack's own settings, for example AUTH=true.
        self.options = dict(options or {})
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        if not (self.venv / "bin" / "ministack").exists():
            raise ServerFailed(
                f"no ministack in {self.venv}: python3 -m venv {self.venv} && "
                f"{self.venv}/bin/python -m pip install '{MINISTACK}' boto3"
            )
        for name in ("tmp", "state", "home"):
            (self.folder / name).mkdir(exist_ok=True)

    def command(self) -> list[str]:
        return [str(self.venv / "bin" / "python"), "-m", "ministack"]

    def environment(self) -> Mapping[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder / "home"),
            "LANG": os.environ.get("LANG", "C.UTF-8"),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "MINISTACK_REGION": REGION,
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "TMPDIR": str(self.folder / "tmp"),
            "STATE_DIR": str(self.folder / "state"),
            **self.options,
        }

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def client_environment(self) -> dict[str, str]:
        """What an AWS client needs to talk to the emulator, besides the endpoint."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
