"""What an answer told a recommender, in bits."""

from __future__ import annotations

import math
from dataclasses import replace

from agent.plan import to_query
from agent.reading.vocabulary import Vocabulary
from agent.types import DialogueState
from retrieval.ranker import Ranker


class Insight:
    """Two figures for the answer to a question, out of the states before and after it.

    narrowed = log2(eligible before) - log2(eligible after): how much the entropy falls of the belief that
    every item which keeps all promises is equally likely to be the one (Shannon 1948). It is blind to
    whether the answer was understood rightly.

    gained = log2(rank before) - log2(rank after), of the target in the full ranking of each state: positive
    where the answer brought it nearer. An item that is not eligible ranks behind the whole catalogue. Under
    a belief in proportion to 1 / rank this is the pointwise information about the target.
    """

    def __init__(self, ranker: Ranker, vocabulary: Vocabulary) -> None:
        self._ranker, self._vocabulary = ranker, vocabulary

    def __call__(self, before: DialogueState, after: DialogueState, target: str) -> tuple[float, float]:
        """(narrowed, gained). What the reply after the answer shows counts as not shown yet."""
        after = replace(after, shown=before.shown, last_shown=before.last_shown)
        eligible, ranks = zip(*(self._standing(state, target) for state in (before, after)), strict=True)
        return math.log2(eligible[0] / eligible[1]), math.log2(ranks[0] / ranks[1])

    def _standing(self, state: DialogueState, target: str) -> tuple[int, int]:
        """How many items are eligible in a state (at least 1), and the target's rank."""
        query = to_query(state, self._vocabulary)
        candidate = self._ranker.rank_of(query, target)
        last = len(self._ranker.catalogue) + 1
        return max(1, self._ranker.eligible(query).count), candidate.rank if candidate else last
