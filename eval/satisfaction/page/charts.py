"""What is drawn, as data: dots with intervals, bars and lines."""

from __future__ import annotations

from dataclasses import dataclass

Tone = int
"""Which colour: 0 is this recommender's, the others are for what stands beside it."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A value, with its interval where there is one."""

    value: float
    tone: Tone = 0
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a dot or bar chart, and what is marked on it."""

    label: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class DotChart:
    """Rows over one axis. `legend`: (tone, name) where there are several.

    `bars`: from zero to the value instead of dots. `most`: the end of the axis; None: as the values ask.
    """

    title: str
    axis: str
    rows: tuple[Row, ...]
    legend: tuple[tuple[Tone, str], ...] = ()
    bars: bool = False
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """Points from left to right, and a band around them where there are intervals: (x, low, high)."""

    name: str
    tone: Tone
    points: tuple[tuple[float, float], ...]
    band: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines over a common x. `ticks`: where x is labelled. `even`: the line where all would be alike.

    `spread`: the ticks stand at even distances, whatever their values.
    """

    title: str
    across: str
    up: str
    lines: tuple[Line, ...]
    ticks: tuple[float, ...]
    even: bool = False
    spread: bool = False


Chart = DotChart | LineChart
