"""What happens when something on the page is clicked or sent: each handler answers with a `View`.

Nothing about a visitor is kept here. Every event carries who is there (a random id that lives in the
browser) and which conversation is open; the conversation itself is read from the store each time. So a
restart, a second tab or a reload changes nothing.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from agent.types import Done, Explanation, Items, Reply, Slot, StepStarted, Token
from retrieval.errors import TastebudError
from ui import render
from ui.examples import example_prompts
from ui.stream import to_the_end

if TYPE_CHECKING:
    from agent import Conversation, Recommender

log = logging.getLogger("tastebud.ui")

_USER_ID = re.compile(r"[0-9a-f]{32}")
_FRAME_SECONDS = 0.05
_MAX_BOX = 4000

_LIKED_OF: dict[str, bool | None] = {"like": True, "dislike": False, "seen": None}
_SLOT_OF: dict[str, Slot] = {"like": "liked", "dislike": "disliked", "seen": "seen"}

Messages = list[dict[str, str]]
Why = dict[str, Explanation]


@dataclass(frozen=True, slots=True)
class Who:
    """The visitor's random id and the open conversation; None asks for a new one."""

    user: str
    conversation_id: str | None = None

    @classmethod
    def read(cls, saved: object) -> Who:
        """From what the browser kept. Anything unreadable makes a newcomer."""
        if isinstance(saved, dict) and _USER_ID.fullmatch(str(saved.get("user"))):
            found = saved.get("conversation_id")
            return cls(str(saved["user"]), found if isinstance(found, str) else None)
        return cls(secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class View:
    """What changes on the page; None leaves that part as it is."""

    messages: Messages | None = None
    chips: str | None = None
    status: str | None = None
    profile: str | None = None
    conversations: str | None = None
    who: Who | None = None
    box: str | None = None
    why: Why | None = None


class Session:
    """The handlers of the page, over one `Recommender` that all visitors share."""

    def __init__(self, rec: Recommender) -> None:
        self._rec = rec
        self._examples = example_prompts(rec.catalogue)

    def arrive(self, saved: object) -> View:
        """A page was opened: finds the conversation that was open in this browser, or greets."""
        who = Who.read(saved)
        try:
            return self._page(self._chat(who), {})
        except Exception as error:  # noqa: BLE001 - the page must come up whatever happens
            # A conversation that is gone (another database, deleted in another tab) is no news to tell.
            quiet = isinstance(error, TastebudError) and who.conversation_id is not None
            return self._failed(Who(who.user), {}, "" if quiet else _in_words(error))

    def open(self, saved: object, conversation_id: str) -> View:
        """Opens an earlier conversation."""
        who = Who.read(saved)
        there = Who(who.user, conversation_id)
        return self._guarded(who, {}, lambda: self._page(self._chat(there), {}))

    def fresh(self, saved: object) -> View:
        """Opens the first screen of a new conversation, unless it is open already."""
        who = Who.read(saved)

        def act() -> View:
            chat = self._chat(who)
            return self._page(self._chat(Who(who.user)) if chat.turns else chat, {})

        return self._guarded(Who(who.user), {}, act)

    def send(self, saved: object, text: str, why: Why) -> Iterator[View]:
        """A message: streams the reply, token by token, and ends with the whole page up to date."""
        who = Who.read(saved)
        if not text.strip():
            return
        try:
            yield from self._stream(self._chat(who), text, why)
        except Exception as error:  # noqa: BLE001 - the page must stay alive whatever happens
            yield self._failed(who, why, _in_words(error), box=text[:_MAX_BOX])

    def rate(self, saved: object, item_id: str, kind: str, why: Why) -> View:
        """A reaction to a card. Pressing a lit button again takes the reaction back."""
        who = Who.read(saved)

        def act() -> View:
            chat = self._chat(who)
            slot = _SLOT_OF[kind]
            if chat.feedback_of(item_id) == slot:
                chat.forget(self._rec.item(item_id).title, slot=slot)
                return self._page(chat, why, status="Taken back.")
            chat.feedback(item_id, liked=_LIKED_OF[kind], seen=kind == "seen")
            return self._page(chat, why, status="Noted. The next picks will know.")

        return self._guarded(who, why, act)

    def explain(self, saved: object, item_id: str, why: Why) -> View:
        """Opens the reasons of a card, or closes them."""
        who = Who.read(saved)

        def act() -> View:
            chat = self._chat(who)
            still = {key: value for key, value in why.items() if key != item_id}
            if item_id not in why:
                still[item_id] = self._rec.why(chat, item_id)
            return View(messages=self._messages(chat, still), why=still)

        return self._guarded(who, why, act)

    def drop(self, saved: object, slot: str, value: str, why: Why) -> View:
        """A cross in the profile."""
        who = Who.read(saved)

        def act() -> View:
            chat = self._chat(who)
            chat.forget(value, slot=cast(Slot, slot))
            return self._page(chat, why, status="Forgotten.")

        return self._guarded(who, why, act)

    def reach(self, saved: object, value: str, why: Why) -> View:
        """The slider between well-known items and hidden gems: it counts from the next reply on."""
        who = Who.read(saved)

        def act() -> View:
            chat = self._chat(who)
            chat.set_long_tail(float(value))
            return self._page(chat, why, status="Noted. It counts from the next picks on.")

        return self._guarded(who, why, act)

    def wipe(self, saved: object) -> View:
        """Forget me: deletes everything kept about this visitor and starts over as somebody new."""
        who = Who.read(saved)

        def act() -> View:
            self._rec.forget_user(who.user)
            page = self._page(self._chat(Who(secrets.token_hex(16))), {})
            done = "Everything is deleted: your conversations, your taste and your reactions."
            return replace(page, messages=[_note(done), *(page.messages or [])])

        return self._guarded(who, {}, act)

    def _stream(self, chat: Conversation, text: str, why: Why) -> Iterator[View]:
        before = self._messages(chat, why) if chat.turns else []
        before.append(render.message("user", render.said(text)))

        def speaking(content: str) -> Messages:
            return [*before, render.message("assistant", content)]

        yield View(
            messages=speaking(render.thinking()),
            chips="",
            status=render.status("reading your message", busy=True),
            who=_who(chat),
            box="",
        )
        steps: list[str] = []
        spoken, drawn = "", 0.0
        for event in to_the_end(chat.stream(text)):
            if isinstance(event, StepStarted):
                steps = [*steps, event.text][-3:]
                yield View(status=render.status(" · ".join(steps), busy=True))
            elif isinstance(event, Token):
                spoken += event.text
                if time.monotonic() - drawn >= _FRAME_SECONDS:
                    drawn = time.monotonic()
                    yield View(messages=speaking(render.speech(spoken, unfinished=True)))
            elif isinstance(event, Done):
                yield self._page(chat, why, status=_summary(event.reply))
            else:
                assert isinstance(event, Items)  # the cards wait for their words, so that nothing jumps

    def _page(self, chat: Conversation, why: Why, status: str = "") -> View:
        """The whole page, from the store."""
        last = chat.turns[-1].reply if chat.turns else self._rec.welcome
        past = self._rec.conversations(chat.user)
        return View(
            messages=self._messages(chat, why),
            chips=render.chips(last.options if last else ()),
            status=render.status(status, busy=False),
            profile=render.profile(chat.profile, chat.state.long_tail),
            conversations=render.conversations(past, chat.conversation_id),
            who=_who(chat),
            why=why,
        )

    def _chat(self, who: Who) -> Conversation:
        return self._rec.conversation(user=who.user, conversation_id=who.conversation_id)

    def _messages(self, chat: Conversation, why: Why) -> Messages:
        if not chat.turns:
            return [render.message("assistant", render.welcome(self._rec.welcome, self._examples))]
        shelf = render.Shelf(self._rec.item, cover_url, chat.feedback_of, why)
        return render.transcript(chat.turns, shelf)

    def _guarded(self, who: Who, why: Why, act: Callable[[], View]) -> View:
        """Runs a handler; what goes wrong is said on the page, which goes on as it was."""
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - the page must stay alive whatever happens
            return self._failed(who, why, _in_words(error))

    def _failed(self, who: Who, why: Why, said: str, box: str | None = None) -> View:
        """The page as the store has it, in a new conversation if this one is gone, and what went wrong."""
        page = View(messages=[], status=render.status("", busy=False))
        for there in (who, Who(who.user)):
            try:
                page = self._page(self._chat(there), why)
                break
            except Exception as error:  # noqa: BLE001 - the notice must come through even without a store
                log.warning("cannot show the conversation: %s", error)
        notices = [_note(said)] if said else []
        return replace(page, messages=[*(page.messages or []), *notices], box=box)


def _who(chat: Conversation) -> Who:
    return Who(chat.user, chat.conversation_id)


def cover_url(item_id: str) -> str:
    """Where `ui.app` serves the cover of an item, relative to the page."""
    return "cover/" + quote(item_id, safe="")


def _note(text: str) -> dict[str, str]:
    return render.message("assistant", render.notice(text))


def _in_words(error: Exception) -> str:
    """The text of an error a user can cause; for any other an apology, with the id it is logged under."""
    if isinstance(error, TastebudError):
        return str(error)
    mark = secrets.token_hex(3)
    log.error("error %s in the page", mark, exc_info=error)
    return f"Sorry, something went wrong here (error {mark} in the log). Nothing is lost: please try again."


def _summary(reply: Reply) -> str:
    seconds = reply.trace.seconds
    took = f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
    return f"answered in {took} on this machine" if seconds else ""
