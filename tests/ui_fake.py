"""A small deterministic stand-in for `agent.Recommender`, with its surface, for the tests of `ui`.

It knows six items, recommends the three that were not rated yet, and asks when it is greeted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

from agent.types import (
    Contribution,
    ConversationInfo,
    DialogueState,
    Done,
    Event,
    Explanation,
    Items,
    Preference,
    ProfileEntry,
    Reply,
    Result,
    StepStarted,
    Token,
    Trace,
    Turn,
)
from retrieval.errors import TastebudError, UnknownItemError
from retrieval.types import Item, Reason, Recommendation

ITEMS = (
    Item("1", "Heat", 1995, ("crime", "thriller"), minutes=170, popularity=90),
    Item("2", "The Fugitive", 1993, ("action", "thriller"), minutes=130, popularity=80),
    Item("3", "In the Line of Fire", 1993, ("action", "thriller"), popularity=70),
    Item("4", "Fargo", 1996, ("crime", "drama"), popularity=60),
    Item("5", "<script>alert('item')</script> *x*", 1990, ("comedy",), popularity=50),
    Item("6", "Groundhog Day", 1993, ("comedy", "romance"), popularity=40),
)


class FakeError(TastebudError):
    """Any error a user can cause."""


@dataclass
class FakeConversation:
    rec: FakeRecommender
    user: str
    conversation_id: str
    turns: tuple[Turn, ...] = ()
    state: DialogueState = field(default_factory=DialogueState)

    @property
    def profile(self) -> tuple[ProfileEntry, ...]:
        quotes = {turn.index: turn.message for turn in self.turns}
        return tuple(
            ProfileEntry(slot, p.value, p.value, p.turn, quotes.get(p.turn or 0), p.item_id)
            for slot in ("liked", "disliked", "seen", "wants")
            for p in getattr(self.state, slot)
        )

    def stream(self, text: str) -> Iterator[Event]:
        if len(text) > 1000:
            raise FakeError(f"This message is too long: {text[:20]!r}.")
        if text == "crash":
            raise RuntimeError("boom")
        index = len(self.turns) + 1
        self.turns += (Turn(index, text, None, time.time()),)
        yield StepStarted("understand", "reading your message")
        time.sleep(self.rec.pause)
        yield StepStarted("retrieve", f"{len(ITEMS)} candidates")
        reply = self._reply(text, index)
        yield Items(reply.items)
        for word in reply.text.split(" "):
            time.sleep(self.rec.pause)
            yield Token(word + " ")
        self.turns = (*self.turns[:-1], replace(self.turns[-1], reply=reply))
        yield Done(reply)

    def _reply(self, text: str, index: int) -> Reply:
        wants = (*self.state.wants, Preference("text", text, turn=index))
        self.state = replace(self.state, wants=wants, turn=index)
        trace = Trace(seconds=0.4)
        if text == "hi":
            return Reply(
                "Cosy or thrilling?", (), "Cosy or thrilling?", ("cosy", "thrilling"), self.state, trace
            )
        rated = {p.item_id for p in (*self.state.liked, *self.state.disliked, *self.state.seen)}
        items = self.rec.picks(exclude=rated)
        named = ", ".join(f"*{i.title}* ({self.rec.item(i.item_id).year})" for i in items)
        return Reply(
            f"Then start with {named}: a duel at heart.", items, None, ("more", "newer"), self.state, trace
        )

    def send(self, text: str) -> Reply:
        return next(event for event in self.stream(text) if isinstance(event, Done)).reply

    def feedback(self, item_id: str, liked: bool | None = None, seen: bool = False) -> DialogueState:
        entry = Preference("item", self.rec.item(item_id).title, item_id, len(self.turns))
        slot = "seen" if seen else ("liked" if liked else "disliked")
        self.state = replace(self.state, **{slot: (*getattr(self.state, slot), entry)})
        return self.state

    def feedback_of(self, item_id: str) -> str | None:
        slots = ("liked", "disliked", "seen")
        return next((s for s in slots if any(p.item_id == item_id for p in getattr(self.state, s))), None)

    def set_long_tail(self, long_tail: float) -> DialogueState:
        self.state = replace(self.state, long_tail=long_tail)
        return self.state

    def undo(self) -> DialogueState:
        return self.state

    def forget(self, value: str, slot: str | None = None) -> DialogueState:
        for name in (slot,) if slot else ("liked", "disliked", "seen", "wants"):
            kept = tuple(p for p in getattr(self.state, name) if p.value != value)
            self.state = replace(self.state, **{name: kept})
        return self.state


class FakeRecommender:
    """`pause`: seconds between two pieces of a stream."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause
        self.catalogue = ITEMS
        self.model_name = "none"
        self.workspace = SimpleNamespace(scorer_fault="")
        self.known: dict[str, FakeConversation] = {}
        self.welcome = Reply(
            "Tell me a film you love, or pick a mood for tonight.", options=("laugh", "think")
        )

    def item(self, item_id: str) -> Item:
        found = {item.item_id: item for item in ITEMS}.get(item_id)
        if found is None:
            raise UnknownItemError(item_id)
        return found

    def picks(self, n: int = 3, exclude: object = ()) -> tuple[Recommendation, ...]:
        left = [item for item in ITEMS if item.item_id not in exclude][:n]  # type: ignore[operator]
        reason = Reason("genre", "a thriller, as you asked", 0.6)
        return tuple(
            Recommendation(item.item_id, item.title, 1 / rank, rank, (reason,))
            for rank, item in enumerate(left, 1)
        )

    def recommend(
        self,
        messages: list[dict[str, str]],
        n: int = 10,
        exclude: object = (),
        long_tail: float = 0.0,
        diversity: float = 0.0,
    ) -> Result:
        return Result(self.picks(n, exclude), DialogueState(long_tail=long_tail))

    def ask(self, text: str, n: int = 3, long_tail: float = 0.0) -> Reply:
        return Reply("Then *Heat* (1995).", self.picks(n), trace=Trace(seconds=0.1))

    def conversation(
        self, user: str, conversation_id: str | None = None, long_tail: float | None = None
    ) -> FakeConversation:
        if conversation_id is None:
            made = FakeConversation(self, user, f"c{len(self.known) + 1}-{user[:4]}")
            self.known[made.conversation_id] = made
            made.set_long_tail(long_tail or 0.0)
            return made
        found = self.known.get(conversation_id)
        if found is None or found.user != user:
            raise FakeError(f"Unknown conversation {conversation_id!r}.")
        if long_tail is not None:
            found.set_long_tail(long_tail)
        return found

    def conversations(self, user: str) -> list[ConversationInfo]:
        return [
            ConversationInfo(chat.conversation_id, chat.turns[0].message, chat.turns[-1].created)
            for chat in reversed(self.known.values())
            if chat.user == user and chat.turns
        ]

    def forget_user(self, user: str) -> None:
        self.known = {key: chat for key, chat in self.known.items() if chat.user != user}

    def why(self, chat: FakeConversation, item_id: str) -> Explanation:
        bars = (
            Contribution("a thriller", 0.6),
            Contribution("liked by others", 0.3),
            Contribution("long", -0.1),
        )
        return Explanation(
            item_id, f"*{self.item(item_id).title}* shares its mood with what you asked.", bars
        )

    def why_not(self, chat: FakeConversation, item_id: str) -> Explanation:
        return Explanation(item_id, "It came fourth.")
