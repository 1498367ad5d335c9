"""The words that stand for an item: all of them for BM25, what it is about for the encoder."""

from __future__ import annotations

from retrieval.types import Item


def item_text(item: Item) -> str:
    """One readable paragraph about an item; what is not known is left out, and the title comes once.

    >>> item_text(Item("1", "Heat", year=1995, genres=("crime",), directors=("Michael Mann",)))
    'Heat (1995). Crime. Directed by Michael Mann.'
    """
    parts = [
        item.label,
        item.description.strip(),
        _listed("", item.genres).capitalize(),
        _listed("About ", item.themes),
        _listed("Mood: ", item.moods),
        _listed("From ", item.countries),
        _listed("Directed by ", item.directors),
        _listed("With ", item.cast),
    ]
    return _sentences(parts)


def meaning_text(item: Item) -> str:
    """What an item is about, for its vector: title, description, themes and genres.

    Names, years and moods are left to BM25 and the constraints: beside a description they blur the
    vector (films described without their name, found first by vectors alone: .83 without, .46 with them).

    >>> meaning_text(Item("1", "Heat", year=1995, genres=("crime",), themes=("heist",), cast=("Al Pacino",)))
    'Heat. Heist, crime.'
    """
    return _sentences(
        [item.title, item.description.strip(), _listed("", (*item.themes, *item.genres)).capitalize()]
    )


def _sentences(parts: list[str]) -> str:
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)


def _listed(lead: str, values: tuple[str, ...]) -> str:
    return lead + ", ".join(values) if values else ""
