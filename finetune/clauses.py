"""Messages put together from clauses: no bank of whole texts has every order of saying things.

A clause says one thing ("{like} had me in tears"); a message is one to four of them, of different kinds, with
what else people say in between. Clauses are for learning only: figures are taken on the held-out families.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from finetune.config import ConfigError
from finetune.families import Family, Said, say
from finetune.fillings import Fillings
from finetune.noise import hurried

FOLDER = Path(__file__).parent / "clauses"

# How often each kind is drawn into a message. What a film is to somebody is the hardest to read, so it leads.
KINDS: Mapping[str, float] = {
    "like": 4, "dislike": 4, "seen": 2.5, "mentioned": 1.2, "contrast": 2, "scores": 1, "kin": 2.5,
    "unkin": 1.2, "corrected": 1.2, "want_genre": 2.5, "want_mood": 2.5, "want_theme": 2, "want_not": 1.2,
    "literal": 1.2, "avoid_genre": 1.6, "avoid_mood": 1.6, "avoid_theme": 1.6, "drop": 1, "people": 2,
    "avoid_person": 0.8, "years": 1.6, "recent": 0.6, "classic": 0.6, "minutes": 1.2, "language": 0.9,
    "audience": 1.4,
}  # fmt: skip
ACTS = ("ask_why", "ask_about", "more", "undo", "reset", "reject", "accept", "chat")
ANSWERS = ("answer", "answer_both", "answer_none")
EVERY = (*KINDS, *ACTS, *ANSWERS, "aside")

_ONCE = ({"years", "recent", "classic"}, {"minutes"}, {"language"}, {"audience"}, {"drop"})
"""Kinds that set one slot: a message has at most one of each group."""

_ACT_SHARE, _ANSWER_SHARE, _ASIDE_SHARE, _PLACE_SHARE = 0.14, 0.10, 0.3, 0.4
_JOINTS = (". ", ". ", ", ", ", ", " and ", " but ", " - ", "; ", "! ", "... ", " ")
_NAME = "clauses"
_FILM = re.compile(r"\{(like|dislike|seen)\}")
_LONGEST = 260


class Clauses:
    """Composes messages from a bank of clauses by kind."""

    def __init__(self, kinds: Mapping[str, Sequence[str]]) -> None:
        """Raises ConfigError where a kind is missing."""
        missing = {*EVERY} - {kind for kind, texts in kinds.items() if texts}
        if missing:
            raise ConfigError(f"There are no clauses of the kinds {', '.join(sorted(missing))}.")
        self.kinds = kinds

    def messages(self, fillings: Fillings, count: int, seed: int, augment: float = 0.0) -> Iterator[Said]:
        """`count` distinct messages. `augment`: share written in a hurry."""
        rng = random.Random(f"clauses:{seed}")
        met: set[str] = set()
        while len(met) < count:
            family = self._compose(fillings, rng)
            said = say(family, family.texts[0], fillings, rng)
            if rng.random() < augment:
                said = hurried(said, rng)
            if len(said.message) <= _LONGEST and said.message not in met:
                met.add(said.message)
                yield said

    def _compose(self, fillings: Fillings, rng: random.Random) -> Family:
        """A family of one text, which has its slots still open."""
        roll = rng.random()
        if roll < _ACT_SHARE:
            return self._act(rng)
        if roll < _ACT_SHARE + _ANSWER_SHARE:
            return self._answer(fillings, rng)
        context = rng.choices(("start", "shown", "asked"), (0.45, 0.35, 0.2))[0]
        kinds = _drawn(rng)
        parts = [rng.choice(self.kinds[kind]) for kind in kinds]
        if context == "shown":
            parts = [_placed(part, rng) for part in parts]
        refused = any("{dislike.nth}" in part for part in parts) or "drop" in kinds
        act = (
            "chat"
            if set(kinds) == {"mentioned"}
            else "critique"
            if refused and context != "start"
            else "inform"
        )
        asked, options = fillings.question(rng) if context == "asked" else ("", ())
        return Family(_NAME, act, context, (self._joined(parts, rng),), asked, options)

    def _act(self, rng: random.Random) -> Family:
        act = rng.choice(ACTS)
        text = rng.choice(self.kinds[act])
        pointing = "<nth>" in text
        shown = pointing or act in ("reject", "accept", "more") or rng.random() < 0.5
        return Family(_NAME, act, "shown" if shown else "start", (text.replace("<nth>", "{about.nth}"),))

    def _answer(self, fillings: Fillings, rng: random.Random) -> Family:
        asked, options = fillings.question(rng)
        kind = rng.choices(ANSWERS, (8, 1, 1))[0]
        text = rng.choice(self.kinds[kind])
        places = range(1, len(options) + 1)
        if kind == "answer":
            place = rng.choice(places)
            text = text.replace("<nth>", fillings.ordinal(rng, place, len(options)))
            text += f" {{=want #{place}}}"
        elif kind == "answer_both":
            text += "".join(f" {{=want #{place}}}" for place in places)
        act = "reject" if kind == "answer_none" else "inform"
        return Family(_NAME, act, "asked", (text,), asked, options)

    def _joined(self, parts: Sequence[str], rng: random.Random) -> str:
        """The parts one after the other, with an aside before or after now and then."""
        texts = list(parts)
        if rng.random() < _ASIDE_SHARE:
            texts.insert(rng.choice((0, len(texts))), rng.choice(self.kinds["aside"]))
        message = texts[0]
        for text in texts[1:]:
            joint = " " if message[-1] in "?!" else rng.choice(_JOINTS)
            starts = joint.strip(" ") in (".", "!", "") and not text.startswith("{") and rng.random() < 0.7
            message += joint + (text[0].upper() + text[1:] if starts else text)
        return message[0].upper() + message[1:] if rng.random() < 0.5 else message


def read_clauses(folder: Path = FOLDER) -> Clauses:
    """The clauses of all YAML files of a folder. Raises ConfigError naming file and kind that is unknown."""
    kinds: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.yaml")):
        for kind, texts in yaml.safe_load(path.read_text("utf-8")).items():
            if kind not in EVERY or not isinstance(texts, list):
                raise ConfigError(f"{path.name}: {kind!r} is none of {', '.join(sorted(EVERY))}.")
            kinds.setdefault(kind, []).extend(str(text) for text in texts)
    return Clauses({kind: tuple(dict.fromkeys(texts)) for kind, texts in kinds.items()})


def _drawn(rng: random.Random) -> list[str]:
    """The kinds of one message, at most one of those that set the same slot."""
    count = rng.choices((1, 2, 3, 4), (0.36, 0.36, 0.2, 0.08))[0]
    kinds: list[str] = []
    while len(kinds) < count:
        kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        clash = any(kind in group and group & set(kinds) for group in _ONCE)
        if not clash:
            kinds.append(kind)
    return kinds


def _placed(part: str, rng: random.Random) -> str:
    """A film of the clause as "the second one" of what is on show, now and then."""
    if len(_FILM.findall(part)) != 1 or rng.random() > _PLACE_SHARE:
        return part
    return _FILM.sub(lambda match: f"{{{match[1]}.nth}}", part)
