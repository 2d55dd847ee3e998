"""How a backup and a restore grow, as a picture: a panel for each axis in SVG, logarithmic in both directions.

Colours are jobs. Above is the peak of memory, in powers of two, and below the time, in powers of ten; all panels have
the same scales, so that they can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log, log10
from xml.sax.saxutils import escape

from bench_claims import MIB
from bench_scale import AXES, JOBS, MEMORY_MIB, SIZES, Axis, Point, length

COLUMNS = 2
WIDTH, HEIGHT = 460, 372
HEAD = 36
LEFT, RIGHT = 66, 22
# From the top of a panel: its memory, its time, and what stands below.
MEMORY_TOP, MEMORY_BOTTOM, TIME_TOP, TIME_BOTTOM = 38, 118, 138, 318
GRID, INK, QUIET = "#dddddd", "#222222", "#666666"
COLOURS = {"backup": "#1f6fb4", "restore": "#c2571a"}
LABELS = {"backup": "backup", "restore": "restore, with its proof"}


@dataclass(frozen=True)
class Strip:
    """One quantity of a panel, from the bottom up in powers of a base."""

    label: str
    base: int
    top: float
    bottom: float
    value: Callable[[Point], float]
    low: int
    high: int

    @classmethod
    def around(
        cls,
        points: Sequence[Point],
        place: tuple[str, int, float, float],
        value: Callable[[Point], float],
        *more: float,
    ) -> Strip:
        """With room for all points, and what else is to be seen."""
        logs = [log(number, place[1]) for number in [*map(value, points), *more]]
        low = floor(min(logs))
        return cls(*place, value, low, max(ceil(max(logs)), low + 1))

    def y(self, number: float) -> float:
        """Where a number is."""
        part = (log(number, self.base) - self.low) / (self.high - self.low)
        return self.bottom - part * (self.bottom - self.top)

    def grid(self) -> Iterator[str]:
        """A line for each power, with its number."""
        for power in range(self.low, self.high + 1):
            number = float(self.base) ** power
            yield line(LEFT, self.y(number), WIDTH - RIGHT, self.y(number), GRID)
            yield text(LEFT - 7, self.y(number) + 4, f"{number:,g}", "end", size=11)
        yield upright(16, (self.top + self.bottom) / 2, self.label)


def chart(points: Sequence[Point]) -> str:
    """A panel for each axis that was measured."""
    panels = [axis for axis in AXES if any(point.axis == axis.name for point in points)]
    memory = Strip.around(
        points, ("MiB, peak", 2, MEMORY_TOP, MEMORY_BOTTOM), lambda point: point.peak_bytes / MIB, MEMORY_MIB
    )
    time = Strip.around(points, ("seconds", 10, TIME_TOP, TIME_BOTTOM), lambda point: point.wall)
    width, height = COLUMNS * WIDTH, HEAD + HEIGHT * ceil(len(panels) / COLUMNS)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *legend(),
    ]
    for place, axis in enumerate(panels):
        x, y = WIDTH * (place % COLUMNS), HEAD + HEIGHT * (place // COLUMNS)
        own = [point for point in points if point.axis == axis.name]
        parts += [f'<g transform="translate({x} {y})">', *Panel(axis, own, memory, time).drawn(), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def legend() -> Iterator[str]:
    """What each colour is."""
    x = LEFT
    for job in JOBS:
        yield line(x, 20, x + 30, 20, COLOURS[job], 2.5)
        yield text(x + 38, 24, LABELS[job])
        x += 130
    yield line(x + 70, 20, x + 100, 20, QUIET, 1, "5 3")
    yield text(x + 108, 24, f"{MEMORY_MIB} MiB")
    yield line(x + 190, 20, x + 220, 20, QUIET, 1, "2 3")
    yield text(x + 228, 24, "as fast as the data")


@dataclass(frozen=True)
class Panel:
    """One axis, from left to right in powers of ten."""

    axis: Axis
    points: Sequence[Point]
    memory: Strip
    time: Strip

    def drawn(self) -> Iterator[str]:
        """Everything of the panel."""
        middle = (LEFT + WIDTH - RIGHT) / 2
        yield text(middle, MEMORY_TOP - 18, f"by {self.axis.name}", "middle", weight="bold")
        yield from self.memory.grid()
        yield from self.time.grid()
        yield line(LEFT, self.memory.y(MEMORY_MIB), WIDTH - RIGHT, self.memory.y(MEMORY_MIB), QUIET, 1, "5 3")
        if self.axis is SIZES:
            yield from self.slope()
        for step in self.steps():
            yield line(self.x(step), TIME_BOTTOM, self.x(step), TIME_BOTTOM + 5, INK)
            yield text(self.x(step), TIME_BOTTOM + 19, label(self.axis, step), "middle")
        yield text(middle, TIME_BOTTOM + 37, below(self.axis), "middle", QUIET, 11)
        for strip in (self.memory, self.time):
            for job in JOBS:
                yield from self.curve(strip, job)

    def steps(self) -> list[int]:
        """All steps that were measured."""
        return sorted({point.step for point in self.points})

    def x(self, step: float) -> float:
        """Where a step is."""
        first, last = self.steps()[0], self.steps()[-1]
        part = log10(step / first) / log10(last / first) if last > first else 0.5
        return LEFT + 22 + part * (WIDTH - LEFT - RIGHT - 44)

    def slope(self) -> Iterator[str]:
        """As steep as the data grows, back from the largest backup."""
        first, last = self.steps()[0], self.steps()[-1]
        for point in self.points:
            if (point.step, point.job) == (last, "backup") and last > first:
                least = max(point.wall * first / last, 10.0**self.time.low)
                left = last * least / point.wall
                yield line(self.x(left), self.time.y(least), self.x(last), self.time.y(point.wall), QUIET, 1, "2 3")

    def curve(self, strip: Strip, job: str) -> Iterator[str]:
        """A line through all points of a job, with a dot and the number at each: the upper job's above it."""
        own = sorted((point for point in self.points if point.job == job), key=lambda point: point.step)
        places = [(self.x(point.step), strip.y(strip.value(point)), point) for point in own]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
        yield f'<polyline points="{path}" fill="none" stroke="{COLOURS[job]}" stroke-width="2"/>'
        for x, y, point in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[job]}"/>'
            away = -7 if self.is_upper(strip, point) else 15
            yield text(x, y + away, short(strip.value(point)), "middle", COLOURS[job], 11)

    def is_upper(self, strip: Strip, point: Point) -> bool:
        """Is no other job's number at this step above this one?"""
        beside = [other for other in self.points if other.step == point.step and other.job != point.job]
        return all((strip.value(point), point.job) >= (strip.value(other), other.job) for other in beside)


def label(axis: Axis, step: int) -> str:
    """A step below the axis."""
    if axis.unit == "B":
        return length(step)
    if axis.unit == "MB":
        return f"{step // 1000} GB" if step % 1000 == 0 else f"{step} MB"
    return f"{step:,}"


def below(axis: Axis) -> str:
    """What the steps are."""
    shared = {"B": "of one row; all rows together stay the same", "MB": "rows as text"}
    return shared.get(axis.unit, f"{axis.unit} that share the same data")


def short(value: float) -> str:
    """A number with two digits, if it has no more before the point."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, dashes: str = "") -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"{dashed}/>'


def text(
    x: float, y: float, words: str, anchor: str = "start", colour: str = INK, size: int = 13, weight: str = "normal"
) -> str:
    """Some words."""
    how = f'text-anchor="{anchor}" fill="{colour}" font-size="{size}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {how}>{escape(words)}</text>'


def upright(x: float, y: float, words: str) -> str:
    """The name of a scale, from the bottom up."""
    how = f'text-anchor="middle" fill="{QUIET}" font-size="11" transform="rotate(-90 {x} {y})"'
    return f'<text x="{x}" y="{y}" {how}>{escape(words)}</text>'
