"""What simulated conversations add up to, with 95 % bootstrap intervals over people."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval.metrics import Estimate, Floats, bootstrap
from eval.simulate.person import TURNS
from eval.simulate.runner import Exchange, Outcome

Statistic = Callable[[Floats], float]
"""A figure of a group of people, given how often each of them counts."""


def success(outcome: Outcome, within: int, turn: int) -> float:
    """1 when the target was among the first `within` of a reply by `turn`, else 0.

    The conversation ends with the first reply that shows the target, as in iEvaLM (Wang et al., EMNLP 2023).
    """
    return float(outcome.found is not None and outcome.found <= turn and (outcome.rank or 0) <= within)


def turns(outcome: Outcome) -> float:
    """The turn that showed the target; one more than the last possible where none did."""
    return float(outcome.found or TURNS + 1)


def _count(value: Callable[[Exchange], float | None]) -> Callable[[Outcome], float]:
    return lambda outcome: sum(value(exchange) or 0.0 for exchange in outcome.exchanges)


_shown = _count(lambda exchange: len(exchange.shown))
_answered = _count(lambda exchange: exchange.narrowed is not None)

TOTALS: Mapping[str, Callable[[Outcome], float]] = {
    "turns": turns,
    "questions": _count(lambda exchange: exchange.asked),
    "leaks kept back": lambda outcome: float(outcome.leaks),
}
"""Figures that are a mean over people."""

RATIOS: Mapping[str, tuple[Callable[[Outcome], float], Callable[[Outcome], float]]] = {
    "bits a question: narrowed": (_count(lambda exchange: exchange.narrowed), _answered),
    "bits a question: nearer to the target": (_count(lambda exchange: exchange.gained), _answered),
    "repeats, share of items shown": (_count(lambda exchange: exchange.repeats), _shown),
    "broken promises, share of items shown": (_count(lambda exchange: exchange.broken), _shown),
    "bent openly, share of replies": (
        _count(lambda exchange: exchange.bent),
        _count(lambda exchange: len(exchange.shown) > 0),
    ),
    "in a model's words, share of messages": (
        _count(lambda exchange: exchange.reworded),
        lambda outcome: float(len(outcome.exchanges)),
    ),
}
"""Figures that are one sum over another, so that people who saw more count for more."""


def statistics(outcomes: Sequence[Outcome]) -> dict[str, Statistic]:
    """Every figure of a group, by name, in the order in which they are shown."""
    found: dict[str, Statistic] = {}
    for within in (1, 10):
        for turn in range(1, TURNS + 1):
            hits = np.array([success(outcome, within, turn) for outcome in outcomes])
            found[f"success@{within} by turn {turn}"] = _mean(hits)
    for name, value in TOTALS.items():
        found[name] = _mean(np.array([value(outcome) for outcome in outcomes]))
    for name, (part, whole) in RATIOS.items():
        parts = np.array([part(outcome) for outcome in outcomes])
        found[name] = _ratio(parts, np.array([whole(outcome) for outcome in outcomes]))
    return found


def _mean(values: Floats) -> Statistic:
    return lambda weights: float(weights @ values) / float(weights.sum())


def _ratio(parts: Floats, wholes: Floats) -> Statistic:
    """nan where there is nothing to take a share of."""

    def statistic(weights: Floats) -> float:
        whole = float(weights @ wholes)
        return float(weights @ parts) / whole if whole else float("nan")

    return statistic


def estimates(outcomes: Sequence[Outcome], seed: int = 0) -> dict[str, Estimate]:
    """Every figure with its interval. Raises ValueError where there is nobody."""
    return {name: bootstrap(len(outcomes), one, seed) for name, one in statistics(outcomes).items()}


def differences(first: Sequence[Outcome], second: Sequence[Outcome], seed: int = 0) -> dict[str, Estimate]:
    """`first` less `second`, of the same people in the same order: both are drawn together (paired)."""
    ours, theirs = statistics(first), statistics(second)
    return {name: bootstrap(len(first), _less(ours[name], theirs[name]), seed) for name in ours}


def _less(first: Statistic, second: Statistic) -> Statistic:
    return lambda weights: first(weights) - second(weights)


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One group of people with one recommender."""

    recommender: str
    slice: str
    people: int
    success_at_1: Estimate
    success_at_10: Estimate
    turns: Estimate


def slice_rows(recommender: str, outcomes: Sequence[Outcome], seed: int = 0) -> tuple[SliceRow, ...]:
    """A row for each value of each slice, in the order of their names."""
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        for pair in outcome.slices.items():
            groups.setdefault(pair, []).append(outcome)
    rows = []
    for (name, value), group in sorted(groups.items()):
        of = statistics(group)
        columns = (
            of[figure] for figure in (f"success@1 by turn {TURNS}", f"success@10 by turn {TURNS}", "turns")
        )
        figures = (bootstrap(len(group), column, seed) for column in columns)
        rows.append(SliceRow(recommender, f"{name}: {value}", len(group), *figures))
    return tuple(rows)


def person_row(outcome: Outcome) -> dict[str, Any]:
    """One person as `tastebud eval compare` reads them; None where a share has nothing to be taken of."""
    metrics: dict[str, float | None] = {
        "success@1": success(outcome, 1, TURNS),
        "success@10": success(outcome, 10, TURNS),
        "turns": turns(outcome),
        "questions": TOTALS["questions"](outcome),
    }
    for name, ratio in (
        ("repeats", "repeats, share of items shown"),
        ("broken", "broken promises, share of items shown"),
    ):
        part, whole = (value(outcome) for value in RATIOS[ratio])
        metrics[name] = part / whole if whole else None
    return {"key": outcome.key, "slices": dict(outcome.slices), "metrics": metrics}


def plain(estimate: Estimate) -> dict[str, float | None]:
    """An estimate for JSON, where what is undefined is null."""
    values = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: None if math.isnan(value) else value for name, value in values.items()}
