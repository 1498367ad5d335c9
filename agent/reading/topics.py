"""A word that is a facet and a title at once ("halloween", "suburbia"): which of the two is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agent.reading.mentions import Mention
from agent.reading.vocabulary import Found, Vocabulary

_VERDICT = re.compile(
    r"\b(?:lov(?:e|ed|es|ing)|(?<!['’]d )(?<!would )lik(?:e|ed|es)|enjoy(?:ed)?|adored?|hated?|dislik\w+"
    r"|watch(?:ed|ing)?|rewatched|saw|seen|than|to|recommend|(?:fan|style|vein) of|movie|film|called)\s+"
    r"(?:(?:(?!\b(?:something|anything|films?|movies?|want|about|with|set)\b)[^.!?;]){1,40}(?:,|\band|\bor)\s+)?"
    r"(?:the\s+)?$",
    re.I,
)
"""Before a word that is a facet, too, what makes it a title: "loved road trip and duel"."""
_TOPICAL = re.compile(
    r"(?<!tell me )(?<!heard )(?<!think )(?<!thought )(?<!more )(?<!know )\babout\s+(?:the\s+|an?\s+)?$"
    r"|\b(?:set (?:in|on|at|during)|theme of|involving|featuring|some|any|more|no|an?)\s+(?:the\s+)?$",
    re.I,
)
"""Before a capital letter, what makes the word a topic all the same: "something set in New York"."""
_OF_A_KIND = re.compile(r"\s*(?:films?|movies?|flicks?|stor(?:y|ies)|stuff)\b", re.I)
_SAID_OF = re.compile(r"\s*\((?:1[89]|20)\d\d\)|\s+(?:is|was|has|bored|sucked|rocked)\b", re.I)
"""After it, what makes it a title: a year, or a clause about it."""
_ARTICLE = re.compile(r"(?:the|an?)\s+", re.I)
_MARKS = frozenset("\"'“‘«„*_")
_NEAR = 80
"""Characters before a name that are looked at, so that a long list of names takes no longer."""


def titles_only(mentions: Iterable[Mention], text: str, vocabulary: Vocabulary) -> list[Mention]:
    """The mentions that are not topics of the catalogue where they stand in `text`."""
    terms = vocabulary.find(text)
    return [mention for mention in mentions if not is_topic(text, mention.start, mention.end, terms)]


def is_topic_here(text: str, start: int, end: int, vocabulary: Vocabulary) -> bool:
    """`is_topic` by the words that stand near: a long message is not looked through for each of its names."""
    offset = max(0, start - _NEAR)
    near = text[offset : end + _NEAR]
    return is_topic(near, start - offset, end - offset, vocabulary.find(near))


def is_topic(text: str, start: int, end: int, terms: Sequence[Found]) -> bool:
    """Whether the name at `text[start:end]` is, or is part of, a genre, theme, mood or place here.

    Part of a longer phrase it always is ("mother" in "mother and daughter"). A phrase of its own is a title
    after a verdict ("loved road trip"), with a year, before a clause about it, in quotation marks, and with a
    capital, unless the words around it ask for a kind. `terms`: what the vocabulary finds in `text`.
    """
    article = _ARTICLE.match(text, start)
    first = article.end() if article and article.end() < end else start
    sizes = [term.end - term.start for term in terms if term.start <= first and end <= term.end]
    if not sizes or _SAID_OF.match(text, end) or text[start - 1 : start] in _MARKS:
        return False
    if sizes[0] > end - first or _OF_A_KIND.match(text, end):
        return True
    before = text[max(0, start - _NEAR) : start]
    capital = text[first].isupper()
    return bool(_TOPICAL.search(before)) if capital else not _VERDICT.search(before)
