"""What live conversations teach the scorer, and whether it forgets what it knew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent.types import DialogueState
from finetune.splits import place
from finetune.targets import Conversations, cases
from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message
from retrieval.scorer import LearnedScorer
from retrieval.signals.comentions import rows_of

KEPT = 0.2
"""Share of the conversations with feedback that are not learned from, to see what was learned."""
FIRST = 10
AT_MOST = 300
"""Cases of either kind that are ranked."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """Conversations in which something was liked: `learned` from, and `kept` for the figures."""

    learned: Conversations
    kept: Conversations


@dataclass(frozen=True, slots=True)
class Memory:
    """recall@10 of a scorer on conversations that it never learned from; None where there are none.

    `old`: likes of users kept for the figures; `new`: feedback that was kept back.
    """

    scorer: str
    old: float | None
    new: float | None


def from_states(states: Iterable[tuple[str, DialogueState]], catalogue: Catalogue) -> Feedback:
    """What people liked of what they were shown, after what they said they like.

    Where nothing shown was liked, the last thing liked is told as if it had been recommended. A conversation
    with a single like says nothing about what goes together, and is left out.
    """
    learned: dict[str, tuple[Message, ...]] = {}
    kept: dict[str, tuple[Message, ...]] = {}
    for identity, state in states:
        liked = [p.item_id for p in state.liked if p.item_id is not None and p.item_id in catalogue]
        taken = [item for item in liked if item in state.shown] or liked[-1:]
        said = [item for item in liked if item not in taken]
        if said and taken:
            messages = (Message("seeker", "", tuple(said)), Message("recommender", "", tuple(taken)))
            part = kept if place(f"feedback:{identity}") < KEPT else learned
            part[f"feedback {identity}"] = messages
    return Feedback(learned, kept)


def remembered(
    scorers: Mapping[str, LearnedScorer], old: Conversations, new: Conversations, catalogue: Catalogue
) -> Iterator[Memory]:
    """The figures of each scorer: whether it learned the new, and whether it forgot the old."""
    for name, scorer in scorers.items():
        yield Memory(name, _recall(scorer, old, catalogue), _recall(scorer, new, catalogue))


def _recall(scorer: LearnedScorer, conversations: Conversations, catalogue: Catalogue) -> float | None:
    """Mean over cases of |targets among the first ten new items| / |targets|."""
    found = [
        _share(scorer.scores(case.before), rows_of(catalogue, case.new))
        for case in list(cases(conversations))[:AT_MOST]
        if case.new
    ]
    return float(np.mean(found)) if found else None


def _share(scores: np.ndarray, targets: Sequence[int] | np.ndarray) -> float:
    first = np.argsort(-scores, kind="stable")[:FIRST]
    return float(np.isin(targets, first).mean())
