"""What goes wrong goes wrong by its right name, is counted, and reaches the queue of dead letters."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cloud_functions import NAMES, metrics
from cloud_objects import read_record, write_record
from cloud_world import World
from folders import PROJECT

EVENTS = sorted((PROJECT / "functions").glob("*/events/*.json"))
DEAD_LETTER_SECONDS = 30


@contextmanager
def changed(world: World, key: str, change: Callable[[bytes], bytes]) -> Iterator[None]:
    """An object of the vault, changed for a while."""
    content = world.vault.get(key)
    world.vault.put(key, change(content))
    try:
        yield
    finally:
        world.vault.put(key, content)


@contextmanager
def key_disabled(world: World) -> Iterator[None]:
    """The vault's KMS key, disabled for a while."""
    kms, key = world.aws.client("kms"), world.cloud.outputs["VaultKeyArn"]
    kms.disable_key(KeyId=key)
    try:
        yield
    finally:
        kms.enable_key(KeyId=key)


def flipped(content: bytes) -> bytes:
    """The same bytes but for one in the middle."""
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "api"])
def test_unknown_fields_of_an_event_are_refused(world: World, name: str) -> None:
    answer = world.functions.invoke(name, {"read_dta": True})
    assert answer.error_type == "InvalidEvent", answer
    assert "read_dta" in answer.error_message


@pytest.mark.parametrize("job", ["backup", "verify", "restore-test"])
def test_a_disabled_key_is_named(world: World, job: str) -> None:
    events = {"verify": {"read_data": True}, "restore-test": {"from": "vault"}}
    with key_disabled(world):
        answer = world.functions.invoke(job, events.get(job, {}))
    assert answer.error_type in ("Refused", "Unavailable", "Failed"), answer
    assert "disabled" in answer.error_message.lower()


@pytest.mark.parametrize("job, event", [("verify", {"read_data": True}), ("restore-test", {"backup": "latest", "from": "vault"})])
def test_a_flipped_byte_is_an_integrity_error(world: World, job: str, event: dict[str, Any]) -> None:
    pack = max(world.vault.objects("packs/").items(), key=lambda item: item[1][0])[0]
    with changed(world, pack, flipped):
        answer = world.functions.invoke(job, event)
    assert answer.error_type == "Integrity", answer
    assert pack in answer.error_message


def test_the_key_of_another_id_is_an_integrity_error(world: World) -> None:
    """A wrapped key stands for one vault and id: KMS refuses it in the place of another."""
    first, second = sorted(world.vault.objects("keys/"))[:2]
    wrapped = read_record(world.vault.get(second))["wrapped"]

    def swap(content: bytes) -> bytes:
        return write_record(read_record(content) | {"wrapped": wrapped})

    with changed(world, first, swap):
        answer = world.functions.invoke("verify", {"read_data": True})
    assert answer.error_type == "Integrity", answer


def test_a_failure_nobody_waits_for_is_counted_and_reaches_the_dead_letters(world: World) -> None:
    queue, sqs = world.cloud.outputs["DeadLetterQueueUrl"], world.aws.client("sqs")
    sqs.purge_queue(QueueUrl=queue)
    begun = time.time()
    world.functions.send("verify", {"backup": "20200101T000000Z-00000000"})
    found: list[Any] = []
    while not found and time.time() < begun + DEAD_LETTER_SECONDS:
        found = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", [])
    (message,) = found
    body = json.loads(message["Body"])
    assert body["responsePayload"]["errorType"] == "NotFound", body
    assert sum(line.get("Failed", 0) for line in metrics(world.functions.log("verify", begun - 1))) >= 1


@pytest.mark.parametrize("file", EVENTS, ids=lambda file: f"{file.parent.parent.name}/{file.stem}")
def test_a_console_event_works_or_is_refused_as_its_name_says(world: World, file: Path) -> None:
    name = file.parent.parent.name
    answer = world.functions.invoke(name, json.loads(file.read_text("utf-8")))
    if file.stem.startswith("refused-"):
        assert answer.error_type in ("InvalidEvent", "NotFound", "Refused"), answer
    else:
        assert not answer.failed, answer


def test_the_api_lets_nobody_in_without_a_token(world: World) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{world.cloud.api_url}/v1/backups", timeout=10)
    assert refused.value.code == 401
