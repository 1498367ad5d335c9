"""What the catalogue says of its items as a sparse table, for models that learn from it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from scipy import sparse

from retrieval.catalogue import Catalogue
from retrieval.signals.reading import phrases
from retrieval.types import Item


def content(catalogue: Catalogue) -> sparse.csr_array:
    """What the catalogue says of each item, float32 [n_items, facts]: genres, people, words of title and
    description, decade and period; weighted by rarity, each kind to length 1.
    """
    kinds: list[tuple[Callable[[Item], Sequence[str]], int]] = [
        (lambda item: item.genres, 2),
        (lambda item: (*item.directors, *item.cast, *_writers(item)), 2),
        (lambda item: [word for word in phrases(item.title) if "_" not in word], 2),
        (lambda item: _period(item.year), 2),
        (lambda item: [word for word in phrases(item.description) if "_" not in word], 3),
    ]
    return sparse.csr_array(sparse.hstack([_weighted(catalogue, values, fewest) for values, fewest in kinds]))


def _writers(item: Item) -> list[str]:
    names = dict(item.attributes).get("writers", "").split(",")
    return [name for name in (part.strip(' []"') for part in names) if name]


def _period(year: int | None) -> list[str]:
    return ["unknown"] if year is None else [f"decade {year // 10}", f"period {year // 3}"]


def _weighted(catalogue: Catalogue, values: Callable[[Item], Sequence[str]], fewest: int) -> sparse.csr_array:
    """Rows of length 1 over the values that at least `fewest` items have; log(n / how many have it)."""
    counts = Counter(value for item in catalogue for value in dict.fromkeys(values(item)))
    kept = {value: k for k, value in enumerate(v for v, count in counts.items() if count >= fewest)}
    held = [counts[value] for value in kept]
    rows: list[int] = []
    columns: list[int] = []
    data: list[float] = []
    for row, item in enumerate(catalogue):
        has = sorted(kept[value] for value in set(values(item)) if value in kept)
        weight = np.array([math.log(1 + len(catalogue) / (1 + held[k])) for k in has])
        rows += [row] * len(has)
        columns += has
        data += (weight / max(float(np.linalg.norm(weight)), 1e-9)).tolist()
    return sparse.csr_array(
        (np.array(data, np.float32), (rows, columns)), shape=(len(catalogue), len(kept)), dtype=np.float32
    )
