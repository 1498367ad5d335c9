"""What the lists are worth, person by person: every figure of every system, from pure metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval import list_metrics, ranking_metrics
from eval.metrics import Estimate, bootstrap
from eval.ranking_metrics import Floats, Places
from eval.satisfaction.lists import DEPTH, Lists
from retrieval.behaviour.model import Matrix
from retrieval.catalogue import Catalogue

EXPECTED = 100
"""How many of the best-known items anybody could have named: the primitive model of serendipity."""


@dataclass(frozen=True, slots=True)
class World:
    """What lists are judged by. All over the catalogue's items, in its order.

    `facets`: float [items, genres] of 0 and 1, `names` of the genres; `vectors`: float [items, d], the
    meaning of their texts; `counts`: how many of the `users` (none of those measured) like each item.
    """

    catalogue: Catalogue
    facets: Floats
    names: tuple[str, ...]
    vectors: NDArray[np.floating]
    counts: Floats
    users: int

    @property
    def expected(self) -> NDArray[np.bool_]:
        """Bool [items]: the `EXPECTED` that most people like."""
        marked = np.zeros(len(self.counts), dtype=bool)
        marked[np.argsort(-self.counts, kind="stable")[:EXPECTED]] = True
        return marked


def genres_of(catalogue: Catalogue) -> tuple[Floats, tuple[str, ...]]:
    """(float [items, genres] of 0 and 1, the genres in the order of the alphabet)."""
    names = tuple(sorted(catalogue.values("genres")))
    columns = {name: column for column, name in enumerate(names)}
    facets = np.zeros((len(catalogue), len(names)))
    for row, item in enumerate(catalogue):
        facets[row, [columns[name] for name in item.genres]] = 1.0
    return facets, names


@dataclass(frozen=True, slots=True)
class Judged:
    """One system after so many likes. `each`: figures of every taster, float [tasters], by name.

    `together`: figures of all lists at once. `exposure`: float [items], in how many lists each item is.
    `shares`: float [genres], the mean over the lists.
    """

    system: str
    given: int
    each: Mapping[str, Floats]
    together: Mapping[str, float]
    exposure: Floats
    shares: Floats

    def mean(self, name: str, seed: int) -> Estimate:
        """A figure over all tasters, with its 95 % interval."""
        values = self.each[name]
        return bootstrap(len(values), lambda weights: ranking_metrics.mean(values, weights), seed)


def judge(lists: Lists, system: str, given: int, world: World) -> Judged:
    """Every figure of one system."""
    ranked = lists.of(system, given, world.catalogue)
    liked = lists.liked(world.catalogue)
    shares = list_metrics.list_shares(ranked, world.facets, DEPTH)
    exposure = ranking_metrics.exposure(ranked, len(world.catalogue), DEPTH)
    each = {**_right(lists, ranked, world), **_beyond(ranked, shares, liked, world)}
    together = {
        "coverage": ranking_metrics.coverage_at(ranked, len(world.catalogue), DEPTH),
        "gini": ranking_metrics.gini(exposure),
    }
    return Judged(system, given, each, together, exposure, np.nan_to_num(shares).mean(axis=0))


def _right(lists: Lists, ranked: Places, world: World) -> dict[str, Floats]:
    """How much of what is to be found is in the lists."""
    relevant = lists.wanted(world.catalogue)
    wanted = relevant.sum(axis=1)
    found = ranking_metrics.hits(ranked, relevant)
    return {
        "precision": ranking_metrics.precision_at(found, DEPTH),
        "recall": ranking_metrics.recall_at(found, wanted, DEPTH),
        "ndcg": ranking_metrics.ndcg_at(found, wanted, DEPTH),
        "mrr": ranking_metrics.reciprocal_rank(found, wanted),
        "hit": ranking_metrics.hit_rate_at(found, wanted, DEPTH),
        "serendipity": list_metrics.serendipity_at(found, ranked, world.expected, DEPTH),
    }


def _beyond(ranked: Places, shares: Floats, liked: NDArray[np.bool_], world: World) -> dict[str, Floats]:
    """What the lists are like besides."""
    theirs = list_metrics.facet_shares(liked, world.facets)
    return {
        "entropy": list_metrics.entropy(shares),
        "simpson": list_metrics.simpson(shares),
        "distance": ranking_metrics.intra_list_distance(ranked, world.vectors, DEPTH),
        "novelty": ranking_metrics.novelty_at(ranked, world.counts, world.users, DEPTH),
        "unexpected": list_metrics.share_at(ranked, ~world.expected, DEPTH),
        "tail": list_metrics.share_at(ranked, list_metrics.long_tail(world.counts), DEPTH),
        "lift": ranking_metrics.popularity_lift(
            ranked, Matrix(liked.astype(np.float32)), world.counts, DEPTH
        ),
        "miscalibration": list_metrics.miscalibration(theirs, shares),
    }
