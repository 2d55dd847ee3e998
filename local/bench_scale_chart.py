"""How a backup and a restore grow, as a picture: four small panels in SVG, both axes of each in powers of ten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from xml.sax.saxutils import escape

from bench_claims import MIB
from bench_scale import AXES, SIZES, Axis, Point, length

COLUMNS = 2
WIDTH, HEIGHT = 460, 330
HEAD = 44
LEFT, RIGHT, TOP, BOTTOM = 62, 62, 40, 54
GRID, INK, QUIET = "#dddddd", "#222222", "#666666"


@dataclass(frozen=True)
class Curve:
    """One line of each panel."""

    label: str
    colour: str
    dashes: str
    # Of the points of one step: what the line shows there.
    value: Callable[[Sequence[Point]], float]


def wall_of(job: str) -> Callable[[Sequence[Point]], float]:
    """Seconds of one job."""
    return lambda found: next(point.wall for point in found if point.job == job)


CURVES = (
    Curve("backup, seconds", "#1f6fb4", "", wall_of("backup")),
    Curve("restore with its proof, seconds", "#c2571a", "", wall_of("restore")),
    Curve("peak memory of the two, MiB", "#2f7d4f", "6 4", lambda found: max(p.peak_bytes for p in found) / MIB),
)


def chart(points: Sequence[Point]) -> str:
    """A panel for each axis, all with the same scales of time and memory, so that they can be compared."""
    panels = [axis for axis in AXES if any(point.axis == axis.name for point in points)]
    values = [curve.value(found) for axis in panels for curve in CURVES for _, found in steps(axis, points)]
    low, high = decades(values or [1, 10])
    width, height = COLUMNS * WIDTH, HEAD + HEIGHT * ceil(len(panels) / COLUMNS)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="13" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *legend(),
    ]
    for place, axis in enumerate(panels):
        x, y = WIDTH * (place % COLUMNS), HEAD + HEIGHT * (place // COLUMNS)
        parts += [f'<g transform="translate({x} {y})">', *Panel(axis, steps(axis, points), low, high).drawn(), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def steps(axis: Axis, points: Sequence[Point]) -> list[tuple[int, list[Point]]]:
    """The points of an axis, step by step; only steps at which both jobs were measured."""
    found: dict[int, list[Point]] = {}
    for point in points:
        if point.axis == axis.name:
            found.setdefault(point.step, []).append(point)
    return [(step, jobs) for step, jobs in sorted(found.items()) if len(jobs) == len({"backup", "restore"})]


def decades(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten around some numbers."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return low, max(high, low + 1)


def legend() -> Iterator[str]:
    """What each line is."""
    x = LEFT
    for curve in CURVES:
        yield line(x, 22, x + 30, 22, curve.colour, 2.5, curve.dashes)
        yield text(x + 38, 26, curve.label)
        x += 60 + 7 * len(curve.label)


@dataclass(frozen=True)
class Panel:
    """One axis: its curves over powers of ten."""

    axis: Axis
    steps: list[tuple[int, list[Point]]]
    low: int
    high: int

    def drawn(self) -> Iterator[str]:
        """Everything of the panel."""
        middle = (LEFT + WIDTH - RIGHT) / 2
        yield text(middle, TOP - 14, self.title(), "middle", weight="bold")
        yield from self.grid()
        if self.axis is SIZES:
            yield from self.slope()
        for curve in CURVES:
            yield from self.curve(curve)
        for step, _ in self.steps:
            yield line(self.x(step), HEIGHT - BOTTOM, self.x(step), HEIGHT - BOTTOM + 5, INK)
            yield text(self.x(step), HEIGHT - BOTTOM + 19, self.label(step), "middle")
        yield text(middle, HEIGHT - BOTTOM + 38, self.below(), "middle", QUIET)
        yield upright(15, "seconds")
        yield upright(WIDTH - 12, "MiB")

    def title(self) -> str:
        """What grows."""
        return f"by {self.axis.name}" if self.axis is not SIZES else "by size of the data"

    def below(self) -> str:
        """The unit of the steps."""
        return {"B": "length of a row, the data always the same", "MB": "rows as text"}.get(
            self.axis.unit, f"{self.axis.unit} that share the same data"
        )

    def label(self, step: int) -> str:
        """A step at the axis."""
        if self.axis.unit == "B":
            return length(step)
        return length(step * 10**6).replace("000 MB", " GB") if self.axis.unit == "MB" else f"{step:,}"

    def x(self, step: float) -> float:
        """Where a step is, from left to right."""
        first, last = self.steps[0][0], self.steps[-1][0]
        part = log10(step / first) / log10(last / first) if last > first else 0.5
        return LEFT + 14 + part * (WIDTH - LEFT - RIGHT - 28)

    def y(self, value: float) -> float:
        """Where a number is, from the bottom up."""
        part = (log10(value) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    def grid(self) -> Iterator[str]:
        """A line for each power of ten, with its number on both sides: seconds and MiB."""
        for power in range(self.low, self.high + 1):
            y, shown = self.y(10.0**power), f"{10.0**power:,g}"
            yield line(LEFT, y, WIDTH - RIGHT, y, GRID)
            yield text(LEFT - 7, y + 4, shown, "end")
            yield text(WIDTH - RIGHT + 7, y + 4, shown)

    def slope(self) -> Iterator[str]:
        """As steep as the data grows, from the first backup on."""
        (first, found), (last, _) = self.steps[0], self.steps[-1]
        start = CURVES[0].value(found)
        end = min(start * last / first, 10.0**self.high)
        if end > start:
            right = first * end / start
            yield line(self.x(first), self.y(start), self.x(right), self.y(end), QUIET, 1, "2 3")
            yield text(self.x(right) - 6, self.y(end) + 4, "as the data", "end", QUIET)

    def curve(self, curve: Curve) -> Iterator[str]:
        """A line through all steps, with a dot and the number at each."""
        places = [(self.x(step), self.y(value), value) for step, value in self.values(curve)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
        dashes = f' stroke-dasharray="{curve.dashes}"' if curve.dashes else ""
        yield f'<polyline points="{path}" fill="none" stroke="{curve.colour}" stroke-width="2.5"{dashes}/>'
        for x, y, value in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{curve.colour}"/>'
            yield text(x, y - 8, short(value), "middle", curve.colour, size=11)

    def values(self, curve: Curve) -> list[tuple[int, float]]:
        """What a curve shows at each step."""
        return [(step, curve.value(found)) for step, found in self.steps]


def short(value: float) -> str:
    """A number with two digits, if it has no more before the point."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, dashes: str = "") -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"{dashed}/>'
    )


def text(
    x: float, y: float, words: str, anchor: str = "start", colour: str = INK, size: int = 13, weight: str = "normal"
) -> str:
    """Some words."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}" '
        f'font-weight="{weight}">{escape(words)}</text>'
    )


def upright(x: float, words: str) -> str:
    """The name of an axis, from the bottom up."""
    y = (TOP + HEIGHT - BOTTOM) / 2
    return (
        f'<text x="{x}" y="{y}" text-anchor="middle" fill="{QUIET}" transform="rotate(-90 {x} {y})">{escape(words)}</text>'
    )
