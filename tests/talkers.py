"""Agents made for the tests of scripted dialogues: one that behaves, and others with one bad habit each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agent.types import DialogueState, Frame, Preference, ProfileEntry, Question, Reply, Step, Trace
from eval.grounding import FilmIndex
from eval.parsing import parse
from eval.runner import ScriptResult, run_script
from eval.script import Script
from retrieval.errors import TastebudError
from retrieval.types import Item, Recommendation

ITEMS = (
    Item(
        "1",
        "Heat",
        1995,
        genres=("crime", "thriller"),
        directors=("Michael Mann",),
        themes=("heist",),
        moods=("tense",),
        content_notes=("violence",),
    ),
    Item("2", "The Fugitive", 1993, genres=("action", "thriller")),
    Item("3", "Fargo", 1996, genres=("crime", "comedy")),
    Item("4", "Scream", 1996, genres=("horror",)),
    Item("5", "Ronin", 1998, genres=("action", "crime")),
    Item("6", "Seven", 1995, genres=("crime", "thriller")),
)
FILMS = FilmIndex(ITEMS)


class FakeTalk:
    """Knows the titles and "no <genre>"; recommends the next two items in catalogue order; asks on "hi"."""

    def __init__(self, owner: FakeTalker, conversation_id: str) -> None:
        self.owner, self.conversation_id = owner, conversation_id

    @property
    def state(self) -> DialogueState:
        return self.owner.history[self.conversation_id][-1]

    @property
    def profile(self) -> tuple[ProfileEntry, ...]:
        return tuple(ProfileEntry("liked", p.value, p.value, item_id=p.item_id) for p in self.state.liked)

    def _set(self, state: DialogueState) -> DialogueState:
        self.owner.history[self.conversation_id].append(state)
        return state

    def send(self, text: str, n: int) -> Reply:
        state = self._understand(text)
        if text == "crash":
            raise RuntimeError("boom")
        if not text.strip():
            raise TastebudError(f"Nothing to read in {text!r}.")
        if text == "hi":
            self._set(state)
            return Reply(
                "A film you love?", question="A film you love?", options=("Heat", "no horror"), state=state
            )
        ids = self.owner.choose(state)[:n]
        state = self._set(replace(state, shown=state.shown + ids, last_shown=ids))
        items = tuple(Recommendation(i, self.owner.title(i), 1.0, at) for at, i in enumerate(ids, start=1))
        named = " and ".join(f"*{item.title}*" for item in items)
        steps = (Step("respond", 0.0, "template", "2 candidates"),)
        return Reply(self.owner.words(named), items, state=state, trace=Trace(steps, Frame(), 0.01, 0.02))

    def _understand(self, text: str) -> DialogueState:
        state = replace(self.state, turn=self.state.turn + 1)
        for item in ITEMS:
            if item.title in text:
                state = replace(
                    state, liked=(*state.liked, Preference("item", item.title, item.item_id, state.turn))
                )
        if text.startswith("no "):
            state = replace(state, avoids=(*state.avoids, Preference("genres", text[3:], turn=state.turn)))
        return state

    def feedback(self, item_id: str, liked: bool | None = None, seen: bool = False) -> DialogueState:
        slot = "seen" if seen else "liked" if liked else "disliked"
        entry = Preference("item", self.owner.title(item_id), item_id)
        return self._set(replace(self.state, **{slot: (*getattr(self.state, slot), entry)}))

    def undo(self) -> DialogueState:
        self.owner.history[self.conversation_id].pop()
        return self.state

    def forget(self, value: str, slot: str | None = None) -> DialogueState:
        return self._set(replace(self.state, liked=tuple(p for p in self.state.liked if p.value != value)))


class FakeTalker:
    """A well-behaved agent over six films; the broken ones below override one habit each."""

    catalogue = ITEMS
    welcome = Reply("Hello!", options=("surprise me", "hi"))

    def __init__(self) -> None:
        self.history: dict[str, list[DialogueState]] = {}
        self.users: list[str] = []

    def conversation(self, user: str, conversation_id: str | None = None) -> FakeTalk:
        if conversation_id is None:
            conversation_id = f"c{len(self.history)}"
            self.history[conversation_id] = [DialogueState()]
            self.users.append(user)
        return FakeTalk(self, conversation_id)

    def title(self, item_id: str) -> str:
        return next((item.title for item in ITEMS if item.item_id == item_id), "Collateral")

    def words(self, named: str) -> str:
        return f"Try {named}."

    def choose(self, state: DialogueState) -> tuple[str, ...]:
        known = {p.item_id for p in (*state.liked, *state.disliked, *state.seen)} | set(state.shown)
        avoided = {p.value for p in state.avoids}
        return tuple(i.item_id for i in ITEMS if i.item_id not in known and avoided.isdisjoint(i.genres))[:2]


class Repeats(FakeTalker):
    def choose(self, state: DialogueState) -> tuple[str, ...]:
        return super().choose(replace(state, shown=()))


class BreaksConstraints(FakeTalker):
    def choose(self, state: DialogueState) -> tuple[str, ...]:
        return super().choose(replace(state, avoids=()))


class InventsItems(FakeTalker):
    def choose(self, state: DialogueState) -> tuple[str, ...]:
        return (*super().choose(state)[:1], "404")


class Asks(FakeTalker):
    """Its question is about moods."""

    def conversation(self, user: str, conversation_id: str | None = None) -> FakeTalk:
        talk = super().conversation(user, conversation_id)
        send = talk.send

        def asking(text: str, n: int) -> Reply:
            reply = send(text, n)
            state = replace(reply.state, pending=Question("A film you love?", "moods"))
            return replace(reply, state=state)

        talk.send = asking  # type: ignore[method-assign]
        return talk


class InventsInWords(FakeTalker):
    def words(self, named: str) -> str:
        return f"Try {named}, or *The Matrix* (1999)."


def script(turns: str, head: str = "name: s\nfamily: eliciting\ndescription: d\n") -> Script:
    return parse(f"{head}turns:\n{turns}", Path("s.yaml"))


def run(turns: str, talker: FakeTalker | None = None) -> ScriptResult:
    return run_script(script(turns), talker or FakeTalker(), FILMS)


def failures(result: ScriptResult) -> list[str]:
    return [check.name for turn in result.turns for check in turn.checks if not check.passed]
