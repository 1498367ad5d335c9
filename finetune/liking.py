"""Trains the probability of liking on every verdict of the training people that has ten before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agent.judge import LONGEST_HISTORY
from finetune.verdicts import POSITIVE_ABOVE
from retrieval.behaviour.alike import Likeness, likenesses
from retrieval.behaviour.likings import Asked, Floats, Likings, learn
from retrieval.behaviour.model import Matrix
from retrieval.catalogue import Catalogue
from retrieval.errors import TastebudError
from retrieval.interactions import Interactions
from retrieval.liking import Liking, Line, features, matrix, mean_log_odds

if TYPE_CHECKING:
    from lightgbm import Booster

FOLDS = 5
ROUNDS = 250
BOOSTING = {
    "objective": "binary",
    "learning_rate": 0.04,
    "num_leaves": 15,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.6,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
RIDGE = 1e-3  # of the logistic regressions, for each instance


class LikingError(TastebudError):
    """Ratings that no probability of liking can be learned from."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The items that anybody rated, which everything here counts by: `rows` of the catalogue, ascending.

    `ratings`, `times`: csr [n_users, n_items]; `alike`: [n_items, n_items] by name; `years`: [n_items], the
    median where unknown.
    """

    ratings: Matrix
    times: Matrix
    alike: Mapping[str, Likeness]
    years: Floats

    @classmethod
    def of(cls, interactions: Interactions, catalogue: Catalogue, texts: NDArray[np.float32]) -> Shelf:
        """`texts`: float32 [len(catalogue), d], unit vectors of the items' texts."""
        rows = np.unique(interactions.matrix.indices)
        years = catalogue.years[rows].astype(float)
        years = np.where(np.isnan(years), np.nanmedian(years), years)
        ratings, times = (Matrix(one.tocsr()[:, rows]) for one in (interactions.matrix, interactions.times))
        return cls(ratings, times, likenesses([catalogue.items[row] for row in rows], texts[rows]), years)


@dataclass(frozen=True, slots=True)
class Posed:
    """Questions with what came of them. `person`: rows of the ratings."""

    asked: Asked
    person: NDArray[np.int64]
    positive: NDArray[np.bool_]


def questions(shelf: Shelf, people: Sequence[int] | NDArray[np.int64]) -> Posed:
    """Every rating with ten before it, person by person in the order of time, equals by item.

    Raises LikingError when there is none.
    """
    parts = [part for person in people if (part := _posed(shelf, int(person))) is not None]
    if not parts:
        raise LikingError(f"Nobody here has more than {LONGEST_HISTORY} ratings: nothing can be asked.")
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Posed(Asked(*columns[:4]), *columns[4:])


def _posed(shelf: Shelf, person: int) -> tuple[NDArray, ...] | None:
    span = slice(shelf.ratings.indptr[person], shelf.ratings.indptr[person + 1])
    times, columns = shelf.times.data[span], shelf.ratings.indices[span]
    order = np.lexsort((columns, times))
    n = len(order) - LONGEST_HISTORY
    if n < 1:
        return None
    items, moments = columns[order].astype(np.int64), times[order]
    liked = shelf.ratings.data[span][order] > POSITIVE_ABOVE
    before = np.arange(n)[:, None] + np.arange(LONGEST_HISTORY)[None]
    ago = moments[LONGEST_HISTORY:, None] - moments[before]
    asked = items[LONGEST_HISTORY:], items[before], liked[before].astype(float), ago
    return *asked, np.full(n, person), liked[LONGEST_HISTORY:]


@dataclass(frozen=True, slots=True)
class Trained:
    """The model, what it knows of everybody, and its parts alone, for tables."""

    liking: Liking
    likings: Likings
    shelf: Shelf

    def table(self, asked: Asked) -> dict[str, Floats]:
        """The features of questions."""
        return features(asked, self.likings, self.shelf.alike, self.shelf.years)


def train_liking(shelf: Shelf, people: NDArray[np.int64], seed: int = 0) -> Trained:
    """Train on `people` (rows of the ratings).

    Everybody's features come from what the other four fifths of the people did, as those of new people do
    from all of these. The calibration is fitted on what models of four fifths say of the last fifth.
    Raises LikingError for fewer people than folds, or too short histories.
    """
    if len(people) < FOLDS:
        raise LikingError(f"{len(people)} people are too few to learn from: give at least {FOLDS}.")
    tables, positive, fold = [], [], []
    for number, (others, theirs) in enumerate(_folds(people)):
        posed = questions(shelf, theirs)
        likings = learn(shelf.ratings[others], POSITIVE_ABOVE, shelf.alike)
        tables.append(features(posed.asked, likings, shelf.alike, shelf.years))
        positive.append(posed.positive)
        fold.append(np.full(len(posed.positive), number))
    names = tuple(tables[0])
    values = np.concatenate([matrix(table, names) for table in tables])
    wanted, part = np.concatenate(positive), np.concatenate(fold)
    slope, offset = _calibrated(values, wanted, part, seed)
    liking = Liking(names, _boost(values, wanted, seed), fit_line(values, wanted), slope, offset)
    return Trained(liking, learn(shelf.ratings[people], POSITIVE_ABOVE, shelf.alike), shelf)


def _folds(people: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    place = np.arange(len(people)) % FOLDS
    for number in range(FOLDS):
        yield people[place != number], people[place == number]


def _calibrated(
    values: NDArray[np.float32], positive: NDArray[np.bool_], fold: NDArray[np.int64], seed: int
) -> tuple[float, float]:
    """Slope and offset of the mean log-odds, from people of whom neither model has learned."""
    odds = np.zeros(len(positive))
    for number in range(FOLDS):
        rest, own = fold != number, fold == number
        trees, line = _boost(values[rest], positive[rest], seed), fit_line(values[rest], positive[rest])
        odds[own] = mean_log_odds(trees, line, values[own])
    fitted = fit_line(odds[:, None], positive)
    slope = float(fitted.weights[0] / fitted.scale[0])
    return slope, float(fitted.offset - slope * fitted.centre[0])


def _boost(values: NDArray[np.float32], positive: NDArray[np.bool_], seed: int) -> Booster:
    import lightgbm

    data = lightgbm.Dataset(values, positive.astype(float))
    return lightgbm.train({**BOOSTING, "seed": seed}, data, ROUNDS)


def fit_line(values: NDArray[np.floating], positive: NDArray[np.bool_]) -> Line:
    """Logistic regression with a small ridge, by Newton's method (Hastie et al., "ESL", 4.4.1)."""
    centre = values.mean(axis=0, dtype=float)
    scale = np.maximum(values.std(axis=0, dtype=float), 1e-9)
    design = np.column_stack([(values - centre) / scale, np.ones(len(values))])
    ridge = RIDGE * len(values) * np.eye(design.shape[1])
    ridge[-1, -1] = 0.0
    weights = np.zeros(design.shape[1])
    for _ in range(12):
        chance = 1 / (1 + np.exp(-(design @ weights)))
        curve = design.T @ (design * (chance * (1 - chance))[:, None]) + ridge
        weights += np.linalg.solve(curve, design.T @ (positive - chance) - ridge @ weights)
    return Line(centre, scale, weights[:-1], float(weights[-1]))
