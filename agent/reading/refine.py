"""What the whole message makes of a frame, whoever read it: promises, tastes told in passing, remarks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.reading.names import Named, alternatives
from agent.reading.passing import examples_of_age, in_passing, without_remarks
from agent.reading.rules import is_empty
from agent.reading.talk import small_talk
from agent.reading.titles import common_words
from agent.reading.vocabulary import Vocabulary
from agent.reading.years import read_years
from agent.state import ALTERNATIVES, Linked, Reading
from retrieval.catalogue import Catalogue
from retrieval.filters import satisfies
from retrieval.types import Constraints, Facet, Item, Years

_REFUSES = r"\b(?:not?|any|more|without|avoid|hate|enough|of|nothing|never|too|tired of)"
_SAME = re.compile(r"\b(?:the )?same (director|filmmaker|actor|actress|star|lead|cast)s?\b", re.I)
MOST_SAME = 3
"""Actors of whom any is meant by "with the same actors"."""


FAR = 1.0
"""Where "less famous ones" puts the slider: whoever says so wants all of them less famous."""
_LESSER_KNOWN = re.compile(
    r"\b(?:less(?:er)?[- ](?:famous|known|popular|mainstream|obvious|well[- ]known)|hidden gems?"
    r"|obscure|under[- ]?rated(?! (?:act|direct))|under the radar|deep cuts?|off the beaten (?:path|track)"
    r"|not (?:so|too|that) (?:famous|mainstream|popular|well[- ]known)"
    r"|(?:nobody|no one) (?:has seen|knows|talks about))\b",
    re.I,
)
_DENIED = re.compile(r"\b(?:not?|nothing|without|never)\s+(?:\w+\s+){0,2}$", re.I)
_ALREADY = re.compile(r"\b(?:already|know all|seen all)\b", re.I)
_WELL_KNOWN = re.compile(r"\bmore (?:famous|popular|mainstream|well[- ]known)\b|\bbetter[- ]known\b", re.I)


class Refiner:
    """Reads once more what a frame holds, in the light of the clauses it stands in."""

    def __init__(self, catalogue: Catalogue, vocabulary: Vocabulary, latest: int | None) -> None:
        """`latest`: the newest year of the catalogue, from which "recent" counts."""
        self._catalogue = catalogue
        self._vocabulary = vocabulary
        self._latest = latest

    def refined(
        self, reading: Reading, message: str, masked: str, named: Sequence[Named], shown: Sequence[Item]
    ) -> Reading:
        """The same reading with tastes told from requests, and without what only describes a film.

        `masked` and `named`: the message as `masked_message` gives it. `shown`: the items on show, which "the
        same director" may mean.
        """
        frame = reading.frame
        passing = in_passing(masked, named, self._vocabulary)
        want = tuple(phrase for phrase in frame.want if not self._all_in(phrase, passing.remarked))
        want, avoid = self._not_both(want, frame.avoid, masked)
        asks = frame.act in ("ask_why", "ask_about")
        reach, want, avoid = (None, want, avoid) if asks else _reach(without_remarks(masked), want, avoid)
        want, people = self._surnames(want, frame.people)
        want, people = self._same_people(message, want, people, reading.links, shown)
        people = _grouped(people, alternatives(masked, named))
        years = None if self._mistaken(frame.years, masked, named, reading.links) else frame.years
        frame = replace(frame, want=want, avoid=avoid, people=people, years=years)
        told = (
            *(phrase for phrase in want if self._all_in(phrase, passing.told)),
            *(name for name in people if passing.people.issuperset(name.lower().split(" or "))),
        )
        if reach is not None and is_empty(frame) and frame.act in ("chat", "inform"):
            frame = replace(frame, act="more")
        if is_empty(frame) and frame.act == "inform" and small_talk(message) in ("sad", "thanks"):
            frame = replace(frame, act="chat")
        return replace(reading, frame=frame, told=frozenset(told), reach=reach)

    def _surnames(
        self, want: tuple[str, ...], people: tuple[str, ...]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Wishes that are the last name of somebody ("by hitchcock") become people."""
        meant = [
            phrase
            for phrase in want
            if self._vocabulary.answer(phrase) is None
            and self._vocabulary.person(phrase) is not None
            and not common_words().knows(phrase.lower())
        ]
        return tuple(phrase for phrase in want if phrase not in meant), (*people, *meant)

    def _same_people(
        self,
        message: str,
        want: tuple[str, ...],
        people: tuple[str, ...],
        links: Sequence[Linked],
        shown: Sequence[Item],
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """ "By the same director": as of the item that the message names, else of the first on show."""
        match = _SAME.search(message)
        items = [self._catalogue[link.item_id] for link in links if link.item_id] or shown[:1]
        if not match or not items:
            return want, people
        item = items[0]
        meant = item.directors if match[1].lower() in ("director", "filmmaker") else item.cast[:MOST_SAME]
        kept = tuple(phrase for phrase in want if phrase.lower() not in match[0].lower())
        others = tuple(name for name in people if name.lower() not in match[0].lower())
        return kept, (*others, " or ".join(meant)) if meant else others

    def _not_both(
        self, want: tuple[str, ...], avoid: tuple[str, ...], masked: str
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """A wish goes before the refusal of a kind of it ("no gross-out comedies"), but not of it all."""
        for phrase in avoid:
            same = tuple(wish for wish in want if set() < self._meant(phrase) <= self._meant(wish))
            if same and re.search(rf"{_REFUSES}\s+{re.escape(phrase)}", masked, re.I):
                want = tuple(wish for wish in want if wish not in same)
            elif same:
                avoid = tuple(other for other in avoid if other != phrase)
        return want, avoid

    def _meant(self, phrase: str) -> frozenset[Facet]:
        options = (phrase, *ALTERNATIVES.split(phrase))
        terms = [self._vocabulary.answer(option) for option in options]
        return frozenset(facet for term in terms if term is not None for facet in term.facets)

    def _all_in(self, phrase: str, facets: frozenset[Facet]) -> bool:
        meant = self._meant(phrase)
        return bool(meant) and meant <= facets

    def _mistaken(
        self, years: Years | None, masked: str, named: Sequence[Named], links: Sequence[Linked]
    ) -> bool:
        """Whether years come from a remark ("a true classic!"), or examples of them lie outside."""
        if years is None:
            return False
        if read_years(masked, self._latest) and not read_years(without_remarks(masked), self._latest):
            return True
        examples = examples_of_age(masked, named)
        given = [self._catalogue[link.item_id] for link in links if link.item_id and link.name in examples]
        return any(not satisfies(item, Constraints(years=years)) for item in given)


def _reach(
    message: str, want: tuple[str, ...], avoid: tuple[str, ...]
) -> tuple[float | None, tuple[str, ...], tuple[str, ...]]:
    """How far the message wants to go into the long tail, and wish and refusal without the words for it."""
    for pattern, reach in ((_LESSER_KNOWN, FAR), (_WELL_KNOWN, 0.0)):
        match = pattern.search(message)
        if match is not None and not _ALREADY.search(message):
            said = match[0].lower()
            if _DENIED.search(message[: match.start()]):
                reach = FAR - reach
            want, avoid = (
                tuple(phrase for phrase in phrases if phrase.lower() not in said) for phrases in (want, avoid)
            )
            return reach, want, avoid
    return None, want, avoid


def _grouped(people: Sequence[str], groups: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The people of a frame, those of whom any will do in one value: "Brad Pitt or Matt Damon"."""
    of = {name.lower(): group for group in groups for name in group}
    joined = (of.get(name.lower(), [name]) for name in people)
    return tuple(dict.fromkeys(" or ".join(names) for names in joined))
