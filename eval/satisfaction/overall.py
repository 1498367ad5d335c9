"""A modelled satisfaction: what somebody would make of it all, as a formula that anyone can disagree with.

    S = 100 * sum_c w_c x_c,   0 <= x_c <= 1,   sum_c w_c = 1

It has the form of PARADISE (Walker et al., ACL 1997), task success weighed against the costs of the dialogue.
The weights are a judgement and were fitted to nobody's answers: change `WEIGHTS`, and S changes with them. It
ranks recommenders under one opinion; it does not say how content people are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.metrics import Floats
from eval.satisfaction.judged import Judged
from eval.satisfaction.lists import Taster
from eval.satisfaction.replies import Met
from eval.simulate.figures import success, turns
from eval.simulate.person import TURNS

WEIGHTS: Mapping[str, float] = {
    "found": 0.35,
    "effort": 0.15,
    "relevance": 0.20,
    "promises": 0.10,
    "fresh": 0.05,
    "variety": 0.05,
    "balance": 0.05,
    "discovery": 0.05,
}

MEANING: Mapping[str, str] = {
    "found": f"1 where the item in mind was shown within {TURNS} messages, else 0",
    "effort": f"1 - (messages - 1) / {TURNS}, a miss counting as {TURNS + 1} messages",
    "relevance": "NDCG@10 of the list after the usual number of likes",
    "promises": "1 - share of the cards that break what was asked for",
    "fresh": "1 - share of the cards that were shown or named before",
    "variety": "1 - sum of squared genre shares of the list (Simpson)",
    "balance": "exp(-C_KL) of the list's genres against what the person likes (Steck)",
    "discovery": "share of the list outside the 100 best-known items",
}


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """`users`: people with both a list and a conversation. `parts`: x_c, float [users], by component."""

    users: tuple[str, ...]
    parts: Mapping[str, Floats]

    @property
    def each(self) -> Floats:
        """S of every person, 0 to 100."""
        return 100 * sum((WEIGHTS[name] * values for name, values in self.parts.items()), np.zeros(1))


def satisfaction(people: Sequence[Taster], judged: Judged, met: Sequence[Met]) -> Satisfaction:
    """The parts for everybody who has a list in `judged` (in the order of `people`) and a conversation."""
    talked = {one.user: one for one in met}
    rows = [row for row, one in enumerate(people) if one.user in talked]
    users = tuple(people[row].user for row in rows)
    conversations = [talked[user] for user in users]
    parts = {
        "found": np.array([success(one.outcome, 10, TURNS) for one in conversations]),
        "effort": 1 - (np.array([turns(one.outcome) for one in conversations]) - 1) / TURNS,
        "relevance": judged.each["ndcg"][rows],
        "promises": 1 - _share_of_cards(conversations, "broken"),
        "fresh": 1 - _share_of_cards(conversations, "repeats"),
        "variety": np.nan_to_num(judged.each["simpson"][rows]),
        "balance": np.exp(-np.nan_to_num(judged.each["miscalibration"][rows])),
        "discovery": np.nan_to_num(judged.each["unexpected"][rows]),
    }
    return Satisfaction(users, parts)


def _share_of_cards(conversations: Sequence[Met], name: str) -> Floats:
    """Float [conversations]: 0 where no card was shown."""
    counted = np.array([sum(getattr(e, name) for e in one.exchanges) for one in conversations], dtype=float)
    shown = np.array([sum(len(e.shown) for e in one.exchanges) for one in conversations], dtype=float)
    return counted / np.maximum(shown, 1)
