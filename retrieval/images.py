"""Items that look like the liked ones, or are like them in whatever the precomputed vectors say."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from retrieval.catalogue import Catalogue
from retrieval.chroma import VectorStore
from retrieval.filters import Eligible
from retrieval.looks import Looks
from retrieval.neighbours import Neighbours
from retrieval.retriever import check_n
from retrieval.snapshot import Former
from retrieval.types import Candidate, Query

DISLIKED = 0.3


class ImageRetriever:
    """Cosine between looks and mean(liked) - 0.3 mean(disliked), each mean of unit length.

    Only items that have a vector are candidates. A query whose liked items have none has no candidates.
    """

    name = "images"

    @staticmethod
    def build(folder: Path, catalogue: Catalogue, looks: Looks, former: Former | None = None) -> None:
        """Write the Chroma store; where only items came and went since `former`, its store is carried on."""
        shown = _shown(catalogue, looks)
        before = former.snapshot.looks if former is not None else None
        if former is None or before is None or not _agree(looks, before):
            VectorStore.rebuild(folder / "chroma", shown, looks.vectors)
            return
        known = _shown(former.snapshot.catalogue, before)
        VectorStore.carry_on(folder / "chroma", former.folder / "chroma", known, shown, looks.vectors)

    def __init__(self, folder: Path, catalogue: Catalogue, looks: Looks) -> None:
        """Open what `build` wrote; a missing or damaged Chroma store is rebuilt from the looks."""
        self._looks = looks
        self._places = {item_id: place for place, item_id in enumerate(looks.ids)}
        self._catalogue = catalogue
        store = VectorStore(folder / "chroma", _shown(catalogue, looks), looks.vectors)
        rows = np.array([catalogue.row(item_id) for item_id in looks.ids], dtype=np.int64)
        self._neighbours = Neighbours(self.name, catalogue, store, looks.vectors, rows)

    def retrieve(self, query: Query, eligible: Eligible, n: int) -> list[Candidate]:
        """Items that look like the liked ones. Raises UnknownItemError for liked or disliked items."""
        check_n(n)
        wish = self._centre(query.liked)
        if not wish.any():
            return []
        wish -= DISLIKED * self._centre(query.disliked)
        length = np.linalg.norm(wish)
        return self._neighbours.nearest(wish / length, eligible, n) if length > 0 else []

    def _centre(self, item_ids: tuple[str, ...]) -> np.ndarray:
        """Mean direction of the items that have a vector, float32 [d] of unit length; zero for none."""
        for item_id in item_ids:
            self._catalogue.row(item_id)
        places = [self._places[item_id] for item_id in dict.fromkeys(item_ids) if item_id in self._places]
        total = self._looks.vectors[places].sum(axis=0)
        length = np.linalg.norm(total)
        return total / length if length > 0 else total


def _shown(catalogue: Catalogue, looks: Looks) -> Catalogue:
    return Catalogue(catalogue[item_id] for item_id in looks.ids)


def _agree(looks: Looks, before: Looks) -> bool:
    """Whether both say the same of the items that both have."""
    places = {item_id: place for place, item_id in enumerate(before.ids)}
    both = [(place, places[item_id]) for place, item_id in enumerate(looks.ids) if item_id in places]
    mine, theirs = ([pair[side] for pair in both] for side in (0, 1))
    return looks.name == before.name and np.array_equal(looks.vectors[mine], before.vectors[theirs])
