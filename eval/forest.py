"""A forest plot as SVG: one line per difference, with its interval, around zero. Written by hand, so that no
plotting library is needed to look at a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from eval.compare import BETTER, Difference
from eval.picture import framed, text, write

ROW, TOP, LABELS, PLOT, VALUES = 24, 84, 240, 380, 300
COLOURS = {"better": "#1a7f37", "worse": "#b42318", "-": "#57606a"}


def forest(rows: Sequence[Difference], title: str) -> str:
    """The picture as SVG text: a panel per metric, each with its own scale, B less A to the right of zero.

    Green and red are verdicts; grey is neither.
    """
    y, parts = TOP, [text(16, 28, title, "title"), text(16, 50, _legend(), "small")]
    for metric, group in groupby(rows, key=lambda row: row.metric):
        panel = list(group)
        parts.append(_panel(metric, panel, y))
        y += ROW * (len(panel) + 2) + 8
    return framed(LABELS + PLOT + VALUES, y, title, "".join(parts))


def draw(rows: Sequence[Difference], title: str, path: Path) -> None:
    """Write the picture to `path`. Raises ReportError when it cannot be written."""
    write(forest(rows, title), path)


_DIRECTION = {1: "more is better", -1: "less is better", 0: "neither is better"}


def _legend() -> str:
    return (
        "Difference B - A with its 95 % interval (paired bootstrap). Green: significantly better. Red: worse."
    )


def _panel(metric: str, rows: Sequence[Difference], top: int) -> str:
    reach = max((abs(end) for row in rows for end in (row.difference.low, row.difference.high)), default=0.0)
    scale = (PLOT / 2 - 12) / (reach or 1.0)
    middle = LABELS + PLOT / 2
    bottom = top + ROW * len(rows)
    parts = [
        text(16, top - 10, f"{metric} ({_DIRECTION[BETTER[metric]]})", "head"),
        _line(middle, top, middle, bottom, "#8c959f", 1),
    ]
    for row, y in zip(rows, range(top, bottom, ROW), strict=True):
        parts.append(_row(row, y + ROW / 2, middle, scale))
    ticks = {value: f"{value:+.2g}" if value else "0" for value in (-reach, 0.0, reach)}
    parts += [text(middle + x * scale, bottom + 14, tick, "small mid") for x, tick in ticks.items()]
    return "".join(parts)


def _row(row: Difference, y: float, middle: float, scale: float) -> str:
    colour, gap = COLOURS[row.verdict], row.difference
    numbers = f"{row.a:.3f} → {row.b:.3f} · {gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"
    return "".join(
        (
            text(LABELS - 12, y + 4, f"{row.slice} ({row.units})", "end"),
            _line(middle + gap.low * scale, y, middle + gap.high * scale, y, colour, 3),
            f'<circle cx="{middle + gap.value * scale:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>',
            text(LABELS + PLOT + 8, y + 4, numbers, "small"),
        )
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}" stroke-linecap="round"/>'
    )
