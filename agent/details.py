"""One thing about an item, where one thing was asked: who made it, how long it is, whom it suits."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.policy import list_or
from agent.prompting import phrase
from agent.reading.vocabulary import Vocabulary
from agent.writing import capital, italic
from retrieval.types import Item, facet_values

_ASKED = (
    ("detail_directors", r"\b(?:who (?:directed|made|shot|wrote and directed)|director)\b"),
    ("detail_cast", r"\b(?:who(?:['’]s| is| are|s)? (?:in|star\w*|act\w*|play\w*)|cast|actors?|actresses)\b"),
    (
        "detail_minutes",
        r"\b(?:how long|is it (?:very |too )?(?:long|short))\b|\b(?:running time|runtime|length|minutes)\b",
    ),
    ("detail_year", r"\b(?:when (?:was|did|is)|what year|which year|how old is|come out|came out)\b"),
    ("detail_language", r"\b(?:what|which) language\b|\bsubtitle[sd]?\b|\bis it in \w+\b"),
    (
        "detail_audience",
        r"\b(?:kids?|child(?:ren)?|family|appropriate|suitable|rated|rating|violent|gory|scary for)\b",
    ),
    ("detail_genres", r"\b(?:what (?:kind|sort|type|genre)|which genre)\b"),
)
_FOR = {"family": "the whole family", "teen": "teenagers and up", "adult": "grown-ups"}


def detail(item: Item, message: str) -> str | None:
    """The one thing that a question asks of an item, in a sentence; None where it asks for all, or more."""
    asked = [name for name, pattern in _ASKED if re.search(pattern, message, re.I)]
    if len(asked) != 1:
        return None
    value = _value(item, asked[0].removeprefix("detail_"))
    if not value:
        return phrase("detail_unknown", title=italic(item))
    text = phrase(asked[0], title=italic(item), value=value)
    if asked[0] == "detail_audience" and item.content_notes:
        text = f"{text} {phrase('detail_notes', notes=list_or(item.content_notes, 'and'))}"
    return capital(text)


def suited(items: Sequence[Item], message: str, vocabulary: Vocabulary) -> str | None:
    """Which of the items are what a question asks: "is it scary?", "which one is funnier?"; None where it
    asks nothing that the catalogue has a word for.
    """
    found = vocabulary.find(message)
    if not found or not items:
        return None
    term = found[0].term
    held = {
        item.item_id: [f.value for f in term.facets if f.value in facet_values(item, f.field)]
        for item in items
    }
    having = [item for item in items if held[item.item_id]]
    if not having:
        return phrase("suited_none", values=list_or([f.value for f in term.facets] or [term.phrase]))
    values = dict.fromkeys(value for item in having for value in held[item.item_id])
    titles = list_or([italic(item) for item in having], "and")
    return phrase("suited", titles=titles, values=list_or(list(values), "and"))


_MOST = (
    ("detail_minutes", min, r"\b(?:short(?:est|er)|quickest)\b"),
    ("detail_minutes", max, r"\blong(?:est|er)\b"),
    ("detail_year", min, r"\b(?:old(?:est|er)|earliest)\b"),
    ("detail_year", max, r"\b(?:new(?:est|er)|latest|most recent)\b"),
)


def foremost(items: Sequence[Item], message: str) -> str | None:
    """Which of several is the shortest, longest, oldest or newest; None where that is not asked or known."""
    for name, best, pattern in _MOST:
        values = {item.item_id: _value(item, name.removeprefix("detail_")) for item in items}
        known = [item for item in items if values[item.item_id]]
        if known and re.search(pattern, message, re.I):
            item = best(known, key=lambda one: int(values[one.item_id]))
            return phrase(name, title=italic(item), value=values[item.item_id])
    return None


def _value(item: Item, name: str) -> str:
    if name == "language":
        return (item.language or "").title()
    if name == "audience":
        return _FOR.get(item.audience or "", "")
    value = getattr(item, name)
    if isinstance(value, tuple):
        return list_or(value, "and") if value else ""
    return "" if value is None else str(value)
