"""The words people use for what the catalogue knows: surface form -> facets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from agent.reading.filler import FILLER
from agent.reading.titles import common_words
from agent.reading.years import DECADE_WORDS
from retrieval.catalogue import Catalogue
from retrieval.types import Facet, Item, facet_values

TOPIC_FIELDS = ("genres", "themes", "moods", "content_notes", "countries")
"""Facet fields that can be wished for or refused by a bare word."""

INTERESTS = ("themes", "genres", "moods")
"""Facet fields that interests are widened by."""

LONGEST = 5
"""Words in the longest phrase that is looked up."""

KNOWN_BY_FIRST_NAME = 5
"""Items that somebody is in before the first name alone says who is meant."""

MOODS = ("laugh", "be gripped", "think", "feel warm", "be thrilled", "cry")
"""Answers to "are you in the mood to ...": offered where the catalogue itself has no moods."""

WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Term:
    """What a phrase means here.

    `facets` must all hold when `promised`; otherwise they are only the nearest thing this catalogue
    has to what was said (any of them helps) and may be empty. `akin`: what is refused with them.
    """

    phrase: str
    facets: tuple[Facet, ...]
    promised: bool
    akin: tuple[Facet, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A term inside a text, with its offsets there."""

    start: int
    end: int
    term: Term


@dataclass(frozen=True, slots=True)
class Synonyms:
    """Phrases that mean the same. `nearest`: facets that come closest where those meant are unknown;
    `akin`: what is refused with them ("too sad" refuses heartbreaking, too).
    """

    phrases: tuple[str, ...]
    meant: tuple[Facet, ...]
    nearest: tuple[Facet, ...]
    akin: tuple[Facet, ...]


@cache
def synonyms() -> tuple[Synonyms, ...]:
    """How people say things."""

    def facets(row: dict[str, list[str]], key: str) -> tuple[Facet, ...]:
        return tuple(Facet(*text.split(":", 1)) for text in row.get(key, []))

    rows = yaml.safe_load(Path(__file__).with_name("synonyms.yaml").read_text("utf-8"))
    return tuple(
        Synonyms(tuple(row["say"]), facets(row, "mean"), facets(row, "else"), facets(row, "akin"))
        for row in rows
    )


def singulars(word: str) -> tuple[str, ...]:
    """The forms a regular English plural may come from, the word itself first."""
    forms = [word]
    if word.endswith("ies") and len(word) > 4:
        forms.append(word[:-3] + "y")
    if word.endswith("es") and len(word) > 4:
        forms.append(word[:-2])
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        forms.append(word[:-1])
    return tuple(forms)


