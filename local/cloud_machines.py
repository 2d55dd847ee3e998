"""Executions of the state machines, and the loss of functions that they call."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cloud_processes import processes_of
from cloud_world import World


def ended(world: World, arn: str, seconds: float = 30) -> dict[str, Any]:
    """What became of an execution."""
    states = world.aws.client("stepfunctions")
    deadline = time.monotonic() + seconds
    while True:
        found: dict[str, Any] = states.describe_execution(executionArn=arn)
        if found["status"] != "RUNNING":
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def states_of(world: World, arn: str) -> list[str]:
    """The states that an execution entered."""
    history = world.aws.client("stepfunctions").get_execution_history(executionArn=arn, maxResults=1000)
    return [event["stateEnteredEventDetails"]["name"] for event in history["events"] if "stateEnteredEventDetails" in event]


@contextmanager
def killing(world: World, name: str, times: int) -> Iterator[list[int]]:
    """Kill processes of a function as soon as they are there, so many of them."""
    killed: list[int] = []
    over = threading.Event()

    def hunt() -> None:
        while not over.is_set() and len(killed) < times:
            for number in processes_of(world, name):
                if number not in killed and len(killed) < times:
                    time.sleep(0.05 * len(killed))
                    os.kill(number, signal.SIGKILL)
                    killed.append(number)
            time.sleep(0.005)

    hunter = threading.Thread(target=hunt)
    hunter.start()
    try:
        yield killed
    finally:
        over.set()
        hunter.join()
