"""How replies write names: titles in italics, what users typed without markup."""

from __future__ import annotations

from retrieval.types import Item


def italic(item: Item) -> str:
    """An item as replies write it: `*Heat* (1995)`; asterisks in a title would end the italics early."""
    title = item.title.replace("*", "∗")
    return f"*{title}* ({item.year})" if item.year is not None else f"*{title}*"


def with_italics(text: str, item: Item) -> str:
    """A reason's text with the title that it ends on set in italics."""
    return f"*{item.title.replace('*', '∗')}*".join(text.rsplit(item.title, 1))


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def plain_name(name: str) -> str:
    """A name from the user's message as it may stand in a reply: short, one line, no markup."""
    return " ".join(name.replace("*", " ").split())[:60]
