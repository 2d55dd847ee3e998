"""The demo: a made-up clinic is backed up, changed, lost, restored and damaged, on a private server, and all is proved.

    make demo-offline                                    some 50 MB, half a minute
    make demo-offline ARGS="--size-mb 500 --keep"        larger, and left running to try more commands

Nothing is faked: the program is the one that was just built, the database a real MariaDB, and each step that does not
do what it should ends the demo with status 1. All of it lies in `.local/` and is gone afterwards.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import clinic
from database import SqlFailed
from demo_proof import Proof, prove, require_equal
from demo_screen import Screen, seconds, size
from demo_tool import BINARY, INTEGRITY_PROBLEM, Ran, StepFailed, Tool, exports
from folders import RunFolder
from lab import SIGNALS, Interrupted, on_signal, shown
from mariadb import MariaDb
from server import ServerFailed

CLINIC = "clinica"
TENANT_COLUMN = "tenant_id"
# The disaster: one table dropped, and all notes of one tenant deleted.
DROPPED = "resultados_laboratoriais"
DELETED_FROM = "evolucoes"
DISASTER = f"DROP TABLE {DROPPED};\nDELETE FROM {DELETED_FROM} WHERE tenant_id = 1;\n"
# A table that is restored alone comes without foreign keys to tables that were not asked for.
DROPPED_RELATIONS = (
    "ADD CONSTRAINT fk_resultados_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id), "
    "ADD CONSTRAINT fk_resultados_atendimento FOREIGN KEY (atendimento_id) REFERENCES atendimentos (id)"
)
RESCUED_TABLE, RESCUED_ROWS = "clinica_rescued_table", "clinica_rescued_rows"
# Where the damage is done: near the beginning of the oldest pack, in old rows that every backup needs.
DAMAGED_BYTE = 20_000
# A day of work must cost less than this share of a first backup, once there are more chunks than a day touches.
MOST_NEW = 0.5
FEW_CHUNKS_MB = 20


@dataclass
class State:
    """The clinic at one moment: its backup, and what its own dump came down to then."""

    name: str
    proof: Proof
    backup: dict[str, Any]

    @property
    def id(self) -> str:
        """The backup's id."""
        return str(self.backup["backup"])

    @property
    def new_bytes(self) -> int:
        """What the backup added to the vault."""
        return int(self.backup["totals"]["new_bytes"])