class Vocabulary:
    """Looks up what a phrase means in one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._counts = Counter(
            Facet(name, value)
            for item in catalogue
            for name in TOPIC_FIELDS
            for value in facet_values(item, name)
        )
        known = {Facet(name, value) for name in TOPIC_FIELDS for value in catalogue.values(name)}
        # "Any good eighties horror" means when it was made, not when it is set.
        self._terms = {
            facet.value.lower(): Term(facet.value, (facet,), True)
            for facet in sorted(known)
            if facet.value.lower() not in DECADE_WORDS
        }
        for row in synonyms():
            promised = all(facet in known for facet in row.meant)
            facets = row.meant if promised else tuple(facet for facet in row.nearest if facet in known)
            akin = tuple(facet for facet in row.akin if promised and facet in known)
            for phrase in row.phrases:
                # The catalogue's own word wins over our idea of what it means.
                self._terms.setdefault(phrase, Term(phrase, facets, promised, akin))
        self._alone = {
            phrase: self._terms[meaning] for phrase, meaning in _ALONE.items() if meaning in self._terms
        }
        self.people = {
            # "Jr." is written with its full stop and without it.
            name.lower().rstrip("."): name
            for field in ("directors", "cast")
            for name in catalogue.values(field)
        }
        self.surnames = _surnames(catalogue)
        self.first_names = _first_names(catalogue)
        # "A silent film" is no film in a language of that name.
        self.languages = frozenset(
            name.lower() for name in catalogue.values("language") if not common_words().knows(name.lower())
        )

    def term(self, phrase: str) -> Term | None:
        """What `phrase` means, tolerant of case, a regular plural and a trailing "film"; None if nothing."""
        words = phrase.lower().replace("’", "'").split()
        while words:
            for last in singulars(words[-1]):
                found = self._terms.get(" ".join([*words[:-1], last]))
                if found:
                    return found
            if words.pop() not in _NOUNS:
                break
        return None

    def answer(self, phrase: str) -> Term | None:
        """What `phrase` means as a whole answer: also words too common to be read inside a sentence."""
        words = phrase.lower().strip(" .!?").split()
        return self.term(" ".join(words)) or self._alone.get(" ".join(words))

    def person(self, text: str) -> str | None:
        """Whom a name means: by the full name, or the last name's person of most items; None if nobody.

        "Coen brothers" and "Coens" mean two: "Joel Coen or Ethan Coen". A rare first name will do: "Denzel".
        """
        name = " ".join(text.lower().split()).rstrip(".")
        if name in self.people:
            return self.people[name]
        last = name.removesuffix(" brothers").removesuffix(" sisters")
        found = self.surnames.get(last, ())
        if found:
            return found[0] if last == name else " or ".join(found[:2])
        if name in self.first_names:
            return self.first_names[name]
        several = self.surnames.get(name.removesuffix("s"), ())
        return " or ".join(several[:2]) if len(several) > 1 else None

    def knows(self, facet: Facet) -> bool:
        """Whether any item has it."""
        return self._counts[facet] > 0

    def rarest(self, facets: Sequence[Facet]) -> Facet:
        """The one of several facets that the fewest items have: without it, none has all of them."""
        return min(facets, key=lambda facet: (self._counts[facet], facet))

    def moods_of(self, item: Item) -> tuple[str, ...]:
        """The moods an item may serve, going by its other facets."""
        return tuple(
            mood
            for mood in MOODS
            if (term := self.answer(mood))
            and any(f.value in facet_values(item, f.field) for f in term.facets)
        )

    def within(self, phrase: str) -> tuple[str, ...] | None:
        """The terms in a phrase that says nothing else ("to cry to"), perhaps none; None where it does."""
        found, rest = self.find(phrase), phrase
        for one in reversed(found):
            rest = rest[: one.start] + rest[one.end :]
        telling = [word for word in WORD.findall(rest) if word.lower() not in FILLER]
        return None if telling else tuple(phrase[one.start : one.end] for one in found)

    def find(self, text: str) -> list[Found]:
        """Terms in `text`, longest first where they overlap, in reading order."""
        words = list(WORD.finditer(text))
        found: list[Found] = []
        taken: set[int] = set()
        for size in range(min(LONGEST, len(words)), 0, -1):
            for i in range(len(words) - size + 1):
                if not taken.isdisjoint(range(i, i + size)):
                    continue
                start, end = words[i].start(), words[i + size - 1].end()
                term = self.term(text[start:end])
                # "horror film" is found as "horror", but "love story" needs its noun.
                idle = size > 1 and words[i + size - 1].group().lower() in _NOUNS
                if term and not (idle and term == self.term(text[start : words[i + size - 2].end()])):
                    found.append(Found(start, end, term))
                    taken.update(range(i, i + size))
        return sorted(found, key=lambda one: one.start)


def _first_names(catalogue: Catalogue) -> dict[str, str]:
    """First name, lower case -> its only bearer in several items; names that many bear are left out."""
    counts = Counter(name for item in catalogue for name in dict.fromkeys((*item.directors, *item.cast)))
    bearers: dict[str, list[str]] = {}
    for name, count in counts.items():
        if " " in name and count >= KNOWN_BY_FIRST_NAME:
            bearers.setdefault(name.split(" ", 1)[0].lower(), []).append(name)
    words = common_words()
    return {
        first: names[0]
        for first, names in bearers.items()
        if len(names) == 1 and len(first) > 3 and first not in words.names and not words.knows(first)
    }


def _surnames(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Last name, lower case -> the people of that name, those of most items first."""
    counts = Counter(name for item in catalogue for name in dict.fromkeys((*item.directors, *item.cast)))
    found: dict[str, list[str]] = {}
    for name, _ in counts.most_common():
        if " " in name:
            found.setdefault(name.rsplit(" ", 1)[1].lower(), []).append(name)
    return {surname: tuple(names) for surname, names in found.items()}


_NOUNS = {
    "film",
    "films",
    "movie",
    "movies",
    "flick",
    "flicks",
    "picture",
    "pictures",
    "stuff",
    "story",
    "stories",
}

_ALONE = {
    "think": "thought-provoking",
    "be thrilled": "thrilling",
    "to think": "thought-provoking",
    "love": "romance",
    "cry": "sad",
}
