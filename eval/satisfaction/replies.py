"""Conversations as they were held: every reply with its words, its faults and its times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.recommender import Recommender
from agent.types import Reply
from eval.grounding import FilmIndex, Known, check_reply
from eval.runner import ScriptResult, run_script
from eval.script import Script
from eval.simulate.person import Person
from eval.simulate.runner import SHOWN, Exchange, Outcome, Stage, Talk, Talker, converse


@dataclass(frozen=True, slots=True)
class Timed:
    """One step of a turn and the seconds it took."""

    step: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Said:
    """A reply. `faults`: what in it is not grounded, in words. `seconds`: the whole turn, by its trace."""

    text: str
    asked: bool
    shown: int
    faults: tuple[str, ...]
    seconds: float
    steps: tuple[Timed, ...]


@dataclass(frozen=True, slots=True)
class Met:
    """One simulated person with one recommender: an `Outcome` and what was said.

    `loved`: cards that showed something the person really likes, the target or another.
    """

    key: str
    found: int | None
    rank: int | None
    leaks: int
    exchanges: tuple[Exchange, ...]
    slices: tuple[tuple[str, str], ...]
    seconds: float
    loved: int
    replies: tuple[Said, ...]

    @property
    def outcome(self) -> Outcome:
        """As `eval.simulate.figures` reads it."""
        return Outcome(
            self.key, self.found, self.rank, self.leaks, self.exchanges, dict(self.slices), self.seconds
        )

    @property
    def user(self) -> str:
        """Whose likes they have."""
        return self.key.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Played:
    """One scripted dialogue: how many of its checks held, and what was said."""

    name: str
    family: str
    passed: bool
    checks: int
    held: int
    replies: tuple[Said, ...]


class Watched:
    """A recommender whose replies are noted as they come, and checked for what is not grounded."""

    def __init__(self, recommender: Talker, films: FilmIndex) -> None:
        self._recommender, self._films = recommender, films
        self.said: list[Said] = []

    def conversation(self, user: str) -> _WatchedTalk:
        """A conversation; what was noted before is forgotten."""
        self.said = []
        return _WatchedTalk(self, self._recommender.conversation(user))

    def note(self, reply: Reply, messages: Sequence[str], shown: frozenset[str]) -> None:
        """Check and keep one reply. `shown`: item_ids of the replies before it."""
        known = Known(tuple(messages), shown, shown)
        faults = check_reply(reply, self._films, known) if reply.text else ()
        self.said.append(_said(reply, faults))


class _WatchedTalk:
    def __init__(self, watched: Watched, talk: Talk) -> None:
        self._watched, self._talk = watched, talk
        self._messages: list[str] = []
        self._shown = frozenset[str]()

    def send(self, text: str, n: int) -> Reply:
        self._messages.append(text)
        reply = self._talk.send(text, n)
        if reply.trace.frame.act in ("undo", "reset"):
            # After a fresh start, what the state no longer knows as shown may come again.
            self._shown &= frozenset(reply.state.shown) - {item.item_id for item in reply.items}
        self._watched.note(reply, self._messages, self._shown)
        self._shown |= {item.item_id for item in reply.items}
        return reply


def _said(reply: Reply, faults: Sequence[str]) -> Said:
    steps = tuple(Timed(step.name, step.seconds) for step in reply.trace.steps)
    asked = reply.question is not None and not reply.items
    return Said(reply.text, asked, len(reply.items), tuple(faults), reply.trace.seconds, steps)


def meet(person: Person, watched: Watched, stage: Stage, seed: int) -> Met:
    """Hold one conversation. `stage.talker` is `watched`."""
    outcome = converse(person, stage, seed)
    likes = {person.target.item_id, *(item.item_id for item in person.favourites)}
    shown = {item_id for exchange in outcome.exchanges for item_id in exchange.shown[:SHOWN]}
    return Met(
        outcome.key,
        outcome.found,
        outcome.rank,
        outcome.leaks,
        outcome.exchanges,
        tuple(outcome.slices.items()),
        outcome.seconds,
        len(shown & likes),
        tuple(watched.said) if any(said.text for said in watched.said) else (),
    )


def play(script: Script, recommender: Recommender, films: FilmIndex) -> Played:
    """Run one script on a user nobody has met."""
    result: ScriptResult = run_script(script, recommender, films)
    checks = [check for turn in result.turns for check in turn.checks]
    replies = [
        _said(turn.reply, [c.got for c in turn.checks if c.name == "grounded" and not c.passed])
        for turn in result.turns
        if turn.reply is not None
    ]
    held = sum(check.passed for check in checks)
    family = script.family
    return Played(script.name, family, result.passed, len(checks), held, tuple(replies))
