"""What was said so far, message by message, with the items that were named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Role = Literal["seeker", "recommender"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `items`: item_ids it names, in order; `text` is empty where only the names are known."""

    role: Role
    text: str = ""
    items: tuple[str, ...] = ()


def mentioned(messages: Sequence[Message]) -> tuple[str, ...]:
    """Every item named so far, once each, in the order of its first mention."""
    return tuple(dict.fromkeys(item for message in messages for item in message.items))


def whole_text(messages: Sequence[Message], longest: int) -> str:
    """The messages as one text, its last `longest` characters: what was said last matters most."""
    return " ".join(message.text for message in messages)[-longest:]
