"""New items in the collaborative source that is served: do the right people get them, and at what cost?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from eval import ranking_metrics as metrics
from eval.benchmarks.movielens_data import cold_split, last_out
from eval.metrics import Estimate, bootstrap
from retrieval.behaviour.ease import item_weights
from retrieval.behaviour.model import Matrix, ones, per_item
from retrieval.behaviour.splits import part
from retrieval.catalogue import Catalogue
from retrieval.collaborative import REGULARISATION, CollaborativeRetriever
from retrieval.expected import Near
from retrieval.filters import Eligible
from retrieval.interactions import Interactions
from retrieval.retriever import best
from retrieval.types import Candidate, Facet, Query

COLD = 0.2
DEPTH, DEEP = 20, 100
NEIGHBOURS, SHARPNESS = 10, 4.0

Answers = Callable[[Query, Eligible, int], list[Candidate]]


@dataclass(frozen=True, slots=True)
class ColdStartRow:
    """One way to place items that nobody liked yet, and how many of people's likes among them it finds.

    `among_new`: recall@20 among all new items; `among_all`: recall@100 among all items that the person did
    not rate; `warm`: recall@20 of the person's latest rating of another item, where it is a like, among all.
    """

    way: str
    among_new: Estimate
    among_all: Estimate
    warm: Estimate


@dataclass(frozen=True, slots=True)
class Trial:
    """Who is asked for what. Matrices are csr [n_users, n_items] over the catalogue.

    `known`: what is learned from and given as history; `new_likes`, `latest`: what is to be found; `new`:
    rows of the items that lost their ratings; `others`: of those that did not.
    """

    known: Interactions
    new_likes: Matrix
    latest: Matrix
    new: NDArray[np.int64]
    others: NDArray[np.int64]


def measure_cold_start(
    catalogue: Catalogue, interactions: Interactions, near: Near, seed: int, say: Callable[[str], None]
) -> tuple[ColdStartRow, ...]:
    """Every way, on the likes of all people; items that nobody ever rated stay out of it.

    A fifth of the rated items lose all their ratings, and every person the latest of the others.
    """
    trial = arranged(interactions, seed)
    empty = sparse.csr_array((len(catalogue), 1))
    ways: dict[str, Near | None] = {
        "no new items": None,
        "expected from text": Near(near.texts, empty),
        "expected from the graph": Near(np.zeros_like(near.texts), near.graph),
        "expected from both (served)": near,
    }
    plain = {
        "popularity of the genres": _by_genre(catalogue, trial),
        "mean of the ten nearest by text": _by_neighbours(catalogue, trial, near.texts),
    }
    rows = [_row(way, answer, catalogue, trial, seed) for way, answer in plain.items()]
    for way, given in ways.items():
        say(way)
        with tempfile.TemporaryDirectory(prefix="tastebud-cold-") as folder:
            CollaborativeRetriever.build(Path(folder), catalogue, trial.known, given)
            source = CollaborativeRetriever(Path(folder), catalogue)
            rows.append(_row(way, source.retrieve, catalogue, trial, seed))
    return tuple(rows)


def arranged(interactions: Interactions, seed: int) -> Trial:
    """The split of `measure_cold_start`. Likes are ratings of at least `Interactions.liked_from`."""
    limit = interactions.liked_from or 0.0
    split, new = cold_split(interactions.matrix, COLD, seed)
    times = part(interactions.times, split.kept)
    warm = last_out(split.train, times, seed)
    known = Interactions(interactions.users, warm.train, part(times, warm.kept), interactions.explicit)
    rated = np.unique(interactions.matrix.indices)
    new_likes, latest = (ones(part(test, test.data >= limit)) for test in (split.test, warm.test))
    return Trial(known, new_likes, latest, new, np.setdiff1d(rated, new))


def _by_genre(catalogue: Catalogue, trial: Trial) -> Answers:
    """For everybody the same: the mean over an item's genres of how many likes the items of each have."""
    counts = per_item(trial.known.positive)
    total, genres = np.zeros(len(catalogue)), np.zeros(len(catalogue))
    for genre in catalogue.values("genres"):
        having = catalogue.mask(Facet("genres", genre))
        met = counts[having & (counts > 0)]
        total[having] += met.mean() if met.size else 0.0
        genres[having] += 1
    scores = total / np.maximum(genres, 1)
    return lambda query, eligible, n: best("genres", catalogue, scores, eligible.mask, n)


def _by_neighbours(catalogue: Catalogue, trial: Trial, texts: NDArray[np.float32]) -> Answers:
    """EASE, where a new item scores as its ten nearest by text, weighted by their cosines to the fourth."""
    likes = trial.known.positive
    rows = np.flatnonzero(per_item(likes))
    weights = item_weights((likes[:, rows].T @ likes[:, rows]).toarray(), REGULARISATION)
    others = np.setdiff1d(np.arange(len(catalogue)), rows)
    cosines = texts[others] @ texts[rows].T
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :NEIGHBOURS]
    shares = np.clip(np.take_along_axis(cosines, nearest, axis=1), 1e-6, None) ** SHARPNESS
    shares /= shares.sum(axis=1, keepdims=True)
    places = np.full(len(catalogue), -1)
    places[rows] = np.arange(len(rows))

    def answer(query: Query, eligible: Eligible, n: int) -> list[Candidate]:
        liked = places[[catalogue.row(item_id) for item_id in query.liked]]
        known, scores = weights[liked].sum(axis=0), np.zeros(len(catalogue), dtype=np.float32)
        scores[rows] = known
        scores[others] = (known[nearest] * shares).sum(axis=1)
        return best("neighbours", catalogue, scores, eligible.mask & (scores > 0), n)

    return answer


def _row(way: str, answer: Answers, catalogue: Catalogue, trial: Trial, seed: int) -> ColdStartRow:
    everything = np.concatenate([trial.new, trial.others])

    def recall(wanted: Matrix, pool: NDArray[np.int64], n: int) -> Estimate:
        return _recall(answer, catalogue, trial, wanted, pool, n, seed)

    return ColdStartRow(
        way,
        recall(trial.new_likes, trial.new, DEPTH),
        recall(trial.new_likes, everything, DEEP),
        recall(trial.latest, everything, DEPTH),
    )


def _recall(
    answer: Answers,
    catalogue: Catalogue,
    trial: Trial,
    wanted: Matrix,
    pool: NDArray[np.int64],
    n: int,
    seed: int,
) -> Estimate:
    likes, rated = trial.known.positive, trial.known.matrix
    within = np.zeros(len(catalogue), dtype=bool)
    within[pool] = True
    found = np.zeros(wanted.shape[0])
    count = np.diff(wanted.indptr)
    for user in np.flatnonzero(count).tolist():
        mask = within.copy()
        mask[_items(rated, user)] = False
        query = Query(liked=tuple(catalogue.ids[row] for row in _items(likes, user)))
        ids = {one.item_id for one in answer(query, Eligible(mask, None, int(mask.sum())), n)}
        found[user] = sum(catalogue.ids[row] in ids for row in _items(wanted, user))
    values = np.where(count > 0, found / np.maximum(count, 1), np.nan)
    return bootstrap(len(values), lambda weights: metrics.mean(values, weights), seed)


def _items(matrix: Matrix, user: int) -> NDArray[np.int32]:
    return matrix.indices[matrix.indptr[user] : matrix.indptr[user + 1]]
