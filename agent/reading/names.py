"""Finds the names in a message, items and people, and masks them so that clauses can be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.reading.acts import read_act, read_ordinals
from agent.reading.foreign import SMALL_WORDS
from agent.reading.link import Link, Linker
from agent.reading.mentions import Mention
from agent.reading.slots import language_of
from agent.reading.titles import common_words
from agent.reading.topics import is_topic_here, titles_only
from agent.reading.vocabulary import Vocabulary, singulars

_FIRST_MARK = 0xE000
"""Start of Unicode's private use area: one such character stands for one name."""

_QUOTED = re.compile(
    r"[\"“”«»„]([^\"“”«»„\n]{2,80})[\"“”«»„]"
    r"|(?<!\w)\*{1,2}([^*\n]{2,80})\*{1,2}|(?<!\w)'([^'\n]{3,80})'(?!\w)"
)
_CUE = (
    r"(?:like|liked|love|loved|loves|enjoyed|adored|watched|watching|seen|saw|rewatched|hated?|disliked"
    r"|fan of|"
    r"similar to|such as|than|about|reminds me of|in the (?:vein|style) of|"
    r"favou?rites? (?:is|are|film is|movie is)|have|not)"
)
_CAPITALISED = re.compile(
    rf"\b{_CUE}\s+((?:[Tt]he |[Aa]n? )?[A-Z0-9][\w'’.:&!-]*"
    r"(?:\s+(?:[A-Z0-9][\w'’:&!-]*|of|the|and|in|on|a|to|for|vs\.?|too)(?=\s|$|[,.!?]))*)"
)
_NOT_A_NAME = r"(?!(?:to|that|this|these|those|it|them|something|anything|i|not|no)\b)"
# Possessive: a long run of letters has one reading only, or a hostile message would take for ever.
_SIX_WORDS = r"((?:[\w'’:&-]++\s*+){1,6})"
_LOWER = re.compile(rf"\b{_CUE}\s+{_NOT_A_NAME}{_SIX_WORDS}", re.I)
_JOINED = re.compile(
    rf"[\ue000-\uf8ff](?: too| a lot| as well)?(?:,\s+and|,|\s+and|\s+&|\s+or)\s+{_NOT_A_NAME}{_SIX_WORDS}",
    re.I,
)
_ALIKE = re.compile(
    rf"\b(?:films?|movies?|something|anything)\s+(?:like|similar to)\s+(?!an?\b|what\b|my\b|the (?:one"
    rf"|other|first|last)\b){_NOT_A_NAME}"
    r"((?:[\w'’:&-]++\s*+){1,4}?)(?=\s*(?:[.,!?;]|$|\b(?:but|and|or|with|please|from)\b))",
    re.I,
)
_STOP = re.compile(
    r"\s+\b(?:but|and|or|because|with|from|so|though|which|that|when|since|as|is|was|were|are|please"
    r"|too much|a lot|"
    r"after|before|last|yesterday|tonight|not|very|really|for|except|without)\b.*$",
    re.I,
)
_PERSON = re.compile(
    r"\b(?:by|director|with|starring|stars?|featuring|from|actor|actress|films? of|movies? of|anything"
    r"|nothing|no|like)\s+"
    r"((?:[A-Z][\w'’.-]+\s+){1,3}[A-Z][\w'’-]+)"
)
_PERSON_LOWER = re.compile(
    r"\b(?:directed by|starring|films? by|movies? by)\s+([^\W\d_][\w'’.-]+\s+[^\W\d_][\w'’-]+)\b", re.I
)
_SURNAME = re.compile(
    r"\b(?:[Bb]y|[Ff]rom|[Ww]ith|[Ss]tarring|of|else|no|not"
    r"|(?:director|actor|actress|filmmaker)s?(?: is| are|:)?|[Ll]oved?|[Ll]ikes?|[Aa]dore)\s+(?:the\s+)?"
    r"(?P<name>[A-Z][\w'’-]{3,}(?:\s+(?:brothers|sisters)\b)?)"
)
_YEAR = re.compile(r"(?:1[89]|20)\d\ds?")
_NUMBER = re.compile(r"(?:the\s+)?['’]?\d+(?:\.\d+)?s?", re.I)
_ARTICLE = re.compile(r"\b(?:the|an?|some|any|no|more|my|your|us|these|those)\s+$", re.I)
_WHO_WATCHES = frozenset({"grown-ups", "grown ups", "grownups", "kids"})
_JOINTS = re.compile(r"-|['’](?:ve|re|ll|d|m|t|s)\b", re.I)
_YEAR_AFTER = re.compile(r"\s*\((?:1[89]|20)\d\d\)")


