"""What every source of candidates does: one verb, one list, best first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from retrieval.errors import QueryError
from retrieval.types import Candidate, Evidence, Query

if TYPE_CHECKING:
    from retrieval.catalogue import Catalogue
    from retrieval.filters import Eligible


class Retriever(Protocol):
    """A source of candidates. `name` stands in their evidence and in the ranker's weights."""

    @property
    def name(self) -> str:
        """One word: "dense", "lexical", ..."""

    def retrieve(self, query: Query, eligible: Eligible, n: int) -> list[Candidate]:
        """At most `n` eligible items, best first, ranks from 1; empty when the query says nothing to it.

        Raises QueryError when `n` is below 1.
        """


AHEAD = 512
"""Queries that are worth reading ahead at once: of many more, some would be forgotten before their turn."""


@runtime_checkable
class ReadsAhead(Protocol):
    """A source that answers several queries sooner when it has seen them together, and no otherwise."""

    def read_ahead(self, queries: Sequence[Query]) -> None:
        """Remember what answering these queries takes, `AHEAD` of them at least."""


def best(
    source: str, catalogue: Catalogue, scores: np.ndarray, allowed: np.ndarray, n: int
) -> list[Candidate]:
    """The `n` best rows as candidates with their evidence; equal scores in catalogue order.

    `scores`: float [n_items], higher is better; `allowed`: bool [n_items].
    Raises QueryError when `n` is below 1.
    """
    check_n(n)
    rows = np.flatnonzero(allowed)
    values = scores[rows]
    if len(rows) > n:
        # Everything at least as good as the n-th stays in, so that ties are cut by row, not by chance.
        keep = values >= np.partition(values, len(rows) - n)[len(rows) - n]
        rows, values = rows[keep], values[keep]
    order = np.lexsort((rows, -values))[:n]
    found = []
    for rank, (row, score) in enumerate(
        zip(rows[order].tolist(), values[order].tolist(), strict=True), start=1
    ):
        found.append(Candidate(catalogue.ids[row], score, rank, (Evidence(source, rank, score),)))
    return found


def check_n(n: int) -> None:
    """Raise QueryError unless at least one item is asked for."""
    if n < 1:
        raise QueryError(f"n = {n!r}: ask for at least 1 item.")


def check_share(name: str, value: float) -> None:
    """Raise QueryError unless a control is a number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise QueryError(f"{name} = {str(value)[:80]!r}: give a number from 0 to 1.")
