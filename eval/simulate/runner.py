"""Simulated conversations through the public API (`conversation(user).send`), and what came of them."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.reading.vocabulary import Vocabulary
from agent.types import DialogueState, Reply
from eval.simulate.mind import Mind, Say
from eval.simulate.person import TURNS, Person
from eval.simulate.voice import Voice
from retrieval.catalogue import Catalogue

SHOWN = 10
"""Items asked for in every reply, so that success@10 can be told."""


class Talk(Protocol):
    """What a simulation needs of `agent.Conversation`."""

    def send(self, text: str, n: int) -> Reply: ...


class Talker(Protocol):
    """What a simulation needs of `agent.Recommender`."""

    def conversation(self, user: str) -> Talk: ...


class Measures(Protocol):
    """Tells what an answer was worth; `eval.simulate.insight.Insight` for recommenders of this product."""

    def __call__(self, before: DialogueState, after: DialogueState, target: str) -> tuple[float, float]: ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message and its reply.

    `kind`: what the message did; `reworded`: in the words of a language model. `shown`: item_ids, best first.
    `asked`: the reply put a question and showed nothing. `narrowed`, `gained`: bits that this message was
    worth as the answer to the question before it (see `Insight`); None where it answered none. `repeats`:
    items shown that were shown before or that the person had named. `bent`: the reply says that something
    was given up. `broken`: items shown that break anything else the person asked for.
    """

    message: str
    kind: str
    reworded: bool
    reply: str
    shown: tuple[str, ...]
    asked: bool
    bent: bool
    narrowed: float | None
    gained: float | None
    repeats: int
    broken: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A whole conversation. `found`: the turn, from 1, whose reply showed the target at `rank`; None: never.

    `leaks`: messages held back because they named the target. `seconds`: wall time of the replies.
    """

    key: str
    found: int | None
    rank: int | None
    leaks: int
    exchanges: tuple[Exchange, ...]
    slices: Mapping[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Stage:
    """What all conversations with one recommender share. `measures` None: answers are not weighed."""

    talker: Talker
    catalogue: Catalogue
    vocabulary: Vocabulary
    voice: Voice
    measures: Measures | None = None


def converse(person: Person, stage: Stage, seed: int) -> Outcome:
    """One person talks until the target is shown or their patience is gone, at most `TURNS` messages."""
    rng = random.Random(f"{seed}:{person.key}:talk")
    mind = Mind(person, stage.voice, stage.vocabulary, rng)
    talk = stage.talker.conversation(f"simulated-{hashlib.sha256(person.key.encode()).hexdigest()[:16]}")
    scene = _Scene(mind, stage)
    say, seconds = mind.open(), 0.0
    for turn in range(1, min(person.patience, TURNS) + 1):
        began = time.perf_counter()
        reply = talk.send(say.text, SHOWN)
        seconds += time.perf_counter() - began
        shown = scene.see(say, reply)
        if person.target.item_id in shown:
            rank = shown.index(person.target.item_id) + 1
            return scene.ended(turn, rank, seconds)
        if turn < person.patience:
            say = mind.answer(reply, [stage.catalogue[item_id] for item_id in shown])
    return scene.ended(None, None, seconds)


class _Scene:
    """What an observer notes of one conversation."""

    def __init__(self, mind: Mind, stage: Stage) -> None:
        self._mind, self._stage = mind, stage
        self._exchanges: list[Exchange] = []
        self._shown: set[str] = set()
        self._last: Reply | None = None

    def see(self, say: Say, reply: Reply) -> tuple[str, ...]:
        """Note an exchange; the item_ids that its reply shows, best first."""
        shown = tuple(item.item_id for item in reply.items[:SHOWN])
        items = [self._stage.catalogue[item_id] for item_id in shown]
        worth = self._worth(reply)
        self._exchanges.append(
            Exchange(
                message=say.text,
                kind=say.kind,
                reworded=say.reworded,
                reply=reply.text,
                shown=shown,
                asked=_asks(reply),
                bent=bool(reply.relaxed),
                narrowed=worth[0] if worth else None,
                gained=worth[1] if worth else None,
                repeats=sum(item_id in self._shown or item_id in self._mind.named for item_id in shown),
                broken=sum(self._mind.broken(item, reply.relaxed) for item in items),
            )
        )
        self._shown.update(shown)
        self._last = reply
        return shown

    def ended(self, found: int | None, rank: int | None, seconds: float) -> Outcome:
        person = self._mind.person
        return Outcome(
            person.key, found, rank, self._mind.leaks, tuple(self._exchanges), dict(person.slices), seconds
        )

    def _worth(self, reply: Reply) -> tuple[float, float] | None:
        if self._last is None or self._stage.measures is None or not _asks(self._last):
            return None
        target = self._mind.person.target.item_id
        return self._stage.measures(self._last.state, reply.state, target)


def _asks(reply: Reply) -> bool:
    return reply.question is not None and not reply.items
