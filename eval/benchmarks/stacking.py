"""Many scores of an item into one: their plain average, and blends that are learned.

A recipe turns ratings into everybody's scores for everything. What a model says of a rating it has learned
from is worth nothing, so the learned blends fit every recipe on parts of the training ratings and learn from
what each says of the rest (stacked generalisation: Wolpert 1992); then every recipe is fitted on all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.benchmarks.movielens_data import MovieLens, folds, moments
from finetune.liking import fit_line
from retrieval.behaviour.model import Matrix, Scores, ones, per_item, without_seen
from retrieval.behaviour.moments import timely
from retrieval.errors import TastebudError

Recipe = Callable[[Matrix], Scores]
"""Ratings to learn from -> scores of all users for all items."""

FOLDS = 4
"""Parts of the training ratings, of which settings are validated on one."""

DEALT = 8
"""Parts that the learned blend learns from: the more, the nearer each recipe is to what all ratings make."""

CANDIDATES = 120
LACKING = 0.3
"""Share of the candidates that a user lacks to learn from, beside all that were found."""

DAYS = (1.0, 5.0, 20.0)
FARTHEST = 5.0
ROUNDS = 150
PRIOR = 5.0  # ratings of the overall mean that an item's own mean begins with
BOOSTING = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
"""LightGBM's settings. They, the rounds and the depth were chosen with other seeds than 0."""


class MissingLibraryError(TastebudError):
    """LightGBM is not installed."""


@dataclass(frozen=True, slots=True)
class Stacked:
    """Scores of all users for all items: by logistic regression, by boosted trees, and the mean of both."""

    line: Scores
    trees: Scores
    both: Scores


@dataclass(frozen=True, slots=True)
class Pool:
    """Candidates of every user: `items` int [users, depth], `features` float32 [users, depth, n]."""

    items: NDArray[np.int64]
    features: NDArray[np.float32]


def standardised(scores: Scores, seen: Matrix) -> NDArray[np.float32]:
    """Each user's scores with mean 0 and deviation 1 over the items they lack; what they have is nan."""
    kept = without_seen(scores, seen)
    kept[np.isneginf(kept)] = np.nan
    deviation = np.nanstd(kept, axis=1, keepdims=True)
    return (kept - np.nanmean(kept, axis=1, keepdims=True)) / np.maximum(deviation, 1e-9)


def weighted(parts: Sequence[Scores], weights: Sequence[float], seen: Matrix) -> Scores:
    """Weighted sum of standardised scores (Montague & Aslam, CIKM 2001); -inf where seen."""
    total = sum(w * standardised(part, seen) for w, part in zip(weights, parts, strict=True))
    return np.nan_to_num(total, nan=-np.inf, neginf=-np.inf)


def learned(train: Matrix, recipes: Mapping[str, Recipe], data: MovieLens, seed: int) -> Stacked:
    """Scores of the learned blends; items outside a user's candidates come after them.

    Raises MissingLibraryError without LightGBM.
    """
    rng = np.random.default_rng(seed)
    parts, wanted = [], []
    for fold in folds(train, DEALT, seed):
        pool = _pool(fold.train, recipes, data)
        found = np.take_along_axis(fold.test.toarray() > 0, pool.items, axis=1)
        kept = found | (rng.random(found.shape) < LACKING)
        parts.append(pool.features[kept])
        wanted.append(found[kept])
    values, targets = np.concatenate(parts), np.concatenate(wanted)
    pool = _pool(train, recipes, data)
    asked = pool.features.reshape(-1, pool.features.shape[-1])
    shape = pool.items.shape
    by_trees = _boost(values, targets, seed).predict(asked, raw_score=True, num_threads=1).reshape(shape)
    by_line = _line(values, targets, asked).reshape(shape)
    both = _evened(by_trees) + _evened(by_line)
    return Stacked(*(_everywhere(odds, pool.items, train) for odds in (by_line, by_trees, both)))


