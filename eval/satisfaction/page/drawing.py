"""Charts as SVG, written by hand so that no plotting library is needed. Colours are those of page.css."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from eval.satisfaction.page.charts import Chart, DotChart, LineChart, Row

WIDTH = 430
ROW, BAR = 26, 12
LETTER = 6.6
"""Width of a letter at the size of the labels, for leaving them room."""


def draw(chart: Chart) -> str:
    """The chart as an SVG element."""
    return _dots(chart) if isinstance(chart, DotChart) else _lines(chart)


def ticks_of(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`, about `most` steps (Heckbert 1990)."""
    span = (high - low) or abs(high) or 1.0
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _dots(chart: DotChart) -> str:
    ends = [end for row in chart.rows for dot in row.dots for end in (dot.value, dot.low, dot.high)]
    known = [end for end in ends if end is not None and not math.isnan(end)] or [0.0]
    most = chart.most if chart.most is not None else max(0.0, *known)
    ticks = ticks_of(min(0.0, *known), most)
    left = 14 + LETTER * max(len(row.label) for row in chart.rows)
    right, top = WIDTH - 18, 34 + (20 if chart.legend else 0)
    height = ROW + (BAR * max(len(row.dots) - 1 for row in chart.rows) if chart.bars else 0)
    bottom = top + height * len(chart.rows)

    def x(value: float) -> float:
        share = (value - ticks[0]) / (ticks[-1] - ticks[0])
        return left + share * (right - left)

    parts = [_text(0, 16, chart.title, "head"), _legend(chart.legend)]
    for tick in ticks:
        parts.append(_line(x(tick), top, x(tick), bottom, "zero" if tick == 0 else "grid"))
        parts.append(_text(x(tick), bottom + 16, _number(tick), "tick mid"))
    for place, row in enumerate(chart.rows):
        parts.append(_row(row, top + height * place, height, left, x, chart.bars))
    centre = min((left + right) / 2, WIDTH - LETTER * len(chart.axis) / 2)
    parts.append(_text(centre, bottom + 34, chart.axis, "axis mid"))
    return _svg(chart.title, bottom + 42, parts)


def _row(row: Row, top: float, height: float, left: float, x: Callable[[float], float], bars: bool) -> str:
    middle = top + height / 2
    parts = [_text(left - 8, middle + 4, row.label, "label end")]
    for place, dot in enumerate(row.dots):
        if math.isnan(dot.value):
            continue
        y = middle + BAR * (place - (len(row.dots) - 1) / 2) if bars else middle
        if bars:
            begin, end = sorted((x(0.0), x(dot.value)))
            parts.append(
                f'<rect x="{begin:.1f}" y="{y - BAR / 2 + 1:.1f}" width="{max(end - begin, 1):.1f}" '
                f'height="{BAR - 2}" rx="2" class="fill t{dot.tone}"/>'
            )
        if dot.low is not None and dot.high is not None:
            parts.append(_line(x(dot.low), y, x(dot.high), y, f"interval t{dot.tone}"))
        if not bars:
            parts.append(f'<circle cx="{x(dot.value):.1f}" cy="{y:.1f}" r="5" class="dot t{dot.tone}"/>')
    return "".join(parts)


def _lines(chart: LineChart) -> str:
    heights = [y for line in chart.lines for _, y in line.points] + [
        end for line in chart.lines for _, low, high in line.band for end in (low, high)
    ]
    ups = ticks_of(0.0, max((y for y in heights if not math.isnan(y)), default=1.0))
    left, right, top, bottom = 40.0, WIDTH - 14.0, 84.0, 284.0
    order = sorted({px for line in chart.lines for px, _ in line.points})

    def x(value: float) -> float:
        span = (order[-1] - order[0]) or 1.0
        share = order.index(value) / max(len(order) - 1, 1) if chart.spread else (value - order[0]) / span
        return left + share * (right - left)

    def y(value: float) -> float:
        return bottom - value / ups[-1] * (bottom - top)

    parts = [_text(0, 16, chart.title, "head"), _legend([(line.tone, line.name) for line in chart.lines])]
    for tick in ups:
        parts.append(_line(left, y(tick), right, y(tick), "zero" if tick == 0 else "grid"))
        parts.append(_text(left - 6, y(tick) + 4, _number(tick), "tick end"))
    parts += [_text(x(tick), bottom + 16, _number(tick), "tick mid") for tick in chart.ticks]
    if chart.even:
        parts.append(_line(x(order[0]), y(0.0), x(order[-1]), y(ups[-1]), "mark"))
    for line in reversed(chart.lines):
        if line.band:
            edge = [(x(px), y(high)) for px, _, high in line.band]
            edge += [(x(px), y(low)) for px, low, _ in reversed(line.band)]
            parts.append(f'<polygon points="{_points(edge)}" class="band t{line.tone}"/>')
        path = [(x(px), y(py)) for px, py in line.points]
        parts.append(f'<polyline points="{_points(path)}" class="line t{line.tone}"/>')
        if len(path) <= 12:
            parts += [
                f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" class="dot t{line.tone}"/>' for a, b in path
            ]
    parts.append(_text(0, top - 16, chart.up, "axis"))
    parts.append(_text((left + right) / 2, bottom + 34, chart.across, "axis mid"))
    return _svg(chart.title, bottom + 42, parts)


def _legend(entries: Sequence[tuple[int, str]]) -> str:
    parts, x, y = [], 0.0, 31.0
    for tone, name in entries:
        width = 24 + 5.9 * len(name)
        if x + width > WIDTH:
            x, y = 0.0, y + 15
        parts.append(f'<circle cx="{x + 5:.1f}" cy="{y:.1f}" r="4.5" class="dot t{tone}"/>')
        parts.append(_text(x + 14, y + 4, name, "tick"))
        x += width
    return "".join(parts)


def _number(value: float) -> str:
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}").replace("-", "−")


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>'


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
