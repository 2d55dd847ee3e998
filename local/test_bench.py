"""What the bench makes of its measurements."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from bench_chart import MOST, chart, share
from bench_claims import Claim
from bench_growth import bytes_read

TRACE = """\
12 pread64(9</v/vault/packs/a>, "x"..., 1024, 0) = 1024
12 read(9</v/vault/manifests/m>, "= 7"..., 100) = 50
12 read(9</v/vault/packs/a>, 0x7f00, 100) = -1 EAGAIN (Resource temporarily unavailable)
13 read(9</v/other/packs/a>, ""..., 1024) = 1024
13 read(3<socket:[1]>, ""..., 1024) = 1024
"""


def test_only_reads_of_the_vault_count() -> None:
    assert bytes_read(TRACE, "/v/vault") == 1074


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (Claim("a", "less is better", 0.9, 0.45), 2.0),
        (Claim("b", "more is better", 250, 500, "MB/s", at_least=True), 2.0),
        (Claim("c", "nothing at all", 0, 500, "MB/s", at_least=True), MOST),
    ],
)
def test_a_bar_is_as_long_as_the_way_to_the_target(claim: Claim, expected: float) -> None:
    assert share(claim) == pytest.approx(expected)


def test_the_chart_is_a_picture_with_a_bar_for_each_target() -> None:
    claims = [Claim("a", "x < y & z", 0.5, 1.0), Claim("b", "no target", 1.0, None), Claim("c", "far", 9.0, 1.0)]
    picture = ElementTree.fromstring(chart(claims))
    texts = [text.text or "" for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "a: x < y & z" in texts
    assert not any("no target" in text for text in texts)
    bars = [bar for bar in picture.iter("{http://www.w3.org/2000/svg}rect") if bar.get("fill") != "white"]
    assert [bar.get("fill") for bar in bars] == ["#2f7d4f", "#b3412e"]
