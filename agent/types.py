"""The small frozen records of a conversation: frame, state, reply, trace, events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from retrieval.types import Recommendation, Years

Act = Literal[
    "inform",
    "critique",
    "accept",
    "reject",
    "ask_why",
    "ask_about",
    "more",
    "undo",
    "reset",
    "chat",
]
ACTS: tuple[Act, ...] = (
    "inform",
    "critique",
    "accept",
    "reject",
    "ask_why",
    "ask_about",
    "more",
    "undo",
    "reset",
    "chat",
)
Speaker = Literal["model", "rules", "template", "code"]
Slot = Literal[
    "liked",
    "disliked",
    "seen",
    "wants",
    "avoids",
    "people",
    "years",
    "language",
    "max_minutes",
    "audience",
    "long_tail",
]


@dataclass(frozen=True, slots=True)
class Frame:
    """What one message said, before anything is linked to the catalogue.

    `like`, `dislike`, `seen`: names of items, verbatim from the message. `want`, `avoid`: genres,
    themes, moods ("comedy or thriller" is one want with alternatives). `people`: names. `about`: the
    items an ask_why / ask_about / accept speaks of: names, or ordinals ("2") of what is on show.
    `drop`: promises taken back, each a value ("comedy") or a slot's name ("years"). None means that
    nothing was said.
    """

    act: Act = "inform"
    like: tuple[str, ...] = ()
    dislike: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    want: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    years: Years | None = None
    language: str | None = None
    max_minutes: int | None = None
    audience: str | None = None
    about: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preference:
    """One thing known of the user.

    `kind`: "item", "genres", "themes", "moods", "person", ... or "text" for a wish the catalogue
    has no facet for. `value`: for an item its catalogue title. `turn`: the turn that set it
    (from 1); None when it comes from the profile, that is from an earlier conversation. `firm`: a wish that
    was asked for, which is a promise; False for a taste told in passing ("I love horror"): it ranks, and
    rules nothing out.
    """

    kind: str
    value: str
    item_id: str | None = None
    turn: int | None = None
    firm: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """A question the agent put. `attribute` is what it asks about; `options` are quick replies."""

    text: str
    attribute: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DialogueState:
    """What the conversation knows. Immutable: each turn makes a new one, so undo is a step back.

    `shown`: item_ids already recommended here, in order; `last_shown`: those of the latest reply.
    `asked`: attributes already asked about. `pending`: the question that awaits an answer.
    `said`: how the latest replies were worded, titles left out, so that the next is worded otherwise.
    `relaxed`: the promises that the latest reply bent, in words. `set_on`: (slot, turn) for the
    single-valued slots. `turn` counts user turns. `long_tail` in [0, 1]: from the best whatever their fame
    (0) to lesser-known items (1); a setting, which "less famous ones" moves.
    """

    liked: tuple[Preference, ...] = ()
    disliked: tuple[Preference, ...] = ()
    seen: tuple[Preference, ...] = ()
    wants: tuple[Preference, ...] = ()
    avoids: tuple[Preference, ...] = ()
    people: tuple[Preference, ...] = ()
    years: Years | None = None
    language: str | None = None
    max_minutes: int | None = None
    audience: str | None = None
    shown: tuple[str, ...] = ()
    last_shown: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    pending: Question | None = None
    said: tuple[str, ...] = ()
    relaxed: tuple[str, ...] = ()
    set_on: tuple[tuple[str, int], ...] = ()
    turn: int = 0
    long_tail: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a turn: how long it took, who did it, and what came of it, in a few words."""

    name: str
    seconds: float
    speaker: Speaker
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """How a reply came about: the frame that was read, every step, and the seconds to the first token."""

    steps: tuple[Step, ...] = ()
    frame: Frame = field(default_factory=Frame)
    first_token: float = 0.0
    seconds: float = 0.0

    def speaker(self, step: str) -> Speaker | None:
        """Who did the named step last ("model", "rules", ...); None if the turn had no such step."""
        return next((s.speaker for s in reversed(self.steps) if s.name == step), None)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `items` is empty when it asks, explains or chats. `relaxed`: promises bent, in words."""

    text: str
    items: tuple[Recommendation, ...] = ()
    question: str | None = None
    options: tuple[str, ...] = ()
    state: DialogueState = field(default_factory=DialogueState)
    trace: Trace = field(default_factory=Trace)
    relaxed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of the stateless `Recommender.recommend`."""

    items: tuple[Recommendation, ...]
    state: DialogueState
    relaxed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contribution:
    """One bar of an explanation: what spoke for (positive) or against (negative) an item."""

    label: str
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why, or why not: a sentence or two, and the real contributions behind it."""

    item_id: str
    text: str
    contributions: tuple[Contribution, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A stored exchange. `reply` is None when the process died before it could answer."""

    index: int
    message: str
    reply: Reply | None
    created: float


@dataclass(frozen=True, slots=True)
class ConversationInfo:
    """A line in the list of earlier conversations; `updated` in epoch seconds."""

    conversation_id: str
    title: str
    updated: float


@dataclass(frozen=True, slots=True)
class ProfileEntry:
    """One line of the visible taste profile.

    `slot` is the field of DialogueState it lives in and `value` its value there: together they are
    what `Conversation.forget(value, slot=slot)` removes. `label` is for showing. `turn` and `quote`
    are the message that set it; `quote` is None when a tap on a card did, `turn` too when it comes
    from an earlier conversation, or from a control of the page (`slot` "long_tail").
    """

    slot: Slot
    value: str
    label: str
    turn: int | None = None
    quote: str | None = None
    item_id: str | None = None


@dataclass(frozen=True, slots=True)
class StepStarted:
    """Stream event: a step has begun. `text` says so in words for the status line."""

    step: str
    text: str
    type: Literal["step"] = "step"


@dataclass(frozen=True, slots=True)
class Token:
    """Stream event: the next piece of the reply's text."""

    text: str
    type: Literal["token"] = "token"


@dataclass(frozen=True, slots=True)
class Items:
    """Stream event: the recommendations of this reply, before its words."""

    items: tuple[Recommendation, ...]
    type: Literal["items"] = "items"


@dataclass(frozen=True, slots=True)
class Done:
    """Stream event, always the last: the whole reply, already stored."""

    reply: Reply
    type: Literal["reply"] = "reply"


Event = StepStarted | Token | Items | Done
