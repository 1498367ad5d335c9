"""Items whose text means what the query says, or what the liked items are like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.catalogue import Catalogue
from retrieval.chroma import VectorStore
from retrieval.encoder import Encoder, Progress
from retrieval.errors import WorkspaceError
from retrieval.filters import Eligible
from retrieval.neighbours import Neighbours
from retrieval.retriever import check_n
from retrieval.snapshot import Former
from retrieval.text import meaning_text
from retrieval.types import Candidate, Query

EXPANSIONS = 0.3
LIKED = 0.7
DISLIKED = 0.3


class DenseRetriever:
    """Cosine between item vectors and one query vector, by Chroma or exactly.

    The query vector is text + 0.3 mean(expansions) + 0.7 (mean(liked) - 0.3 mean(disliked)), each of
    unit length. Because a dot product is linear, that ranks items by the same weighted sum of their
    likenesses to the parts. A query without text, expansions and liked items has no candidates.
    """

    name = "dense"

    @staticmethod
    def build(
        folder: Path,
        catalogue: Catalogue,
        encoder: Encoder,
        progress: Progress | None = None,
        former: Former | None = None,
    ) -> None:
        """Encode every item and write vectors.npy (float32 [n_items, d]) and the Chroma store.

        Texts that `former` holds are not encoded again, and its store is carried on.
        """
        texts = [meaning_text(item) for item in catalogue]
        folder.mkdir(parents=True, exist_ok=True)
        if former is None:
            vectors = encoder.encode(texts, progress)
            VectorStore.rebuild(folder / "chroma", catalogue, vectors)
        else:
            earlier = np.load(former.folder / "vectors.npy", allow_pickle=False)
            vectors = _with_new(texts, former.snapshot.catalogue, earlier, encoder, progress)
            VectorStore.carry_on(
                folder / "chroma", former.folder / "chroma", former.snapshot.catalogue, catalogue, vectors
            )
        np.save(folder / "vectors.npy", vectors, allow_pickle=False)

    def __init__(self, folder: Path, catalogue: Catalogue, encoder: Encoder) -> None:
        """Open what `build` wrote; a missing or damaged Chroma store is rebuilt from vectors.npy.

        Raises WorkspaceError when vectors.npy is missing, damaged or another catalogue's.
        """
        try:
            self._vectors = np.load(folder / "vectors.npy", allow_pickle=False)
        except (OSError, ValueError) as problem:
            raise WorkspaceError(
                f"The vectors {folder / 'vectors.npy'} cannot be read ({problem}). Build the workspace again."
            ) from None
        if self._vectors.ndim != 2 or len(self._vectors) != len(catalogue):
            raise WorkspaceError(
                f"The vectors {folder / 'vectors.npy'} have shape {self._vectors.shape} and the catalogue "
                f"holds {len(catalogue)} items. Build the workspace again."
            )
        self._catalogue = catalogue
        self._encoder = encoder
        store = VectorStore(folder / "chroma", catalogue, self._vectors)
        rows = np.arange(len(catalogue), dtype=np.int64)
        self._neighbours = Neighbours(self.name, catalogue, store, self._vectors, rows)

    @property
    def vectors(self) -> np.ndarray:
        """Float32 [n_items, d], unit length, in catalogue order."""
        return self._vectors

    def retrieve(self, query: Query, eligible: Eligible, n: int) -> list[Candidate]:
        """Items nearest to the query vector. Raises UnknownItemError for liked or disliked items."""
        check_n(n)
        vector = self._query_vector(query)
        return self._neighbours.nearest(vector, eligible, n) if vector is not None else []

    def read_ahead(self, queries: Sequence[Query]) -> None:
        """Encode the texts of several queries together; the encoder remembers them."""
        texts = [text for query in queries for text in _texts(query)]
        if texts:
            self._encoder.encode(list(dict.fromkeys(texts)))

    def likeness(self, text: str) -> float:
        """Cosine of a text to the item nearest to it."""
        return float((self._vectors @ self._encoder.encode([text])[0]).max())

    def _query_vector(self, query: Query) -> np.ndarray | None:
        """Float32 [d] of unit length; None when the query says nothing to this source."""
        wish = np.zeros(self._vectors.shape[1], dtype=np.float32)
        texts = _texts(query)
        if texts:
            encoded = self._encoder.encode(texts)
            if query.text.strip():
                wish += encoded[0]
                encoded = encoded[1:]
            if len(encoded):
                wish += EXPANSIONS * encoded.mean(axis=0)
        if query.liked:
            wish += LIKED * (self._centre(query.liked) - DISLIKED * self._centre(query.disliked))
        length = np.linalg.norm(wish)
        return wish / length if length > 0 else None

    def _centre(self, item_ids: tuple[str, ...]) -> np.ndarray:
        """Mean direction of some items, float32 [d] of unit length; zero for none."""
        rows = [self._catalogue.row(item_id) for item_id in dict.fromkeys(item_ids)]
        total = self._vectors[rows].sum(axis=0)
        length = np.linalg.norm(total)
        return total / length if length > 0 else total


def _texts(query: Query) -> list[str]:
    return [text for text in (query.text, *query.expansions) if text.strip()]


def _with_new(
    texts: Sequence[str],
    known: Catalogue,
    vectors: np.ndarray,
    encoder: Encoder,
    progress: Progress | None,
) -> np.ndarray:
    """Float32 [n_texts, d]: the vectors that items had for these very texts, the others from the encoder."""
    places = {meaning_text(item): row for row, item in enumerate(known)}
    rows = np.array([places.get(text, -1) for text in texts])
    found = np.empty((len(texts), vectors.shape[1]), dtype=np.float32)
    found[rows >= 0] = vectors[rows[rows >= 0]]
    new = np.flatnonzero(rows < 0)
    if len(new):
        found[new] = encoder.encode([texts[row] for row in new.tolist()], progress)
    return found
