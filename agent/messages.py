"""A message as it is read: the boundary between what people send and what the agent works on."""

from __future__ import annotations

from agent.errors import MessageError

LONGEST_MESSAGE = 4_000
"""Characters of a message that are read; the rest is kept, not read."""


def readable(text: object) -> str:
    """A message as it is read: text without control characters. Raises MessageError if it has no content."""
    if not isinstance(text, str):
        raise MessageError(f"A message must be text, not {type(text).__name__}: {str(text)[:60]!r}.")
    clean = "".join(
        " " if char in "\n\t\r" else "�" if "\ud800" <= char <= "\udfff" else char
        for char in text[:LONGEST_MESSAGE]
        if char in "\n\t\r" or char.isprintable() or "\ud800" <= char <= "\udfff" or ord(char) > 0x2000
    )
    if not clean.strip():
        raise MessageError(f"The message {text[:20]!r} is empty: say what you are in the mood for.")
    return clean
