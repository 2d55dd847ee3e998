"""What the bench claims: a line of its table, made of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench_measure import Measured

MIB = 2**20

Pairs = Sequence[tuple[Measured, Measured]]


@dataclass(frozen=True)
class Claim:
    """One line of the table: what was measured, and what it should be."""

    row: str
    what: str
    measured: float
    target: float | None
    unit: str = "x"
    at_least: bool = False
    low: float | None = None
    high: float | None = None
    ours: str = ""
    peer: str = ""
    noisy: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target was reached; `None` without a target."""
        if self.target is None:
            return None
        return self.measured >= self.target if self.at_least else self.measured <= self.target

    def to_json(self) -> dict[str, Any]:
        """All of it as a document."""
        return asdict(self) | {"met": self.met}


def ratio(row: str, what: str, pairs: Pairs, quantity: str, target: float | None) -> Claim:
    """Ours through the peer's, pair by pair."""
    ours = [float(getattr(one, quantity)) for one, _ in pairs]
    peers = [float(getattr(other, quantity)) for _, other in pairs]
    ratios = [one / other for one, other in zip(ours, peers, strict=True)]
    return Claim(
        row,
        what,
        median(ratios),
        target,
        low=min(ratios),
        high=max(ratios),
        ours=f"{median(ours):.1f} s",
        peer=f"{median(peers):.1f} s",
        noisy=any(run.is_noisy for pair in pairs for run in pair),
    )


def spread(
    row: str, what: str, values: Sequence[float], target: float | None, unit: str, at_least: bool = False
) -> Claim:
    """The median of several measurements."""
    return Claim(row, what, median(values), target, unit, at_least, min(values), max(values))


def mib(number: float) -> str:
    """Bytes for people."""
    return f"{number / MIB:.1f} MiB"
