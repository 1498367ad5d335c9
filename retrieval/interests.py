"""What goes with interests that are known by name: what people who are keen on them like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.catalogue import Catalogue
from retrieval.filters import Eligible
from retrieval.interactions import Interactions
from retrieval.retriever import best, check_n
from retrieval.types import Candidate, Facet, Query

FIELDS = ("genres", "themes", "moods", "directors", "cast")
"""Facet fields that an expansion may name a value of."""

PRIOR = 20.0
"""Likes at the average rate that are added to a person's own, so that few likes make nobody keen."""


class InterestRetriever:
    """Items for the expansions of a query that name a facet; other expansions say nothing here.

    A person is as keen on a facet as its share among their likes exceeds its share among everybody's,
    keen(u, f) = max(0, share(u, f) / share(f) - 1). An item scores the mean over the facets of
    sum_u keen(u, f) liked(u, i) / sum_u keen(u, f), the share of the keen people who like it; it need not
    have the facet itself. An item that nobody liked yet scores by the facets it has, log(n_items / items with
    it) each, times its popularity in the catalogue, scaled so that the best of both kinds are level where
    none of the query's liked items was liked by anybody either, and less by the share of those that were.
    Without interactions that is how all items score.
    """

    name = "interests"

    def __init__(self, catalogue: Catalogue, interactions: Interactions | None) -> None:
        self._catalogue = catalogue
        popularity = catalogue.popularity.astype(np.float64)
        highest = popularity.max(initial=0.0)
        self._popularity = popularity / highest if highest > 0 else np.ones(len(catalogue))
        self._liked = interactions.positive if interactions is not None else None
        if self._liked is not None:
            self._likes = np.asarray(self._liked.sum(axis=1)).ravel()
            self._met = np.asarray(self._liked.sum(axis=0)).ravel() > 0

    def retrieve(self, query: Query, eligible: Eligible, n: int) -> list[Candidate]:
        """Items for `query.expansions`, whatever else the query says."""
        check_n(n)
        facets = [having for text in dict.fromkeys(query.expansions) if (having := self._having(text)).any()]
        if not facets:
            return []
        scores = self._matched(facets)
        if self._liked is not None:
            shares = np.mean([self._of_the_keen(having) for having in facets], axis=0)
            highest = max(scores[~self._met].max(initial=0.0), 1e-9)
            level = self._unmet(query) * (shares.max() or 1.0) / highest
            scores = np.where(self._met, shares, scores * level)
        return best(self.name, self._catalogue, scores, eligible.mask & (scores > 0), n)

    def _having(self, text: str) -> NDArray[np.bool_]:
        """Bool [n_items]: which items have a facet of that name, in any field."""
        return np.logical_or.reduce([self._catalogue.mask(Facet(field, text)) for field in FIELDS])

    def _unmet(self, query: Query) -> float:
        """The share of the liked items that nobody else liked; 1 where nothing is liked."""
        met = [self._met[self._catalogue.row(item_id)] for item_id in query.liked]
        return 1.0 - float(np.mean(met)) if met else 1.0

    def _matched(self, facets: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
        # An epsilon keeps the only item of a facet that all have, in a catalogue of one.
        idf = [np.log(len(self._catalogue) / having.sum()) + 1e-9 for having in facets]
        return self._popularity * np.sum([w * h for w, h in zip(idf, facets, strict=True)], axis=0)

    def _of_the_keen(self, having: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Float [n_items]: the share of the people keen on a facet who like each item."""
        assert self._liked is not None
        own = self._liked @ having.astype(np.float64)
        base = max(own.sum() / max(self._likes.sum(), 1.0), 1e-9)
        keen = np.maximum((own + PRIOR * base) / (self._likes + PRIOR) / base - 1.0, 0.0)
        return np.asarray(keen @ self._liked).ravel() / max(keen.sum(), 1e-9)
