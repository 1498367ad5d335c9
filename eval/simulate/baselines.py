"""Recommenders that need no intelligence, for the figures beside which others are read."""

from __future__ import annotations

from dataclasses import replace

from agent.plan import to_constraints
from agent.reading.link import Linker
from agent.reading.understand import Reader
from agent.reading.vocabulary import Vocabulary
from agent.state import apply_reading
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
        reply = shown(self._ranker, Query(exclude=self._shown), n)
        self._shown |= {item.item_id for item in reply.items}
        return reply


class Filtered:
    """Shows the best-loved items that keep what was asked for, as the product's rules read it.

    What a catalogue page with filters would find: it asks nothing, and no likeness to what is loved counts.
    """

    def __init__(self, ranker: Ranker, vocabulary: Vocabulary) -> None:
        self._ranker, self._vocabulary = ranker, vocabulary
        catalogue = ranker.catalogue
        self._reader = Reader(catalogue, Linker(catalogue), vocabulary, None, ranker.likeness)

    def conversation(self, user: str) -> _FilteredTalk:
        """A conversation; the user makes no difference."""
        return _FilteredTalk(self._ranker, self._vocabulary, self._reader)


class _FilteredTalk:
    def __init__(self, ranker: Ranker, vocabulary: Vocabulary, reader: Reader) -> None:
        self._ranker, self._vocabulary, self._reader = ranker, vocabulary, reader
        self._state = DialogueState()

    def send(self, text: str, n: int) -> Reply:
        reading = self._reader.read(text, self._state).reading
        state = apply_reading(self._state, reading, self._vocabulary, self._state.turn + 1)
        named = {p.item_id for p in (*state.liked, *state.disliked, *state.seen) if p.item_id is not None}
        query = Query(
            constraints=to_constraints(state, self._vocabulary), exclude=frozenset((*named, *state.shown))
        )
        reply = shown(self._ranker, query, n)
        ids = tuple(item.item_id for item in reply.items)
        self._state = replace(state, shown=(*state.shown, *ids), last_shown=ids)
        return replace(reply, state=self._state)


def shown(ranker: Ranker, query: Query, n: int) -> Reply:
    """A reply without words that shows what a query finds."""
    ranking = ranker.rank(query, n)
    items = shown_items(ranker.catalogue, [candidate.item_id for candidate in ranking.candidates])
    return Reply("", items, state=DialogueState(), relaxed=ranking.relaxed)


def shown_items(catalogue: Catalogue, item_ids: list[str]) -> tuple[Recommendation, ...]:
    """Recommendations in the given order, without reasons."""
    return tuple(
        Recommendation(item_id, catalogue[item_id].title, 0.0, rank)
        for rank, item_id in enumerate(item_ids, start=1)
    )
