"""Items that nobody has rated yet: can they be given to the right people, and do the others suffer?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from eval import ranking_metrics as metrics
from eval.benchmarks.movielens_data import MovieLens, Split, cold_split, last_out
from eval.metrics import Estimate, bootstrap
from retrieval.behaviour.als import Als
from retrieval.behaviour.ease import Ease
from retrieval.behaviour.model import Matrix, Scores, ones, per_item, without_seen
from retrieval.behaviour.splits import part

COLD = 0.2
DEPTH = 20
LINK_WEIGHT = 0.3
NEIGHBOURS = 10
SHARPNESS = 4.0


@dataclass(frozen=True, slots=True)
class ColdRow:
    """One way to place new items.

    `among_new`: recall@20 of a user's ratings of new items, ranked among all new items; `among_all`: the
    same, ranked among all items a user has no training rating of; `warm`: recall@20 of users' latest rating
    of another item, ranked among all.
    """

    model: str
    among_new: Estimate
    among_all: Estimate
    warm: Estimate


def measure_cold(data: MovieLens, seed: int) -> tuple[ColdRow, ...]:
    """Every way, without any rating of a fifth of the items and users' latest rating of the others."""
    split, cold = cold_split(data.ratings, COLD, seed)
    warm = last_out(split.train, part(data.times, split.kept), seed)
    known = ones(warm.train)
    ways: dict[str, NDArray] = {
        "popularity of the genres": np.tile(_genre_popularity(known, data), (known.shape[0], 1)),
        "popularity and the user's genres": _genre_taste(known, data),
        "EASE, ten nearest by facets": _nearest(known, data, cold),
        "ALS without new items": Als().fit(known).scores(known),
        "ALS, vectors from facets": Als().fit(known).place(facets(data)).scores(known),
    }
    return tuple(
        _row(name, scores.astype(np.float32), split, warm, cold, seed) for name, scores in ways.items()
    )


def facets(data: MovieLens) -> Matrix:
    """Csr [n_items, n]: genres and years, and links by how telling they are, ln(n_items / items with it)."""
    n_items = data.genres.shape[0]
    telling = np.log(n_items / np.maximum(np.asarray(data.links.sum(axis=0)).ravel(), 1)) / np.log(n_items)
    links = data.links @ sparse.diags_array(LINK_WEIGHT * telling)
    return Matrix(sparse.hstack([data.genres, data.years, links], format="csr"))


def _genre_popularity(known: Matrix, data: MovieLens) -> NDArray[np.float64]:
    """Float [items]: the mean over an item's genres of how many ratings the items of each have on average."""
    counts = per_item(known)
    having = np.asarray((data.genres[counts > 0]).sum(axis=0)).ravel()
    popular = (counts @ data.genres) / np.maximum(having, 1)
    return (data.genres @ popular) / np.maximum(np.diff(data.genres.indptr), 1)


def _genre_taste(known: Matrix, data: MovieLens) -> NDArray[np.float64]:
    """Float [users, items]: the mean over an item's genres of their share in the user's history."""
    history = (known @ data.genres).toarray()
    share = history / np.maximum(history.sum(axis=1, keepdims=True), 1)
    return (share @ data.genres.T.toarray()) / np.maximum(np.diff(data.genres.indptr), 1)


def _nearest(known: Matrix, data: MovieLens, cold: NDArray[np.int64]) -> NDArray[np.float64]:
    """EASE, with a new item standing for the mean of those nearest to it by the cosine of their facets."""
    scores = Ease().fit(known).scores(known).astype(float)
    vectors = facets(data).toarray()
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    likeness = vectors[cold] @ vectors.T
    likeness[:, per_item(known) == 0] = 0
    near = np.argsort(-likeness, axis=1, kind="stable")[:, :NEIGHBOURS]
    weight = np.take_along_axis(likeness, near, axis=1) ** SHARPNESS + 1e-12
    weight /= weight.sum(axis=1, keepdims=True)
    scores[:, cold] = (scores[:, near] * weight).sum(axis=2)
    return scores


def _row(name: str, scores: Scores, split: Split, warm: Split, cold: NDArray[np.int64], seed: int) -> ColdRow:
    wanted, latest = ones(split.test), ones(warm.test)
    open_to = without_seen(scores, warm.train)
    new_only = np.full_like(scores, -np.inf)
    new_only[:, cold] = scores[:, cold]
    figures = ((new_only, wanted), (open_to, wanted), (open_to, latest))
    return ColdRow(name, *(_recall(given, relevant, seed) for given, relevant in figures))


def _recall(scores: Scores, relevant: Matrix, seed: int) -> Estimate:
    found = metrics.hits(metrics.top(scores, DEPTH), relevant)
    values = metrics.recall_at(found, np.diff(relevant.indptr), DEPTH)
    return bootstrap(len(values), lambda weights: metrics.mean(values, weights), seed)
