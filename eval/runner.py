"""Run scripted dialogues on a Recommender, each with a user nobody has met."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from agent.types import DialogueState, ProfileEntry, Reply, Slot
from eval.checks import Check, Outcome, check
from eval.grounding import FilmIndex, Known
from eval.parsing import fitted
from eval.script import Action, Feedback, Forget, Reopen, Say, Script, ScriptError, ScriptTurn, Tap
from retrieval.errors import TastebudError
from retrieval.types import Item


class Talk(Protocol):
    """What the runner needs of `agent.Conversation`."""

    @property
    def conversation_id(self) -> str: ...
    @property
    def state(self) -> DialogueState: ...
    @property
    def profile(self) -> Sequence[ProfileEntry]: ...
    def send(self, text: str, n: int) -> Reply: ...
    def feedback(self, item_id: str, liked: bool | None = None, seen: bool = False) -> DialogueState: ...
    def undo(self) -> DialogueState: ...
    def forget(self, value: str, slot: Slot | None = None) -> DialogueState: ...


class Talker(Protocol):
    """What the runner needs of `agent.Recommender`."""

    @property
    def catalogue(self) -> Iterable[Item]: ...
    @property
    def welcome(self) -> Reply: ...
    def conversation(self, user: str, conversation_id: str | None = None) -> Talk: ...


@dataclass(frozen=True, slots=True)
class TurnResult:
    """One step as it went. `message`: what was sent or pressed. `reply` None: a step without an answer.

    `seconds`: wall time of the step. `error`: what was raised, if anything was.
    """

    line: int
    message: str
    reply: Reply | None
    state: DialogueState
    seconds: float
    checks: tuple[Check, ...]
    error: str | None = None

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """One script as it went."""

    script: Script
    turns: tuple[TurnResult, ...]

    @property
    def passed(self) -> bool:
        return all(turn.passed for turn in self.turns)

    @property
    def questions(self) -> int:
        """How many replies put a question."""
        return sum(turn.reply is not None and turn.reply.question is not None for turn in self.turns)


class StepError(Exception):
    """A step that the conversation gives no way to take, such as a quick reply that is not there."""


def run_scripts(
    scripts: Sequence[Script], talker: Talker, done: Callable[[ScriptResult], None] | None = None
) -> tuple[ScriptResult, ...]:
    """All scripts, one after the other; `done` hears of each as it ends.

    Raises ScriptError before anything runs when a script does not fit the talker's catalogue.
    """
    films = FilmIndex(talker.catalogue)
    scripts, problems = fitted(scripts, films)
    if problems or not scripts:
        raise ScriptError(problems or ["There is no script to run: none of them fits this catalogue."])
    results = []
    for script in scripts:
        results.append(run_script(script, talker, films))
        if done:
            done(results[-1])
    return tuple(results)


def run_script(script: Script, talker: Talker, films: FilmIndex) -> ScriptResult:
    """One script, to its end even when a step fails: a conversation must survive what went wrong."""
    session = _Session(script, talker, films)
    return ScriptResult(script, tuple(session.take(turn) for turn in script.turns))


class _Session:
    """A script under way: the conversation and what the runner itself remembers of it."""

    def __init__(self, script: Script, talker: Talker, films: FilmIndex) -> None:
        self.talker, self.films, self.n = talker, films, script.n
        self.user = f"{script.user or script.name}-{secrets.token_hex(4)}"
        self.talk = talker.conversation(self.user)
        self.options: tuple[str, ...] = talker.welcome.options
        self.ranked: tuple[str, ...] = ()
        self.messages: tuple[str, ...] = ()
        self.shown: frozenset[str] = frozenset()
        self.refused: frozenset[str] = frozenset()
        self.ever_shown: frozenset[str] = frozenset()
        self.questions = 0

    def take(self, turn: ScriptTurn) -> TurnResult:
        message = describe(turn.action)
        began = time.perf_counter()
        try:
            reply = self._act(turn.action)
        except (StepError, TastebudError) as error:
            return self._failed(turn, message, began, str(error))
        except Exception as error:  # noqa: BLE001 - whatever breaks is a finding, and the run goes on
            return self._failed(turn, message, began, f"{type(error).__name__}: {error}")
        outcome = Outcome(reply, self.talk.state, time.perf_counter() - began)
        if reply is not None:
            message = self.messages[-1]
            outcome = self._judge(reply, outcome)
        checks = check(turn.expect, outcome, self.films)
        if reply is not None:
            self._remember(reply)
            checks = (Check("answered", "a reply with words", bool(reply.text.strip()), reply.text), *checks)
        return TurnResult(turn.line, message, reply, outcome.state, outcome.seconds, checks)

    def _failed(self, turn: ScriptTurn, message: str, began: float, error: str) -> TurnResult:
        failed = (Check("answered", "the step succeeds", False, error),)
        return TurnResult(
            turn.line, message, None, self.talk.state, time.perf_counter() - began, failed, error
        )

    def _act(self, action: Action) -> Reply | None:
        if isinstance(action, Say):
            return self._send(action.text)
        if isinstance(action, Tap):
            return self._send(self._option(action.option))
        if isinstance(action, Feedback):
            self.talk.feedback(self._item(action), liked=action.liked, seen=action.seen)
        elif isinstance(action, Forget):
            self.talk.forget(action.value, slot=action.slot)
            self.refused = frozenset()
        elif isinstance(action, Reopen):
            self._reopen(action.fresh)
        else:
            self.talk.undo()
            self._step_back()
        return None

    def _send(self, text: str) -> Reply:
        self.messages += (text,)
        return self.talk.send(text, n=self.n)

    def _option(self, wanted: int | str) -> str:
        if isinstance(wanted, int) and wanted <= len(self.options):
            return self.options[wanted - 1]
        for option in self.options:
            if option.casefold() == str(wanted).casefold():
                return option
        raise StepError(f"there is no quick reply {wanted!r}; there are {list(self.options)}")

    def _item(self, action: Feedback) -> str:
        if action.film is not None:
            return min(self.films.find(action.film.title))
        if action.rank is None or action.rank > len(self.ranked):
            raise StepError(f"there is no recommendation of rank {action.rank}; there are {len(self.ranked)}")
        return self.ranked[action.rank - 1]

    def _reopen(self, fresh: bool) -> None:
        if not fresh:
            self.talk = self.talker.conversation(self.user, self.talk.conversation_id)
            return
        state = self.talk.state
        kept = (*state.liked, *state.disliked, *state.seen)
        self.refused = self.refused | {p.item_id for p in kept if p.item_id is not None}
        self.talk, self.shown, self.options = (
            self.talker.conversation(self.user),
            frozenset(),
            self.talker.welcome.options,
        )

    def _step_back(self) -> None:
        """After an undo or a fresh start, what the state no longer knows as shown may come again."""
        self.shown &= frozenset(self.talk.state.shown)
        self.refused = frozenset()

    def _judge(self, reply: Reply, outcome: Outcome) -> Outcome:
        if reply.trace.frame.act in ("undo", "reset"):
            present = frozenset(item.item_id for item in reply.items)
            self.shown &= frozenset(reply.state.shown) - present
            self.refused = frozenset()
        self.questions += reply.question is not None
        profile = {entry.item_id for entry in self.talk.profile if entry.item_id is not None}
        known = Known(self.messages, self.shown | self.refused, self.ever_shown | profile | self.refused)
        return replace(outcome, shown=self.shown, questions=self.questions, known=known)

    def _remember(self, reply: Reply) -> None:
        present = tuple(item.item_id for item in reply.items)
        self.shown |= frozenset(present)
        self.ever_shown |= frozenset(present)
        self.ranked = present or self.ranked
        self.options = reply.options


def describe(action: Action) -> str:
    """A step in words, for transcripts."""
    if isinstance(action, Say):
        return action.text
    if isinstance(action, Tap):
        return f"[taps quick reply {action.option!r}]"
    if isinstance(action, Feedback):
        which = action.film.title if action.film else f"recommendation {action.rank}"
        verdict = {True: "liked", False: "disliked", None: "seen"}[action.liked]
        return f"[marks {which} as {verdict}]"
    if isinstance(action, Forget):
        return f"[removes {action.value!r} from the profile]"
    if isinstance(action, Reopen):
        return "[comes back in a new conversation]" if action.fresh else "[reopens the conversation]"
    return "[presses undo]"
