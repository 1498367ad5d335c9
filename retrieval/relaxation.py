"""When no item keeps every promise: give up as little as possible, and say what was given up."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from retrieval.filters import (
    describe_group,
    describe_years,
    group_mask,
    included,
    years_mask,
)
from retrieval.types import Constraints, Facet, Years

if TYPE_CHECKING:
    from retrieval.catalogue import Catalogue

MINUTES_MORE = (10, 20)
YEARS_MORE = (3, 5)
MINUTES_COSTS = (1.0, 3.0)
YEARS_COSTS = (2.0, 4.0)
MINUTES_GONE = 16.0
YEARS_GONE = 17.0
GROUP_COSTS = {
    "moods": 10.0,
    "themes": 11.0,
    "countries": 12.0,
    "content_notes": 12.0,
    "language": 13.0,
    "cast": 15.0,
    "directors": 15.0,
    "genres": 18.0,
    "audience": 20.0,
}
"""The order in which promises go when the same number of them would do; a group costs its dearest facet."""


FORBIDDEN = 1000.0
UNKNOWN_HERE = " (no item in the catalogue is known to fit)"


@dataclass(frozen=True, slots=True)
class Step:
    """One way to bend a promise. `allows`: bool [n_items], the items that keep it once bent.

    To let the item of a row in, `words` say what is given up, and `bend` makes the constraints that hold
    afterwards: a limit moves no further than that item needs.
    """

    cost: float
    allows: np.ndarray
    words: Callable[[int], str]
    bend: Callable[[Constraints, int], Constraints]


@dataclass(frozen=True, slots=True)
class Promise:
    """One constraint: the items that keep it (bool [n_items]) and the ways to bend it, cheapest first.

    `excess`: by how much each item misses a limit (float [n_items], or 0.0); it breaks ties between steps.
    """

    keeps: np.ndarray
    steps: tuple[Step, ...]
    excess: np.ndarray | float = 0.0

    def step(self, row: int) -> Step | None:
        """The cheapest step that lets an item in; None when it keeps the promise as it is."""
        return None if self.keeps[row] else next(step for step in self.steps if step.allows[row])

    def costs(self) -> np.ndarray:
        """Float [n_items]: what letting each item in would cost; 0 where it keeps the promise."""
        cost = np.zeros(len(self.keeps))
        for step in reversed(self.steps):
            cost[step.allows] = step.cost
        cost += np.nan_to_num(np.minimum(self.excess, 999.0)) / 10_000
        cost[self.keeps] = 0.0
        return cost


def relaxations(
    catalogue: Catalogue, constraints: Constraints, exclude: Collection[str]
) -> tuple[Constraints, tuple[str, ...]]:
    """The constraints that hold once as little as possible is given up, and what that was, in words.

    Nothing is given up while an item satisfies everything. Otherwise the fewest promises are bent,
    and among as many the cheapest: a few minutes or years, then moods, themes, countries, language,
    people, the whole running time or years, genres, audience. A forbidden facet is allowed only
    when nothing else helps, and an excluded item never is: when every item is excluded, the
    constraints come back as they were. The same input always gives the same answer.
    """
    rows = np.flatnonzero(included(catalogue, exclude))
    promises = _promises(catalogue, constraints)
    if not len(rows) or not promises:
        return constraints, ()
    # Letting an item in takes exactly the promises it breaks, so the least relaxation is the least
    # over items; no combination needs to be tried.
    costs = np.stack([promise.costs()[rows] for promise in promises])
    forbidden = (costs >= FORBIDDEN).sum(axis=0)
    bent = (costs > 0).sum(axis=0)
    row = rows[np.lexsort((rows, costs.sum(axis=0), bent, forbidden))[0]]
    steps = [step for promise in promises if (step := promise.step(row)) is not None]
    for step in steps:
        constraints = step.bend(constraints, row)
    return constraints, tuple(step.words(row) for step in sorted(steps, key=lambda step: step.cost))


def _promises(catalogue: Catalogue, constraints: Constraints) -> list[Promise]:
    found = [_group(catalogue, group) for group in dict.fromkeys(constraints.require)]
    found += [_forbidden(catalogue, facet) for facet in dict.fromkeys(constraints.forbid)]
    if constraints.years is not None:
        found.append(_years(catalogue, constraints.years))
    if constraints.max_minutes is not None:
        found.append(_minutes(catalogue, constraints.max_minutes))
    return found


def _group(catalogue: Catalogue, group: tuple[Facet, ...]) -> Promise:
    keeps = group_mask(catalogue, group)
    cost = max(GROUP_COSTS[facet.field] for facet in group)

    def drop(held: Constraints, _: int) -> Constraints:
        return replace(held, require=tuple(other for other in held.require if other != group))

    return Promise(keeps, (_dropped(cost, keeps, describe_group(group), drop),))


def _forbidden(catalogue: Catalogue, facet: Facet) -> Promise:
    keeps = ~catalogue.mask(facet)

    def drop(held: Constraints, _: int) -> Constraints:
        return replace(held, forbid=tuple(other for other in held.forbid if other != facet))

    anything = np.ones(len(catalogue), dtype=bool)
    return Promise(keeps, (Step(FORBIDDEN, anything, lambda _: f"no {describe_group((facet,))}", drop),))


def _years(catalogue: Catalogue, years: Years) -> Promise:
    keeps = years_mask(catalogue, years)
    first, last = years

    def bent(row: int) -> Years:
        year = int(catalogue.years[row])
        return (None if first is None else min(first, year), None if last is None else max(last, year))

    def words(row: int) -> str:
        return f"release {describe_years(bent(row))} instead of {describe_years(years)}"

    steps = []
    for more, cost in zip(YEARS_MORE, YEARS_COSTS, strict=True):
        wider = (None if first is None else first - more, None if last is None else last + more)
        allows = years_mask(catalogue, wider)
        steps.append(Step(cost, allows, words, lambda held, row: replace(held, years=bent(row))))
    gone = _dropped(
        YEARS_GONE, keeps, f"release {describe_years(years)}", lambda held, _: replace(held, years=None)
    )
    early = 0.0 if first is None else np.maximum(first - catalogue.years, 0)
    late = 0.0 if last is None else np.maximum(catalogue.years - last, 0)
    return Promise(keeps, (*steps, gone), np.maximum(early, late))


def _minutes(catalogue: Catalogue, limit: int) -> Promise:
    keeps = catalogue.minutes <= limit

    def words(row: int) -> str:
        return f"running time up to {int(catalogue.minutes[row])} minutes instead of {limit}"

    def bend(held: Constraints, row: int) -> Constraints:
        return replace(held, max_minutes=int(catalogue.minutes[row]))

    steps = [
        Step(cost, catalogue.minutes <= limit + more, words, bend)
        for more, cost in zip(MINUTES_MORE, MINUTES_COSTS, strict=True)
    ]
    said = f"running time up to {limit} minutes"
    gone = _dropped(MINUTES_GONE, keeps, said, lambda held, _: replace(held, max_minutes=None))
    return Promise(keeps, (*steps, gone), np.maximum(catalogue.minutes - limit, 0))


def _dropped(
    cost: float, keeps: np.ndarray, said: str, bend: Callable[[Constraints, int], Constraints]
) -> Step:
    words = said if keeps.any() else said + UNKNOWN_HERE
    return Step(cost, np.ones(len(keeps), dtype=bool), lambda _: words, bend)
