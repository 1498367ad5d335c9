"""What was said against the text of every item: by its words (BM25) and by its sense (vectors)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message, whole_text
from retrieval.encoder import Encoder
from retrieval.lexical import stems
from retrieval.signals.signal import Scores
from retrieval.text import item_text, meaning_text

LONGEST = 1000
"""Characters of a dialogue that are read, from its end: the encoder takes no more than 256 tokens."""


class Words:
    """Lucene's BM25 of the dialogue's text, English stopwords, Snowball stems."""

    name = "BM25"

    def __init__(self, catalogue: Catalogue) -> None:
        import bm25s

        self._index = bm25s.BM25()
        self._index.index(stems([item_text(item) for item in catalogue]), show_progress=False)
        self._n_items = len(catalogue)

    def scores(self, messages: Sequence[Message]) -> Scores:
        """Zero for items that share no word with the dialogue."""
        known = self._index.get_tokens_ids(stems([whole_text(messages, LONGEST)])[0])
        if not known:
            return np.zeros(self._n_items, dtype=np.float32)
        return self._index.get_scores_from_ids(known)


class Meaning:
    """Cosine of the dialogue's vector to those of the items' texts."""

    name = "dense"

    def __init__(self, catalogue: Catalogue, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors = encoder.encode([meaning_text(item) for item in catalogue])

    def scores(self, messages: Sequence[Message]) -> Scores:
        """An empty dialogue has a vector too."""
        return self._vectors @ self._encoder.encode([whole_text(messages, LONGEST)])[0]
