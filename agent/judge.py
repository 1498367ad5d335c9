"""Would this person like this item? The model's probability of "yes" after the person's own verdicts.

f(u, i) = sigmoid(logit(yes) - logit(no)) at one position (Bao et al., "TALLRec", RecSys 2023, with the
history written as the same lines as the candidate, so that every line of a history is a training example).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.prompting import spec
from retrieval.types import Item

LONGEST_HISTORY = 10
"""Verdicts shown to the model: as many as it was measured with."""

_GENRES = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """An item and whether the person liked it."""

    item: Item
    liked: bool


def candidate_line(item: Item) -> str:
    """An item as the judge reads it, up to the place of the verdict."""
    texts = spec("judge")
    genres = " ".join(item.genres[:_GENRES])
    template = texts["line"] if genres else texts["bare"]
    return template.replace("$title", item.title).replace("$genres", genres)


def verdict_line(verdict: Verdict) -> str:
    """An item with its verdict: one line of a history."""
    texts = spec("judge")
    return f"{candidate_line(verdict.item)}{texts['liked'] if verdict.liked else texts['disliked']}\n"


def history_text(verdicts: Sequence[Verdict]) -> str:
    """The shared beginning of every candidate's prompt: the latest ten verdicts, oldest first."""
    return spec("judge")["head"] + "".join(verdict_line(verdict) for verdict in verdicts[-LONGEST_HISTORY:])