def _evened(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row with mean 0 and deviation 1."""
    deviation = np.maximum(odds.std(axis=1, keepdims=True), 1e-9)
    return (odds - odds.mean(axis=1, keepdims=True)) / deviation


def _everywhere(odds: NDArray[np.float64], items: NDArray[np.int64], train: Matrix) -> Scores:
    scores = np.full(train.shape, odds.min() - 1, dtype=np.float32)
    np.put_along_axis(scores, items, odds.astype(np.float32), axis=1)
    return scores


def _line(
    features: NDArray[np.float32], wanted: NDArray[np.bool_], asked: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Log-odds by logistic regression; features are cut at `FARTHEST` deviations from their mean."""
    mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    cut = [np.clip((one - mean) / deviation, -FARTHEST, FARTHEST) for one in (features, asked)]
    return fit_line(cut[0], wanted).log_odds(cut[1])


def _boost(features: NDArray[np.float32], wanted: NDArray[np.bool_], seed: int) -> Any:
    try:
        import lightgbm
    except ImportError:
        raise MissingLibraryError(
            "The learned blend needs LightGBM: install it with `pip install 'tastebud[train]'`, or leave the "
            "blend out with --no-blend."
        ) from None
    settings = {**BOOSTING, "seed": seed, "num_threads": 1}
    return lightgbm.train(settings, lightgbm.Dataset(features, wanted.astype(float)), ROUNDS)


def _pool(train: Matrix, recipes: Mapping[str, Recipe], data: MovieLens) -> Pool:
    """The candidates by the mean of all standardised scores, with each one, its rank, and what is known."""
    parts = [standardised(recipe(train), train) for recipe in recipes.values()]
    mean = np.nan_to_num(np.mean(parts, axis=0), nan=-np.inf)
    items = np.argsort(-mean, axis=1, kind="stable")[:, :CANDIDATES]
    told = [np.nan_to_num(np.take_along_axis(part, items, axis=1), nan=-9.0) for part in parts]
    ranks = [np.log1p(np.argsort(np.argsort(-part, axis=1), axis=1)) for part in told]
    known = [np.take_along_axis(fact, items, axis=1) for fact in _facts(train, data)]
    agreed = np.nan_to_num(np.take_along_axis(mean, items, axis=1), neginf=-9.0)
    return Pool(items, np.stack([*told, *ranks, *known, agreed], axis=-1).astype(np.float32))


def _facts(train: Matrix, data: MovieLens) -> list[NDArray[np.floating]]:
    """Float [users, items] each: lengths, popularity, means, the year, and how genres, years and days fit."""
    shape = train.shape
    history, counts = np.diff(train.indptr).astype(float), per_item(train)
    overall = float(train.data.mean())
    totals = np.bincount(train.indices, weights=train.data, minlength=shape[1])
    popular = np.log1p(counts)
    pattern = ones(train)
    usual = (pattern @ popular) / np.maximum(history, 1)
    own = np.asarray(train.sum(axis=1)).ravel() / np.maximum(history, 1)
    year = np.array([item.year or 0 for item in data.catalogue], dtype=float)
    by_user = [np.log1p(history), own]
    by_item = [popular, (totals + PRIOR * overall) / (counts + PRIOR), year]
    return [
        *(np.broadcast_to(fact[:, None], shape) for fact in by_user),
        *(np.broadcast_to(fact[None], shape) for fact in by_item),
        popular[None] - usual[:, None],
        *_affinities(pattern, counts, data),
        *(timely(pattern, moments(train, data), days) for days in DAYS),
    ]


def _affinities(pattern: Matrix, counts: NDArray[np.float64], data: MovieLens) -> list[NDArray[np.float64]]:
    """Mean over an item's facets of ln(share of the user's history / of all), of genres and of years."""
    lifts = []
    for facets in (data.genres, data.years):
        usual = (counts @ facets) / max(counts.sum(), 1.0)
        history = np.diff(pattern.indptr)[:, None]
        share = ((pattern @ facets).toarray() + PRIOR * usual) / (history + PRIOR)
        each = np.log(np.maximum(share, 1e-9) / np.maximum(usual, 1e-9))
        n = np.maximum(np.asarray(facets.sum(axis=1)).ravel(), 1)
        lifts.append((each @ facets.T.toarray()) / n)
    return lifts
