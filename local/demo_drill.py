"""The disaster drill: rows deleted, a table dropped, one tenant's data ruined; each restored by calls of the API, by curl.

The commands on the screen are the commands that run, in a shell that knows `$API` and `$TOKEN`.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

from cloud_api import CONFIRMED
from cloud_deploy import CLINIC, Cloud
from demo_proof import Proof, prove, require_equal
from demo_screen import Screen, seconds
from demo_tool import StepFailed
from issuer import MASTER

RESTORE_SECONDS = 300
LOOK_EVERY_SECONDS = 0.25
CURL = 'curl -s -H "Authorization: Bearer $TOKEN"'
# What is shown of a record: enough to see that it was proved, and how to take it back.
SHOWN = ("stage", "live", "backup", "safety_backup", "undo_until")


@dataclass
class Drill:
    """A few disasters in a row, each with its own restore."""

    screen: Screen
    cloud: Cloud
    backup: str
    figures: list[tuple[str, str]] = field(default_factory=list)
    _ruined: Proof | None = None

    def run(self) -> None:
        """Ruin and restore, three times, and take the last restore back."""
        self.screen.command([f"export API='{self.cloud.api_url}' TOKEN=$(make -s token ROLE={MASTER})"])
        whole = self._proof()
        self._disaster(
            "table dropped",
            "A migration goes wrong:",
            "DROP TABLE resultados_laboratoriais",
            {"tables": ["resultados_laboratoriais"]},
            whole,
        )
        self._disaster(
            "rows deleted",
            "Half of the doctors' notes are deleted:",
            "DELETE FROM evolucoes WHERE id % 2 = 0",
            {},
            whole,
        )
        first, second = self._sql("SELECT id FROM tenants ORDER BY id LIMIT 2").split()
        self._damage("Clinic two goes on working:", f"UPDATE agendamentos SET status = 'confirmado' WHERE tenant_id = {second}")
        working = self._proof()
        restore = self._disaster(
            "tenant ruined",
            "Somebody cancels all appointments of clinic one:",
            f"UPDATE agendamentos SET status = 'cancelado', motivo = NULL WHERE tenant_id = {first}",
            {"tenant": first},
            working,
        )
        self.screen.proof("clinic one is as it was backed up, clinic two kept every change it made since")
        self._undo(restore)

    def _disaster(self, name: str, story: str, sql: str, wish: dict[str, Any], expected: Proof) -> str:
        """Ruin something, restore it, and prove all of it equal; returns the restore's id."""
        self._damage(story, sql)
        self._ruined = self._proof()
        if self._ruined == expected:
            raise StepFailed(f"{sql} changed nothing")
        begun = time.monotonic()
        body = json.dumps({"backup": self.backup, "mode": "in-place", **wish, **CONFIRMED})
        asked = self._post("/v1/restores", body)
        record = self._follow(str(asked["restore"]), "restored")
        took = seconds(time.monotonic() - begun)
        require_equal(expected, self._proof(), CLINIC)
        self.screen.proof(f"{name}: live again {took} after the call, and the whole database equal by mariadb-dump's SHA-256")
        self.figures.append((name, f"RTO {took}, from the call to data that is proved and live"))
        return str(record["restore"])

    def _undo(self, restore: str) -> None:
        """A restore was one too many."""
        self.screen.say("Was that a mistake? What was live before the restore is still there:")
        self._post(f"/v1/restores/{restore}/undo", json.dumps(CONFIRMED))
        self._follow(restore, "undone")
        assert self._ruined is not None, "ruin something first"
        require_equal(self._ruined, self._proof(), "what undo left")
        self.screen.proof("undo put back what was live before, unchanged")

    def _damage(self, story: str, sql: str) -> None:
        self.screen.say(story)
        self.screen.command([f'mariadb {CLINIC} -e "{sql}"'])
        self._sql(sql)

    def _follow(self, restore: str, wanted: str) -> dict[str, Any]:
        """Look at a restore until it rests; what was seen is told in a line."""
        look = f'"$API/v1/restores/{restore}"'
        self.screen.command([f"{CURL} {look}"])
        seen: list[str] = []
        deadline = time.monotonic() + RESTORE_SECONDS
        while time.monotonic() < deadline:
            record = self._run(f"{CURL} {look}")
            if not seen or seen[-1] != record["stage"]:
                seen.append(record["stage"])
            if record["stage"] in (wanted, "failed"):
                break
            time.sleep(LOOK_EVERY_SECONDS)
        if record["stage"] != wanted:
            raise StepFailed(f"restore {restore} is {record['stage']}, expected {wanted}: {json.dumps(record, indent=1)}")
        shown = ", ".join(f'"{name}": "{record[name]}"' for name in SHOWN if record.get(name))
        self.screen.output(f"{' → '.join(seen)}\n{{{shown}, …}}")
        return record

    def _post(self, path: str, body: str) -> dict[str, Any]:
        """Ask for a change, in front of everybody."""
        parts = [f"{CURL} -H 'Content-Type: application/json'", f"-X POST \"$API{path}\"", f"-d '{body}'"]
        self.screen.command([" \\\n       ".join(parts)])
        answer = self._run(" ".join(parts))
        self.screen.output(json.dumps(answer, ensure_ascii=False))
        if "restore" not in answer:
            raise StepFailed(f"the API refused it: {answer}")
        return answer

    def _run(self, command: str) -> dict[str, Any]:
        """Run a command in a shell that knows the API and has a token."""
        token = self.cloud.place.tokens.token(MASTER)
        ended = subprocess.run(
            ["bash", "-c", command],
            env={"PATH": os.environ["PATH"], "API": self.cloud.api_url, "TOKEN": token},
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            return dict(json.loads(ended.stdout))
        except ValueError as error:
            raise StepFailed(f"`{command}` ended with status {ended.returncode}: {ended.stdout}{ended.stderr}") from error

    def _sql(self, text: str) -> str:
        return self.cloud.place.clinic.sql(text, CLINIC)

    def _proof(self) -> Proof:
        return prove(self.cloud.place.clinic, CLINIC)
