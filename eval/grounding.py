"""An independent check of a reply against the catalogue. It shares no code with the agent's own checks.

What a reply may do: name the items it recommends, items the user named and items that are known of
the user; state the years and figures of those; recommend only items that exist, that are new to the
user and that keep every promise of the state, unless the reply says which promise was bent.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rapidfuzz import fuzz

from agent.types import DialogueState, Preference, Reply
from retrieval.types import FACET_FIELDS, Item, facet_values

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_EMPHASIS = re.compile(r"\*{1,2}([^*\n]{1,200}?)\*{1,2}(?:\s*\((\d{4})\))?")
_DECADE = re.compile(r"(?<![\w.])['’]?((?:1[89]|20)?\d0)['’]?s\b")
_RANK = re.compile(r"(?:#|\bnumber |\bno\. )\d+\b", re.I)
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*(?!\w)")
_STRAIGHT = str.maketrans("’‘∗", "''*")  # a reply writes M∗A∗S∗H, so that italics do not end in the title
_QUOTED = re.compile(r"[\"“][^\"“”\n]*[\"”]")
_EXPLAINING = ("ask_why", "ask_about")
LOWER_CASE_TITLE_WORDS = 4
"""Titles of this many words are recognised in lower case too; shorter ones ("the game") are plain English."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the listener keeps while a conversation goes on, for judging the next reply.

    `messages`: all the user said so far, the present message last. `excluded`: item_ids that must
    not be recommended (shown earlier, refused, seen). `mentioned`: item_ids that may be named beside
    those (recommended earlier, in the profile).
    """

    messages: tuple[str, ...] = ()
    excluded: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()


def plain(text: str) -> str:
    """Lower case, straight quotes and asterisks, single spaces: how titles are compared."""
    return " ".join(text.translate(_STRAIGHT).casefold().split())


class FilmIndex:
    """The titles of a catalogue, for looking a film up by name and for finding names in a text."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = {item.item_id: item for item in items}
        self.decades = {item.year // 10 * 10 for item in self.items.values() if item.year is not None}
        self._by_name: dict[str, set[str]] = defaultdict(set)
        self._exact: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self._folded: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self._lengths: dict[str, set[int]] = defaultdict(set)
        for item in self.items.values():
            for name in (item.title, item.label, *item.aliases):
                self._by_name[plain(name)].add(item.item_id)
            for name in (item.title, *item.aliases):
                self._add_words(item.item_id, tuple(_WORD.findall(name)))

    def _add_words(self, item_id: str, words: tuple[str, ...]) -> None:
        if len(words) < 2:
            return
        self._exact[words].add(item_id)
        self._lengths[words[0].casefold()].add(len(words))
        if len(words) >= LOWER_CASE_TITLE_WORDS:
            self._folded[tuple(word.casefold() for word in words)].add(item_id)

    def find(self, title: str) -> frozenset[str]:
        """item_ids of the films named so (`Title` or `Title (year)`, any case); empty if there is none."""
        return frozenset(self._by_name.get(plain(title), ()))

    def named_in(self, text: str) -> Iterator[tuple[str, frozenset[str]]]:
        """(the words, their item_ids) for each title of two words or more, longest first, no overlaps."""
        spans = list(_WORD.finditer(text))
        found: list[tuple[int, int, frozenset[str]]] = []
        for start, span in enumerate(spans):
            for length in self._lengths.get(span[0].casefold(), ()):
                words = tuple(part[0] for part in spans[start : start + length])
                folded = tuple(word.casefold() for word in words)
                ids = frozenset(self._exact.get(words) or self._folded.get(folded) or ())
                if ids and len(words) == length:
                    found.append((start, start + length, ids))
        taken: set[int] = set()
        for start, end, ids in sorted(found, key=lambda match: match[0] - match[1]):
            if taken.isdisjoint(range(start, end)):
                taken.update(range(start, end))
                yield text[spans[start].start() : spans[end - 1].end()], ids


def check_reply(reply: Reply, films: FilmIndex, known: Known) -> tuple[str, ...]:
    """Everything in the reply that is not grounded, in words; empty when all is well."""
    nameable = known.mentioned | {item.item_id for item in reply.items} | _state_items(reply.state)
    return (
        *_items_exist(reply, films),
        *_items_allowed(reply, films, known),
        *_promises_kept(reply, films),
        *_bending_is_said(reply),
        *_titles_allowed(reply, films, known, nameable),
        *_numbers_allowed(reply, films, known, nameable),
    )


def _state_items(state: DialogueState) -> set[str]:
    kept = (*state.liked, *state.disliked, *state.seen, *state.wants, *state.avoids)
    return {p.item_id for p in kept if p.item_id is not None} | set(state.shown) | set(state.last_shown)


def _items_exist(reply: Reply, films: FilmIndex) -> Iterator[str]:
    for place, entry in enumerate(reply.items, start=1):
        item = films.items.get(entry.item_id)
        if item is None:
            yield f"item {entry.item_id!r} ({entry.title!r}) is not in the catalogue"
        elif plain(entry.title) not in (plain(item.title), plain(item.label)):
            yield f"item {entry.item_id!r} is {item.label!r} in the catalogue, not {entry.title!r}"
        if entry.rank != place:
            yield f"{entry.title!r} has rank {entry.rank} at place {place}"


def _items_allowed(reply: Reply, films: FilmIndex, known: Known) -> Iterator[str]:
    state = reply.state
    reasons: dict[str, str] = dict.fromkeys(known.excluded, "was recommended before, refused or seen")
    slots = {"is liked already": state.liked, "is disliked": state.disliked, "is seen": state.seen}
    for told, slot in slots.items():
        reasons |= {p.item_id: told for p in slot if p.item_id is not None}
    # A catalogue may hold a film twice under two ids; for the reader it is the same card again.
    labels = {plain(films.items[i].label): why for i, why in reasons.items() if i in films.items}
    for entry in reply.items:
        item = films.items.get(entry.item_id)
        label = plain(item.label) if item else plain(entry.title)
        why = reasons.get(entry.item_id) or labels.get(label)
        if why:
            yield f"{entry.title!r} is recommended although it {why}"
        labels[label] = "is in this reply already"


def _promises_kept(reply: Reply, films: FilmIndex) -> Iterator[str]:
    bent = tuple(plain(words) for words in reply.relaxed)
    for entry in reply.items:
        item = films.items.get(entry.item_id)
        if item is not None:
            for slot, value, fault in _broken(item, reply.state):
                if not any(_speaks_of(words, slot, value) for words in bent):
                    yield f"{item.label!r} {fault}, and the reply does not say that this was relaxed"


def _broken(item: Item, state: DialogueState) -> Iterator[tuple[str, str, str]]:
    """(slot, value, fault) for each promise of the state that the item does not keep."""
    if state.years is not None and not _in_years(item.year, state.years):
        yield "years", "", f"is of {item.year}, outside {state.years}"
    if state.max_minutes is not None and (item.minutes is None or item.minutes > state.max_minutes):
        yield "max_minutes", str(state.max_minutes), f"runs {item.minutes} minutes, over {state.max_minutes}"
    for slot in ("language", "audience"):
        wanted, has = getattr(state, slot), getattr(item, slot)
        if wanted == "chinese" and has == "mandarin":
            continue
        if wanted is not None and plain(wanted) != plain(has or ""):
            yield slot, wanted, f"has {slot} {has}, not {wanted}"
    for avoid in state.avoids:
        if holds(item, avoid):
            yield "avoids", avoid.value, f"is {avoid.value}, which is avoided"
    genres = [want for want in state.wants if want.kind == "genres" and want.firm]
    if genres and not any(holds(item, want) for want in genres):
        wanted = ", ".join(want.value for want in genres)
        yield "wants", wanted, f"is none of what is wanted ({wanted})"
    people = [person for person in state.people if person.firm]
    if people and not any(holds(item, person) for person in people):
        names = ", ".join(person.value for person in people)
        yield "people", names, f"has none of {names}"


def _in_years(year: int | None, wanted: tuple[int | None, int | None]) -> bool:
    low, high = wanted
    return year is not None and (low is None or year >= low) and (high is None or year <= high)


def holds(item: Item, preference: Preference) -> bool:
    """Whether a catalogue record has what a preference names ("comedy or thriller": either)."""
    wanted = {plain(part) for part in re.split(r"\s+or\s+|\|", preference.value)} | {plain(preference.value)}
    fields = ("directors", "cast") if preference.kind in ("person", "people") else (preference.kind,)
    has = {plain(v) for f in fields if f in FACET_FIELDS for v in facet_values(item, f)}
    return not wanted.isdisjoint(has)


def _speaks_of(words: str, slot: str, value: str) -> bool:
    """Whether a relaxation, in words, is about that slot (and value, where a slot holds several)."""
    if slot == "years":
        return bool(re.search(r"\b(?:1[89]|20)\d\d|\b\d0s\b|year|decade|older|newer|release", words))
    if slot == "max_minutes":
        return bool(re.search(r"minute|running time|hour|length|longer|short", words))
    if slot in ("language", "audience"):
        return slot in words or plain(value) in words
    return any(plain(part) in words for part in value.split(", "))


def _bending_is_said(reply: Reply) -> Iterator[str]:
    """A promise that was bent is named in the text by at least one word or figure of its own."""
    said = set(_WORD.findall(plain(reply.text)))
    for phrase in reply.relaxed:
        words = {word for word in _WORD.findall(plain(phrase)) if len(word) > 3 or word.isdecimal()}
        if words and words.isdisjoint(said):
            yield f"{phrase!r} was relaxed, and the text does not say so"


def _spoken(reply: Reply) -> str:
    reasons = (reason.text for item in reply.items for reason in item.reasons)
    return "\n".join((reply.text, reply.question or "", *reasons))


def _titles_allowed(reply: Reply, films: FilmIndex, known: Known, nameable: frozenset[str]) -> Iterator[str]:
    spoken = _spoken(reply)
    for match in _EMPHASIS.finditer(reply.text):
        title, year = match[1].strip(), match[2]
        ids = films.find(f"{title} ({year})" if year else title) or films.find(title)
        if not ids and not _user_said(title, known.messages):
            yield f"{title!r} is named, and is neither in the catalogue nor the user's words"
        if ids and year and not any(films.items[i].year == int(year) for i in ids):
            yield f"{title!r} is given the year {year}, which the catalogue does not say"
        if ids and ids.isdisjoint(nameable) and not _user_said(title, known.messages):
            yield f"{title!r} is named without being recommended, known or asked about"
    for words, ids in films.named_in(spoken):
        if ids.isdisjoint(nameable) and not _user_said(words, known.messages):
            yield f"{words!r} is named without being recommended, known or asked about"


def _user_said(title: str, messages: tuple[str, ...]) -> bool:
    """Verbatim, or nearly so: `terminator too` is how a user says "Terminator 2"."""
    name = plain(title)
    said = " \n ".join(plain(message) for message in messages)
    if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said):
        return True
    return len(name) >= 5 and fuzz.partial_ratio(name, said) >= 82


