"""The words that stand for an item in the vector store and in the lexical index."""

from __future__ import annotations

from retrieval.types import Item


def item_text(item: Item) -> str:
    """One readable paragraph about an item; what is not known is left out, and the title comes once.

    >>> item_text(Item("1", "Heat", year=1995, genres=("crime",), directors=("Michael Mann",)))
    'Heat (1995). Crime. Directed by Michael Mann.'
    """
    parts = [
        item.label,
        _listed("", item.genres).capitalize(),
        _listed("About ", item.themes),
        _listed("Mood: ", item.moods),
        _listed("From ", item.countries),
        _listed("Directed by ", item.directors),
        item.description.strip(),
        # The cast comes last: it may be long, and the encoder reads only the first 256 tokens.
        _listed("With ", item.cast),
    ]
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)


def _listed(lead: str, values: tuple[str, ...]) -> str:
    return lead + ", ".join(values) if values else ""
