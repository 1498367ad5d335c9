"""One conversation: send, stream, feedback, undo, forget. Everything is stored as it happens."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, cast

from agent.memory.taste import FeedbackValue
from agent.messages import readable
from agent.state import LIST_SLOTS, VALUE_SLOTS, describe_value, forget, still_there, with_item
from agent.types import DialogueState, Done, Event, Preference, ProfileEntry, Reply, Slot, Turn
from retrieval.retriever import check_share

if TYPE_CHECKING:
    from agent.graph import Turns, TurnState
    from agent.memory.store import Store
    from retrieval.catalogue import Catalogue

SHOWN_AT_ONCE = 3
Verdict = Literal["liked", "disliked", "seen"]
KEPT: tuple[Verdict, ...] = ("liked", "disliked", "seen")
"""What a profile keeps across conversations: verdicts on items. Moods and limits belong to one evening."""


@dataclass(frozen=True)
class Desk:
    """What all conversations of a recommender share. `locks`: one change of a conversation at a time."""

    store: Store
    turns: Turns
    catalogue: Catalogue
    seed: int
    locks: defaultdict[str, threading.RLock] = field(default_factory=lambda: defaultdict(threading.RLock))


class Conversation:
    """A conversation of one user. Made by `Recommender.conversation`."""

    def __init__(self, desk: Desk, user: str, conversation_id: str) -> None:
        self._desk = desk
        self._store = desk.store
        self.user = user
        self.conversation_id = conversation_id

    @property
    def state(self) -> DialogueState:
        """What the conversation knows now, of items that the catalogue still holds."""
        return still_there(self._store.state(self.conversation_id), self._desk.catalogue)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All exchanges, oldest first; a reply is None where the process died before it could answer.

        Its items are those that the catalogue still holds.
        """
        return tuple(self._still_there(turn) for turn in self._store.turns(self.conversation_id))

    def send(self, text: str, n: int = SHOWN_AT_ONCE) -> Reply:
        """Say something and wait for the whole reply. Raises MessageError for an empty message."""
        reply: Reply | None = None
        for event in self.stream(text, n):
            if isinstance(event, Done):
                reply = event.reply
        assert reply is not None
        return reply

    def stream(self, text: str, n: int = SHOWN_AT_ONCE) -> Iterator[Event]:
        """Say something; steps, tokens, items and at last the stored reply (Done) come as they happen.

        `n`: items at most. The message is stored before any work, the reply before Done is given.
        """
        readable_text = readable(text)
        # A tap on a card waits for the reply under way: neither may overwrite the other's state.
        with self._desk.locks[self.conversation_id]:
            before = self.state
            index = self._store.begin_turn(self.conversation_id, text, before)
            before = replace(before, turn=index - 1)
            turn: TurnState = {
                "message": readable_text,
                "n": n,
                "may_ask": True,
                "seed": self._desk.seed + index,
                "undo": self._pop,
                "before": before,
                "steps": (),
            }
            for event in self._desk.turns.run(turn):
                if isinstance(event, Reply):
                    self._store.finish_turn(self.conversation_id, index, event)
                    self._keep(before, event.state)
                    yield Done(event)
                else:
                    yield event

    def feedback(self, item_id: str, liked: bool | None = None, seen: bool = False) -> DialogueState:
        """A verdict from a card: liked True / False, seen, or neither to take the verdict back.

        It changes the next recommendation. Raises UnknownItemError.
        """
        item = self._desk.catalogue[item_id]
        with self._desk.locks[self.conversation_id]:
            before = self.state
            after = _with_verdict(before, Preference("item", item.title, item_id, before.turn), liked, seen)
            value = ("liked" if liked else "disliked") if liked is not None else "seen" if seen else "cleared"
            self._store.record_feedback(self.user, self.conversation_id, item_id, cast(FeedbackValue, value))
            return self._change(before, after)

    def feedback_of(self, item_id: str) -> Verdict | None:
        """The verdict that stands on an item; like and dislike before seen; None when there is none."""
        state = self.state
        return next((s for s in KEPT if any(p.item_id == item_id for p in getattr(state, s))), None)

    def set_long_tail(self, long_tail: float) -> DialogueState:
        """How far the next replies reach: 0 the best whatever their fame, 1 lesser-known items.

        It stays until it is set again, here or by "less famous ones", whatever is undone or started over.
        Raises QueryError.
        """
        check_share("long_tail", long_tail)
        with self._desk.locks[self.conversation_id]:
            before = self.state
            told = tuple(one for one in before.set_on if one[0] != "long_tail")
            return self._change(before, replace(before, long_tail=float(long_tail), set_on=told))

    def undo(self) -> DialogueState:
        """Take back the latest change of what was said; unchanged when there is nothing to take back."""
        with self._desk.locks[self.conversation_id]:
            before = self.state
            after = self._pop() or before
            self._keep(before, after)
            return after

    def forget(self, value: str, slot: Slot | None = None) -> DialogueState:
        """Remove an entry of the taste profile by its value, title, item_id or slot name ("years")."""
        if slot == "long_tail":
            return self.set_long_tail(0.0)
        with self._desk.locks[self.conversation_id]:
            before = self.state
            return self._change(before, forget(before, value, slot))

    @property
    def profile(self) -> tuple[ProfileEntry, ...]:
        """The taste profile as the user sees it: every entry with the message that set it."""
        state = self.state
        turns = {turn.index: turn for turn in self.turns}
        quotes = {index: turn.message for index, turn in turns.items()}
        entries = [
            _entry(slot, p.value, _label(p), p.turn, quotes if _was_said(slot, p, turns) else {}, p.item_id)
            for slot in LIST_SLOTS
            for p in getattr(state, slot)
        ]
        set_on = dict(state.set_on)
        for slot in VALUE_SLOTS:
            value = getattr(state, slot)
            if value is not None:
                entries.append(
                    _entry(slot, slot, describe_value(slot, value), set_on.get(slot), quotes, None)
                )
        if state.long_tail:
            label = f"hidden gems, {state.long_tail:.0%}"
            entries.append(_entry("long_tail", "long_tail", label, None, quotes, None))
        return tuple(entries)

    def _change(self, before: DialogueState, after: DialogueState) -> DialogueState:
        self._store.set_state(self.conversation_id, after)
        self._keep(before, after)
        return after

    def _pop(self) -> DialogueState | None:
        state = self._store.pop_state(self.conversation_id)
        return still_there(state, self._desk.catalogue) if state is not None else None

    def _still_there(self, turn: Turn) -> Turn:
        reply, catalogue = turn.reply, self._desk.catalogue
        if reply is None or all(item.item_id in catalogue for item in reply.items):
            return turn
        items = tuple(item for item in reply.items if item.item_id in catalogue)
        return replace(turn, reply=replace(reply, items=items, state=still_there(reply.state, catalogue)))

    def _keep(self, before: DialogueState, after: DialogueState) -> None:
        """Bring the kept profile in line with a change of the state."""
        for slot in KEPT:
            old = {p.item_id: p for p in getattr(before, slot)}
            new = {p.item_id: p for p in getattr(after, slot)}
            for item_id in old.keys() - new.keys():
                self._store.forget(self.user, str(item_id), slot)
            for item_id in new.keys() - old.keys():
                self._store.remember(self.user, slot, replace(new[item_id], turn=None))


def _was_said(slot: Slot, preference: Preference, turns: dict[int, Turn]) -> bool:
    """Whether a message set this, rather than a tap on a card after that turn's reply."""
    reply = turns[preference.turn].reply if preference.turn in turns else None
    return reply is None or preference in getattr(reply.state, slot)


def _with_verdict(
    state: DialogueState, preference: Preference, liked: bool | None, seen: bool
) -> DialogueState:
    if liked is not None:
        state = with_item(state, "liked" if liked else "disliked", preference)
    if seen:
        state = with_item(state, "seen", preference)
    return state if seen or liked is not None else forget(state, preference.item_id or preference.value)


def _label(preference: Preference) -> str:
    """How the profile shows a preference: what was told in passing is no promise, and says so."""
    return preference.value if preference.firm else f"{preference.value}, where possible"


def _entry(
    slot: Slot, value: str, label: str, turn: int | None, quotes: dict[int, str], item_id: str | None
) -> ProfileEntry:
    return ProfileEntry(slot, value, label, turn, quotes.get(turn) if turn else None, item_id)
