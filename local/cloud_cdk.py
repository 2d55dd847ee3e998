"""The real CDK app, deployed to the emulated AWS: synthesized, copied, and what the emulator can't take taken out.

The app itself knows nothing of emulators. All that differs from a deploy to AWS is done here, on a copy of what was
synthesized, and said aloud.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cloud_fill_in
import cloud_templates
from cloud_aws import ACCOUNT, PRIMARY, REPLICA, Aws
from cloud_templates import Stack
from folders import PROJECT
from lab import FOREIGN_AWS

CDK = PROJECT / "infra" / "node_modules" / ".bin" / "cdk"
LOG_LINES_SHOWN = 25

Say = Callable[[str], None]


class DeployFailed(Exception):
    """CDK ended with an error; the message holds the end of what it said."""


class App:
    """The CDK app and a folder for what it makes."""

    def __init__(self, aws: Aws, folder: Path, say: Say) -> None:
        if not CDK.exists():
            raise DeployFailed(f"{CDK} is not there: npm ci --prefix infra")
        self.aws = aws
        self.folder = folder
        self.synthesized = folder / "cdk.out"
        self.emulated = folder / "cdk.emulated"
        self.log = folder / "cdk.log"
        self._say = say
        folder.mkdir(parents=True, exist_ok=True)

    def bootstrap(self) -> None:
        """Prepare both regions for CDK, side by side."""
        begun = time.monotonic()
        self._cdk_each([["bootstrap", f"aws://{ACCOUNT}/{region}"] for region in (PRIMARY, REPLICA)])
        self._say(f"CDK bootstrap of {PRIMARY} and {REPLICA} ({time.monotonic() - begun:.1f} s)")

    def synthesize(self, context: Mapping[str, str]) -> list[Stack]:
        """Synthesize the app for the environment `demo`, and copy what came out; returns the copy's stacks."""
        begun = time.monotonic()
        given = [argument for key, value in context.items() for argument in ("--context", f"{key}={value}")]
        shutil.rmtree(self.synthesized, ignore_errors=True)
        self._cdk("synth", "--quiet", "--output", str(self.synthesized), *given)
        shutil.rmtree(self.emulated, ignore_errors=True)
        shutil.copytree(self.synthesized, self.emulated, symlinks=True)
        stacks = cloud_templates.stacks(self.emulated)
        self._say(f"CDK synthesized {len(stacks)} stacks for {PRIMARY} and {REPLICA} ({time.monotonic() - begun:.1f} s)")
        return stacks

    def deploy(self, stacks: Sequence[Stack]) -> dict[str, str]:
        """Deploy the stacks in their order, fill in what the emulator drops, and return the outputs of all."""
        for stack in stacks:
            cloud_fill_in.take_out_metric_math(stack, self._say)
        with_keys = [stack for stack in stacks if cloud_fill_in.has_key_of_many_regions(stack)]
        outputs = self._deploy(with_keys)
        others = [stack for stack in stacks if stack not in with_keys]
        for stack in with_keys:
            cloud_fill_in.replicate_keys(self.aws, stack, others, REPLICA, self._say)
        outputs |= self._deploy(others)
        cloud_fill_in.fill_in_buckets(self.aws, stacks, self._say)
        return outputs

    def _deploy(self, stacks: Sequence[Stack]) -> dict[str, str]:
        begun = time.monotonic()
        file = self.folder / "outputs.json"
        file.unlink(missing_ok=True)
        self._cdk(
            "deploy",
            *(stack.artifact for stack in stacks),
            "--app",
            str(self.emulated),
            "--exclusively",
            "--require-approval=never",
            "--method=direct",
            f"--outputs-file={file}",
        )
        names = ", ".join(stack.name for stack in stacks)
        self._say(f"deployed {names} ({time.monotonic() - begun:.1f} s)")
        found = json.loads(file.read_text("utf-8")) if file.exists() else {}
        return {key: value for outputs in found.values() for key, value in outputs.items()}

    def _cdk(self, *arguments: str) -> None:
        self._cdk_each([arguments])

    def _cdk_each(self, commands: Sequence[Sequence[str]]) -> None:
        """Run CDK commands side by side to their ends; `DeployFailed` with what the first bad one said."""
        with open(self.log, "ab") as log:
            running = []
            for arguments in commands:
                log.write(f"$ cdk {' '.join(arguments)}\n".encode())
                log.flush()
                running.append(
                    subprocess.Popen(
                        [str(CDK), "--ci", "--no-color", *arguments],
                        cwd=self.folder if arguments[0] == "bootstrap" else PROJECT,
                        env=self._environment(),
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                    )
                )
            statuses = [process.wait() for process in running]
        for arguments, status in zip(commands, statuses, strict=True):
            if status != 0:
                end = "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-LOG_LINES_SHOWN:])
                raise DeployFailed(f"`cdk {arguments[0]}` ended with status {status}, log {self.log}:\n{end}")

    def _environment(self) -> dict[str, str]:
        """Ours, without the credentials of the person at the keyboard, and pointing at the emulator."""
        ours = {name: value for name, value in os.environ.items() if name not in FOREIGN_AWS}
        account = {"CDK_DEFAULT_ACCOUNT": ACCOUNT, "CDK_DEFAULT_REGION": PRIMARY}
        quiet = {"CDK_DISABLE_CLI_TELEMETRY": "true", "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}
        return ours | self.aws.environment() | account | quiet
