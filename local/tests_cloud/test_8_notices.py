"""People hear of what went wrong within seconds, of what went well only if they want to, and of no patient ever."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from cloud_world import World, succeeded

SECONDS = 20
# Nothing comes later than this after a function has answered: it sends before it does.
QUIET_SECONDS = 4
MARKER = "maria-da-silva-marcador"


@dataclass(frozen=True)
class Mailbox:
    """A queue that gets what subscribers of the topic get."""

    sqs: Any
    url: str

    def read(self, seconds: float, about: str) -> list[dict[str, str]]:
        """What has come about a job, as soon as something has; nothing, if nothing comes in this time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            found = answer.get("Messages", [])
            for message in found:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            mails = [json.loads(message["Body"]) for message in found]
            # Alarms come over the same topic, and restores that earlier tests began may still be on their way.
            notices = [mail for mail in mails if mail.get("Subject", "").startswith(f"[gorgen-backup] {about}")]
            if notices:
                return notices
        return []

    def empty(self) -> None:
        """Throw away what has come so far."""
        while self.read(1, ""):
            pass


@pytest.fixture(scope="module")
def mailbox(backed_up: World) -> Mailbox:
    """A mailbox that subscribed to the topic of the functions."""
    world = backed_up
    topic = settings_of(world, "backup")["GORGEN_NOTICE_TOPIC"]
    sqs = world.aws.client("sqs")
    url = sqs.create_queue(QueueName="gorgen-test-mailbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    world.aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return Mailbox(sqs, url)


def settings_of(world: World, name: str) -> dict[str, str]:
    """The settings that a function was given."""
    return dict(world.functions.configuration(name)["Environment"]["Variables"])


@contextmanager
def changed_settings(world: World, name: str, **changes: str) -> Iterator[None]:
    """A function with other settings for a while; each change gives it a new process."""
    kept = settings_of(world, name)
    change = world.aws.client("lambda").update_function_configuration
    change(FunctionName=world.functions.name(name), Environment={"Variables": kept | changes})
    try:
        yield
    finally:
        change(FunctionName=world.functions.name(name), Environment={"Variables": kept})


def test_a_backup_that_fails_is_told_with_what_it_means_and_what_to_do(backed_up: World, mailbox: Mailbox) -> None:
    mailbox.empty()
    database = settings_of(backed_up, "backup")["GORGEN_DATABASE_URL"].rsplit("/", 1)[1]
    nowhere = f"mysql://127.0.0.1:1/{database}"
    with changed_settings(backed_up, "backup", GORGEN_DATABASE_URL=nowhere):
        begun = time.monotonic()
        answer = backed_up.functions.invoke("backup")
        (mail,) = mailbox.read(SECONDS, "backup")
        assert time.monotonic() - begun < SECONDS
    # A vault is one database's: another address is refused before it is tried.
    assert answer.error_type == "Refused", answer
    assert mail["Subject"] == "[gorgen-backup] backup FALHOU: Refused"
    text = mail["Message"]
    for part in ("O QUE ACONTECEU", "O QUE ISSO SIGNIFICA", "O QUE FAZER", "O backup mais recente é de"):
        assert part in text, text
    assert "(America/Sao_Paulo)" in text, text


def test_a_success_is_no_news_unless_somebody_wants_it(backed_up: World, mailbox: Mailbox) -> None:
    mailbox.empty()
    succeeded(backed_up.functions.invoke("verify"))
    assert mailbox.read(QUIET_SECONDS, "verifica") == []
    with changed_settings(backed_up, "verify", GORGEN_NOTICES="all", GORGEN_LANG="en"):
        succeeded(backed_up.functions.invoke("verify"))
        (mail,) = mailbox.read(SECONDS, "verifica")
    assert mail["Subject"] == "[gorgen-backup] verification: SUCCESS"
    assert "The newest backup is of" in mail["Message"]


def test_a_reminder_of_the_offline_copy_is_a_notice_and_no_report(backed_up: World, mailbox: Mailbox) -> None:
    before = backed_up.admin.get("/v1/reports")["reports"]
    assert succeeded(backed_up.functions.invoke("report", {"remind": "offline-copy"})) == {"reminder": "offline-copy"}
    (mail,) = mailbox.read(SECONDS, "LEMBRETE")
    assert mail["Subject"] == "[gorgen-backup] LEMBRETE: copia offline"
    assert "`gorgen-backup export latest --format offline --to DIR`" in mail["Message"]
    assert backed_up.admin.get("/v1/reports")["reports"] == before


def test_wrong_settings_are_told_by_their_names(backed_up: World, mailbox: Mailbox) -> None:
    mailbox.empty()
    with changed_settings(backed_up, "cleanup", GORGEN_READERS=MARKER):
        assert backed_up.functions.invoke("cleanup").error_type == "InvalidSettings"
        (mail,) = mailbox.read(SECONDS, "limpeza")
    assert mail["Subject"] == "[gorgen-backup] limpeza FALHOU: InvalidSettings"
    assert "GORGEN_READERS" in mail["Message"]
    assert MARKER not in mail["Message"]


def test_what_a_caller_writes_into_an_event_is_in_no_notice(backed_up: World, mailbox: Mailbox) -> None:
    """It is in the answer, which the caller alone sees. What servers quote is tried where their errors are made."""
    mailbox.empty()
    # A process of its own: one cause is told once in five minutes.
    with changed_settings(backed_up, "restore-test", GORGEN_LANG="en"):
        unknown = backed_up.functions.invoke("restore-test", {MARKER: True})
        assert unknown.error_type == "InvalidEvent" and MARKER in unknown.error_message, unknown
        missing = backed_up.functions.invoke("restore-test", {"backup": MARKER})
        assert missing.error_type == "NotFound" and MARKER in missing.error_message, missing
    mails = mailbox.read(SECONDS, "restore test") + mailbox.read(QUIET_SECONDS, "restore test")
    assert {mail["Subject"].split()[-1] for mail in mails} == {"InvalidEvent", "NotFound"}, mails
    assert MARKER not in json.dumps(mails)


def test_a_notice_that_nobody_takes_changes_nothing(backed_up: World) -> None:
    begun = time.time()
    gone = settings_of(backed_up, "verify")["GORGEN_NOTICE_TOPIC"] + "-gone"
    with changed_settings(backed_up, "verify", GORGEN_NOTICE_TOPIC=gone, GORGEN_NOTICES="all"):
        succeeded(backed_up.functions.invoke("verify"))
    lines = backed_up.functions.log("verify", begun - 1)
    assert any("cannot send a notice to" in line and "ERROR" in line for line in lines), lines
