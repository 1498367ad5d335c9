"""What was asked for, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.claims import genre, is_form, is_subject, quoted, subject, themes, with_article
from agent.policy import list_or
from agent.state import VALUE_SLOTS, describe_value
from agent.types import DialogueState, Preference
from retrieval.types import Item, facet_values


def wanted_phrase(state: DialogueState) -> str:
    """What was asked for, as it follows "For ...": "a tense thriller from 1990 to 1999"; "" if nothing."""
    moods, genres, told, free = ([p.value for p in state.wants if p.kind == kind] for kind in
                                 ("moods", "genres", "themes", "text"))  # fmt: skip
    others = [
        p.value for p in state.wants if p.kind not in ("moods", "genres", "themes", "countries", "text")
    ]
    rest = [f"with {list_or([p.value for p in state.people], 'and')}"] if state.people else []
    places = [p.value.title() for p in state.wants if p.kind == "countries"]
    rest += [f"from {list_or(places, 'and')}"] if places else []
    for slot in ("audience", "language", "years", "max_minutes"):
        value = getattr(state, slot)
        if value is not None:
            rest.append(describe_value(slot, value))
    if not (state.wants or rest):
        return ""
    topics = [text for text in (_topic(moods, genres, told), *map(quoted, free), *others) if text]
    return " ".join([list_or(topics, "and") if topics else "something", *rest])


def _topic(moods: Sequence[str], genres: Sequence[str], told: Sequence[str]) -> str:
    """Moods, genres and themes in one phrase: `a tense thriller about a heist`, `something dark`."""
    head = list_or(genres, "and") if genres else ""
    if len(genres) == 1:
        head = genre(genres[0])
    if moods and head:
        noun = genres[0] if len(genres) == 1 else head
        adjectives = list_or(moods, "and")
        head = with_article(f"{adjectives} {noun}") if noun != head else f"{adjectives} {noun}"
    elif moods:
        head = f"something {list_or(moods, 'and')}"
    if not told:
        return head
    plain = [value for value in told if " or " not in value]
    text, said = themes(plain, head or ("" if any(map(is_form, plain)) else "something"))
    return list_or([text, *(value for value in told if value not in said)], "and")


def true_of(state: DialogueState, items: Iterable[Item]) -> DialogueState:
    """The state without the tastes told in passing that some of the items have nothing of."""
    shown = list(items)

    def holds(preference: Preference) -> bool:
        fields = ("directors", "cast") if preference.kind == "person" else (preference.kind,)
        values = preference.value.split(" or ")
        return preference.firm or all(
            any(value in facet_values(item, field) for field in fields for value in values) for item in shown
        )

    return replace(state, wants=tuple(filter(holds, state.wants)), people=tuple(filter(holds, state.people)))


def wanted_alone(state: DialogueState) -> tuple[str, str] | None:
    """(kind, values in words) where everything wanted is of one kind and there is no other limit; else None.

    Kinds: "moods", "genres", "themes" that can follow "about", "person".
    """
    wishes = [*state.wants, *state.people]
    kinds = {p.kind for p in wishes}
    if len(kinds) != 1 or any(getattr(state, slot) is not None for slot in VALUE_SLOTS):
        return None
    kind = kinds.pop()
    if kind == "themes" and not all(is_subject(p.value) and " or " not in p.value for p in wishes):
        return None
    if kind not in ("moods", "genres", "themes", "person"):
        return None
    return kind, list_or([subject(p.value) if kind == "themes" else p.value for p in wishes], "and")
