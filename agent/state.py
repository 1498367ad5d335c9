"""Frame + state -> next state: what a turn adds, changes and takes back. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace

from agent.reading.slots import language_of
from agent.reading.titles import common_words
from agent.reading.vocabulary import Vocabulary
from agent.types import DialogueState, Frame, Preference, Slot

LIST_SLOTS: tuple[Slot, ...] = ("liked", "disliked", "seen", "wants", "avoids", "people")
ITEM_SLOTS: tuple[Slot, ...] = ("liked", "disliked", "seen")
VALUE_SLOTS: tuple[Slot, ...] = ("years", "language", "max_minutes", "audience")
ALTERNATIVES = re.compile(r"\s+(?:or|o|ou|oder)\s+(?:an?\s+)?", re.I)


@dataclass(frozen=True, slots=True)
class Linked:
    """A name of the message and the item it means; `item_id` None: the catalogue has no such item."""

    name: str
    item_id: str | None
    title: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """A message as it was understood: its frame, the items its names mean, and who read it.

    `foreign`: it is not in English. `instead`: the new wishes replace the old ones. `surprise`: anything
    is welcome. `reach`: how far into the long tail it asks to go, in [0, 1]; None: it does not say. `told`:
    those of the frame's wants and people that it tells in passing.
    """

    frame: Frame
    links: tuple[Linked, ...] = ()
    foreign: bool = False
    instead: bool = False
    surprise: bool = False
    told: frozenset[str] = frozenset()
    reach: float | None = None

    @property
    def unknown(self) -> tuple[str, ...]:
        return tuple(link.name for link in self.links if link.item_id is None)

    @property
    def guessed(self) -> tuple[Linked, ...]:
        """Names that were linked although they are not spelt as in the catalogue."""
        return tuple(link for link in self.links if link.item_id is not None and not link.exact)


def apply_reading(state: DialogueState, reading: Reading, vocabulary: Vocabulary, turn: int) -> DialogueState:
    """The state after a message. What is said later wins over what was said earlier."""
    frame = reading.frame
    by_name = {link.name: link for link in reading.links if link.item_id is not None}
    slots: tuple[tuple[Slot, tuple[str, ...]], ...] = (
        ("seen", frame.seen),
        ("liked", frame.like),
        ("disliked", frame.dislike),
    )
    state = replace(state, turn=turn)
    for value in frame.drop:
        state = forget(state, value)
        for meant in refusal(value, vocabulary, turn):  # "scary is fine after all" lets horror back in
            state = forget(state, meant.value)
    for slot, names in slots:
        for name in names:
            if name in by_name:
                link = by_name[name]
                state = with_item(state, slot, Preference("item", link.title, link.item_id, turn))
    state = _with_wishes(state, reading, vocabulary, turn)
    for slot in VALUE_SLOTS:
        value = getattr(frame, slot)
        if value is not None:
            state = with_value(state, slot, value, turn)
    return state


def _with_wishes(state: DialogueState, reading: Reading, vocabulary: Vocabulary, turn: int) -> DialogueState:
    """The state with what a message wants, refuses and says of people and of the long tail."""
    frame = reading.frame
    wants = [
        replace(p, firm=phrase not in reading.told)
        for phrase in frame.want
        for p in wish(phrase, vocabulary, turn)
    ]
    avoids = [p for phrase in frame.avoid for p in refusal(phrase, vocabulary, turn)]
    people = [
        Preference("person", _people(name, vocabulary), None, turn, name not in reading.told)
        for name in frame.people
    ]
    asked = [p for p in (*wants, *people) if p.firm]
    avoided = _without(state.avoids, asked)
    # A refusal outlasts a taste told in passing.
    wants = [p for p in wants if p.firm or _without([p], avoided)]
    kept = () if reading.instead and any(p.firm for p in wants) else _without(state.wants, avoids)
    state = replace(
        state,
        wants=_merged(kept, wants),
        avoids=_merged(avoided, avoids),
        people=_merged(() if reading.instead and people else _without(state.people, avoids), people),
    )
    if reading.reach is not None:
        state = with_value(state, "long_tail", reading.reach, turn)
    return state


def afresh(state: DialogueState) -> DialogueState:
    """A clean slate: what this conversation wished for is gone. What was refused, seen or shown stays so,
    and so do the likes of earlier conversations. What was praised here counts as seen: nobody starts over
    to be told of the film they came with."""
    earlier = tuple(p for p in state.liked if p.turn is None)
    seen = {p.item_id: p for p in (*state.seen, *state.liked) if p not in earlier}
    return DialogueState(
        liked=earlier,
        disliked=state.disliked,
        seen=tuple(seen.values()),
        shown=state.shown,
        turn=state.turn,
        long_tail=state.long_tail,
    )


def still_there(state: DialogueState, catalogue: Container[str]) -> DialogueState:
    """Without the items that the catalogue does not hold: they were removed from it since."""
    for slot in ITEM_SLOTS:
        kept = tuple(p for p in getattr(state, slot) if p.item_id is None or p.item_id in catalogue)
        state = _set(state, slot, kept)
    pending = state.pending
    if pending is not None and pending.attribute.startswith("rule:"):
        pending = pending if pending.attribute.removeprefix("rule:") in catalogue else None
    shown, last_shown = (
        tuple(item_id for item_id in ids if item_id in catalogue) for ids in (state.shown, state.last_shown)
    )
    return replace(state, shown=shown, last_shown=last_shown, pending=pending)


def with_item(state: DialogueState, slot: Slot, preference: Preference) -> DialogueState:
    """Put an item into liked, disliked or seen. A verdict replaces its opposite; seen goes with either."""
    others: tuple[Slot, ...] = ("liked", "disliked") if slot != "seen" else ()
    for other in others:
        kept = tuple(p for p in getattr(state, other) if p.item_id != preference.item_id)
        state = _set(state, other, kept)
    rest = tuple(p for p in getattr(state, slot) if p.item_id != preference.item_id)
    return _set(state, slot, (*rest, preference))


def with_value(state: DialogueState, slot: Slot, value: object, turn: int) -> DialogueState:
    """Set a single-valued slot, remembering the turn that did it."""
    set_on = (*((name, on) for name, on in state.set_on if name != slot), (slot, turn))
    return replace(_set(state, slot, value), set_on=set_on)


def forget(state: DialogueState, value: str, slot: Slot | None = None) -> DialogueState:
    """Take a value (or what a slot holds: "years", "people") out; unchanged when it holds nothing like it."""
    wanted = value.strip().casefold()
    for name in LIST_SLOTS:
        if slot in (None, name):
            all_of_them = name == wanted == "people"
            kept = () if all_of_them else tuple(p for p in getattr(state, name) if not _means(wanted, p))
            state = _set(state, name, kept)
    for name in VALUE_SLOTS:
        current = getattr(state, name)
        if (
            current is not None
            and slot in (None, name)
            and wanted in (name, describe_value(name, current).casefold())
        ):
            state = replace(_set(state, name, None), set_on=tuple(s for s in state.set_on if s[0] != name))
    return state


def _means(wanted: str, preference: Preference) -> bool:
    """Whether a value in somebody's words is this preference: its value, its id, or a person's last name."""
    value = preference.value.casefold()
    last = preference.kind == "person" and value.endswith(f" {wanted}")
    return wanted in (value, (preference.item_id or "").casefold()) or last


def describe_value(slot: Slot, value: object) -> str:
    """A single-valued slot in words: `from 1990 to 1999`, `up to 100 minutes`, `in French`, `for family`."""
    if slot == "years" and isinstance(value, tuple):
        low, high = value
        if low is not None and high is not None:
            return f"from {low}" if low == high else f"from {low} to {high}"
        return f"from {low} on" if low is not None else f"up to {high}"
    if slot == "max_minutes":
        return f"up to {value} minutes"
    if slot == "language":
        return f"in {str(value).title()}"
    return {"family": "for the family", "teen": "for teenagers", "adult": "for adults"}.get(
        str(value), str(value)
    )


def wish(phrase: str, vocabulary: Vocabulary, turn: int | None) -> list[Preference]:
    """A wanted phrase as preferences: the catalogue's facets where it has them, else free text."""
    term = vocabulary.answer(phrase)
    options = ALTERNATIVES.split(phrase.strip())
    if term is None and len(options) > 1:
        terms = [vocabulary.answer(option) for option in options]
        if all(term and term.promised and len(term.facets) == 1 for term in terms):
            facets = [term.facets[0] for term in terms if term]
            if len({facet.field for facet in facets}) == 1:
                values = list(dict.fromkeys(facet.value for facet in facets))
                return [Preference(facets[0].field, " or ".join(values), None, turn)]
    if term is None and len(options) == 1 and (inner := vocabulary.within(phrase)) is not None:
        return [preference for part in inner for preference in wish(part, vocabulary, turn)]
    if term and term.promised:
        return [Preference(facet.field, facet.value, None, turn) for facet in term.facets]
    return [Preference("text", " ".join(phrase.lower().split()), None, turn)]


