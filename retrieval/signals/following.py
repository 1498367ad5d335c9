"""What recommenders name after something was named: counts of ordered pairs of mentions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message, mentioned
from retrieval.signals.comentions import PRIOR, Mentions, Popularity, Rows, rows_of
from retrieval.signals.signal import Scores


class Following:
    """P(the recommender names i later | j was named), and P(i is the next | j was the last), each shrunk.

    (dialogues with the ordered pair + 10 x share of i) / (dialogues with j + 10), where the share is that of
    the dialogues in which the recommender names i.
    """

    name = "what follows"

    def __init__(self, mentions: Mentions, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        later: list[NDArray[np.int64]] = []
        next_: list[NDArray[np.int64]] = []
        for named, offered in zip(_rows(mentions.named), _rows(mentions.recommended), strict=True):
            pairs = _pairs(named, offered)
            later.append(pairs)
            next_.append(_neighbours(pairs, named))
        self._later, self._next = (_counted(pairs, len(catalogue)) for pairs in (later, next_))
        self._counts = np.asarray(mentions.named.sum(axis=0)).ravel()
        self._popularity = Popularity(mentions)

    def scores(self, messages: Sequence[Message]) -> Scores:
        """Sum over the items named; zero for every item where none was."""
        return self.later(rows_of(self._catalogue, mentioned(messages))).sum(axis=0)

    def later(self, named: Rows) -> NDArray[np.float32]:
        """[named, n_items]."""
        return self._shrunk(self._later, named)

    def next(self, last: Rows) -> NDArray[np.float32]:
        """The same for what is named directly after each of `last`."""
        return self._shrunk(self._next, last)

    def _shrunk(self, counted: sparse.csr_array, named: Rows) -> NDArray[np.float32]:
        both, prior = counted[named].toarray(), PRIOR * self._popularity.shares
        return ((both + prior) / (self._counts[named][:, None] + PRIOR)).astype(np.float32)


def _rows(counted: sparse.csr_array) -> list[Rows]:
    return np.split(counted.indices.astype(np.int64), counted.indptr[1:-1])


def _pairs(named: Rows, offered: Rows) -> NDArray[np.int64]:
    """[pairs, 2] of rows: named before, and named later by the recommender."""
    earlier, later = np.triu_indices(len(named), 1)
    kept = np.isin(named[later], offered)
    return np.stack([named[earlier[kept]], named[later[kept]]], axis=1)


def _neighbours(pairs: NDArray[np.int64], named: Rows) -> NDArray[np.int64]:
    """Those of the pairs that follow each other directly."""
    place = {int(row): number for number, row in enumerate(named)}
    kept = [place[int(later)] - place[int(earlier)] == 1 for earlier, later in pairs]
    return pairs[np.array(kept, dtype=bool)]


def _counted(pairs: Sequence[NDArray[np.int64]], n_items: int) -> sparse.csr_array:
    at = np.concatenate([np.zeros((0, 2), np.int64), *pairs])
    counted = sparse.coo_array((np.ones(len(at), np.float32), (at[:, 0], at[:, 1])), shape=(n_items, n_items))
    return sparse.csr_array(counted)