_EITHER = re.compile(r"[\ue000-\uf8ff](?:\s*,\s*[\ue000-\uf8ff])*\s*,?\s+or\s+[\ue000-\uf8ff]", re.I)


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


def alternatives(masked: str, named: Sequence[Named]) -> list[list[str]]:
    """People of whom any will do: "Brad Pitt, George Clooney or Matt Damon"."""
    people = {name.mark: name.text for name in named if name.kind == "person"}
    lists = (
        [char for char in found[0] if "\ue000" <= char <= "\uf8ff"] for found in _EITHER.finditer(masked)
    )
    return [[people[mark] for mark in marks] for marks in lists if people.keys() >= set(marks)]


def find_names(
    message: str, linker: Linker, vocabulary: Vocabulary, shown: tuple[str, ...]
) -> tuple[str, list[Named]]:
    """The masked message and its names, in the order they were found.

    Titles of the catalogue first, then quoted and cued names (also those the catalogue does not hold),
    then references to what is on show ("the second one"), then people.
    """
    mask = _Mask(message)
    whole = message.strip().lower()
    _take_pattern(mask, _QUOTED, linker, vocabulary, unknown=False)
    command = read_act(message) is not None
    for mention in reversed(titles_only(linker.mentions(mask.text), mask.text, vocabulary)):
        all_of_it = _is_whole(mention.text, whole)
        if all_of_it and command:
            continue  # "more" is a film too, but whoever says it alone wants more
        if mention.text in _WHO_WATCHES and not _YEAR_AFTER.match(mask.text, mention.end):
            continue  # "for grown-ups"
        if (mention.certain and not _is_a_noun(mask.text, mention)) or all_of_it:
            year = _YEAR_AFTER.match(mask.text, mention.end)
            end = year.end() if year else mention.end
            mask.take(mention.start, end, mask.text[mention.start : end], "item")
    _take_pattern(mask, _QUOTED, linker, vocabulary, unknown=True)
    _take_people(mask, vocabulary)
    _take_pattern(mask, _CAPITALISED, linker, vocabulary, unknown=True)
    _take_pattern(mask, _LOWER, linker, vocabulary, unknown=False)
    _take_pattern(mask, _JOINED, linker, vocabulary, unknown=False)
    _take_pattern(mask, _ALIKE, linker, vocabulary, unknown=True)
    _take_misspelt(mask, linker, vocabulary)
    _take_whole(mask, linker, vocabulary)
    for start, end, position in reversed(read_ordinals(mask.text, len(shown))):
        mask.take(start, end, shown[position - 1], "item")
    order = {name.mark: mask.text.find(name.mark) for name in mask.named}
    return mask.text, sorted(mask.named, key=lambda name: order[name.mark])


def _take_whole(mask: _Mask, linker: Linker, vocabulary: Vocabulary) -> None:
    """A message that is a title and nothing else, however ordinary the word ("Big")."""
    text = mask.text.strip(" .!?\"'")
    if mask.named or not text or read_act(text) or vocabulary.answer(text):
        return
    link = linker.link(text)
    if link and link.exact:
        start = mask.text.find(text)
        mask.take(start, start + len(text), text, "item")


def _is_a_noun(text: str, mention: Mention) -> bool:
    """A single lower-case word after an article ("the duel of cop and thief") is no title."""
    single = " " not in mention.text and mention.text.islower()
    return single and bool(_ARTICLE.search(text[: mention.start]))


def _is_whole(text: str, whole: str) -> bool:
    return text.lower() == whole.strip(" .!?\"'")


