"""docs/cost.md is what local/cost.py computes."""

from __future__ import annotations

import cost
from folders import PROJECT


def test_the_page_is_what_the_script_computes() -> None:
    assert (PROJECT / "docs" / "cost.md").read_text() == cost.page(), "python3 local/cost.py > docs/cost.md"


def test_a_bill_grows_with_the_database() -> None:
    small, large = (sum(line.dollars for line in cost.bill(cost.Database("", gb))) for gb in (0.5, 50.0))
    assert 0 < small < large
