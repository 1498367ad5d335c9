"""The last word on order: scorers re-rank the fused candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from retrieval.types import Candidate, Query


class Scorer(Protocol):
    """Re-ranks candidates. Keeps exactly the items it was given, with their evidence."""

    def score(self, query: Query, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The same items, best first, with this scorer's own scores and ranks from 1."""


class FusionScorer:
    """Keeps the fused order: the scorer to beat."""

    def score(self, query: Query, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates as fusion ordered them."""
        return list(candidates)