def _numbers_allowed(reply: Reply, films: FilmIndex, known: Known, nameable: frozenset[str]) -> Iterator[str]:
    text = (
        reply.text if not reply.question or reply.question in reply.text else f"{reply.text} {reply.question}"
    )
    if reply.trace.frame.act in _EXPLAINING:
        text = _RANK.sub(" ", text)  # where an item came is the ranking's to say, not the catalogue's
    if not reply.items:
        text = _QUOTED.sub(" ", text)  # an example of what to ask for claims nothing about an item
    named = _named(text, films, known, nameable)
    state = reply.state
    source = " ".join(
        (
            *known.messages,
            *reply.relaxed,
            *(f"{item.label} {item.description}" for item in named),
            *_details(reply),
        )
    )
    numbers = set(_NUMBER.findall(source)) | {
        str(state.max_minutes),
        str(len(films.items)),
        f"{len(films.items):,}",
    }
    numbers |= {str(n) for n in range(len(reply.items) + 1)}
    numbers |= set(_NUMBER.findall(" ".join(reply.options)))  # "before 1960?" asks, it claims nothing
    numbers |= {str(int(item.popularity)) for item in named} | {str(item.minutes) for item in named}
    ends = [year for year in state.years or () if year is not None]
    numbers |= {str(year + shift) for year in ends for shift in (-1, 0, 1)}
    decades = {_decade(match[1]) for match in _DECADE.finditer(source)}
    decades |= {item.year // 10 * 10 for item in named if item.year is not None}
    decades |= _decades_of(ends) | (_offered(reply) & films.decades)
    for match in _DECADE.finditer(text):
        if _decade(match[1]) not in decades:
            yield f"the decade {match[0]!r} is of no item and nobody asked for it"
    for number in _NUMBER.findall(text):
        if number not in numbers:
            yield f"the figure {number!r} is of no item that is named, and nobody asked for it"


def _named(text: str, films: FilmIndex, known: Known, nameable: frozenset[str]) -> list[Item]:
    """The items whose figures the text may state: those recommended, known, or named by the user in it."""
    ids = set(nameable)
    for match in _EMPHASIS.finditer(text):
        ids |= films.find(match[1].strip()) if _user_said(match[1].strip(), known.messages) else set()
    for words, found in films.named_in(text):
        ids |= found if _user_said(words, known.messages) else set()
    return [films.items[item_id] for item_id in ids if item_id in films.items]


def _details(reply: Reply) -> Iterator[str]:
    """What code counted in this turn, such as "214 candidates"."""
    return (step.detail for step in reply.trace.steps if step.speaker == "code")


def _offered(reply: Reply) -> set[int]:
    """The decades among the quick replies: a question may ask about any that the catalogue has."""
    return {_decade(match[1]) for option in reply.options for match in _DECADE.finditer(option)}


def _decade(digits: str) -> int:
    value = int(digits)
    return value if value > 99 else value + (1900 if value >= 20 else 2000)


def _decades_of(ends: list[int]) -> set[int]:
    return set(range(min(ends) // 10 * 10, max(ends) + 1, 10)) if ends else set()
