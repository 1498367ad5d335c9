"""A wish in free words: what a request asks for that no facet of the catalogue has a name for."""

from __future__ import annotations

import re

from agent.reading.filler import FILLER
from agent.reading.vocabulary import WORD, Vocabulary

_REQUEST = re.compile(
    r"\b(?:films?|movies?|flicks?|something|anything|stor(?:y|ies)|want|looking for|mood for|need"
    r"|recommend|suggest|"
    r"set (?:in|on|during|at)|about|involving|featuring|watch)\b",
    re.I,
)
LONGEST_WORD = 30
"""Characters; what is longer is no word, and would fill the reply that repeats it."""

_ABOUT = re.compile(
    r"\b(?:about|set (?:in|on|during|at)|involving|featuring|where|who|whose|in which)\s+(.+)$", re.I
)


def read_wish(clause: str, polarity: int, vocabulary: Vocabulary) -> str | None:
    """The free-text wish of a positive clause, two to six words or one rare one; None if it has none.

    Only words that a request cue introduces count, so that small talk never becomes a wish.
    """
    if polarity < 0 or not _REQUEST.search(clause):
        return None
    about = _ABOUT.search(clause)
    text = about[1] if about else clause
    taken = [(found.start, found.end) for found in vocabulary.find(text)]
    words = [
        match.group()
        for match in WORD.finditer(text)
        if match.group().lower() not in FILLER
        and len(match.group()) <= LONGEST_WORD
        and not any(char.isdigit() or 0xE000 <= ord(char) <= 0xF8FF for char in match.group())
        and not any(start <= match.start() < end for start, end in taken)
    ]
    return " ".join(words[:6]) if words else None


_TALK = re.compile(
    r"\b(?:i|i['’]\w+|me|my|mine|you|your|u|we|us|please|plz|pls|gimme|thanks?|hello|hi|hey|yes|no|not|ok|okay|lol|ignore|print|tell"
    r"|write)\b|^\W*(?:is|are|was|were|do|does|did|can|could|will|would|should|what|how|why|who|when|where)\b",
    re.I,
)


def read_description(message: str, vocabulary: Vocabulary) -> str | None:
    """A message that describes something without asking for it ("two hitmen and a briefcase"); None if not.

    At least three telling words that are no facets, and nothing of a conversation: no I or you, no question.
    """
    words = list(WORD.finditer(message))
    facets = [(found.start, found.end) for found in vocabulary.find(message)]
    telling = [
        word
        for word in words
        if word.group().lower() not in FILLER
        and not word.group().isdigit()
        and not any(start <= word.start() < end for start, end in facets)
    ]
    if len(telling) < 3 or len(words) > 40 or _TALK.search(message):
        return None
    return " ".join(message.split()).strip(" .!")
