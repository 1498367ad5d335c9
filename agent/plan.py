"""DialogueState -> Query: what is promised, what is wished for, what must not come again."""

from __future__ import annotations

from collections.abc import Iterable

from agent.reading.vocabulary import Vocabulary
from agent.types import DialogueState, Preference
from retrieval.dialogue import Message
from retrieval.types import FACET_FIELDS, Constraints, Facet, Query

FOR_CHILDREN = (Facet("genres", "children's"), Facet("genres", "animation"), Facet("genres", "family"))
LANGUAGES = {"chinese": ("chinese", "mandarin")}
"""What catalogues call a language that goes by several names."""


def to_query(state: DialogueState, vocabulary: Vocabulary, expansions: tuple[str, ...] = ()) -> Query:
    """The query of a state. Likes of this conversation speak; older ones only when it has none of its own."""
    liked = _items(p for p in state.liked if p.turn is not None) or _items(state.liked)
    known = (*state.liked, *state.disliked, *state.seen)
    return Query(
        messages=spoken(state, liked),
        text=wanted_text(state),
        expansions=expansions,
        liked=liked,
        disliked=_items(state.disliked),
        exclude=frozenset((*_items(known), *state.shown)),
        facets=tuple(f for p in state.wants if p.kind not in FACET_FIELDS for f in _wished(p, vocabulary)),
        preferences=preferences(state, vocabulary),
        constraints=to_constraints(state, vocabulary),
        long_tail=state.long_tail,
    )


def spoken(state: DialogueState, liked: tuple[str, ...]) -> tuple[Message, ...]:
    """The state as a dialogue of one message: what is liked and what is wanted. Empty where there is neither.

    Not the messages themselves: what a user has taken back, or edited in the profile, must count no more. Nor
    what was shown: recorded recommenders name what the seeker may like, here it is what was not taken up.
    """
    wants = [p.value for p in (*state.wants, *state.people)]
    if state.years and state.years[0] and state.years[1] and state.years[0] // 10 == state.years[1] // 10:
        wants.append(f"{state.years[0] // 10}0s")
    if not (liked or wants):
        return ()
    return (Message("seeker", " ".join(wants), liked),)


def to_constraints(state: DialogueState, vocabulary: Vocabulary) -> Constraints:
    """The promises of a state, in the order they were made."""
    require = [_group(p, vocabulary) for p in state.wants if _promised(p)]
    require += [_group(p, vocabulary) for p in state.people if p.firm]
    if state.language:
        names = LANGUAGES.get(state.language, (state.language,))
        require.append(tuple(Facet("language", name) for name in names))
    if state.audience:
        require.append((Facet("audience", state.audience),))
    forbid: list[Facet] = []
    for preference in state.avoids:
        forbid += _group(preference, vocabulary) or nearest(preference.value, vocabulary)
    return Constraints(tuple(require), tuple(forbid), state.years, state.max_minutes)


def preferences(state: DialogueState, vocabulary: Vocabulary) -> tuple[tuple[Facet, ...], ...]:
    """Tastes told in passing, each a group of facets of which any will do; and what is made for children
    before what they may watch too, where the family watches.
    """
    groups = [_group(p, vocabulary) for p in (*state.wants, *state.people) if not p.firm]
    if state.audience == "family":
        groups.append(tuple(facet for facet in FOR_CHILDREN if vocabulary.knows(facet)))
    return tuple(group for group in groups if group)


def wanted_text(state: DialogueState) -> str:
    """What is wanted in words, for text retrieval; what the catalogue has facets for needs no likeness."""
    return " ".join(p.value for p in state.wants if p.kind not in FACET_FIELDS)


def nearest(phrase: str, vocabulary: Vocabulary) -> tuple[Facet, ...]:
    """Facets that come closest to a phrase the catalogue has no word for; empty when nothing does."""
    term = vocabulary.answer(phrase)
    return term.facets if term else ()


def _promised(preference: Preference) -> bool:
    """Whether a wish filters: it was asked for and the catalogue has a facet for it. All else only ranks."""
    return preference.firm and preference.kind in FACET_FIELDS


def _wished(preference: Preference, vocabulary: Vocabulary) -> tuple[Facet, ...]:
    return _group(preference, vocabulary) or nearest(preference.value, vocabulary)


def _group(preference: Preference, vocabulary: Vocabulary) -> tuple[Facet, ...]:
    """Facets of which one must hold. "nun or priest" is the name of one theme, "war or western" are two."""
    whole = Facet(preference.kind, preference.value)
    if preference.kind in FACET_FIELDS and whole in nearest(preference.value, vocabulary):
        return (whole,)
    values = preference.value.split(" or ")
    if preference.kind == "person":
        return tuple(Facet(field, value) for field in ("directors", "cast") for value in values)
    return tuple(Facet(preference.kind, value) for value in values) if preference.kind in FACET_FIELDS else ()


def _items(preferences: Iterable[Preference]) -> tuple[str, ...]:
    return tuple(p.item_id for p in preferences if p.item_id is not None)
