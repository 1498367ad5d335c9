"""Paraphrase families -> messages with their frames: the bank of ways people talk.

A family is one way of saying one kind of thing. Its texts have slots, filled from a catalogue:
`{like}` draws a title, `{want.genre}` a genre, `{want|to cry to}` marks words that stand in the text, and
`{=want #2}` adds to the frame what no word says. finetune/banks/README.md lists them all.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agent.reading.scene import Scene
from agent.types import ACTS
from finetune.config import ConfigError
from finetune.fillings import Fillings
from finetune.splits import is_held_out

BANKS = Path(__file__).parent / "banks"
CONTEXTS = ("any", "start", "shown", "asked")
LISTS = ("like", "dislike", "seen", "want", "avoid", "people", "about", "drop")
ORDER = ("act", *LISTS[:6], "years", "language", "max_minutes", "audience", "about", "drop")
"""Keys of a frame as the model writes it, in the order of its grammar."""

_SLOT = re.compile(r"\{([^{}]+)\}")
_FILMS = ("like", "dislike", "seen", "about", "film")
_PHRASES = {"minutes": "max_minutes", "length": "max_minutes", "decade": "years"}
_BOUNDS = {"year>": (1, True), "year>=": (0, True), "year<": (-1, False), "year<=": (0, False)}


@dataclass(frozen=True, slots=True)
class Family:
    """`texts` say the same kind of thing in one way. `asked`, `options`: the question before, if any."""

    name: str
    act: str
    context: str
    texts: tuple[str, ...]
    asked: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A message, the scene it was said in, and the frame it means (as JSON, in the grammar's order)."""

    family: str
    message: str
    scene: Scene
    frame: dict[str, Any]


def read_bank(path: Path) -> list[Family]:
    """The families of a file. Raises ConfigError naming file and family where something is missing."""
    families = []
    for row in yaml.safe_load(path.read_text("utf-8")):
        name, context = row.get("family", "?"), row.get("context", "any")
        asked = row.get("asked") or {}
        if row.get("act") not in ACTS or context not in CONTEXTS or not row.get("texts"):
            raise ConfigError(f"{path.name}: family {name!r} needs a known act and context, and texts.")
        if context == "asked" and not asked.get("text"):
            raise ConfigError(
                f"{path.name}: family {name!r} is an answer but says not to what (`asked: text`)."
            )
        options = tuple(str(option) for option in asked.get("options") or ())
        families.append(
            Family(name, row["act"], context, tuple(row["texts"]), asked.get("text", ""), options)
        )
    return families


def packaged_banks() -> list[Family]:
    """All families that ship."""
    return [family for path in sorted(BANKS.glob("*.yaml")) for family in read_bank(path)]


def on_side(families: Iterable[Family], held_out: bool) -> list[Family]:
    """The families that are kept for the figures, or the others."""
    return [family for family in families if is_held_out("family", family.name) == held_out]


def say(family: Family, text: str, fillings: Fillings, rng: random.Random) -> Said:
    """Fill the slots of one text. Raises ConfigError for a slot that does not exist."""
    scene = _scene(family, text, fillings, rng)
    filling = _Filling(family, fillings, scene, rng)
    message = _SLOT.sub(filling, text)
    message = re.sub(r"\s+([.,!?;])(?=\s|$)", r"\1", re.sub(r"[ \t]+", " ", message)).strip(" ,")
    message = _articles(message)
    return Said(family.name, message, scene, ordered({"act": family.act, **filling.frame}))


def ordered(frame: dict[str, Any]) -> dict[str, Any]:
    """A frame's keys in the grammar's order, without empty ones; repeated values once."""
    tidy = {key: list(dict.fromkeys(value)) if key in LISTS else value for key, value in frame.items()}
    return {key: tidy[key] for key in ORDER if tidy.get(key)}


def _scene(family: Family, text: str, fillings: Fillings, rng: random.Random) -> Scene:
    """What is on show and asked when the text is said; what can be said any time is said in any scene."""
    places = re.findall(r"#(\d)", text) if family.context != "asked" else []
    needed = max([*(int(place) for place in places), text.count(".nth}"), 0])
    shown = family.context == "shown" or (family.context == "any" and rng.random() < 0.3)
    titles = fillings.titles(rng, max(rng.choice((1, 2, 3, 3, 3, 5)), needed)) if shown or needed else ()
    asked, options = family.asked, family.options
    if family.context == "any" and not shown and rng.random() < 0.25:
        asked, options = fillings.question(rng)
    return Scene(tuple(titles), asked, options)


