"""Metrics: pure functions, each with its formula and where it comes from.

Every metric takes `weights`, how often each unit (message, dialogue, user) counts, so that a bootstrap draw
is a vector of whole numbers and nothing is copied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(units: int, statistic: Callable[[Floats], float], seed: int = 0) -> Estimate:
    """`statistic` of all units, with the percentile bootstrap interval (Efron & Tibshirani 1993, ch. 13).

    `statistic` is given a weight for each of the `units`. Draws for which it is undefined (nan) are left
    out. Raises ValueError when there is no unit.
    """
    if units < 1:
        raise ValueError("There is nothing to take an interval of: no unit was measured.")
    rng = np.random.default_rng(seed)
    draws = [
        statistic(np.bincount(rng.integers(units, size=units), minlength=units).astype(float))
        for _ in range(RESAMPLES)
    ]
    value = statistic(np.ones(units))
    known = [draw for draw in draws if not np.isnan(draw)] or [value]
    low, high = np.percentile(known, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def jackknife(units: int, statistic: Callable[[Floats], float], seed: int = 0, groups: int = 20) -> Estimate:
    """`statistic` of all units with value +- 1.96 standard errors, units left out in `groups` random groups.

    The delete-a-group jackknife: variance = (g - 1) / g * sum of (without group - mean of these)^2 (Efron &
    Tibshirani 1993, ch. 11; Kott 2001). For what counts distinct things, such as coverage, where a bootstrap
    draw, which repeats units, is always too low. Raises ValueError for fewer units than two.
    """
    if units < 2:
        raise ValueError(f"Leaving units out needs two or more, not {units}.")
    groups = min(groups, units)
    group = np.random.default_rng(seed).permutation(units) % groups
    value = statistic(np.ones(units))
    without = np.array([statistic((group != g).astype(float)) for g in range(groups)])
    error = np.sqrt((groups - 1) / groups * ((without - without.mean()) ** 2).sum())
    return Estimate(value, float(value - 1.96 * error), float(value + 1.96 * error))


def totals(counts: Floats, weights: Floats | None = None) -> Floats:
    """Counts of all units, [units, ..., 3] -> [..., 3]: true positives, false positives, false negatives."""
    return np.tensordot(np.ones(len(counts)) if weights is None else weights, counts, axes=1)


def precision(total: Floats) -> Floats:
    """TP / (TP + FP) of [..., 3] totals; 0 where nothing of what was to find was claimed."""
    return _ratio(total, total[..., 0] + total[..., 1])


def recall(total: Floats) -> Floats:
    """TP / (TP + FN) of [..., 3] totals; 0 where something was claimed and nothing was to find."""
    return _ratio(total, total[..., 0] + total[..., 2])


def f1(total: Floats) -> Floats:
    """2 TP / (2 TP + FP + FN) of [..., 3] totals (van Rijsbergen 1979); of totals over all slots, micro-F1.

    Like precision and recall it is undefined, nan, where nothing was to find and nothing was claimed.
    """
    return _ratio(total, (2 * total[..., 0] + total[..., 1] + total[..., 2]) / 2)


def macro_f1(total: Floats) -> float:
    """Mean F1 of the classes, [classes, 3] totals: the mean of F1s, not F1 of means (Opitz & Burst 2019).

    A class that never was and that nobody named has no F1, and is left out; nan where that is all of them.
    """
    figures = f1(total)
    known = figures[~np.isnan(figures)]
    return float(known.mean()) if known.size else float("nan")


def share(hits: Floats, weights: Floats | None = None) -> float:
    """Weighted mean of 0/1 values: accuracy."""
    return float(np.average(hits, weights=weights))


def class_counts(truth: NDArray[np.int64], said: NDArray[np.int64], classes: int) -> Floats:
    """[classes, 3]: true positives, false positives and false negatives of each class."""
    table = np.zeros((classes, classes))
    np.add.at(table, (truth, said), 1)
    right = table.diagonal()
    return np.stack([right, table.sum(axis=0) - right, table.sum(axis=1) - right], axis=1)


class RankedScores:
    """Scores sorted once, for the area under their ROC curve with any weights.

    AUC = P(s+ > s-) + P(s+ = s-) / 2, the Mann-Whitney U statistic over its maximum (Hanley & McNeil 1982).
    """

    def __init__(self, scores: Floats, positive: NDArray[np.bool_]) -> None:
        """`scores`, `positive`: one for each instance, in the order of the weights to come."""
        _, self._place = np.unique(scores, return_inverse=True)
        self._positive = positive.astype(float)

    def area(self, weights: Floats | None = None) -> float:
        """AUC; nan where one of the two classes has no weight."""
        given = np.ones(len(self._positive)) if weights is None else weights
        above = np.bincount(self._place, given * self._positive)
        below = np.bincount(self._place, given * (1 - self._positive))
        pairs = above.sum() * below.sum()
        if pairs == 0:
            return float("nan")
        lower = np.cumsum(below) - below
        return float((above * (lower + below / 2)).sum() / pairs)


def log_loss(chances: Floats, positive: NDArray[np.bool_]) -> float:
    """-mean ln P(what happened), in nats (Good 1952); chances are kept 1e-6 away from 0 and 1."""
    kept = np.clip(chances, 1e-6, 1 - 1e-6)
    return float(-np.log(np.where(positive, kept, 1 - kept)).mean())


def _ratio(total: Floats, whole: Floats) -> Floats:
    """True positives over `whole`; nan where all three counts are 0."""
    part = total[..., 0] / np.where(whole > 0, whole, 1)
    return np.where(total.any(axis=-1), part, np.nan)
