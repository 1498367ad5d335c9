"""What the conversation knows of its user, in words."""

from __future__ import annotations

from agent.notes import refusal_in_words
from agent.policy import list_or
from agent.prompting import phrase
from agent.state import VALUE_SLOTS, describe_value
from agent.types import DialogueState, Preference
from agent.writing import italic
from retrieval.catalogue import Catalogue

MOST = 6
"""Items named of each kind; the page lists them all."""


def summary(state: DialogueState, catalogue: Catalogue) -> str:
    """Likes, dislikes, wishes, promises and refusals, each in a sentence; says so where there are none."""

    def titles(preferences: tuple[Preference, ...]) -> str:
        return list_or([italic(catalogue[p.item_id]) for p in preferences if p.item_id][-MOST:], "and")

    wishes = (*state.wants, *state.people)
    asked = [p.value for p in wishes if p.firm]
    asked += [
        describe_value(slot, value) for slot in VALUE_SLOTS if (value := getattr(state, slot)) is not None
    ]
    told = [p.value for p in wishes if not p.firm]
    refused = [refusal_in_words(p) for p in state.avoids]
    sentences = [
        phrase("know_liked", values=titles(state.liked)) if state.liked else "",
        phrase("know_disliked", values=titles(state.disliked)) if state.disliked else "",
        phrase("know_told", values=list_or(told, "and")) if told else "",
        phrase("know_asked", values=list_or(asked, "and")) if asked else "",
        phrase("know_avoids", values=list_or(refused, "and")) if refused else "",
    ]
    known = [sentence for sentence in sentences if sentence]
    return " ".join([*known, phrase("know_where")]) if known else phrase("know_nothing")
