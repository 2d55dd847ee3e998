"""The bench's one table: target, what was measured, and whether it is met."""

from __future__ import annotations

from collections.abc import Sequence

from bench_claims import Claim

HEADINGS = ("ROW", "MEASURED", "TARGET", "MEDIAN", "FROM - TO", "OURS", "PEER", "")
TEXT_COLUMNS = 2


def table(claims: Sequence[Claim]) -> str:
    """All claims, one a line."""
    lines = [HEADINGS, *map(cells, claims)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return "\n".join(aligned(line, widths) for line in lines)


def cells(claim: Claim) -> tuple[str, ...]:
    """A claim's line."""
    bound = ">=" if claim.at_least else "<="
    return (
        claim.row,
        claim.what,
        "" if claim.target is None else f"{bound} {figure(claim.target, claim.unit)}",
        figure(claim.measured, claim.unit),
        "" if claim.low is None or claim.high is None else f"{bare(claim.low)} - {bare(claim.high)}",
        claim.ours,
        claim.peer,
        verdict(claim),
    )


def verdict(claim: Claim) -> str:
    """Met or not, and whether to believe it."""
    word = {True: "met", False: "NOT MET", None: ""}[claim.met]
    return f"{word} (noisy)".strip() if claim.noisy else word


def figure(number: float, unit: str) -> str:
    """A number with its unit; a ratio has none."""
    return bare(number) if unit == "x" else f"{bare(number)} {unit}"


def bare(number: float) -> str:
    """A number with as many digits as mean something."""
    return f"{number:.0f}" if number >= 100 else f"{number:.2f}"


def aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    """Text to the left, numbers to the right."""
    found = []
    for place, (cell, width) in enumerate(zip(line, widths, strict=True)):
        is_text = place < TEXT_COLUMNS or place == len(widths) - 1
        found.append(cell.ljust(width) if is_text else cell.rjust(width))
    return "  ".join(found).rstrip()
