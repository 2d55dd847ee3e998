"""What the bench makes of its measurements."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from bench_chart import MOST, chart, share
from bench_claims import Claim
from bench_growth import bytes_read
from bench_measure import Measured
from bench_scale import AXES, JOBS, ROWS, SIZES, TABLES, TENANTS, claims, documents, points, sizes, small_table
from bench_scale_chart import chart as scale_chart

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


def scale_run(axis: str, step: int, job: str, wall: float, raw: int = 10**9, **facts: int) -> Measured:
    told = {"axis": axis, "step": step, "job": job, "statements": 0, "vault_bytes": 1, "raw_bytes": raw} | facts
    return Measured(f"gorgen-backup {job}", wall, 2 * wall, 64 << 20, 0.0, 0.0, told)


def scale_runs() -> list[Measured]:
    """Runs at all steps, each taking a second, but for those that a test looks at."""
    walls = {("size", 4000): 50.0, ("tables", 2000): 6.0, ("tables", 500): 2.0}
    return [
        scale_run(
            axis.name,
            step,
            job,
            walls.get((axis.name, step), 1.0),
            step * 10**6 if axis is SIZES else 10**9,
            statements=100 + 7 * step,
            vault_bytes=1000 + step,
        )
        for axis in AXES
        for step in axis.steps
        for job in JOBS
    ]


def test_a_point_is_the_median_of_its_runs_and_the_most_of_their_memory() -> None:
    runs = [scale_run("size", 10, "backup", wall) for wall in (3.0, 1.0, 2.0)]
    [point] = points([*runs, Measured("cut off", 9.0, 9.0, 9, 0.0, 0.0)])
    assert (point.wall, point.cpu, point.peak_bytes, point.raw_bytes) == (2.0, 4.0, 64 << 20, 10**9)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("backup, wall per GB, 4,000 MB / 100 MB", 50 / 4 / (1 / 0.1)),
        ("restore, client CPU per table, 2,000 tables / 500 tables", 0.75),
        ("backup, wall per GB, 16 MB rows / 10 KB rows", 1.0),
        ("peak of restore, 2 tenants to 1,000 tenants", 64),
        ("vault, 1,000 tenants / 2 tenants", 2000 / 1002),
        ("statements of a first backup per table, 500 tables to 2,000 tables", 7),
    ],
)
def test_what_one_costs_at_the_end_is_compared_with_the_middle(what: str, expected: float) -> None:
    found = {claim.what: claim.measured for axis in AXES for claim in claims(axis, points(scale_runs()))}
    assert found[what] == pytest.approx(expected)


def test_an_axis_that_is_cut_short_is_compared_with_what_it_has() -> None:
    assert [sizes(4000), sizes(50), sizes(5)] == [[10, 100, 1000, 4000], [10, 50], [5]]
    runs = [run for run in scale_runs() if run.facts["axis"] == "size" and run.facts["step"] in (10, 100)]
    found = {claim.what: claim.measured for claim in claims(SIZES, points(runs))}
    assert found["backup, wall per GB, 100 MB / 10 MB"] == pytest.approx(0.1)
    only = [claim.measured for claim in claims(SIZES, points(runs[:2])) if claim.target == 1.1]
    assert only == [1, 1, 1, 1]


def test_the_chart_of_growth_shows_every_point() -> None:
    picture = ElementTree.fromstring(scale_chart(points(scale_runs())))
    svg = "{http://www.w3.org/2000/svg}"
    dots = list(picture.iter(f"{svg}circle"))
    assert len(dots) == 2 * len(JOBS) * sum(len(axis.steps) for axis in (SIZES, TABLES, TENANTS, ROWS))
    assert all(0 < float(dot.get("cx", "")) < 460 and 0 < float(dot.get("cy", "")) < 372 for dot in dots)
    words = {text.text for text in picture.iter(f"{svg}text")}
    assert words >= {f"by {axis.name}" for axis in AXES} | {"4 GB", "2,000", "16 MB", "seconds", "MiB, peak"}


def test_the_chart_of_growth_may_have_one_step_only() -> None:
    runs = [scale_run("size", 10, job, 1.0) for job in JOBS]
    assert len(list(ElementTree.fromstring(scale_chart(points(runs))).iter("{http://www.w3.org/2000/svg}circle"))) == 4


def test_rows_are_as_long_as_they_are_meant_to_be() -> None:
    assert "MD5" in small_table(3, 5)
    assert "seq_1_to_500000" in documents(16_000_000, 16)
