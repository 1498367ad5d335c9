"""Metrics of what is said: repetition, readability, toxicity and politeness by word lists.

All of them are surface measures: they find what is badly worded, and say nothing of what is true
(`eval.grounding` does).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import yaml

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_TOKEN = re.compile(r"\w+(?:['’]\w+)*")
_SENTENCE = re.compile(r"[.!?…]+(?=\s|$)|\n+")
_VOWELS = re.compile(r"[aeiouy]+")
_TITLE = re.compile(r"\*{1,2}[^*\n]{1,200}?\*{1,2}(?:\s*\(\d{4}\))?")
_MARK_UP = re.compile(r"[*_`#>]+")


@cache
def _lists() -> dict[str, tuple[str, ...]]:
    data = yaml.safe_load(Path(__file__).with_name("words.yaml").read_text("utf-8"))
    return {name: tuple(words) for name, words in data.items()}


def without_titles(text: str) -> str:
    """The text with every emphasised title (and its year) as one word, "it": titles are not ours to judge."""
    return _TITLE.sub("it", text)


def distinct_n(texts: Iterable[str], n: int = 2) -> float:
    """Different n-grams over all n-grams of the texts together (Li et al., NAACL 2016); nan without any.

    1 where nothing is ever said again. It falls with the amount of text, so compare like amounts.
    """
    grams = []
    for text in texts:
        words = _TOKEN.findall(text.casefold())
        grams += [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    return len(set(grams)) / len(grams) if grams else float("nan")


def syllables(word: str) -> int:
    """Groups of vowels (y counts), less a silent e at the end, at least one: an estimate for English."""
    plain = word.casefold()
    groups = len(_VOWELS.findall(plain))
    silent = plain.endswith("e") and not plain.endswith(("le", "ee", "ie", "ye")) and groups > 1
    ends_in_le = plain.endswith("le") and len(plain) > 2 and plain[-3] in "aeiouy" and groups > 1
    return max(1, groups - (silent or ends_in_le))


def reading_ease(text: str) -> float:
    """206.835 - 1.015 words / sentences - 84.6 syllables / words (Flesch, J. Applied Psychology 1948).

    Above 60 is plain English, below 30 is hard. Titles count as one word. nan where there is no word.
    """
    plain = _MARK_UP.sub(" ", without_titles(text))
    words = _WORD.findall(plain)
    if not words:
        return float("nan")
    sentences = max(1, sum(bool(_WORD.search(part)) for part in _SENTENCE.split(plain)))
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * sum(map(syllables, words)) / len(words)


def toxic_words(text: str) -> tuple[str, ...]:
    """The words of the list of insults and profanities that a text holds, titles left out.

    A list finds words and no meaning: what insults without them is missed (Schmidt & Wiegand, 2017).
    """
    said = set(_WORD.findall(without_titles(text).casefold()))
    return tuple(word for word in _lists()["toxic"] if word in said)


def politeness(text: str) -> int:
    """Kinds of polite marker a text holds, less kinds of impolite one.

    Markers are those of Danescu-Niculescu-Mizil et al. (ACL 2013) that words can tell: gratitude, apology,
    greeting, please, indirect and hedged forms, deference; against them, orders and bare refusals.
    """
    said = f" {' '.join(_TOKEN.findall(without_titles(text).casefold().replace('’', chr(39))))} "
    polite = sum(_any(_lists()[kind], said) for kind in POLITE)
    return polite - sum(_any(_lists()[kind], said) for kind in IMPOLITE)


POLITE = ("gratitude", "apology", "greeting", "please", "indirect", "hedge", "deference")
IMPOLITE = ("order", "refusal")


def _any(phrases: Sequence[str], said: str) -> bool:
    return any(f" {phrase} " in said for phrase in phrases)
