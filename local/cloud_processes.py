"""The processes in which the emulator runs the functions, so that a test can kill one."""

from __future__ import annotations

from pathlib import Path

from cloud_world import World


def processes_of(world: World, name: str) -> list[int]:
    """The running processes of a function: children of the emulator that carry its name."""
    wanted = f"AWS_LAMBDA_FUNCTION_NAME={world.functions.name(name)}".encode()
    endpoint = f"AWS_ENDPOINT_URL={world.aws.endpoint}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in environment and endpoint in environment:
            found.append(int(folder.name))
    return found
