"""Names to items: what somebody called a film, to the film of the catalogue.

A name is looked up in its normal form (see `agent.reading.titles`) among titles and their other names, then
without spaces, small words or filler, then as the beginning of one title only, and last by spelling
distance. Anything but the first is a guess, and says so (`exact` is False).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from agent.reading.mentions import Mention, Phrasebook, find_mentions
from agent.reading.titles import (
    LOOSE,
    PART,
    common_words,
    loose,
    names_of,
    phrase,
    split_year,
    unmoved,
    without_article,
)
from retrieval.types import Item

NAME_LIMIT = 200
"""Characters of a name that are looked at."""

_BARE_YEAR = re.compile(r"[\s,]+((?:18|19|20)\d\d)\s*$")
_FILLER = re.compile(r"^(?:the )?(?:movies?|films?|flick) (?:called )?|(?: the)? (?:movies?|films?|flick)$")
_HOMOPHONE = re.compile(r" (?:to|too|tow)$")
_LEAST_RATIO = 70.0
_SURE_RATIO = 91.0


@dataclass(frozen=True, slots=True)
class Link:
    """An item for a name. `score` in 0-100; `exact`: the name is the item's title or another name of it."""

    name: str
    item_id: str
    title: str
    score: float
    exact: bool


class Linker:
    """Finds items by name. Built once from the items of a catalogue; immutable, safe in threads."""

    def __init__(self, catalogue: Iterable[Item]) -> None:
        self._items = tuple(catalogue)
        self._names = _index(self._items)
        self._spellings = [name for name, found in self._names.items() if found[0][0] < LOOSE]
        self._joined: dict[str, str] = {}
        self._starts: dict[str, set[int]] = defaultdict(set)
        self._holding: dict[str, set[int]] = defaultdict(set)
        for name in self._spellings:
            self._joined.setdefault(name.replace(" ", ""), name)
            words = name.split()
            for index in self._best(name):
                for size in range(1, len(words)):
                    self._starts[" ".join(words[:size])].add(index)
                for word in words:
                    self._holding[word].add(index)
        self._people = _people(self._items)
        self._phrasebook = Phrasebook.of(
            {name: found[0][0] for name, found in self._names.items()}, self._people
        )

    def link(self, name: str, year: int | None = None) -> Link | None:
        """The item that a name means, or None when no item is called like that.

        `year` (or a year inside the name) chooses among items of one title, give or take a year; without
        it the most popular is chosen. A year that no item of that title has makes the link a guess.
        """
        name = name[:NAME_LIMIT]
        text, year = self._year(name, year)
        words = phrase(text)
        if not words:
            return None
        if words in self._names:
            return self._pick(name, words, year, 100.0, certain=self._names[words][0][0] < LOOSE)
        for guess, score, certain in self._variants(words):
            if guess in self._names:
                return self._pick(name, guess, year, score, certain=certain)
        beginning = self._starts.get(words) if _tells_apart(words) else None
        if beginning and len(beginning) == 1:
            return self._made(name, next(iter(beginning)), 85.0, False)
        return self._spelt(name, words, year)

    def candidates(self, name: str, n: int = 5) -> tuple[Link, ...]:
        """Up to `n` items that the name could have meant, best first, for "did you mean"."""
        name = name[:NAME_LIMIT]
        text, year = self._year(name, None)
        words = phrase(text)
        scores: dict[int, float] = {}
        best = self.link(name)
        for spelling, score, _ in process.extract(
            words, self._spellings, scorer=fuzz.ratio, score_cutoff=_LEAST_RATIO, limit=4 * n
        ):
            for index in self._best(spelling):
                scores[index] = max(score, scores.get(index, 0.0))
        for index in self._all_holding(words):
            scores[index] = max(60.0, scores.get(index, 0.0))
        order = sorted(scores, key=lambda i: (-scores[i], -self._items[i].popularity, self._items[i].item_id))
        exact = set(self._best(words))
        links = [self._made(name, i, scores[i], i in exact and _fits(self._items[i], year)) for i in order]
        first = [best] if best else []
        return tuple([*first, *(one for one in links if not best or one.item_id != best.item_id)][:n])

    def mentions(self, message: str) -> tuple[Mention, ...]:
        """Titles and other names found word for word in a message's first 4,000 characters, in order.

        They do not overlap; where they could, the longest wins. A title that is also ordinary English
        ("Heat") is `certain` only when case, quotes, a year or the words around it say that it is a title.
        """

        def pick(name: str, year: int | None) -> tuple[str, bool]:
            index, fits = self._choose(self._best(name), year)
            return self._items[index].item_id, fits

        return find_mentions(message, self._phrasebook, pick)

    def _year(self, name: str, year: int | None) -> tuple[str, int | None]:
        """The name without a year that is not part of a title ("Blade Runner 2049" keeps its own)."""
        text, found = split_year(name)
        bare = _BARE_YEAR.search(text)
        if found is None and bare and bare.start() and phrase(text) not in self._names:
            text, found = text[: bare.start()], int(bare[1])
        return unmoved(text), year if year is not None else found

    def _variants(self, words: str) -> Iterable[tuple[str, float, bool]]:
        joined = words.replace(" ", "")
        if len(joined) >= 6 and joined in self._joined:
            yield self._joined[joined], 100.0, True
        stripped = _FILLER.sub("", words)
        if stripped:
            yield stripped, 98.0, True
        yield without_article(words), 95.0, False
        yield _HOMOPHONE.sub(" 2", words), 92.0, False
        if " " in loose(words):
            yield loose(words), 90.0, False

    def _best(self, name: str) -> list[int]:
        """Items whose best use of this name is the best there is: a full title hides aliases."""
        found = self._names.get(name, [])
        return [index for level, index in found if level == found[0][0]]

    def _choose(self, indices: Sequence[int], year: int | None) -> tuple[int, bool]:
        """The item of that year, else the most popular; and whether its year fits."""
        near = [i for i in indices if _fits(self._items[i], year)]
        pool = near or list(indices)
        return max(
            pool, key=lambda i: (_same_year(self._items[i], year), self._items[i].popularity, -i)
        ), bool(near)

    def _pick(self, name: str, spelling: str, year: int | None, score: float, certain: bool) -> Link:
        index, fits = self._choose(self._best(spelling), year)
        return self._made(name, index, score if fits else min(score, 80.0), certain and fits)

    def _made(self, name: str, index: int, score: float, exact: bool) -> Link:
        item = self._items[index]
        return Link(name, item.item_id, item.title, round(score, 1), exact)

    def _all_holding(self, words: str) -> set[int]:
        """Items whose names hold every word of a telling name ("star trek")."""
        if not _tells_apart(words):
            return set()
        return set.intersection(*(self._holding.get(word, set()) for word in loose(words).split()))

    def _spelt(self, name: str, words: str, year: int | None) -> Link | None:
        close = process.extract(
            words, self._spellings, scorer=fuzz.ratio, score_cutoff=_LEAST_RATIO, limit=12
        )
        best: Link | None = None
        for spelling, score, _ in close:
            if (best is None or score > best.score + 0.1) and self._is_misspelling(words, spelling):
                link = self._pick(name, spelling, year, min(score, 99.0), certain=False)
                best = link if best is None or link.score > best.score else best
        return best

    def _is_misspelling(self, given: str, title: str) -> bool:
        """Whether `given` is `title` with typing errors, rather than another name of similar letters.

        Numbers have to agree, titles up to four letters allow no error, short ones none in
        the first letter, and a correctly spelt ordinary
        word ("heart") is no error for another word, unless the rest of a long name is all but the same.
        """
        mine, theirs = given.split(), title.split()
        if sorted(w for w in mine if w.isdigit()) != sorted(w for w in theirs if w.isdigit()):
            return False
        length = min(len(given.replace(" ", "")), len(title.replace(" ", "")))
        if length <= 4:
            return False
        if length >= 10 and fuzz.ratio(given, title) >= _SURE_RATIO:
            return True
        if len(mine) != len(theirs):
            mine, theirs = [given.replace(" ", "")], [title.replace(" ", "")]
        if len(mine) == 1 and given[0] != title[0]:
            return False
        return self._words_misspelt(mine, theirs)

    def _words_misspelt(self, mine: Sequence[str], theirs: Sequence[str]) -> bool:
        anchored = suspicious = False
        for word, right in zip(mine, theirs, strict=True):
            known = common_words().knows(word) or word in self._people
            errors = OSA.distance(word, right)
            if errors > _errors_allowed(min(len(word), len(right)), alone=len(mine) == 1):
                return False
            anchored |= len(word) >= 4 and (not known or (not errors and not common_words().knows(word)))
            suspicious |= known and errors > 0
        return anchored or not suspicious


