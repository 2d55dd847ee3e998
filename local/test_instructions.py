"""The comparison of instruction counts says what grew, and nothing else fails."""

from __future__ import annotations

import pytest
from instructions import STEPS, CountFailed, Counts, compare, load, total

KEPT = Counts("1.95.0", {"cut": 1000, "seal": 2000})


@pytest.mark.parametrize(
    ("cut", "good", "verdict"),
    [(1000, True, "+0.0%"), (1050, True, "+5.0%"), (1051, False, "MORE THAN 5%"), (900, True, "less")],
)
def test_more_than_a_twentieth_fails(cut: int, good: bool, verdict: str) -> None:
    lines, found = compare(KEPT, Counts("1.95.0", {"cut": cut, "seal": 2000}))
    assert found is good
    assert verdict in lines[1]


def test_a_step_without_a_kept_count_fails() -> None:
    lines, good = compare(KEPT, Counts("1.95.0", {"name": 5}))
    assert not good
    assert "NOT KEPT" in lines[1]


def test_the_total_is_read_from_callgrinds_file() -> None:
    assert total("events: Ir\nfn=main\n1 2\n\ntotals: 4711\n") == 4711
    assert total("summary: 12\n") == 12
    with pytest.raises(CountFailed):
        total("events: Ir\n")


def test_every_step_has_a_kept_count() -> None:
    assert tuple(load().steps) == STEPS
