"""How hurried people write: typos, lower case, lost punctuation. Meaning and names stay readable.

What a frame quotes must stand in the message, so the quoted words are changed in both alike.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from finetune.families import LISTS, Said

_NEIGHBOURS = {
    "a": "s", "b": "v", "c": "x", "d": "f", "e": "r", "f": "g", "g": "h", "h": "j", "i": "o", "j": "k",
    "k": "l", "l": "k", "m": "n", "n": "m", "o": "p", "p": "o", "r": "t", "s": "a", "t": "y", "u": "i",
    "v": "b", "w": "e", "y": "u",
}  # fmt: skip
_SHORT = {
    "you": "u", "your": "ur", "please": "pls", "something": "smth", "because": "cuz", "want to": "wanna",
    "going to": "gonna", "thanks": "thx", "and": "n", "with": "w/", "are": "r", "though": "tho",
}  # fmt: skip


def hurried(said: Said, rng: random.Random) -> Said:
    """The same message as somebody in a hurry writes it."""
    change = rng.choice((_lower, _lower, _unpunctuated, _typos, _typos, _short, _upper, _lower_typos))
    names = [
        v for key in LISTS for v in said.frame.get(key, ()) if not v.startswith("#") and v in said.message
    ]
    marks = {name: chr(0xE000 + i) for i, name in enumerate(sorted(set(names), key=len, reverse=True))}
    text = said.message
    for name, mark in marks.items():
        text = text.replace(name, mark)
    written = {name: change(name, rng) for name in marks}
    text = change(text, rng)
    for name, mark in marks.items():
        text = text.replace(mark, written[name])
    frame: dict[str, Any] = {
        key: [written.get(v, v) for v in value] if key in LISTS else value
        for key, value in said.frame.items()
    }
    if any(name in names and not written[name].strip() for name in written):
        return said
    return Said(said.family, text, said.scene, frame)


def _lower(text: str, rng: random.Random) -> str:
    return text.lower()


def _upper(text: str, rng: random.Random) -> str:
    return text.upper() if rng.random() < 0.3 else text.lower()


def _unpunctuated(text: str, rng: random.Random) -> str:
    return re.sub(r"(?<=\w)[,.!?;]+(?=\s|$)", "", text)


def _short(text: str, rng: random.Random) -> str:
    for long, short in _SHORT.items():
        text = re.sub(rf"\b{long}\b", short, text)
    return _lower(text, rng)


def _typos(text: str, rng: random.Random) -> str:
    """One slip in about every 25 letters: two swapped, one left out, one doubled, or a neighbouring key."""
    letters = list(text)
    for i in range(1, len(letters) - 1):
        if letters[i].isascii() and letters[i].isalpha() and letters[i - 1].isalpha() and rng.random() < 0.04:
            _SLIPS[rng.randrange(len(_SLIPS))](letters, i)
    return "".join(letters)


def _lower_typos(text: str, rng: random.Random) -> str:
    return _unpunctuated(_typos(text.lower(), rng), rng)


def _swap(letters: list[str], i: int) -> None:
    if letters[i + 1].isalpha():
        letters[i], letters[i + 1] = letters[i + 1], letters[i]


def _drop(letters: list[str], i: int) -> None:
    letters[i] = ""


def _double(letters: list[str], i: int) -> None:
    letters[i] *= 2


def _neighbour(letters: list[str], i: int) -> None:
    letters[i] = _NEIGHBOURS.get(letters[i], letters[i])


_SLIPS: tuple[Callable[[list[str], int], None], ...] = (_swap, _drop, _double, _neighbour)