def refusal(phrase: str, vocabulary: Vocabulary, turn: int | None) -> list[Preference]:
    """An avoided phrase as preferences; a person's name is one too. Alternatives are refused one by one."""
    if phrase.lower() in ("family", "teen", "adult"):
        return [Preference("audience", phrase.lower(), None, turn)]
    if language_of(phrase) is not None or phrase.lower() in vocabulary.languages:
        return [Preference("language", language_of(phrase) or phrase.lower(), None, turn)]
    idle = phrase.islower() and common_words().knows(phrase)  # "too long" is not Nia Long
    person = None if idle or vocabulary.answer(phrase) else vocabulary.person(phrase)
    if person is not None:
        return [Preference("person", person, None, turn)]
    if phrase.istitle() and " " in phrase and not vocabulary.answer(phrase):
        return [Preference("person", phrase, None, turn)]
    found: list[Preference] = []
    for option in ALTERNATIVES.split(phrase):
        term = vocabulary.answer(option)
        akin = term.akin if term else ()
        meant = wish(option, vocabulary, turn)
        notes = term is not None and {facet.field for facet in term.facets} == {"content_notes"}
        if term and term.promised and not notes and len(term.facets) > 1:  # a romantic comedy is both
            rarest = vocabulary.rarest(term.facets)
            meant = [Preference(rarest.field, rarest.value, None, turn)]
        found += [*meant, *(Preference(f.field, f.value, None, turn) for f in akin)]
    return found