def _articles(message: str) -> str:
    """ "a eighties comedy" -> "an eighties comedy", and the other way round."""
    message = re.sub(r"\b([Aa]) (?=[aeioAEIO]|8|uns|unu|und|ups)", r"\1n ", message)
    return re.sub(r"\b([Aa])n (?=[bcdfgjklmnpqrstvwyzBCDFGJKLMNPQRSTVWYZ])", r"\1 ", message)


class _Filling:
    """Replaces one slot after the other and writes down what each means."""

    def __init__(self, family: Family, fillings: Fillings, scene: Scene, rng: random.Random) -> None:
        self.frame: dict[str, Any] = {}
        self._family, self._fillings, self._scene, self._rng = family, fillings, scene, rng
        self._places = list(range(1, len(scene.shown) + 1))
        rng.shuffle(self._places)
        self._used: set[str] = set()

    def __call__(self, match: re.Match[str]) -> str:
        slot = match[1]
        for pattern, fill in _KINDS:
            found = pattern.fullmatch(slot)
            if found:
                return fill(self, found)
        raise ConfigError(f"Family {self._family.name!r}: there is no slot {match[0]!r}.")

    def add(self, key: str, value: str) -> None:
        self.frame.setdefault(key, []).append(value)

    def mark(self, match: re.Match[str]) -> str:
        key, value = match[1], match[2].strip()
        if key in LISTS:
            self.add(key, value)
        else:
            self.frame[key] = value
        return ""

    def film(self, match: re.Match[str]) -> str:
        title = self._fresh(self._fillings.title)
        if match[1] != "film":
            self.add(match[1], title)
        return title

    def place(self, match: re.Match[str]) -> str:
        place = self._places.pop()
        self.add(match[1], f"#{place}")
        return self._fillings.ordinal(self._rng, place, len(self._scene.shown))

    def facet(self, match: re.Match[str]) -> str:
        text = self._fresh(lambda rng: self._fillings.facet(rng, match[2]))
        self.add(match[1], text)
        return text

    def person(self, match: re.Match[str]) -> str:
        name = self._fresh(self._fillings.person)
        self.add("people" if match[1] == "people" else "avoid", name)
        return name

    def literal(self, match: re.Match[str]) -> str:
        key, text = match[1], match[2].strip()
        if key.startswith("audience."):
            self.frame["audience"] = key.partition(".")[2]
        elif key in ("recent", "classic"):
            self.frame["years"] = key
        elif key in ("language", "max_minutes"):
            self.frame[key] = text
        else:
            self.add(key, text)
        return text

    def option(self, match: re.Match[str]) -> str:
        text = self._family.options[int(match[1]) - 1]
        self.add("want", text)
        return text

    def year(self, match: re.Match[str]) -> str:
        year = self._fillings.year(self._rng)
        low, high = self.frame.get("years", [None, None])
        if match[1] == "year=":
            low = high = year
        else:
            shift, lower = _BOUNDS[match[1]]
            if lower:
                low = year + shift
            else:
                year = max(year, (low or 0) + 2 + self._rng.randrange(12)) if low else year
                high = year + shift
        self.frame["years"] = [low, high]
        return str(year)

    def phrase(self, match: re.Match[str]) -> str:
        text, value = self._fillings.phrase(self._rng, match[1])
        self.frame[_PHRASES.get(match[1], match[1])] = value
        return text

    def _fresh(self, draw: Callable[[random.Random], str]) -> str:
        """A value that this message has not used yet."""
        for _ in range(20):
            text = draw(self._rng)
            if text.lower() not in self._used:
                break
        self._used.add(text.lower())
        return text


_KINDS: tuple[tuple[re.Pattern[str], Callable[[_Filling, re.Match[str]], str]], ...] = (
    (re.compile(r"=(\w+) (.+)"), _Filling.mark),
    (re.compile(r"(like|dislike|seen|about|film)"), _Filling.film),
    (re.compile(r"(like|dislike|seen|about)\.nth"), _Filling.place),
    (re.compile(r"(want|avoid|drop)\.(genre|mood|theme)"), _Filling.facet),
    (re.compile(r"(people|avoid\.person)"), _Filling.person),
    (re.compile(r"option(\d)"), _Filling.option),
    (re.compile(r"(year[<>]?=?)"), _Filling.year),
    (re.compile(r"(years|decade|minutes|length|language)"), _Filling.phrase),
    (
        re.compile(r"(want|avoid|people|drop|recent|classic|language|audience\.(?:family|teen|adult))\|(.+)"),
        _Filling.literal,
    ),
)
