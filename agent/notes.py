"""What a reply says first: what this turn changed, or could not place."""

from __future__ import annotations

from collections.abc import Sequence

from agent.prompting import phrase
from agent.state import Reading, describe_value
from agent.types import DialogueState, Preference
from agent.writing import italic, plain_name
from retrieval.catalogue import Catalogue
from retrieval.filters import PHRASES


def notes(before: DialogueState, state: DialogueState, reading: Reading, catalogue: Catalogue) -> list[str]:
    """What this turn changed or could not place, one short sentence each, each ending in a space."""
    found = [
        phrase("guessed", title=italic(catalogue[link.item_id]))
        for link in reading.guessed
        if link.item_id is not None
    ]
    if reading.foreign:
        found.append(phrase("english"))
    found += [phrase("unknown_aside", name=plain_name(name)) for name in reading.unknown[:2]]
    avoided = [refusal_in_words(p) for p in _new(before.avoids, state.avoids)]
    if avoided:
        found.append(phrase("noted_avoid", values=", ".join(avoided)))
    if reading.frame.act == "reject" and not (reading.frame.dislike or reading.frame.avoid):
        found.append(phrase("rejected_next"))
    if reading.reach is not None and before.long_tail != state.long_tail:
        found.append(phrase("reach_far" if reading.reach else "reach_near"))
    people = [p.value for p in _new(before.people, state.people)]
    if people and not (catalogue.values("directors") or catalogue.values("cast")):
        found.append(phrase("unknown_person", names=" and ".join(people)))
    refused = [italic(catalogue[p.item_id]) for p in _new(before.disliked, state.disliked) if p.item_id]
    if refused:
        found.append(
            phrase("noted_dislike", titles=" and ".join(refused), verb="are" if len(refused) > 1 else "is")
        )
    return [f"{text} " for text in found]


def refusal_in_words(preference: Preference) -> str:
    """An avoided thing after "Noted": `no horror`, `nothing melancholic`, `nothing in French`."""
    if preference.kind == "audience":
        return f"nothing {describe_value('audience', preference.value)}"
    if preference.kind == "language":
        return f"nothing {describe_value('language', preference.value)}"
    if preference.kind == "countries":
        return f"nothing {PHRASES['countries'].format(preference.value.title())}"
    return f"{'nothing' if preference.kind in ('text', 'moods') else 'no'} {preference.value}"


def _new(before: Sequence[Preference], after: Sequence[Preference]) -> list[Preference]:
    had = {(p.kind, p.value) for p in before}
    return [p for p in after if (p.kind, p.value) not in had]
