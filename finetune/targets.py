"""Dialogues -> what was said before each recommendation, and the items that were then recommended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.config import ConfigError
from finetune.dialogues import read_lines
from retrieval.dialogue import Message, Role, mentioned

Conversations = Mapping[str, tuple[Message, ...]]
"""Messages by conversation_id."""

_ROLES: Mapping[object, Role] = {"seeker": "seeker", "recommender": "recommender"}


@dataclass(frozen=True, slots=True)
class Case:
    """A message that names items, the recommender's where nothing else is said, and all messages `before` it.

    `targets`: the item_ids it names, once each, in order.
    """

    dialogue: str
    before: tuple[Message, ...]
    targets: tuple[str, ...]

    @property
    def new(self) -> tuple[str, ...]:
        """The targets that nobody has named in this dialogue before."""
        known = set(mentioned(self.before))
        return tuple(target for target in self.targets if target not in known)


def cases(conversations: Conversations, role: Role = "recommender") -> Iterator[Case]:
    """Every message of this role that names an item, except where it opens the dialogue."""
    for identity, messages in conversations.items():
        for place, message in enumerate(messages):
            if place and message.role == role and message.items:
                yield Case(identity, messages[:place], tuple(dict.fromkeys(message.items)))


def read_conversations(path: Path) -> Conversations:
    """The dialogues of a JSONL file with `turns`, or with `mentions` alone, whose messages have no text.

    Turns of one side that follow each other are one message. Mentions are a message each: what stood
    between them is not known. Raises ConfigError naming file and line.
    """
    found: dict[str, tuple[Message, ...]] = {}
    for number, row in read_lines(path, ("conversation_id",)):
        identity = str(row["conversation_id"])
        if identity in found:
            raise ConfigError(f"{path}:{number}: conversation_id {identity!r} was there before.")
        try:
            found[identity] = _mentions(row) if "mentions" in row else _turns(row["turns"])
        except (KeyError, TypeError):
            raise ConfigError(
                f"{path}:{number}: expected `turns` (`role` seeker or recommender, `text`, `items`) "
                "or `mentions` (`by`, `item_id`)."
            ) from None
    return found


def _mentions(row: Mapping[str, Any]) -> tuple[Message, ...]:
    return tuple(Message(_ROLES[one["by"]], "", (str(one["item_id"]),)) for one in row["mentions"])


def _turns(turns: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    found: list[Message] = []
    for turn in turns:
        role, items = _ROLES[turn["role"]], tuple(str(item) for item in turn["items"])
        if found and found[-1].role == role:
            last = found.pop()
            found.append(Message(role, f"{last.text} {turn['text']}", last.items + items))
        else:
            found.append(Message(role, str(turn["text"]), items))
    return tuple(found)
