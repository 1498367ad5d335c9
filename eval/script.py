"""Scripted dialogues: what a script may say, as small frozen records (eval/parsing.py reads them).

    name: one-film
    family: eliciting
    description: A newcomer with one film.
    turns:
      - user: something like Heat?
        expect:
          captured: {liked: [Heat]}
          must_not_recommend: [Heat]

A turn is exactly one step: `user`, `reply_option`, `feedback`, `undo`, `forget`, `restart` (the same
conversation, read back from the store) or `new_conversation` (the same user comes back another day).
`n: 10` beside `turns` asks for up to ten items a reply, so that `recommend` speaks of the first ten.
`given` leaves names to be filled in from a catalogue (eval/given.py). scripts/README.md has it all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agent.conversation import SHOWN_AT_ONCE
from agent.types import Slot
from retrieval.errors import TastebudError
from retrieval.types import Years

PACKAGED = Path(__file__).parent / "scripts"
ANYWHERE = PACKAGED / "anywhere"
"""Those of the packaged scripts that name no film, so that they can be run on any catalogue."""

FAMILIES = (
    "eliciting",
    "describing",
    "critiquing",
    "constraints",
    "negation",
    "people",
    "mood",
    "comparison",
    "why",
    "undo",
    "cold",
    "memory",
    "safety",
    "language",
    "injection",
)
FILM_SLOTS = ("liked", "disliked", "seen")
WORD_SLOTS = ("wants", "avoids", "people")
VALUE_SLOTS = ("years", "language", "max_minutes", "audience", "act")


class ScriptError(TastebudError):
    """A script that cannot be run: every mistake with its file and line."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Film:
    """A film as a script names it; the line is for the error if the catalogue has no such title."""

    title: str
    line: int


Alternatives = tuple[str, ...]
"""Values of which one is enough."""


@dataclass(frozen=True, slots=True)
class SlotExpectation:
    """What one slot of the DialogueState must (or must not) hold.

    Films for liked, disliked and seen; words for wants, avoids and people; `value` for the others,
    where None means "nothing". `anything` (only in not_captured): the slot must be empty.
    """

    slot: str
    films: tuple[Film, ...] = ()
    words: tuple[Alternatives, ...] = ()
    value: Years | str | int | None = None
    anything: bool = False


@dataclass(frozen=True, slots=True)
class EveryItem:
    """What the catalogue's own record of every recommended item must say. Unknown never passes.

    `person` directs or plays (`not_person` does neither). `not_notes` are content notes, which a film has
    only where something is strong: there an empty list keeps the condition.
    """

    genres: tuple[str, ...] = ()
    any_genre: tuple[str, ...] = ()
    not_genres: tuple[str, ...] = ()
    any_theme: tuple[str, ...] = ()
    not_themes: tuple[str, ...] = ()
    any_mood: tuple[str, ...] = ()
    not_moods: tuple[str, ...] = ()
    not_notes: tuple[str, ...] = ()
    person: str | None = None
    not_person: str | None = None
    years: Years | None = None
    max_minutes: int | None = None
    audience: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many, inclusive; None leaves an end open."""

    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """What must hold after one step. None or an empty tuple: not looked at.

    `some_item`: at least one recommended item keeps these conditions together. `not_asked_about`: what the
    question must not be about. `options_without`: words that no quick reply may offer ("no horror" offers
    no horror).
    """

    captured: tuple[SlotExpectation, ...] = ()
    not_captured: tuple[SlotExpectation, ...] = ()
    items: Bounds | None = None
    every_item: EveryItem | None = None
    some_item: EveryItem | None = None
    recommend: tuple[Film, ...] = ()
    recommend_any: tuple[Film, ...] = ()
    must_not_recommend: tuple[Film, ...] = ()
    asked: bool | None = None
    recommended: bool | None = None
    not_asked_about: tuple[str, ...] = ()
    question_budget: int | None = None
    options: Bounds | None = None
    options_without: tuple[str, ...] = ()
    text_contains: tuple[str, ...] = ()
    text_any: tuple[str, ...] = ()
    text_not_contains: tuple[str, ...] = ()
    relaxed: bool | None = None
    new_items: bool | None = None
    grounded: bool = True
    latency: float | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """The user types."""

    text: str


@dataclass(frozen=True, slots=True)
class Tap:
    """The user taps a quick reply of the latest reply, by place (from 1) or by its words."""

    option: int | str


@dataclass(frozen=True, slots=True)
class Feedback:
    """A button on a card: of a film by title, or of the latest recommendations by rank (from 1)."""

    film: Film | None = None
    rank: int | None = None
    liked: bool | None = None
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Undo:
    """The undo button."""


@dataclass(frozen=True, slots=True)
class Forget:
    """The cross beside a profile entry."""

    value: str
    slot: Slot | None = None


@dataclass(frozen=True, slots=True)
class Reopen:
    """The conversation is read back from the store; `fresh`: another one begins for the same user."""

    fresh: bool = False


Action = Say | Tap | Feedback | Undo | Forget | Reopen


@dataclass(frozen=True, slots=True)
class ScriptTurn:
    """One step and what must hold after it."""

    action: Action
    expect: Expect
    line: int


@dataclass(frozen=True, slots=True)
class Script:
    """One scripted dialogue. `user` None: the runner picks one nobody has met. `n`: most items a reply.

    `unfilled`: its text, where `given` leaves names in it for a catalogue to fill in; None where nothing is
    left to fill in.
    """

    name: str
    description: str
    family: str
    turns: tuple[ScriptTurn, ...]
    path: Path
    user: str | None = None
    n: int = SHOWN_AT_ONCE
    unfilled: str | None = None

    def films(self) -> tuple[Film, ...]:
        """Every film the script names, for checking them against a catalogue."""
        found: list[Film] = []
        for turn in self.turns:
            expect = turn.expect
            found += [*expect.recommend, *expect.recommend_any, *expect.must_not_recommend]
            for slot in (*expect.captured, *expect.not_captured):
                found += slot.films
            if isinstance(turn.action, Feedback) and turn.action.film:
                found.append(turn.action.film)
        return tuple(found)