@dataclass
class Demo:
    """The story, a method a chapter."""

    screen: Screen
    tool: Tool
    server: MariaDb
    folder: Path
    arguments: argparse.Namespace
    figures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def vault(self) -> Path:
        """Where the backups lie."""
        return self.folder / "vault"

    def run(self) -> None:
        """All chapters in order."""
        with self.screen.step("A clinic with a database of its own"):
            self.fill()
        with self.screen.step("A key, and a look at whether all is ready"):
            self.prepare()
        with self.screen.step("The first backup"):
            first = self.back_up("first", "first backup")
        with self.screen.step("A day of work at the clinic"):
            self.work_a_day(first)
        with self.screen.step("The second backup"):
            second = self.back_up("second", "second backup")
            self.require_little_new(first, second)
        with self.screen.step("What there is"):
            self.list_backups(first, second)
        with self.screen.step("Each backup restored, and proved equal"):
            self.restore(first)
            self.restore(second)
        with self.screen.step("A disaster, and one table brought back"):
            self.lose_and_rescue(second)
        with self.screen.step("Is the vault whole?"):
            self.verify_clean()
        with self.screen.step("One byte in the vault goes bad"):
            self.damage_and_repair(first, second)

    def fill(self) -> None:
        """Fill the database."""
        wanted = self.arguments
        begun = time.monotonic()
        rows = clinic.fill(
            self.server.socket, CLINIC, wanted.size_mb, wanted.seed, wanted.tenants, say=lambda _line: None
        )
        version = self.server.sql("SELECT VERSION()").strip()
        self.screen.fact("server", f"MariaDB {version} on port {self.server.port}, started for this demo")
        self.screen.fact("clinic", f"{len(rows)} tables, {sum(rows.values()):,} rows, {wanted.tenants} tenants")
        largest = sorted(rows.items(), key=lambda item: -item[1])[:4]
        self.screen.fact("largest", ", ".join(f"{table} {count:,}" for table, count in largest))
        self.screen.fact("filled in", f"{seconds(time.monotonic() - begun)}, the same rows for the same --seed")
        self.figures.append(("clinic", f"{len(rows)} tables, {sum(rows.values()):,} rows"))

    def prepare(self) -> None:
        """Make the key, and ask the doctor."""
        self.show("keys", "create", str(self.folder / "clinic.key"))
        self.show("doctor")

    def back_up(self, name: str, label: str) -> State:
        """Take a backup of the clinic as it is now."""
        proof = prove(self.server, CLINIC)
        ran = self.show("backup")
        header = self.tool.json("list")["backups"][-1]
        state = State(name, proof, header)
        totals = header["totals"]
        if totals["rows"] != sum(clinic.counts(self.server.socket, CLINIC).values()):
            raise StepFailed(f"backup {state.id} says that it holds {totals['rows']:,} rows; the clinic has others")
        self.screen.fact("dump", f"SHA-256 {proof.short}… of {size(proof.dumped_bytes)}, to compare with later")
        self.screen.fact("vault", f"{size(self.vault_bytes())} in {self.shown(self.vault)}")
        new = f"{size(state.new_bytes)} new of {size(totals['stored_bytes'])} stored, {size(totals['raw_bytes'])} raw"
        self.figures.append((label, f"{seconds(ran.seconds)}, {new}"))
        return state

    def work_a_day(self, before: State) -> None:
        """Change the database as a day of work does."""
        touched = clinic.day(self.server.socket, CLINIC, self.arguments.seed, say=lambda _line: None)
        for kind in ("new", "changed", "removed"):
            rows = {label: count for label, count in touched.items() if label.endswith(f" {kind}")}
            tables = ", ".join(label.removesuffix(f" {kind}") for label in rows)
            self.screen.fact(kind, f"{sum(rows.values()):>6,} rows in {tables}")
        self.screen.say("and an entry in audit_log for each changed patient and note, by the triggers")
        if prove(self.server, CLINIC) == before.proof:
            raise StepFailed("the day changed nothing")

    def require_little_new(self, first: State, second: State) -> None:
        """Say what share of the second backup was new, and insist that it is small."""
        share = second.new_bytes / first.new_bytes
        if share >= MOST_NEW and self.arguments.size_mb >= FEW_CHUNKS_MB:
            raise StepFailed(f"the second backup stored {share:.1%} of the first one's bytes anew")
        new = f"{share:.1%} of the first backup's bytes: {size(second.new_bytes)}"
        self.screen.proof(f"the second backup is as whole as the first, and stored {new}")

    def list_backups(self, *states: State) -> None:
        """List the backups, which must be these, and show the last."""
        self.show("list")
        listed = [header["backup"] for header in self.tool.json("list")["backups"]]
        if listed != [state.id for state in states]:
            raise StepFailed(f"expected the backups {', '.join(state.id for state in states)}, got {', '.join(listed)}")
        self.show("show", "latest")

    def restore(self, state: State) -> None:
        """Restore a backup into a fresh database, and prove it equal to what was backed up, twice."""
        database = f"{CLINIC}_{state.name}"
        ran = self.show("restore", state.id, "--into", database)
        self.screen.proved("equal by the tool: every table read back, its row count and digest as in the backup")
        found = prove(self.server, database)
        require_equal(state.proof, found, f"database {database}, restored from backup {state.id},")
        self.screen.proved(
            f"equal by mariadb-dump: SHA-256 {found.short}…, as of the clinic when the {state.name} backup was taken"
        )
        for table in found.sorted_tables:
            self.screen.say(f"  (rows of {table}, which has no key, were sorted before they were compared)")
        self.screen.proofs.append(f"the {state.name} backup came back equal, by digests and by mariadb-dump's SHA-256")
        self.figures.append((f"restore {state.name}", f"{seconds(ran.seconds)}, verified"))

    def lose_and_rescue(self, last: State) -> None:
        """Lose a table and many rows by mistake, bring them back from the last backup, and prove the clinic as it was."""
        before = clinic.counts(self.server.socket, CLINIC)
        self.sql(DISASTER, CLINIC)
        after = clinic.counts(self.server.socket, CLINIC)
        lost = before[DELETED_FROM] - after[DELETED_FROM]
        self.screen.say(f"{before[DROPPED]:,} results are gone with their table, and {lost:,} notes.")

        ran = self.show("restore", "latest", "--into", RESCUED_TABLE, "--table", DROPPED)
        self.figures.append(("one table", f"{seconds(ran.seconds)}, verified, {before[DROPPED]:,} rows"))
        self.show("restore", "latest", "--into", RESCUED_ROWS, "--table", DELETED_FROM)
        self.sql(
            f"RENAME TABLE {RESCUED_TABLE}.{DROPPED} TO {CLINIC}.{DROPPED};\n"
            f"ALTER TABLE {DROPPED} {DROPPED_RELATIONS};\n"
            f"INSERT INTO {DELETED_FROM} SELECT * FROM {RESCUED_ROWS}.{DELETED_FROM} WHERE tenant_id = 1;\n",
            CLINIC,
        )
        require_equal(last.proof, prove(self.server, CLINIC), "the clinic after the rescue")
        self.screen.proof("after the disaster the clinic is as it was, by mariadb-dump's SHA-256")

    def verify_clean(self) -> None:
        """Verify, by looking and by reading everything."""
        self.show("verify")
        ran = self.show("verify", "--read-data")
        self.screen.proof("verify finds every object there, and every byte as it was written")
        self.figures.append(("verify all", f"{seconds(ran.seconds)}, {size(self.vault_bytes())} read"))

    def damage_and_repair(self, *states: State) -> None:
        """Flip one byte, see it found and no restore begun on it, and put it back."""
        pack = min((self.vault / "packs").iterdir())
        place = min(DAMAGED_BYTE, pack.stat().st_size // 2)
        flip(pack, place)
        try:
            self.screen.say(f"byte {place:,} of {pack.name} is flipped; the size is the same, so only reading shows it")
            hurt = self.find_damage(pack, states)
            self.refuse_to_restore(hurt)
        finally:
            flip(pack, place)
        self.screen.say("the byte is put back")
        self.show("verify", "--read-data")
        self.screen.proof("one flipped byte was found, and the backups it hurts were named; mended, all is well")

    def find_damage(self, pack: Path, states: Sequence[State]) -> str:
        """Verify must name the pack and which backups it hurts; returns one of these."""
        self.show("verify", "--read-data", expected=INTEGRITY_PROBLEM)
        report = self.tool.json("verify", "--read-data", expected=INTEGRITY_PROBLEM)
        problems = [(problem["object"], problem["backups"]) for problem in report["problems"]]
        known = {state.id for state in states}
        if len(problems) != 1 or problems[0][0] != f"packs/{pack.name}" or not set(problems[0][1]) <= known:
            raise StepFailed(f"expected one problem, in packs/{pack.name}, got {problems}")
        hurt = problems[0][1]
        if not hurt:
            raise StepFailed(f"packs/{pack.name} is damaged, but no backup is said to be hurt")
        self.screen.proved(f"found with exit status {INTEGRITY_PROBLEM}; it hurts {len(hurt)} of {len(known)} backups")
        return str(hurt[0])

    def refuse_to_restore(self, backup: str) -> None:
        """A damaged backup is not restored in part: the command fails and leaves no database."""
        database = f"{CLINIC}_damaged"
        self.show("restore", backup, "--into", database, expected=INTEGRITY_PROBLEM)
        if self.server.sql(f"SHOW DATABASES LIKE '{database}'"):
            raise StepFailed(f"the restore failed, as it should, but left database {database} behind")
        self.screen.proved("no half of it was restored: the restore failed, and its database is gone")

    def show(self, *arguments: str, expected: int = 0) -> Ran:
        """Run the tool, and show command, output, and the exit status where it is not 0."""
        self.screen.command(["gorgen-backup", *map(self.shown, arguments)])
        ran = self.tool.run(*arguments, expected=expected)
        self.screen.output(ran.out + ran.err)
        if ran.status:
            self.screen.output(f"(exit status {ran.status})")
        return ran

    def sql(self, text: str, database: str) -> None:
        """Run SQL, and show it."""
        for statement in text.strip().splitlines():
            self.screen.command([f"mariadb {database} <<<", f'"{statement}"'])
        self.server.sql(text, database)

    def shown(self, argument: str | Path) -> str:
        """An argument, and in it the demo's folder as one sees it from here."""
        return str(argument).replace(str(self.folder), shown(self.folder))

    def vault_bytes(self) -> int:
        """The size of everything in the vault."""
        return sum(path.stat().st_size for path in self.vault.rglob("*") if path.is_file())

    def summary(self, took: float) -> None:
        """What was measured and proved."""
        self.screen.section("In short")
        for label, value in self.figures:
            self.screen.fact(label, value)
        self.screen.fact("the demo", seconds(took))
        self.screen.section("Proved")
        for proof in self.screen.proofs:
            self.screen.proved(proof)

    def invite(self) -> None:
        """Say where all lies and what to try, and wait for Ctrl-C."""
        self.screen.section("Still there, until Ctrl-C. In another terminal:")
        for line in exports(self.tool.settings):
            self.screen.line(line)
        self.screen.line(f"alias gorgen-backup='{self.tool.binary}'")
        self.screen.line()
        for example in (
            "gorgen-backup list",
            "gorgen-backup show latest",
            "gorgen-backup backup",
            "gorgen-backup restore latest --into clinica_mine",
            f"gorgen-backup export latest --format sql --to {self.folder / 'export'}",
            "gorgen-backup verify --read-data",
            f"mariadb --no-defaults --socket={self.server.socket} --user=root {CLINIC}",
        ):
            self.screen.line(f"  {example}")
        self.screen.line()
        try:
            signal.pause()
        except Interrupted:
            self.screen.line()
            self.screen.line("removing server and vault")


def flip(path: Path, place: int) -> None:
    """Flip the bits of one byte of a file. Doing it twice undoes it."""
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 0xFF]))


