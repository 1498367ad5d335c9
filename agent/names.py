"""Finds the names in a message, items and people, and masks them so that clauses can be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agent.acts import read_ordinals
from agent.link import Linker
from agent.vocabulary import Vocabulary

_FIRST_MARK = 0xE000
"""Start of Unicode's private use area: one such character stands for one name."""

_QUOTED = re.compile(
    r"[\"“”«»„]([^\"“”«»„\n]{2,80})[\"“”«»„]|(?<!\w)\*{1,2}([^*\n]{2,80})\*{1,2}|(?<!\w)'([^'\n]{3,80})'(?!\w)"
)
_CUE = (
    r"(?:like|liked|love|loved|loves|enjoyed|adored|watched|watching|seen|saw|rewatched|hated?|disliked|fan of|"
    r"similar to|such as|than|about|reminds me of|in the (?:vein|style) of|favou?rites? (?:is|are|film is|movie is)|have|not)"
)
_CAPITALISED = re.compile(
    rf"\b{_CUE}\s+((?:[Tt]he |[Aa]n? )?[A-Z0-9][\w'’.:&!-]*"
    r"(?:\s+(?:[A-Z0-9][\w'’:&!-]*|of|the|and|in|on|a|to|for|vs\.?|too)(?=\s|$|[,.!?]))*)"
)
_LOWER = re.compile(
    rf"\b{_CUE}\s+(?!to\b|that\b|this\b|these\b|those\b|it\b|them\b|something\b|anything\b)((?:[\w'’:&-]+\s*){{1,6}})",
    re.I,
)
_JOINED = re.compile(
    r"[\ue000-\uf8ff](?: too| a lot| as well)?(?:,\s+and|,|\s+and|\s+&|\s+or)\s+(?!i\b|it\b|not\b|no\b)((?:[\w'’:&-]+\s*){1,6})",
    re.I,
)
_STOP = re.compile(
    r"\s+\b(?:but|and|or|because|with|from|so|though|which|that|when|since|as|is|was|were|are|please|too much|a lot|"
    r"after|before|last|yesterday|tonight|not|very|really|for|except|without)\b.*$",
    re.I,
)
_PERSON = re.compile(
    r"\b(?:by|director|with|starring|stars?|featuring|from|actor|actress|films? of|movies? of|anything|nothing|no|like)\s+"
    r"((?:[A-Z][\w'’.-]+\s+){1,3}[A-Z][\w'’-]+)"
)
_PERSON_LOWER = re.compile(
    r"\b(?:directed by|starring|films? by|movies? by)\s+([^\W\d_][\w'’.-]+\s+[^\W\d_][\w'’-]+)\b", re.I
)
_YEAR_AFTER = re.compile(r"\s*\((?:1[89]|20)\d\d\)")


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a message. `mark` is the character that stands for it; `kind` is "item" or "person"."""

    text: str
    mark: str
    kind: str


class _Mask:
    """The message with names taken out, keeping every other character in place to its left and right."""

    def __init__(self, text: str) -> None:
        self.text = "".join(" " if 0xE000 <= ord(c) <= 0xF8FF else c for c in text)
        self.named: list[Named] = []

    def take(self, start: int, end: int, name: str, kind: str) -> None:
        if len(self.named) < 200:
            mark = chr(_FIRST_MARK + len(self.named))
            self.named.append(Named(name, mark, kind))
            self.text = self.text[:start] + mark + self.text[end:]


@cache
def common_words() -> frozenset[str]:
    """Frequent English words, which a name is not made of."""
    lines = Path(__file__).with_name("common_words.txt").read_text("utf-8").split()
    return frozenset(line for line in lines if not line.startswith("#"))


def find_names(
    message: str, linker: Linker, vocabulary: Vocabulary, shown: tuple[str, ...]
) -> tuple[str, list[Named]]:
    """The masked message and its names, in the order they were found.

    Titles of the catalogue first, then quoted and cued names (also those the catalogue does not hold),
    then references to what is on show ("the second one"), then people.
    """
    mask = _Mask(message)
    whole = message.strip().lower()
    for mention in reversed(linker.mentions(mask.text)):
        if mention.certain or _is_whole(mention.text, whole):
            year = _YEAR_AFTER.match(mask.text, mention.end)
            end = year.end() if year else mention.end
            mask.take(mention.start, end, mask.text[mention.start : end], "item")
    _take_pattern(mask, _QUOTED, linker, vocabulary, unknown=True)
    _take_people(mask, vocabulary)
    _take_pattern(mask, _CAPITALISED, linker, vocabulary, unknown=True)
    _take_pattern(mask, _LOWER, linker, vocabulary, unknown=False)
    _take_pattern(mask, _JOINED, linker, vocabulary, unknown=False)
    _take_whole(mask, linker, vocabulary)
    for start, end, position in reversed(read_ordinals(mask.text, len(shown))):
        mask.take(start, end, shown[position - 1], "item")
    order = {name.mark: mask.text.find(name.mark) for name in mask.named}
    return mask.text, sorted(mask.named, key=lambda name: order[name.mark])


def _is_whole(text: str, whole: str) -> bool:
    return text.lower() == whole.strip(" .!?\"'")


def _take_pattern(
    mask: _Mask, pattern: re.Pattern[str], linker: Linker, vocabulary: Vocabulary, unknown: bool
) -> None:
    """Mask what `pattern` captures where it links to an item, or, if `unknown`, where it looks like a name."""
    for match in reversed(list(pattern.finditer(mask.text))):
        group = next(i for i, text in enumerate(match.groups(), 1) if text)
        start = match.start(group)
        name = _STOP.sub("", " " + match[group])[1:].strip(" .,!?'’")
        if not name or any(0xE000 <= ord(c) <= 0xF8FF for c in name) or vocabulary.term(name):
            continue
        for candidate in _shorter(name) if not unknown else (name,):
            if linker.link(candidate) and not _all_common(candidate):
                mask.take(start, start + len(candidate), candidate, "item")
                break
        else:
            if unknown and not _all_common(name) and not vocabulary.find(name):
                mask.take(start, start + len(name), name, "item")


def _shorter(name: str) -> list[str]:
    words = name.split(" ")
    return [" ".join(words[:size]) for size in range(len(words), 0, -1)]


def _all_common(name: str) -> bool:
    words = [word.strip("'’.,:!-").lower() for word in name.split()]
    return all(not word or word in common_words() for word in words)


def _take_people(mask: _Mask, vocabulary: Vocabulary) -> None:
    for pattern in (_PERSON, _PERSON_LOWER):
        for match in reversed(list(pattern.finditer(mask.text))):
            if not vocabulary.find(match[1]):
                mask.take(match.start(1), match.end(1), match[1], "person")
    words = list(re.finditer(r"[^\W\d_][\w'’.-]*", mask.text))
    i = len(words) - 1
    while i >= 0:
        for size in (4, 3, 2):
            span = words[i : i + size]
            text = mask.text[span[0].start() : span[-1].end()] if len(span) == size else ""
            if text.lower().rstrip(".") in vocabulary.people:
                mask.take(span[0].start(), span[-1].end(), text, "person")
                break
        i -= 1


def _take_whole(mask: _Mask, linker: Linker, vocabulary: Vocabulary) -> None:
    """A message that is nothing but a misspelt title ("terminater 2")."""
    text = mask.text.strip(" .!?")
    if mask.named or not text or len(text.split()) > 8 or _all_common(text) or vocabulary.find(text):
        return
    link = linker.link(text)
    if link and (len(text.split()) > 1 or link.score >= 88):
        start = mask.text.find(text)
        mask.take(start, start + len(text), text, "item")