def _index(items: Sequence[Item]) -> dict[str, list[tuple[int, int]]]:
    """Normal form -> (level, place of the item), best first; parts that several titles share are left out."""
    names: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for index, item in enumerate(items):
        for name, level in names_of(item.title, item.aliases).items():
            names[name].append((level, index))
    kept = {}
    for name, found in names.items():
        found.sort()
        level = found[0][0]
        if level < PART or sum(other == level for other, _ in found) == 1:
            kept[name] = found
    return kept


def _people(items: Sequence[Item]) -> frozenset[str]:
    """Words of the names of people: a film called Michael is not every Michael."""
    names = {name for item in items for name in (*item.directors, *item.cast)}
    return frozenset(word for name in names for word in phrase(name).split()) - {""}


def _errors_allowed(length: int, *, alone: bool) -> int:
    """Edits (insert, delete, replace, swap neighbours) that still make a word of this length."""
    if length <= (4 if alone else 3):
        return 0
    return 1 if length < 8 else 2


def _tells_apart(words: str) -> bool:
    """Whether a part of a title is enough to name it: a rare word, or two that are not mere talk."""
    parts = [word for word in words.split() if not word.isdigit()]
    rare = any(len(word) >= 4 and not common_words().knows(word) for word in parts)
    return rare or sum(word not in common_words().talk for word in parts) >= 2


def _fits(item: Item, year: int | None) -> bool:
    return year is None or item.year is None or abs(item.year - year) <= 1


def _same_year(item: Item, year: int | None) -> bool:
    return year is not None and item.year == year