def _people(name: str, vocabulary: Vocabulary) -> str:
    """A name, or several of which any will do, as the catalogue writes them."""
    return " or ".join(vocabulary.person(one) or one for one in name.split(" or "))


def _merged(old: Iterable[Preference], new: Iterable[Preference]) -> tuple[Preference, ...]:
    """All of both, once each; what was told before and is asked for now is a promise from now on."""
    merged = {(p.kind, p.value.casefold()): p for p in old}
    for preference in new:
        key = (preference.kind, preference.value.casefold())
        if key not in merged or (preference.firm and not merged[key].firm):
            merged[key] = preference
    return tuple(merged.values())


def _without(preferences: Iterable[Preference], gone: Iterable[Preference]) -> tuple[Preference, ...]:
    """What is left of `preferences`; a wish with alternatives keeps those that are not gone."""
    keys = {(p.kind, value) for p in gone for value in (p.value, *p.value.split(" or "))}
    left = []
    for preference in preferences:
        values = [v for v in preference.value.split(" or ") if (preference.kind, v) not in keys]
        if values and (preference.kind, preference.value) not in keys:
            left.append(replace(preference, value=" or ".join(values)))
    return tuple(left)


def _set(state: DialogueState, slot: Slot, value: object) -> DialogueState:
    return replace(state, **{slot: value})  # type: ignore[arg-type]
