"""BM25 over item text: finds the very words, where vectors find the sense."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.catalogue import Catalogue
from retrieval.errors import WorkspaceError
from retrieval.filters import Eligible
from retrieval.retriever import best, check_n
from retrieval.text import item_text
from retrieval.types import Candidate, Query

EXPANSIONS = 0.3
"""Weight of all expansions together, beside 1 for the text."""

NO_WORDS = "(none)"


class LexicalRetriever:
    """Lucene's BM25 (Kamphuis et al., ECIR 2020) as bm25s scores it, English stopwords, Snowball stems.

    An item that shares no word with the query is no candidate.
    """

    name = "lexical"

    @staticmethod
    def build(folder: Path, catalogue: Catalogue) -> None:
        """Index the text of every item into a new folder: npy and JSON files."""
        import bm25s

        index = bm25s.BM25()
        words = stems([item_text(item) for item in catalogue])
        if not any(words):
            words[0] = [NO_WORDS]  # bm25s cannot index nothing; no query has this word
        index.index(words, show_progress=False)
        index.save(folder, show_progress=False)

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        """Open what `build` wrote. Raises WorkspaceError when it is damaged or another catalogue's."""
        import bm25s

        try:
            self._index = bm25s.BM25.load(folder, mmap=True, show_progress=False)
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise WorkspaceError(
                f"The lexical index {folder} cannot be read ({problem}). Build the workspace again."
            ) from None
        if self._index.scores["num_docs"] != len(catalogue):
            raise WorkspaceError(
                f"The lexical index {folder} holds {self._index.scores['num_docs']} items and the catalogue "
                f"{len(catalogue)}. Build the workspace again."
            )
        self._catalogue = catalogue

    def retrieve(self, query: Query, eligible: Eligible, n: int) -> list[Candidate]:
        """Items by the words of `query.text`, and more weakly of its expansions."""
        check_n(n)
        scores = self._scores(query.text, eligible.mask)
        for expansion in query.expansions:
            scores += self._scores(expansion, eligible.mask) * (EXPANSIONS / len(query.expansions))
        return best(self.name, self._catalogue, scores, scores > 0, n)

    def _scores(self, text: str, mask: np.ndarray) -> np.ndarray:
        known = self._index.get_tokens_ids(stems([text])[0])
        if not known:
            return np.zeros(len(self._catalogue), dtype=np.float32)
        return self._index.get_scores_from_ids(known, weight_mask=mask)


def stems(texts: Sequence[str]) -> list[list[str]]:
    """The words of each text as the index knows them: lower case, without stopwords, stemmed."""
    from bm25s import tokenization
    from Stemmer import Stemmer

    # A stemmer may not be shared between threads; making one costs microseconds.
    return tokenization.tokenize(
        list(texts), stopwords="english", stemmer=Stemmer("english"), return_ids=False, show_progress=False
    )
