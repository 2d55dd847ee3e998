"""The demo: the functions in an emulated AWS back a made-up clinic up by themselves; disasters strike, a region is lost, all is
restored.

    make demo                                    some 20 MB, two to three minutes
    make demo ARGS="--size-mb 200 --keep"        larger, and left running to try more commands

The functions, the CDK app, the database and the program are the real ones; AWS is emulated, and where the emulator
needs help the screen says "emulated". Each step that does not do what it should ends the demo with status 1. All of it
lies in `.local/` and is gone afterwards. `make demo-offline` shows the same engine without any AWS.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

import clinic
import cloud_deploy
from cloud_aws import PRIMARY, REPLICA
from cloud_cdk import DeployFailed
from cloud_deploy import BINARIES, CLINIC, Cloud
from cloud_functions import metrics
from cloud_objects import Bucket, TooLate, read_record, schedule_of, switch_off
from cloud_servers import CloudServers
from database import SqlFailed
from demo_drill import Drill
from demo_proof import Proof, prove, require_equal
from demo_screen import Screen, seconds, size
from demo_tool import BINARY, StepFailed, Tool, exports
from folders import RunFolder
from issuer import ADMIN
from lab import SIGNALS, Interrupted, on_signal, shown
from server import ServerFailed

# The schedule says every minute, and the emulator looks every ten seconds.
SCHEDULE_SECONDS = 120
SHOWN_METRICS = ("Succeeded", "Failed", "DurationSeconds", "RowsRead", "BytesNew", "PeakMemoryBytes")
COPIED = ("keys/", "packs/", "manifests/", "runs/")
RESTORED = f"{CLINIC}_de_volta"
# A day of work must cost less than this share of a first backup, once there are more chunks than a day touches.
MOST_NEW = 0.5
FEW_CHUNKS_MB = 20
FAILURES = (StepFailed, ServerFailed, DeployFailed, SqlFailed, TooLate, BotoCoreError, ClientError)


@dataclass
class Demo:
    """The story, a method a chapter."""

    screen: Screen
    servers: CloudServers
    folder: Path
    arguments: argparse.Namespace
    figures: list[tuple[str, str]] = field(default_factory=list)
    _cloud: Cloud | None = None

    @property
    def cloud(self) -> Cloud:
        """What was deployed."""
        assert self._cloud is not None, "deploy first"
        return self._cloud

    @property
    def vault(self) -> Bucket:
        """The vault's bucket."""
        return Bucket(self.cloud.place.aws, self.cloud.outputs["VaultBucket"], PRIMARY)

    @property
    def replica(self) -> Bucket:
        """Its copy in the second region."""
        return Bucket(self.cloud.place.aws, self.cloud.outputs["ReplicaBucket"], REPLICA)

    def run(self) -> None:
        """All chapters in order."""
        with self.screen.step("A clinic with a database of its own"):
            self.fill()
        with self.screen.step("The stacks, deployed"):
            self.deploy()
        with self.screen.step("The schedule fires: the first backup"):
            first = self.wait_for_schedule()
        with self.screen.step("Where it lies: in two regions, locked"):
            self.look_at_vault()
        with self.screen.step("A day of work, and a backup by hand"):
            self.work_a_day(first)
            second, proof = self.back_up()
            self.require_little_new(first, second)
        with self.screen.step("A restore test, as every Sunday"):
            self.test_restore(second)
        with self.screen.step("Is the vault whole? As every Monday"):
            self.verify()
        with self.screen.step("The disaster drill, by calls of the API"):
            self.drill(second)
        with self.screen.step("sa-east-1 is lost"):
            self.lose_region(second, proof)

    def fill(self) -> None:
        """Fill the database."""
        place, wanted = self.servers.place, self.arguments
        rows = cloud_deploy.fill_clinic(place, lambda _line: None, wanted.size_mb, wanted.seed, wanted.tenants)
        self.screen.fact("server", f"MariaDB {place.clinic.sql('SELECT VERSION()').strip()}, port {place.clinic.port}")
        self.screen.fact("clinic", f"{len(rows)} tables, {sum(rows.values()):,} rows, {wanted.tenants} tenants")
        self.screen.fact("scratch", f"a second, empty server for restore tests, port {place.scratch.port}")
        self.figures.append(("clinic", f"{len(rows)} tables, {sum(rows.values()):,} rows"))

    def deploy(self) -> None:
        """Deploy the app."""
        place = self.servers.place
        self.screen.fact("AWS", f"emulated by ministack at {place.aws.endpoint}")
        self._cloud = cloud_deploy.deploy(place, self.folder, self.screen.say, self.arguments.binaries.resolve())
        for name in self.cloud.functions.names():
            found = self.cloud.functions.configuration(name)
            self.screen.fact("function", f"{found['FunctionName']:28} {size(found['CodeSize']):>9} zipped")

    def wait_for_schedule(self) -> dict[str, Any]:
        """Wait for the schedule to start a backup, then switch it off: what comes next is by hand."""
        aws, functions = self.cloud.place.aws, self.cloud.functions
        schedule = schedule_of(aws, functions.name("backup"))
        self.screen.fact("schedule", f"{schedule['Name']}: {schedule['ScheduleExpression']} (in production daily, 03:00)")
        self.screen.say("nobody calls it now; the scheduler does, within some 70 seconds ...")
        self.vault.wait_for_new("manifests/", set(), SCHEDULE_SECONDS)
        switch_off(aws, schedule)
        run = read_record(self.vault.get(self.vault.wait_for_new("runs/", set(), 10)))
        if run["outcome"] != "succeeded":
            raise StepFailed(f"the run's record says {run}")
        self.screen.proof("a schedule started the first backup, and nobody else")
        backup = self.list_backups(1)[0]
        totals = backup["totals"]
        figures = self.measured("backup")
        self.screen.fact("metrics", ", ".join(f"{name} {figures[name]:,.10g}" for name in SHOWN_METRICS))
        taken = f"{size(totals['new_bytes'])} new of {size(totals['stored_bytes'])} stored, {size(totals['raw_bytes'])} raw"
        self.figures.append(("first backup", f"by the schedule, {taken}"))
        return dict(backup)

    def measured(self, name: str) -> dict[str, Any]:
        """The figures of a function's last metric line."""
        lines = metrics(self.cloud.functions.log(name))
        if not lines:
            raise StepFailed(f"{name} wrote no metrics to {self.cloud.functions.log_group(name)}")
        return {key: value for key, value in lines[-1].items() if key != "_aws"}

    def look_at_vault(self) -> None:
        """The replica holds the same, and nobody deletes a version."""
        for prefix in COPIED:
            here, there = self.vault.objects(prefix), self.replica.objects(prefix)
            if here != there or not here:
                raise StepFailed(f"{prefix} holds {len(here)} objects in {PRIMARY}, {len(there)} in {REPLICA}")
            total = sum(length for length, _ in here.values())
            self.screen.fact(prefix, f"{len(here):>3} objects, {size(total):>9}, the same in {PRIMARY} and {REPLICA}")
        self.screen.proof("S3 copied every object to the second region")
        self.refuse_delete()

    def refuse_delete(self) -> None:
        """Object Lock keeps a version, whoever asks."""
        s3, key = self.vault.s3, next(iter(self.vault.objects("packs/")))
        version = s3.head_object(Bucket=self.vault.name, Key=key)["VersionId"]
        self.screen.command(["aws s3api delete-object", f"--key {key}", f"--version-id {version[:8]}…"])
        try:
            s3.delete_object(Bucket=self.vault.name, Key=key, VersionId=version)
        except ClientError as refused:
            self.screen.output(str(refused))
            self.screen.proof("Object Lock kept a pack that an administrator wanted to delete")
            return
        raise StepFailed(f"{key} could be deleted")

    def work_a_day(self, before: dict[str, Any]) -> None:
        """Change the database as a day of work does."""
        touched = clinic.day(self.servers.clinic.socket, CLINIC, self.arguments.seed, say=lambda _line: None)
        self.screen.say(f"{sum(touched.values()):,} rows are new, changed or removed since {before['backup']}")

    def back_up(self) -> tuple[dict[str, Any], Proof]:
        """Invoke the backup by hand."""
        proof = prove(self.servers.clinic, CLINIC)
        took = self.invoke("backup")
        backup = self.list_backups(2)[-1]
        self.figures.append(("second backup", f"by hand, {seconds(took)}, {size(backup['totals']['new_bytes'])} new"))
        return dict(backup), proof

    def require_little_new(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        """Say what share of the second backup was new, and insist that it is small."""
        share = second["totals"]["new_bytes"] / first["totals"]["new_bytes"]
        if share >= MOST_NEW and self.arguments.size_mb >= FEW_CHUNKS_MB:
            raise StepFailed(f"the second backup stored {share:.1%} of the first one's bytes anew")
        self.screen.proof(f"the second backup is as whole as the first, and stored {share:.1%} of its bytes")

    def test_restore(self, backup: dict[str, Any]) -> None:
        """Invoke the restore test."""
        before = self.servers.scratch.sql("SHOW DATABASES")
        took = self.invoke("restore-test")
        if self.servers.scratch.sql("SHOW DATABASES") != before:
            raise StepFailed("the restore test left a database behind")
        self.screen.proof(f"{backup['backup']} was restored on the scratch server and found equal; nothing stayed there")
        self.figures.append(("restore test", seconds(took)))

    def verify(self) -> None:
        """Invoke verify, reading all."""
        took = self.invoke("verify", {"read_data": True})
        self.screen.proof("every object is there, and every byte as it was written")
        self.figures.append(("verify all", seconds(took)))

    def drill(self, backup: dict[str, Any]) -> None:
        """Ruin the database, and restore it as an administrator does."""
        drill = Drill(self.screen, self.cloud, backup["backup"])
        drill.run()
        self.figures.extend(drill.figures)

    def lose_region(self, backup: dict[str, Any], expected: Proof) -> None:
        """Disable the primary key, and restore from the second region on a new server."""
        kms, key = self.cloud.place.aws.client("kms"), self.cloud.outputs["VaultKeyArn"]
        self.screen.command([f"aws kms disable-key --region {PRIMARY} --key-id {key.rsplit('/', 1)[1]}"])
        kms.disable_key(KeyId=key)
        place = self.servers.place
        here = Tool(self.arguments.binary.resolve(), self.cloud.settings())
        failed = here.run("restore", backup["backup"], "--into", RESTORED, expected=1)
        self.screen.output(failed.err, most=4)
        self.screen.say(f"In {PRIMARY} no backup can be opened any more. Now from {REPLICA}, with its own key:")

        settings = self.cloud.settings(REPLICA, database=place.scratch)
        there = Tool(self.arguments.binary.resolve(), settings)
        for name in ("AWS_REGION", "GORGEN_VAULT", "GORGEN_KEYRING"):
            self.screen.command([f"export {name}={settings[name]}"])
        self.screen.command([f"gorgen-backup restore {backup['backup']} --into {RESTORED}"])
        ran = there.run("restore", backup["backup"], "--into", RESTORED)
        self.screen.output(ran.out + ran.err)
        require_equal(expected, prove(self.servers.scratch, RESTORED), RESTORED)
        self.screen.proof(f"{backup['backup']} came back from {REPLICA} alone, equal by mariadb-dump's SHA-256")
        self.figures.append(("region lost", f"{seconds(ran.seconds)} to restore from the replica, proved"))
        kms.enable_key(KeyId=key)

    def invoke(self, name: str, event: dict[str, Any] | None = None) -> float:
        """Invoke a function, show its answer, and return how long it took."""
        words = ["make invoke", f"FN={name}"]
        self.screen.command(words + ([f"EVENT='{json.dumps(event)}'"] if event else []))
        answer = self.cloud.functions.invoke(name, event)
        if answer.failed:
            raise StepFailed(f"{name} failed with {answer.error_type}: {answer.error_message}\n{answer.log}")
        self.screen.output(json.dumps(answer.payload, ensure_ascii=False, indent=2))
        return answer.seconds

    def list_backups(self, expected: int) -> list[dict[str, Any]]:
        """List the backups by the command line: so many there must be."""
        tool = Tool(self.arguments.binary.resolve(), self.cloud.settings())
        self.screen.command(["gorgen-backup list"])
        self.screen.output(tool.run("list").out)
        backups = list(tool.json("list")["backups"])
        if len(backups) != expected:
            raise StepFailed(f"{len(backups)} backups are on the list, expected {expected}")
        return backups

    def summary(self, took: float) -> None:
        """What was measured, proved, and only emulated."""
        self.screen.section("In short")
        for label, value in self.figures:
            self.screen.fact(label, value)
        self.screen.fact("the demo", seconds(took))
        self.screen.section("Proved")
        for proof in self.screen.proofs:
            self.screen.proved(proof)
        self.screen.section("Emulated, so not proved")
        self.screen.say("S3, KMS, Lambda and Scheduler are ministack's. What AWS itself does it can't show: the lag of a")
        self.screen.say("real replication, encryption at rest, IAM, time zones of schedules, arm64, memory limits.")

    def invite(self) -> None:
        """Say where all lies and what to try, and wait for Ctrl-C."""
        place, outputs = self.servers.place, self.cloud.outputs
        self.screen.section("Still there, until Ctrl-C. In another terminal:")
        for line in exports(self.cloud.settings()):
            self.screen.line(line)
        self.screen.line(f"alias gorgen-backup='{self.arguments.binary}'")
        self.screen.line()
        for key, value in sorted(outputs.items()):
            self.screen.fact(key, value)
        self.screen.line()
        for example in (
            "gorgen-backup list",
            "gorgen-backup restore latest --into clinica_mine",
            f"curl -H 'Authorization: Bearer {place.tokens.token(ADMIN)}' '{self.cloud.api_url}/v1/status'",
            f"mariadb --no-defaults --socket={place.clinic.socket} --user=root {CLINIC}",
        ):
            self.screen.line(f"  {example}")
        self.screen.line()
        try:
            signal.pause()
        except Interrupted:
            self.screen.line()
            self.screen.line("removing servers and vault")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Run the demo, and return the exit status. Whatever happens, nothing is left behind."""
    begun = time.monotonic()
    with ExitStack() as cleanup:
        try:
            folder = RunFolder("demo")
            cleanup.callback(folder.remove)
            screen.title("gorgen-backup: a clinic's backups in the cloud, by schedule, in two regions, and restores that are proved")
            servers = cleanup.enter_context(CloudServers())
            demo = Demo(screen, servers, folder.path, arguments)
            status = finish(demo, begun)
            if arguments.keep and status == 0:
                demo.invite()
            return status
        except ServerFailed as failure:
            screen.failure(str(failure))
            return 1
        except Interrupted as interrupted:
            return 128 + interrupted.number
        finally:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)


def finish(demo: Demo, begun: float) -> int:
    """Run all steps, say how it went, and return the exit status."""
    try:
        demo.run()
    except FAILURES as failure:
        demo.screen.failure(str(failure))
        demo.screen.line(f"   The emulator's log is {shown(Path(demo.servers.place.emulator_log))}")
        return 1
    demo.summary(time.monotonic() - begun)
    return 0


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="demo.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size-mb", type=int, default=20, help="of the clinic's rows as text (default 20)")
    parser.add_argument("--seed", type=int, default=7, help="another one makes up other rows (default 7)")
    parser.add_argument("--tenants", type=int, default=2, help="clinics that share the database (default 2)")
    parser.add_argument("--keep", action="store_true", help="leave all of it there until Ctrl-C")
    parser.add_argument("--binary", type=Path, default=BINARY, help="the program (default: target/fast/gorgen-backup)")
    parser.add_argument("--binaries", type=Path, default=BINARIES, help="the functions (default: target/lambda)")
    return parser.parse_args(argv)


def main() -> int:
    """Do what the command line says, and return the exit status."""
    arguments = parse(sys.argv[1:])
    for number in SIGNALS:
        signal.signal(number, on_signal)
    return run(arguments, Screen())


if __name__ == "__main__":
    sys.exit(main())
