"""Curves with their intervals as SVG, one panel below the other. Written by hand, as the forest plots are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.metrics import Estimate
from eval.picture import framed, text, write

WIDTH, PANEL, TOP, LEFT, RIGHT, GAP = 640, 150, 64, 70, 24, 54
COLOUR = "#b5452c"


@dataclass(frozen=True, slots=True)
class Curve:
    """One panel: a figure at each of the `at`, ascending."""

    name: str
    at: tuple[float, ...]
    figures: tuple[Estimate, ...]


def curves(panels: Sequence[Curve], title: str, axis: str) -> str:
    """The picture as SVG text; every panel from 0 to its own highest figure, `axis` named below all."""
    height = TOP + len(panels) * (PANEL + GAP) + 12
    drawn = "".join(_panel(panel, TOP + 20 + place * (PANEL + GAP)) for place, panel in enumerate(panels))
    below = text((LEFT + WIDTH - RIGHT) / 2, height - 8, axis, "small mid")
    head = f"{text(16, 28, title, 'title')}{text(16, 50, 'Bands are 95 % intervals.', 'small')}"
    return framed(WIDTH, height, title, f"{head}{drawn}{below}")


def draw(panels: Sequence[Curve], title: str, axis: str, path: Path) -> None:
    """Write the picture to `path`. Raises ReportError when it cannot be written."""
    write(curves(panels, title, axis), path)


def _panel(curve: Curve, top: float) -> str:
    highest = max(figure.high for figure in curve.figures) or 1.0
    first, span = curve.at[0], (curve.at[-1] - curve.at[0]) or 1.0

    def point(at: float, value: float) -> str:
        x = LEFT + (at - first) / span * (WIDTH - LEFT - RIGHT)
        return f"{x:.1f},{top + PANEL * (1 - max(value, 0.0) / highest):.1f}"

    pairs = list(zip(curve.at, curve.figures, strict=True))
    band = [point(at, f.high) for at, f in pairs] + [point(at, f.low) for at, f in reversed(pairs)]
    line = [point(at, figure.value) for at, figure in pairs]
    dots = "".join(
        f'<circle r="3" cx="{x}" cy="{y}" fill="{COLOUR}"/>' for x, y in (p.split(",") for p in line)
    )
    ticks = "".join(
        text(float(point(at, 0).split(",")[0]), top + PANEL + 16, f"{at:g}", "small mid") for at in curve.at
    )
    scale = "".join(
        f'<path d="M{point(curve.at[0], v)}L{point(curve.at[-1], v)}" stroke="#d0d7de"/>'
        + text(LEFT - 8, top + PANEL * (1 - v / highest) + 4, f"{v:.2g}", "small end")
        for v in (0.0, highest / 2, highest)
    )
    return (
        f"{text(LEFT, top - 8, curve.name, 'head')}{scale}"
        f'<polygon points="{" ".join(band)}" fill="{COLOUR}" opacity="0.15"/>'
        f'<polyline points="{" ".join(line)}" fill="none" stroke="{COLOUR}" stroke-width="2"/>{dots}{ticks}'
    )
