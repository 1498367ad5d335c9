"""Does a message give the target's title away? Whoever names it looks for nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rapidfuzz import fuzz

from agent.reading.titles import names_of, phrase
from retrieval.types import Item

LEAST_LETTERS = 5
"""Names shorter than this are looked for as they are, without spelling errors."""

LIKENESS = 88.0
"""Likeness of letters, 0 to 100 (`rapidfuzz.fuzz.ratio`), from which a misspelt name still gives it away."""

_NUMBER = re.compile(r"\s(?:(?:part|chapter|episode|vol)\s)?\d+$")


class LeakDetector:
    """Finds any name of one item in a text: title, other titles, parts of it, its series, misspellings.

    Deliberately too strict: a title that is also an ordinary word ("Big", "Speed") leaks wherever the word
    is said. What is found is never sent, so strictness costs some ways to say things and flatters nobody.
    """

    def __init__(self, target: Item) -> None:
        names = set(names_of(target.title, target.aliases))
        names |= {_NUMBER.sub("", name) for name in names}
        # A number is a name only where it is the whole title ("1984"), not where it counts a series.
        told_apart = {name for name in names if name and not name.isdigit()} | {phrase(target.title)}
        self.names = tuple(sorted(told_apart))

    def leaks(self, text: str) -> str | None:
        """The name that `text` gives away; None when it keeps the secret."""
        words = phrase(text).split()
        return next((name for name in self.names if _holds(words, name)), None)


def _holds(words: list[str], name: str) -> bool:
    """Whether a run of words is spelt like the name, however both are divided ("toystory", "spider man")."""
    closed = name.replace(" ", "")
    return any(_same(part, closed) for part in _runs(words, len(name.split()) + 1))


def _runs(words: list[str], longest: int) -> Iterator[str]:
    """Every run of up to `longest` words, closed up."""
    for start in range(len(words)):
        for end in range(start + 1, min(start + longest, len(words)) + 1):
            yield "".join(words[start:end])


def _same(part: str, closed: str) -> bool:
    return part == closed or (len(closed) >= LEAST_LETTERS and fuzz.ratio(part, closed) >= LIKENESS)
