"""What is recommended in dialogues like this one: the learned scorer as a source and as the last word."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message
from retrieval.features import GROUPS
from retrieval.filters import Eligible
from retrieval.retriever import best, check_n
from retrieval.signals.signal import Scores
from retrieval.types import Candidate, Query

NAME = "dialogue"

REMEMBERED = 8
"""Dialogues whose scores are kept: a source, the scorer and a "why not" ask for the same ones."""

# Weights of the fused order, share of the targets in the first 10 / 50, starter films:
#                                      0          1          4         16         64
#   500 kept ReDial recommendations  .265 .472  .275 .473  .269 .464  .243 .457  .227 .444
#   190 held-out users, 3 likes      .146 .411  .148 .418  .147 .411  .141 .403  .140 .397
#   47 descriptions in free words    .532 .660  .617 .745  .702 .745  .830 .979  .957 .979
IN_DIALOGUE = 1.0
"""Where both sides are given in their own words, as the model has learned them."""
BESIDE = 8.0
"""Beside likes and wishes told by the state of a conversation."""
ONLY_WORDS = 64.0
"""Of the fused order where nothing is liked and free words say what is wanted: text retrieval answers."""
STRANGE = 1 / 16
"""The least that is made of the model's familiarity with what is liked: beyond, it has nothing to go by."""

_OWN = {"collaborative": "together"}
"""The model counts what dialogues name together; "collaborative" is the source that knows what users like."""


class ReadsDialogues(Protocol):
    """Scores every item of the catalogue for what may be recommended next."""

    def scores(self, messages: Sequence[Message]) -> Scores:
        """[n_items], in the units of a natural logarithm of odds; higher is better."""

    def read_ahead(self, dialogues: Sequence[Sequence[Message]]) -> None:
        """Prepare for several dialogues at once, where that is faster."""

    def contributions(self, messages: Sequence[Message], item_id: str) -> Mapping[str, float]:
        """What each feature adds to the score of an item, by name."""

    def familiarity(self, item_ids: Sequence[str]) -> float:
        """How well it knows these items from its training, in [0, 1]; 1 for none."""


class Conversational:
    """A source and a scorer in one, over a model that reads dialogues.

    score = log-odds by the model + w log(fused score): a product of experts (Hinton 2002). The model has
    learned from people who chat, and of films that few have named it knows that others are popular; the fused
    order knows what they are about. So w is BESIDE / familiarity with what is liked, and large where
    nothing but words is given. A query without messages is left to fusion.
    """

    name = NAME

    def __init__(self, catalogue: Catalogue, model: ReadsDialogues) -> None:
        self._catalogue = catalogue
        self._model = model
        self._scores = lru_cache(REMEMBERED)(model.scores)

    def retrieve(self, query: Query, eligible: Eligible, n: int) -> list[Candidate]:
        """Items by the model alone; none for a query without messages."""
        check_n(n)
        if not query.messages:
            return []
        return best(self.name, self._catalogue, self._scores(query.messages), eligible.mask, n)

    def read_ahead(self, queries: Sequence[Query]) -> None:
        """Let the model prepare for the dialogues of several queries."""
        self._model.read_ahead([query.messages for query in queries if query.messages])

    def score(self, query: Query, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The same items in the order of both; as fusion ordered them where nothing was said."""
        if not query.messages or not candidates:
            return list(candidates)
        scores, weight = self._scores(query.messages), self._weight(query)
        own = scores[[self._catalogue.row(one.item_id) for one in candidates]].tolist()
        joint = [part + weight * math.log(one.score) for part, one in zip(own, candidates, strict=True)]
        ordered = sorted(zip(joint, candidates, strict=True), key=lambda pair: (-pair[0], pair[1].item_id))
        return [
            Candidate(one.item_id, score, rank, one.evidence)
            for rank, (score, one) in enumerate(ordered, start=1)
        ]

    def shares(self, query: Query, item_id: str) -> tuple[tuple[str, float], ...]:
        """What speaks for an item in the model, as (group of features, share), of all that it sees in total.

        A group's share is the sum of what its features add, where positive; the shares add up to
        1 / (1 + w), the model's part in the joint order. Empty without messages. Raises UnknownItemError.
        """
        if not query.messages:
            return ()
        parts = self._model.contributions(query.messages, item_id)
        sums = {
            _OWN.get(group, group): max(0.0, sum(parts.get(name, 0.0) for name in names))
            for group, names in GROUPS.items()
        }
        total = sum(sums.values())
        part = 1 / (1 + self._weight(query))
        return tuple((group, part * value / total) for group, value in sums.items() if value > 0)

    def _weight(self, query: Query) -> float:
        if any(message.role == "recommender" and message.text for message in query.messages):
            return IN_DIALOGUE
        if query.text.strip() and not query.liked:
            return ONLY_WORDS
        return BESIDE / max(self._model.familiarity(query.liked), STRANGE)
