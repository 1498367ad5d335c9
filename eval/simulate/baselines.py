"""Recommenders that need no intelligence, for the figures beside which others are read."""

from __future__ import annotations

from agent.types import DialogueState, Reply
from retrieval.catalogue import Catalogue
from retrieval.ranker import Ranker
from retrieval.types import Query, Recommendation


class Popular:
    """Shows the next best-loved items at every turn, and never reads a message."""

    def __init__(self, ranker: Ranker) -> None:
        self._ranker = ranker

    def conversation(self, user: str) -> _PopularTalk:
        """A conversation; the user makes no difference."""
        return _PopularTalk(self._ranker)


class _PopularTalk:
    def __init__(self, ranker: Ranker) -> None:
        self._ranker, self._shown = ranker, frozenset[str]()

    def send(self, text: str, n: int) -> Reply:
        query = Query(exclude=self._shown)
        found = self._ranker.rank(query, n).candidates
        self._shown |= {candidate.item_id for candidate in found}
        return Reply(
            "", shown_items(self._ranker.catalogue, [one.item_id for one in found]), state=DialogueState()
        )


def shown_items(catalogue: Catalogue, item_ids: list[str]) -> tuple[Recommendation, ...]:
    """Recommendations in the given order, without reasons."""
    return tuple(
        Recommendation(item_id, catalogue[item_id].title, 0.0, rank)
        for rank, item_id in enumerate(item_ids, start=1)
    )
