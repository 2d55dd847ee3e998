"""The bench's claims as a picture: how far each is from its target, in SVG."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from bench_claims import Claim
from bench_table import figure

LINE = 26
LABELS = 400
BARS = 420
FIGURES = 200
# Bars end here; what is further away is cut, and its figure says how far it is.
MOST = 2.5
MET, NOT_MET = "#2f7d4f", "#b3412e"


def chart(claims: Sequence[Claim]) -> str:
    """One bar for each claim that has a target: 1 is the target, less is better."""
    shown = [claim for claim in claims if claim.target is not None]
    width, height = LABELS + BARS + FIGURES, LINE * (len(shown) + 2)
    target = LABELS + BARS / MOST
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{target:.0f}" y="{LINE - 9}" text-anchor="middle">target</text>',
        *(bar(claim, place) for place, claim in enumerate(shown)),
        f'<line x1="{target:.0f}" x2="{target:.0f}" y1="{LINE}" y2="{height - LINE}" stroke="black"/>',
        f'<text x="{LABELS}" y="{height - 9}">shorter is better; the line is the target</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def bar(claim: Claim, place: int) -> str:
    """The bar of one claim, its name to the left and its figure to the right."""
    top = LINE * (place + 1)
    length = BARS * min(share(claim), MOST) / MOST
    colour = MET if claim.met else NOT_MET
    label = escape(f"{claim.row}: {claim.what}")
    assert claim.target is not None
    value = escape(f"{figure(claim.measured, claim.unit)} (target {figure(claim.target, claim.unit)})")
    return (
        f'<text x="{LABELS - 8}" y="{top + 17}" text-anchor="end">{label}</text>'
        f'<rect x="{LABELS}" y="{top + 4}" width="{max(length, 1):.1f}" height="{LINE - 8}" fill="{colour}"/>'
        f'<text x="{LABELS + BARS + 8}" y="{top + 17}">{value}</text>'
    )


def share(claim: Claim) -> float:
    """What was measured as a share of the target, or the other way round where more is better."""
    assert claim.target is not None
    if claim.at_least:
        return claim.target / claim.measured if claim.measured else MOST
    return claim.measured / claim.target
