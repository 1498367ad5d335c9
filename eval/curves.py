"""Curves with their intervals as SVG, one panel below the other. Written by hand, as the forest plots are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from eval.metrics import Estimate
from eval.report import ReportError

WIDTH, PANEL, TOP, LEFT, RIGHT, GAP = 640, 150, 64, 70, 24, 54
COLOUR = "#b5452c"
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:16px}"
    ".small{font-size:12px;fill:#57606a}.end{text-anchor:end}.mid{text-anchor:middle}.head{font-weight:600}"
)


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
    below = _text((LEFT + WIDTH - RIGHT) / 2, height - 8, axis, "small mid")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="{escape(title)}"><style>{_STYLE}</style>'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>{_text(16, 28, title, "title")}'
        f"{_text(16, 50, 'Bands are 95 % intervals.', 'small')}{drawn}{below}</svg>\n"
    )


def draw(panels: Sequence[Curve], title: str, axis: str, path: Path) -> None:
    """Write the picture to `path`. Raises ReportError when it cannot be written."""
    try:
        path.write_text(curves(panels, title, axis), encoding="utf-8")
    except OSError as error:
        raise ReportError(
            f"Cannot write {str(path)!r} ({error.strerror}): give --plot a writable file."
        ) from None


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
        _text(float(point(at, 0).split(",")[0]), top + PANEL + 16, f"{at:g}", "small mid") for at in curve.at
    )
    scale = "".join(
        f'<path d="M{point(curve.at[0], v)}L{point(curve.at[-1], v)}" stroke="#d0d7de"/>'
        + _text(LEFT - 8, top + PANEL * (1 - v / highest) + 4, f"{v:.2g}", "small end")
        for v in (0.0, highest / 2, highest)
    )
    return (
        f"{_text(LEFT, top - 8, curve.name, 'head')}{scale}"
        f'<polygon points="{" ".join(band)}" fill="{COLOUR}" opacity="0.15"/>'
        f'<polyline points="{" ".join(line)}" fill="none" stroke="{COLOUR}" stroke-width="2"/>{dots}{ticks}'
    )


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>'
