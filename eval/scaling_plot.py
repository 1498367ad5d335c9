"""Costs against catalogue size as SVG, both on logarithmic scales: measured solid, extrapolated dashed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from eval.benchmarks.scale import ScaleRow
from eval.picture import write

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 420, 70, 56, 150, 56
CURVES = {
    "cpu": ("query, ms of processor time", "#0969da"),
    "memory": ("memory, GB", "#9a6700"),
    "disk": ("disk, GB", "#57606a"),
}


def scaling(rows: Sequence[ScaleRow]) -> str:
    """The picture as SVG text. `rows` ascend in size."""
    values = [getattr(row, name) for row in rows for name in CURVES]
    low, high = math.floor(_log(min(values))), math.ceil(_log(max(values)))
    first, last = math.floor(_log(rows[0].items)), math.ceil(_log(rows[-1].items))

    def place(items: int, value: float) -> tuple[float, float]:
        x = LEFT + (_log(items) - first) / max(last - first, 1) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - (_log(value) - low) / max(high - low, 1) * (HEIGHT - TOP - BOTTOM)
        return round(x, 1), round(y, 1)

    parts = [_text(LEFT, 28, "Cost of a query by catalogue size (dashed: extrapolated, not measured)")]
    for power in range(first, last + 1):
        x, _ = place(10**power, 10.0**low)
        parts.append(_line(((x, TOP), (x, HEIGHT - BOTTOM)), "#d0d7de"))
        parts.append(_text(x, HEIGHT - BOTTOM + 20, f"{10**power:,}", "middle"))
    for power in range(low, high + 1):
        _, y = place(rows[0].items, 10.0**power)
        parts.append(_line(((LEFT, y), (WIDTH - RIGHT, y)), "#d0d7de"))
        parts.append(_text(LEFT - 8, y + 4, f"{10.0**power:g}", "end"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "items", "middle"))
    for name, (label, colour) in CURVES.items():
        points = [place(row.items, getattr(row, name)) for row in rows]
        known = sum(row.origin == "measured" for row in rows)
        parts.append(_line(points[:known], colour))
        parts.append(_line(points[max(known - 1, 0) :], colour, dashed=True))
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in points[:known]]
        parts.append(_text(points[-1][0] + 8, points[-1][1] + 4, label, colour=colour))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-label="Cost of a query by catalogue size">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )


def draw(rows: Sequence[ScaleRow], path: Path) -> None:
    """Write the picture to `path`. Raises ReportError when it cannot be written."""
    write(scaling(rows), path)


def _log(value: float) -> float:
    return math.log10(max(value, 1e-6))


def _line(points: Sequence[tuple[float, float]], colour: str, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="6 5"' if dashed else ""
    joined = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.5"{dashes}/>'


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "#24292f") -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}" '
        f'font-family="sans-serif" font-size="12">{text}</text>'
    )
