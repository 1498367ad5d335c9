"""A whole dialogue -> the state after it, and what was said with the items that it names.

Starting over counts here as in a conversation; an "undo" does not, as no earlier states are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from agent.errors import MessageError
from agent.messages import LONGEST_MESSAGE, readable
from agent.reading.link import Linker
from agent.reading.understand import Reader
from agent.reading.vocabulary import Vocabulary
from agent.state import afresh, apply_reading
from agent.types import DialogueState
from retrieval.dialogue import Message

REMEMBERED = 1024
"""Readings that are kept: who sends a dialogue again with more at its end has the rest of it read already."""

_Role = Literal["user", "assistant"]


class Hearing:
    """Reads recorded dialogues, message by message."""

    def __init__(self, reader: Reader, linker: Linker, vocabulary: Vocabulary, steady: bool) -> None:
        """`steady`: whether `reader` always reads the same alike, so that its readings may be remembered; a
        language model may fail once and answer the next time.
        """
        self._reader, self._linker, self._vocabulary = reader, linker, vocabulary
        self._after = lru_cache(REMEMBERED)(self._read) if steady else self._read

    def heard(self, messages: Sequence[Mapping[str, str]]) -> tuple[DialogueState, tuple[Message, ...]]:
        """The state after all messages, and the messages. Raises MessageError for a malformed one."""
        state = DialogueState()
        said: list[Message] = []
        for message in messages:
            state, one = self._after(state, *_checked(message))
            said.append(one)
        return state, tuple(said)

    def _read(self, state: DialogueState, role: _Role, content: str) -> tuple[DialogueState, Message]:
        said = self._named(role, content)
        if role == "user":
            reading = self._reader.read(content[:LONGEST_MESSAGE], state).reading
            state = afresh(state) if reading.frame.act == "reset" else state
            return apply_reading(state, reading, self._vocabulary, state.turn + 1), said
        shown = tuple(dict.fromkeys((*state.shown, *said.items)))
        return replace(state, shown=shown, last_shown=tuple(dict.fromkeys(said.items))), said

    def _named(self, role: _Role, content: str) -> Message:
        """A message with the items it names taken out of its text."""
        text, names = content[:LONGEST_MESSAGE], []
        for mention in reversed(self._linker.mentions(text)):
            if mention.certain:
                names.append(mention.item_id)
                text = f"{text[: mention.start]} {text[mention.end :]}"
        return Message("seeker" if role == "user" else "recommender", text, tuple(reversed(names)))


def _checked(message: object) -> tuple[_Role, str]:
    """Role and readable text of one message of a dialogue. Raises MessageError."""
    known = message if isinstance(message, Mapping) else {}
    role: object = known.get("role")
    role = {"seeker": "user", "recommender": "assistant"}.get(str(role), role)
    content = known.get("content", known.get("text"))
    if role not in ("user", "assistant") or not isinstance(content, str):
        raise MessageError(
            f"Cannot read the message {str(message)[:120]!r}: "
            'give {"role": "user" or "assistant", "content": text}.'
        )
    speaker: _Role = "user" if role == "user" else "assistant"
    try:
        return speaker, readable(content)
    except MessageError:  # a silent turn of a recorded dialogue says nothing, and that is no fault
        return speaker, "…"