def settings(server: MariaDb, folder: Path) -> dict[str, str]:
    """The tool's settings in the demo."""
    return {
        "GORGEN_DATABASE_URL": server.url(CLINIC),
        "GORGEN_VAULT": (folder / "vault").as_uri(),
        "GORGEN_KEYRING": (folder / "clinic.key").as_uri(),
        "GORGEN_TENANT_COLUMN": TENANT_COLUMN,
    }


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Run the demo, and return the exit status. Whatever happens, nothing is left behind."""
    begun = time.monotonic()
    with ExitStack() as cleanup:
        try:
            folder = RunFolder("demo")
            cleanup.callback(folder.remove)
            server = MariaDb()
            cleanup.callback(server.stop)
            tool = Tool(arguments.binary.resolve(), settings(server, folder.path))
            demo = Demo(screen, tool, server, folder.path, arguments)
            screen.title("gorgen-backup: encrypted backups of a clinic's database, and restores that are proved")
            server.start()
            status = finish(demo, begun)
            if arguments.keep:
                demo.invite()
            return status
        except (StepFailed, ServerFailed) as failure:
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
    except (StepFailed, SqlFailed) as failure:
        demo.screen.failure(str(failure))
        demo.screen.line(f"   The server's log is {shown(demo.server.log)}")
        return 1
    demo.summary(time.monotonic() - begun)
    return 0


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="demo_offline.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size-mb", type=int, default=50, help="of the clinic's rows as text (default 50)")
    parser.add_argument("--seed", type=int, default=7, help="another one makes up other rows (default 7)")
    parser.add_argument("--tenants", type=int, default=2, help="clinics that share the database (default 2)")
    parser.add_argument("--keep", action="store_true", help="leave server and vault there until Ctrl-C")
    parser.add_argument("--binary", type=Path, default=BINARY, help="the program (default: target/fast/gorgen-backup)")
    return parser.parse_args(argv)


def main() -> int:
    """Do what the command line says, and return the exit status."""
    arguments = parse(sys.argv[1:])
    for number in SIGNALS:
        signal.signal(number, on_signal)
    return run(arguments, Screen())


if __name__ == "__main__":
    sys.exit(main())
