"""Recipes that know when each of the ratings to learn from was given; of those to find they know nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from eval.benchmarks.movielens_data import MovieLens, moments
from eval.benchmarks.stacking import Recipe
from retrieval.behaviour.ease import item_weights
from retrieval.behaviour.model import Matrix, Scores, ones, per_item
from retrieval.behaviour.moments import Pace, near_items, timed_gram

NEAR = (100.0, 3000.0)
"""Gaps in seconds within which two ratings are near: a page of films, and a visit."""

_ALWAYS = np.inf


@dataclass(frozen=True, slots=True)
class EaseInTime:
    """EASE over `timed_gram`. `power` and `history_power` as in `Ease`; `genres`: the weight of each."""

    paces: tuple[tuple[float, float], ...]
    regularisation: float
    power: float = 0.0
    history_power: float = 0.0
    genres: float = 0.0

    def recipe(self, data: MovieLens) -> Recipe:
        """Everybody's scores from their whole history, whenever it was."""

        def scores(train: Matrix) -> Scores:
            pattern, times = ones(train), moments(train, data)
            paces = [Pace(*pace) for pace in self.paces]
            gram = timed_gram(pattern, times, paces, self.history_power)
            if self.genres:
                gram += self.genres * (data.genres @ data.genres.T).toarray()
            penalty = self.regularisation * np.maximum(per_item(pattern), 1) ** self.power
            return (pattern @ item_weights(gram, penalty)).astype(np.float32)

        return scores


PAGES_AND_VISITS = EaseInTime(((0.3, 100.0), (0.3, 3000.0), (0.4, _ALWAYS)), 200.0)
IN_TIME = (
    PAGES_AND_VISITS,
    EaseInTime(((0.5, 300.0), (0.5, _ALWAYS)), 100.0, history_power=0.1),
    EaseInTime(((0.5, 100.0), (0.5, _ALWAYS)), 20.0, power=0.5),
    EaseInTime(((1.0, 300.0),), 150.0),
    EaseInTime(((1.0, 1000.0),), 150.0),
)
GENRES = (10.0, 20.0, 40.0)


def in_time(data: MovieLens) -> Mapping[str, Iterable[tuple[str, Recipe]]]:
    """Settings to choose from, by name."""
    with_genres = [replace(PAGES_AND_VISITS, regularisation=250.0, genres=weight) for weight in GENRES]
    tried = {"EASE in time": IN_TIME, "EASE in time with genres": with_genres}
    return {name: [(repr(one), one.recipe(data)) for one in some] for name, some in tried.items()}


def parts_in_time(data: MovieLens) -> Mapping[str, Recipe]:
    """All of them, and plain nearness in time, to be blended."""
    eases = {repr(one): one.recipe(data) for one in IN_TIME}
    return {**eases, **{f"within {seconds:g} s": _near(data, seconds) for seconds in NEAR}}


def _near(data: MovieLens, seconds: float) -> Recipe:
    def scores(train: Matrix) -> Scores:
        pattern = ones(train)
        return (pattern @ near_items(pattern, moments(train, data), seconds)).astype(np.float32)

    return scores
