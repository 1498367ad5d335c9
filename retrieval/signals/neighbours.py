"""Votes of the counted dialogues that name the same items: several in common weigh more than one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message, mentioned
from retrieval.signals.comentions import Mentions, Rows, rows_of
from retrieval.signals.signal import Scores


class Neighbours:
    """Each dialogue d votes for what its recommender names with the weight
    (sum over the items j in common of 1 / sqrt(dialogues with j))^2 / items of d.

    The square is what co-occurrence lacks: who shares two items counts four times as much as who shares one
    (after session-based nearest neighbours, Jannach and Ludewig, RecSys 2017).
    """

    name = "nearest dialogues"

    def __init__(self, mentions: Mentions, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._counts = np.asarray(mentions.named.sum(axis=0)).ravel()
        self._sizes = np.maximum(np.asarray(mentions.named.sum(axis=1)).ravel(), 1)
        self._dialogues_of = sparse.csr_array(mentions.named.T)
        self._votes = sparse.csr_array(mentions.recommended.T)

    def scores(self, messages: Sequence[Message]) -> Scores:
        """Shares of the votes, which add up to 1; zero for every item where nobody votes."""
        return self.given(rows_of(self._catalogue, mentioned(messages)))

    def given(self, named: Rows) -> Scores:
        """[n_items]."""
        found = np.zeros(len(self._catalogue), dtype=np.float32)
        known = named[self._counts[named] > 0]
        if not len(known):
            return found
        weights = 1 / np.sqrt(self._counts[known])
        found = self._votes @ ((self._dialogues_of[known].T @ weights) ** 2 / self._sizes)
        return (found / max(found.sum(), 1e-9)).astype(np.float32)
