"""What a script may expect of a step: YAML nodes -> Expect, one table of keys and parsers per mapping.

The tables are the script's whole vocabulary here; scripts/schema.json says the same to editors.
"""

from __future__ import annotations

from typing import Any

from yaml.nodes import Node

from agent.policy import ASKABLE
from agent.types import ACTS
from eval.nodes import (
    Parser,
    boolean,
    integer,
    is_null,
    line_of,
    list_of,
    mapping,
    one_of,
    only_true,
    positive,
    seconds,
    text,
    wrong,
    years,
)
from eval.script import (
    FILM_SLOTS,
    VALUE_SLOTS,
    WORD_SLOTS,
    Alternatives,
    Bounds,
    EveryItem,
    Expect,
    Film,
    SlotExpectation,
)

Table = dict[str, Parser[Any]]


def film(node: Node) -> Film:
    return Film(text(node), line_of(node))


def _alternatives(node: Node) -> Alternatives:
    return list_of(text)(node)


def _or_null(parser: Parser[Any]) -> Parser[Any]:
    return lambda node: None if is_null(node) else parser(node)


def _or_any(parser: Parser[Any]) -> Parser[Any]:
    return lambda node: "any" if getattr(node, "value", None) == "any" else parser(node)


_VALUES: Table = dict.fromkeys(VALUE_SLOTS, text)
_VALUES |= {"years": years, "max_minutes": positive, "act": one_of(*ACTS)}
_LISTS: Table = {slot: list_of(film) for slot in FILM_SLOTS}
_LISTS |= {slot: list_of(_alternatives) for slot in WORD_SLOTS}

CAPTURED: Table = {**_LISTS, **{slot: _or_null(parser) for slot, parser in _VALUES.items()}}
NOT_CAPTURED: Table = {slot: _or_any(parser) for slot, parser in {**_LISTS, **_VALUES}.items()}
_WORDS = list_of(text)
EVERY_ITEM: Table = {
    "genres": _WORDS,
    "any_genre": _WORDS,
    "not_genres": _WORDS,
    "any_theme": _WORDS,
    "not_themes": _WORDS,
    "any_mood": _WORDS,
    "not_moods": _WORDS,
    "not_notes": _WORDS,
    "person": text,
    "not_person": text,
    "years": years,
    "max_minutes": positive,
    "audience": text,
    "language": text,
}
BOUNDS: Table = {"min": integer, "max": integer}


def _captured(node: Node) -> tuple[SlotExpectation, ...]:
    return tuple(_slot(*pair) for pair in mapping(node, CAPTURED, "captured").items())


def _not_captured(node: Node) -> tuple[SlotExpectation, ...]:
    return tuple(_slot(*pair) for pair in mapping(node, NOT_CAPTURED, "not_captured").items())


def _slot(slot: str, value: Any) -> SlotExpectation:
    if value == "any":
        return SlotExpectation(slot, anything=True)
    if slot in FILM_SLOTS:
        return SlotExpectation(slot, films=value)
    if slot in WORD_SLOTS:
        return SlotExpectation(slot, words=value)
    return SlotExpectation(slot, value=value)


def conditions(what: str) -> Parser[EveryItem]:
    """Conditions on the catalogue's record of an item; `what` names them in errors."""

    def parse(node: Node) -> EveryItem:
        found = mapping(node, EVERY_ITEM, what)
        if not found:
            raise wrong(node, f"at least one condition ({', '.join(EVERY_ITEM)})")
        return EveryItem(**found)

    return parse


def _bounds(node: Node) -> Bounds:
    bounds = Bounds(**mapping(node, BOUNDS, "min/max"))
    if bounds.min is not None and bounds.max is not None and bounds.min > bounds.max:
        raise wrong(node, f"min up to max, not {bounds.min} and {bounds.max}")
    return bounds


_FILMS = list_of(film)
EXPECT: Table = {
    "captured": _captured,
    "not_captured": _not_captured,
    "items": _bounds,
    "every_item": conditions("every_item"),
    "some_item": conditions("some_item"),
    "recommend": _FILMS,
    "recommend_any": _FILMS,
    "must_not_recommend": _FILMS,
    "asked": boolean,
    "recommended": boolean,
    "not_asked_about": list_of(one_of(*ASKABLE)),
    "question_budget": integer,
    "options": _bounds,
    "options_without": _WORDS,
    "text_contains": _WORDS,
    "text_any": _WORDS,
    "text_not_contains": _WORDS,
    "relaxed": boolean,
    "new_items": only_true,
    "grounded": boolean,
    "latency": seconds,
}
WITHOUT_REPLY: Table = {key: EXPECT[key] for key in ("captured", "not_captured")}
"""The buttons change what is known but nobody answers: only the state can be looked at."""


def expect(node: Node) -> Expect:
    """What must hold after one step."""
    return Expect(**mapping(node, EXPECT, "expect"))
