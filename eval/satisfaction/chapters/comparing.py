"""What several chapters need: differences between two systems, and how to say them."""

from __future__ import annotations

from eval import ranking_metrics
from eval.metrics import Estimate, bootstrap
from eval.satisfaction.judged import Judged
from eval.satisfaction.page.document import Verdict

TONES = {
    "Tastebud": 0,
    "Tastebud, rated items": 7,
    "co-occurrence": 1,
    "EASE alone": 2,
    "popularity": 3,
    "random": 4,
}
"""The colour of each system, the same in every chart."""


def less(one: Judged, other: Judged, figure: str, seed: int) -> Estimate:
    """`one` less `other` in a figure, taster by taster (paired bootstrap)."""
    gaps = one.each[figure] - other.each[figure]
    return bootstrap(len(gaps), lambda weights: ranking_metrics.mean(gaps, weights), seed)


def sure(difference: Estimate) -> int:
    """1 where the interval lies above zero, -1 where below, 0 where it holds zero."""
    return (difference.low > 0) - (difference.high < 0)


def verdict(difference: Estimate) -> Verdict:
    """What a lead over a baseline means: good, weak, or neither where no difference can be told."""
    verdicts: tuple[Verdict, ...] = ("weak", "note", "good")
    return verdicts[sure(difference) + 1]


def percent(share: float) -> str:
    """A share in words, "42 %" or "0.8 %"; what is not quite all never becomes "100 %"."""
    if 0.995 <= share < 1:
        return f"{int(1000 * share) / 10:.1f} %"
    return f"{100 * share:.0f} %" if abs(share) >= 0.0995 or share == 0 else f"{100 * share:.1f} %"


def interval(estimate: Estimate, signed: bool = False) -> str:
    """A figure and its interval inside a sentence, one decimal."""
    sign = "+" if signed else ""
    return f"{estimate.value:{sign}.1f} [{estimate.low:{sign}.1f}, {estimate.high:{sign}.1f}]"
