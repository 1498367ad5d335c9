"""Titles inside running text: where they stand, and whether they are meant as titles.

"Heat", "It" and "Speed" are films and words. Such an ordinary title is certain only when the text says
so: quotes or italics, a year after it, capitals in the middle of a sentence, a cue before it ("loved")
and a break after it, or a neighbour in a list that is certain.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.reading.titles import ALIAS, LOOSE, Token, bare, common_words, tokens

SCAN_LIMIT = 4000
"""Characters of a message that are searched."""

Pick = Callable[[str, int | None], tuple[str, bool]]
"""(normal form, year after it) -> (item_id, whether that item's year fits)."""

_YEAR = re.compile(r"[\"'”’*_]{0,2},?\s*([(\[]?)\s*((?:18|19|20)\d\d)(?!\d|['’]?s)")
_OPENING, _CLOSING = "\"'“‘«„*_`", "\"'”’»“*_`"
_SENTENCE_END = re.compile(r"[.!?…:]\s|\n")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_CUES = _set(
    "like likes liked love loves loved adore adored enjoy enjoyed watch watched watching rewatched seen saw "
    "hate hated dislike disliked recommend than about"
)
_OF = _set("fan fans think thought heard reminded reminds instead tired style vein version")
_NO_LIKE = _set("would id d ill feel feels felt look looks sound sounds seem seems dont didnt")
_SMALL = _set(
    "the a an of and or in on at to for with by from my your our it is are be i you me we up out not no"
)
_DETERMINERS = _set(
    "a an some any more another no this that these those my your his their such very good great"
)
_FILLER = _set("movie movies film films also really both either even")
_BREAKS = _set(
    "and or but because cause since was is were are too so also as well which who if though although please "
    "than except plus very a alot lot yesterday recently yet last i it the not"
)
_STARTS = _set("and but or also yes yeah oh well though because think")
_NOUNS = _set("movie film called titled named")
_LINKS = _set("and or plus nor the")
_SAYS = _set("is was has bored sucked sucks rocked rocks")


@dataclass(frozen=True, slots=True)
class Mention:
    """A name of an item at `message[start:end]`. `certain`: it is surely meant as a title.

    `exact`: the year beside it, if there is one, is the item's.
    """

    start: int
    end: int
    text: str
    item_id: str
    exact: bool
    certain: bool


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """The names to look for. `lengths`: first word -> numbers of words, longest first."""

    names: frozenset[str]
    lengths: Mapping[str, tuple[int, ...]]
    people: frozenset[str]

    @classmethod
    def of(cls, levels: Mapping[str, int], people: frozenset[str]) -> Phrasebook:
        """From normal forms and how good each is; loose names and aliases of mere words are left out."""
        kept = [
            name
            for name, level in levels.items()
            if level < ALIAS or (level < LOOSE and not is_ordinary(name.split()))
        ]
        lengths: dict[str, set[int]] = defaultdict(set)
        for name in kept:
            words = name.split()
            lengths[words[0]].add(len(words))
        order = {first: tuple(sorted(sizes, reverse=True)) for first, sizes in lengths.items()}
        return cls(frozenset(kept), order, people)


def is_ordinary(words: Sequence[str]) -> bool:
    """Whether words could stand in any sentence: mere talk, or one common word with small ones around it."""
    common = common_words()
    content = [word for word in words if word not in _SMALL and not word.isdigit()]
    telling = [word for word in content if word not in common.talk]
    return not telling or (len(content) == 1 and common.knows(telling[0]))


def find_mentions(message: str, book: Phrasebook, pick: Pick) -> tuple[Mention, ...]:
    """The mentions in the first `SCAN_LIMIT` characters, in order, none overlapping another."""
    text = message[:SCAN_LIMIT]
    words = tokens(text)
    reader = _Reader(text, words, book)
    mentions: list[Mention] = []
    judged: list[tuple[int, int]] = []
    spans = _spans(text, words, book)
    listed = len(spans) > 1 and reader.nothing_but(spans)
    for first, last in spans:
        name = " ".join(word.word for word in words[first:last])
        start, end = words[first].start, words[last - 1].end
        year = _YEAR.match(text, end)
        item_id, fits = pick(name, int(year[2]) if year else None)
        follows = bool(judged) and mentions[-1].certain and reader.linked(judged[-1][1], first)
        certain = reader.certain(first, last, year=year is not None, listed=listed, follows=follows)
        mentions.append(Mention(start, end, text[start:end], item_id, fits, certain and fits))
        judged.append((first, last))
    return tuple(mentions)


def _spans(text: str, words: Sequence[Token], book: Phrasebook) -> list[tuple[int, int]]:
    """Token ranges that are names, the longest first to claim its words."""
    found = []
    for first, token in enumerate(words):
        for size in book.lengths.get(token.word, ()):
            last = first + size
            if last <= len(words) and " ".join(w.word for w in words[first:last]) in book.names:
                found.append((first, last))
    found.sort(key=lambda span: (span[0] - span[1], span[0]))
    taken: set[int] = set()
    kept = []
    for first, last in found:
        if taken.isdisjoint(range(first, last)) and not _crosses_sentence(text, words[first:last]):
            taken.update(range(first, last))
            kept.append((first, last))
    return sorted(kept)


def _crosses_sentence(text: str, words: Sequence[Token]) -> bool:
    """A full stop ends a name, but not after a short word ("Dr. Strangelove")."""
    return any(
        "\n" in text[a.end : b.start]
        or (len(a.word) > 3 and re.search(r"[.!?]\s", text[a.end : b.start]) is not None)
        for a, b in pairwise(words)
    )


class _Reader:
    """Judges places in one text."""

    def __init__(self, text: str, words: Sequence[Token], book: Phrasebook) -> None:
        self._text = text
        self._words = words
        self._book = book
        self._raw = [bare(text[w.start : w.end]) for w in words]
        self._capital = [text[w.start].isupper() for w in words]
        others = [c for c, raw in zip(self._capital, self._raw, strict=True) if raw != "i"]
        self._case_tells = not text.isupper() and sum(others) <= max(3, 0.6 * len(others))

    def certain(self, first: int, last: int, *, year: bool, listed: bool, follows: bool) -> bool:
        """Whether the words in [first, last) are meant as a title."""
        raw = self._raw[first:last]
        person = len(raw) == 1 and (raw[0] in self._book.people or raw[0] in common_words().names)
        if year or self._marked(first, last):
            return True
        if person and self._part_of_name(first, last):
            return False
        if listed or self._capitalised(first, last):
            return True
        if not is_ordinary(raw) and not person:
            return not self._described(first, last)
        if not any(self._telling(word) for word in raw) and len(set(raw) - _SMALL) < 2:
            return False
        return self._opens_clause(first, last) or (self._breaks_off(last) and (follows or self._cued(first)))

    def nothing_but(self, spans: Iterable[tuple[int, int]]) -> bool:
        """Whether the text is a list of names and nothing else."""
        covered = {i for first, last in spans for i in range(first, last)}
        return all(i in covered or raw in _LINKS for i, raw in enumerate(self._raw))

    def linked(self, before: int, first: int) -> bool:
        """Whether only "," or "and" stands between two names."""
        if any(raw not in _LINKS for raw in self._raw[before:first]):
            return False
        return (
            re.search(r"[.!?\n]", self._text[self._words[before - 1].end : self._words[first].start]) is None
        )

    def _telling(self, word: str) -> bool:
        return len(word) > 1 and word not in common_words().talk and not (word.isdigit() and len(word) < 3)

    def _marked(self, first: int, last: int) -> bool:
        start, end = self._words[first].start, self._words[last - 1].end
        after = self._text[end : end + 2].lstrip(".,!?")
        return start > 0 and self._text[start - 1] in _OPENING and after[:1] != "" and after[0] in _CLOSING

    def _part_of_name(self, first: int, last: int) -> bool:
        """Whether a name's word stands beside another word of a name ("michael mann")."""
        for here, word in ((first - 1, first), (last, last - 1)):
            if not 0 <= here < len(self._words):
                continue
            left, right = sorted((here, word))
            if self._text[self._words[left].end : self._words[right].start] != " ":
                continue
            raw = self._raw[here]
            if raw in self._book.people and raw not in common_words().talk and raw not in _CUES:
                return True
            if self._case_tells and self._capital[here] and not common_words().knows(raw):
                return True
        return False

    def _described(self, first: int, last: int) -> bool:
        """Whether common words are used as such ("a dark city")."""
        plain = last - first <= 2 and all(common_words().knows(raw) for raw in self._raw[first:last])
        return plain and first > 0 and self._near(first - 1) and self._raw[first - 1] in _DETERMINERS

    def _capitalised(self, first: int, last: int) -> bool:
        """Capitals in the middle of a sentence, in a text that does not use them everywhere."""
        if not self._case_tells or first == 0:
            return False
        if _SENTENCE_END.search(self._text[self._words[first - 1].end : self._words[first].start]):
            return False
        marks = [
            c for c, raw in zip(self._capital[first:last], self._raw[first:last], strict=True) if raw != "i"
        ]
        edges = self._capital[first] and self._capital[last - 1]
        return bool(marks) and edges and sum(marks) * 2 >= len(marks)

    def _opens_clause(self, first: int, last: int) -> bool:
        """Whether a clause speaks about the words, and has no article for them ("heat was great")."""
        if last >= len(self._words) or self._raw[last] not in _SAYS:
            return False
        if self._raw[first] in ("the", "a", "an"):
            return False
        return first == 0 or not self._near(first - 1) or self._raw[first - 1] in _STARTS

    def _cued(self, first: int) -> bool:
        here = first - 1
        if here >= 0 and self._raw[here] in _NOUNS and self._near(here):
            return True
        while here >= 0 and self._raw[here] in _FILLER and self._near(here):
            here -= 2 if here and self._raw[here - 1] == "the" else 1
        if here < 0 or not self._near(here):
            return False
        cue, before = self._raw[here], self._raw[here - 1] if here else ""
        if cue == "like" and before in _NO_LIKE:
            return False
        if cue == "of":
            return before in _OF
        if cue == "in":
            return before in ("great", "good", "amazing", "funny", "awesome", "starred")
        if cue in ("to", "as"):
            return before in ("similar", "closer", "comparable", "compared", "such")
        if cue == "not":
            return before in ("", "but", "and", "just")
        return cue in _CUES

    def _near(self, here: int) -> bool:
        """Whether the next word follows without the end of a sentence in between."""
        return not re.search(r"[.!?;,\n]", self._text[self._words[here].end : self._words[here + 1].start])

    def _breaks_off(self, last: int) -> bool:
        if last >= len(self._words):
            return True
        gap = self._text[self._words[last - 1].end : self._words[last].start]
        return (
            re.search(r"[^\s\w'’-]", gap) is not None
            or self._raw[last] in _BREAKS
            or self._raw[last].isdigit()
        )
