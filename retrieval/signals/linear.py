"""EASE on what dialogues name together: a linear item-item model with a closed form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message, mentioned
from retrieval.signals.comentions import Mentions, Rows, rows_of
from retrieval.signals.signal import Scores

REGULARISATION = 20.0
FEWEST = 2
"""Dialogues that must name an item for it to be in the model; one alone says no more than a count."""


class LinearMentions:
    """EASE (Steck, WWW 2019): score = sum of B over the items named, B = I - P diag(1 / diag P),
    P = (X'X + lambda I)^-1 of the 0/1 matrix X of dialogues and the items they name.
    """

    name = "EASE"

    def __init__(self, mentions: Mentions, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        counts = np.asarray(mentions.named.sum(axis=0)).ravel()
        self._kept = np.flatnonzero(counts >= FEWEST)
        self._place = np.full(len(catalogue), -1)
        self._place[self._kept] = np.arange(len(self._kept))
        held = mentions.named[:, self._kept]
        gram = (held.T @ held).toarray().astype(np.float32)
        gram[np.diag_indices_from(gram)] += REGULARISATION
        self._inverse = np.linalg.inv(gram)

    def scores(self, messages: Sequence[Message]) -> Scores:
        """Zero for items outside the model, and for all where nothing in it was named."""
        return self.given(rows_of(self._catalogue, mentioned(messages)))

    def given(self, named: Rows) -> Scores:
        """[n_items]."""
        found = np.zeros(len(self._catalogue), dtype=np.float32)
        chosen = self._places(named)
        weights = -self._inverse[chosen].sum(axis=0) / np.diag(self._inverse)
        weights[chosen] += 1  # B has a zero diagonal
        found[self._kept] = weights if chosen.size else 0
        return found

    def _places(self, rows: Rows) -> Rows:
        places = self._place[rows]
        return places[places >= 0]
