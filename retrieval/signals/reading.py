"""A dialogue as numbers: which items were named by whom and when, and which words were said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from retrieval.catalogue import Catalogue
from retrieval.dialogue import Message
from retrieval.encoder import Encoder

PLACES = 8
"""Mentions are told apart by their place from the end, up to this many; the older ones are alike."""

AGES = 10
"""The same for how many messages ago something was said."""

TURNS = 12
LONGEST = 80
"""Words of a dialogue that are read, from its end."""

FADING = 0.85
"""How much a message of the seeker's counts beside the next one in what was said."""

_WORD = re.compile(r"[a-z][a-z']+|\d{4}|\d0s")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a dialogue says, oldest first.

    `mentions`: int64 [m, 4], each item once, at its last mention: its row in the catalogue, 1 where the
    recommender named it, its place from the end, its age in messages. `words`: int64 [w, 2]: its number (the
    recommender's come after all of the seeker's) and its age. `said` and `last`: float32 [d], the sense of
    all the seeker said, later messages counting more, and of the last of it; zero where nothing was said.
    `turn`: messages so far, at most 11.
    """

    mentions: NDArray[np.int64]
    words: NDArray[np.int64]
    said: NDArray[np.float32]
    last: NDArray[np.float32]
    turn: int


def phrases(text: str) -> list[str]:
    """Stems of the words, and pairs of neighbours: "super_hero" is not "super" and "hero"."""
    from Stemmer import Stemmer

    words = Stemmer("english").stemWords(_WORD.findall(text.lower()))
    return words + [f"{one}_{next_}" for one, next_ in pairwise(words)]


def bare(message: Message, catalogue: Catalogue) -> str:
    """A message's text without the names of the items that it is known to name."""
    text = message.text
    for item in message.items:
        if item in catalogue:
            text = text.replace(catalogue[item].label, " ")
    return text


def seeker_texts(messages: Sequence[Message], catalogue: Catalogue) -> list[str]:
    """What the seeker said without the names of items; messages that only name items are left out."""
    texts = (bare(message, catalogue).strip() for message in messages if message.role == "seeker")
    return [text for text in texts if text]


class Reader:
    """Reads dialogues with a fixed list of words; other words are passed over."""

    def __init__(self, catalogue: Catalogue, words: Sequence[str], encoder: Encoder) -> None:
        self.catalogue = catalogue
        self.words = tuple(words)
        self._encoder = encoder
        self._numbers: Mapping[str, int] = {word: number for number, word in enumerate(words)}

    def read(self, messages: Sequence[Message]) -> Reading:
        """Items that the catalogue does not hold are passed over."""
        ages = [min(len(messages) - 1 - place, AGES - 1) for place in range(len(messages))]
        said = self._encoder.encode(["", *seeker_texts(messages, self.catalogue)])[1:]
        weights = FADING ** np.arange(len(said), dtype=np.float32)[::-1]
        nothing = np.zeros(said.shape[1], dtype=np.float32)
        return Reading(
            self._mentions(messages, ages),
            self._words(messages, ages),
            weights @ said / weights.sum() if len(said) else nothing,
            said[-1] if len(said) else nothing,
            min(len(messages), TURNS - 1),
        )

    def read_ahead(self, dialogues: Sequence[Sequence[Message]]) -> None:
        """Encode the texts of many dialogues together; the encoder remembers them."""
        texts = dict.fromkeys(text for said in dialogues for text in seeker_texts(said, self.catalogue))
        if texts:
            self._encoder.encode(list(texts))

    def _mentions(self, messages: Sequence[Message], ages: Sequence[int]) -> NDArray[np.int64]:
        last: dict[int, tuple[int, int]] = {}
        for message, age in zip(messages, ages, strict=True):
            for item in message.items:
                if item in self.catalogue:
                    row = self.catalogue.row(item)
                    last.pop(row, None)
                    last[row] = (int(message.role == "recommender"), age)
        rows = [
            (row, role, min(len(last) - 1 - place, PLACES - 1), age)
            for place, (row, (role, age)) in enumerate(last.items())
        ]
        return np.array(rows, dtype=np.int64).reshape(-1, 4)

    def _words(self, messages: Sequence[Message], ages: Sequence[int]) -> NDArray[np.int64]:
        found: list[tuple[int, int]] = []
        for message, age in zip(messages, ages, strict=True):
            first = len(self.words) if message.role == "recommender" else 0
            known = (self._numbers.get(phrase) for phrase in phrases(bare(message, self.catalogue)))
            found += [(first + number, age) for number in known if number is not None]
        return np.array(found[-LONGEST:], dtype=np.int64).reshape(-1, 2)
