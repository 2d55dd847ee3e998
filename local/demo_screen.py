"""What the demo shows: steps with headings and times, commands as one would type them, facts and proofs.

Colours only on a terminal, and not where `NO_COLOR` is set.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

WIDTH = 100
LABEL_WIDTH = 15


class Screen:
    """A place to print to, with the demo's few kinds of lines."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._in_colour = stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        self._steps = 0
        self.proofs: list[str] = []
        self.current = "the beginning"

    def title(self, text: str) -> None:
        """The demo's own heading."""
        self.line(self._paint("1", text))

    @contextmanager
    def step(self, heading: str) -> Iterator[None]:
        """A numbered step; its time stands under what it printed."""
        self._steps += 1
        self.current = f"step {self._steps}, {heading}"
        rule = "─" * max(WIDTH - len(heading) - 8, 3)
        self.line()
        self.line(self._paint("1;36", f"── {self._steps:>2}  {heading} {rule}"))
        begun = time.monotonic()
        yield
        self.line(self._paint("2", f"   {seconds(time.monotonic() - begun)}"))

    def section(self, heading: str) -> None:
        """A heading without a number."""
        self.line()
        self.line(self._paint("1", heading))

    def say(self, text: str) -> None:
        """A sentence."""
        self.line(f"   {text}")

    def fact(self, label: str, value: str) -> None:
        """A figure with its name."""
        self.line(f"   {self._paint('2', f'{label:<{LABEL_WIDTH}}')} {value}")

    def command(self, words: Sequence[str]) -> None:
        """A command, as it was given."""
        self.line(f"   {self._paint('33', '$ ' + ' '.join(words))}")

    def output(self, text: str, most: int = 40) -> None:
        """What a command printed, word for word; of a long text the beginning."""
        lines = text.rstrip("\n").splitlines()
        for line in lines[:most]:
            self.line(self._paint("2", "   │ ") + line)
        if len(lines) > most:
            self.line(self._paint("2", f"   │ ... and {len(lines) - most} more lines"))

    def proof(self, text: str) -> None:
        """Something that was proved; it is named again at the end."""
        self.proofs.append(text)
        self.proved(text)

    def proved(self, text: str) -> None:
        """A line with a tick."""
        self.line(f"   {self._paint('1;32', '✔')} {text}")

    def failure(self, text: str) -> None:
        """Why the demo ends here."""
        self.line()
        self.line(self._paint("1;31", f"✘ The demo failed in {self.current}"))
        for line in text.splitlines():
            self.line(f"   {line}")

    def line(self, text: str = "") -> None:
        """A line, at once. Whoever reads it may stop reading."""
        print(text, file=self._stream, flush=True)

    def _paint(self, colour: str, text: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._in_colour else text


def seconds(duration: float) -> str:
    """A duration for people."""
    return f"{duration:.1f} s" if duration < 120 else f"{duration / 60:.1f} min"


def size(number: float) -> str:
    """Bytes for people, in the units the tool itself uses."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024 or unit == "GiB":
            break
        number /= 1024
    return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
