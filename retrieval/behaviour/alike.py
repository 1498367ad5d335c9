"""How alike items are by what the catalogue says of them: one matrix for each kind of likeness."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from retrieval.types import Item

YEARS_APART = 8.0
MOST_PEOPLE = 2.0

Likeness = NDArray[np.float32]


def likenesses(items: list[Item], texts: NDArray[np.float32]) -> Mapping[str, Likeness]:
    """Float32 [n, n] by name; `texts`: unit vectors of the items' texts, [n, d].

    Genres, themes (with moods), language and audience by the cosine of what they have; people and directors
    by how many they share, at most 2; years by exp(-distance / 8), 0 where one is unknown; texts by their
    cosine.
    """
    people = _having(items, lambda item: (*item.directors, *item.cast))
    directors = _having(items, lambda item: item.directors)
    year = np.array([np.nan if item.year is None else item.year for item in items], dtype=float)
    apart = np.abs(year[:, None] - year[None])
    return {
        "genres": _cosine(_having(items, lambda item: item.genres)),
        "themes": _cosine(_having(items, lambda item: (*item.themes, *item.moods))),
        "people": np.minimum(_common(people), MOST_PEOPLE),
        "directors": np.minimum(_common(directors), MOST_PEOPLE),
        "years": np.nan_to_num(np.exp(-apart / YEARS_APART)).astype(np.float32),
        "texts": texts @ texts.T,
        "language": _cosine(_having(items, lambda item: _one(item.language))),
        "audience": _cosine(_having(items, lambda item: _one(item.audience))),
    }


def _one(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)


def _having(items: list[Item], values: Callable[[Item], Iterable[Hashable]]) -> sparse.csr_array:
    """Csr float32 [n, values] of 0 and 1."""
    columns: dict[Hashable, int] = {}
    pairs = [
        (row, columns.setdefault(value, len(columns)))
        for row, item in enumerate(items)
        for value in dict.fromkeys(values(item))
    ]
    rows, places = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    shape = (len(items), max(len(columns), 1))
    return sparse.csr_array((np.ones(len(rows), np.float32), (rows, places)), shape=shape)


def _common(having: sparse.csr_array) -> Likeness:
    return np.asarray((having @ having.T).toarray(), dtype=np.float32)


def _cosine(having: sparse.csr_array) -> Likeness:
    common = _common(having)
    length = np.sqrt(np.maximum(common.diagonal(), 1e-9))
    return np.asarray(common / np.outer(length, length), dtype=np.float32)
