"""What most people liked: the fallback that always has an answer."""

from __future__ import annotations

import numpy as np

from retrieval.catalogue import Catalogue
from retrieval.filters import Eligible
from retrieval.interactions import Interactions
from retrieval.retriever import best
from retrieval.types import Candidate, Query

PRIOR = 20.0
"""How many ratings the overall mean is worth: an item with as many is halfway to its own mean."""


class PopularityRetriever:
    """Well-liked and much-seen items, whatever the query says.

    With ratings: (sum of ratings + 20 x overall mean) / (count + 20), scaled so that the worst rating
    is 0 and the best 1, times log(1 + count). With implicit interactions: log(1 + count). Without
    interactions: the catalogue's own popularity, and where that is silent too, catalogue order.
    Items that nobody has met yet but that the catalogue gives a popularity are woven in by rank: the
    k-th of them stands right behind the k-th best of the others.
    """

    name = "popularity"

    def __init__(self, catalogue: Catalogue, interactions: Interactions | None) -> None:
        self._catalogue = catalogue
        self._scores = _scores(catalogue, interactions)

    def retrieve(self, query: Query, eligible: Eligible, n: int) -> list[Candidate]:
        """The same order for every query; only eligibility differs."""
        return best(self.name, self._catalogue, self._scores, eligible.mask, n)


def _scores(catalogue: Catalogue, interactions: Interactions | None) -> np.ndarray:
    if interactions is None:
        return catalogue.popularity
    counts = np.asarray(interactions.counts, dtype=np.float64)
    scores = np.log1p(counts)
    if interactions.explicit:
        values = interactions.matrix.data.astype(np.float64)
        low, high = values.min(), values.max()
        totals = np.bincount(interactions.matrix.indices, weights=values, minlength=len(catalogue))
        mean = (totals + PRIOR * values.mean()) / (counts + PRIOR)
        scores *= (mean - low) / max(high - low, 1e-9)
    return _woven(scores, counts, catalogue.popularity)


def _woven(scores: np.ndarray, counts: np.ndarray, popularity: np.ndarray) -> np.ndarray:
    """Scores with those items without interactions that have a popularity placed by its rank."""
    cold = np.flatnonzero((counts == 0) & (popularity > 0))
    met = np.sort(scores[counts > 0])[::-1]
    order = cold[np.argsort(-popularity[cold], kind="stable")]
    places = np.minimum(np.arange(len(order)), len(met) - 1)
    scores[order] = np.nextafter(met[places], 0)
    return scores