def _take_pattern(
    mask: _Mask, pattern: re.Pattern[str], linker: Linker, vocabulary: Vocabulary, unknown: bool
) -> None:
    """Mask what `pattern` captures where it links to an item or, if `unknown`, looks like a name."""
    for match in reversed(list(pattern.finditer(mask.text))):
        group = next(i for i, text in enumerate(match.groups(), 1) if text)
        start = match.start(group)
        name = _STOP.sub("", " " + match[group])[1:].strip(" .,!?'’")
        marked = any(0xE000 <= ord(char) <= 0xF8FF for char in name)
        if not name or marked or _YEAR.fullmatch(name) or vocabulary.term(name) or language_of(name):
            continue
        if _NUMBER.fullmatch(name) and not ((link := linker.link(name)) and link.exact):
            continue  # "shorter than 2 hours", "not the 80s"
        for candidate in _shorter(name) if not unknown else (name,):
            if linker.link(candidate) and not _all_common(candidate):
                end = start + len(candidate)
                if is_topic_here(mask.text, start, end, vocabulary):
                    continue
                mask.take(start, end, candidate, "item")
                break
        else:
            alike = pattern is _ALIKE or _looks_like_a_name(name)
            if unknown and alike and not _is_topical(mask.text, start, name, vocabulary):
                mask.take(start, start + len(name), name, "item")


def _is_topical(text: str, start: int, name: str, vocabulary: Vocabulary) -> bool:
    """Whether a name that nothing is called by holds or is part of a topic ("Jewish" in "Jewish life")."""
    return bool(vocabulary.find(name)) or is_topic_here(text, start, start + len(name), vocabulary)


def _shorter(name: str) -> list[str]:
    words = name.split(" ")
    return [" ".join(words[:size]) for size in range(len(words), 0, -1)]


def _all_common(name: str) -> bool:
    """Whether a name is made of ordinary words only, so that a near miss of a title would be chance."""
    words, known = _words(_JOINTS.sub(" ", name)), common_words()
    return all(word in known.talk or word in known.english or word in SMALL_WORDS for word in words)


def _looks_like_a_name(name: str) -> bool:
    """Two words with capitals, or one that is no ordinary word."""
    capitals = [word for word in name.split() if word[:1].isupper()]
    return len(capitals) >= 2 or not _all_common(name)


def _words(name: str) -> list[str]:
    return [word for part in name.split() if (word := part.strip("'’.,:!-").lower())]


def _take_people(mask: _Mask, vocabulary: Vocabulary) -> None:
    words = list(re.finditer(r"[^\W\d_](?:[\w'’.-]*[\w'’-])?", mask.text))
    for i in range(len(words) - 1, -1, -1):
        for size in (4, 3, 2):
            span = words[i : i + size]
            text = mask.text[span[0].start() : span[-1].end()] if len(span) == size else ""
            if text.lower() in vocabulary.people:
                mask.take(span[0].start(), span[-1].end(), text, "person")
                break
    for pattern in (_PERSON, _PERSON_LOWER):
        for match in reversed(list(pattern.finditer(mask.text))):
            if not vocabulary.find(match[1]):
                mask.take(match.start(1), match.end(1), match[1], "person")
    for match in reversed(list(_SURNAME.finditer(mask.text))):
        idle = vocabulary.term(match["name"]) or common_words().knows(match["name"].lower())
        if vocabulary.person(match["name"]) is not None and not idle:
            mask.take(match.start("name"), match.end("name"), match["name"], "person")


def _take_misspelt(
    mask: _Mask, linker: Linker, vocabulary: Vocabulary, known_links: dict[str, Link | None] | None = None
) -> None:
    """Titles without a cue and with spelling mistakes ("that shawshenk redemtion was sick").

    Only word runs that hold a word of no dictionary are tried, so that plain talk is never a title.
    """
    known, links = common_words(), {} if known_links is None else known_links
    words = list(re.finditer(r"[^\W_][\w'’&-]*", mask.text[:400]))
    odd = {
        i
        for i, w in enumerate(words)
        if not any(map(_all_common, singulars(w.group().lower()))) and w.group().lower() not in known.names
    }
    best: tuple[float, int, int] | None = None
    for start in range(len(words)):
        for size in range(1, 6):
            span = range(start, start + size)
            if start + size > len(words) or not odd.intersection(span):
                continue
            low, high = words[start].start(), words[start + size - 1].end()
            text = mask.text[low:high]
            if any(0xE000 <= ord(char) <= 0xF8FF for char in text):
                continue
            if text not in links:
                topic = vocabulary.find(text) or is_topic_here(mask.text, low, high, vocabulary)
                links[text] = None if topic else linker.link(text)
            link = links[text]
            if (
                link
                and (size > 1 or (link.score >= 88 and len(text) >= 6))
                and (best is None or link.score > best[0])
            ):
                best = (link.score, low, high)
    if best:
        mask.take(best[1], best[2], mask.text[best[1] : best[2]], "item")
        _take_misspelt(mask, linker, vocabulary, links)
