"""What the model may write: JSON frames over the message's own words, facet lists, reply phrasings.

Grammars are in llguidance's Lark dialect; the JSON schema beside a frame grammar is for servers that
decode under a schema instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.types import ACTS

LIST_FIELDS = ("like", "dislike", "seen", "want", "avoid", "people")
DROPPABLE = ("years", "language", "max_minutes", "audience", "people")
"""Slots that a message takes back by meaning ("any year is fine"); a facet is taken back by its word."""

MOST_NAMES = 6
_LONGEST_QUOTE = 400
_CHUNK = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Grammar:
    """A Lark grammar for local decoding and, where there is one, the JSON schema that says the same."""

    lark: str
    schema: str | None = None


def quotable(message: str) -> str:
    """The message as it may be quoted inside JSON: one line, no quotes, at most 400 characters."""
    printable = "".join(char if char.isprintable() and char not in '"\\' else " " for char in message)
    return re.sub(r"\s+", " ", printable).strip()[:_LONGEST_QUOTE]


def frame_grammar(message: str) -> Grammar:
    """Frames whose names are word sequences of `message`, or places ("#2") of what is shown or offered."""
    text = quotable(message) or "-"
    lists = " ".join(_list_field(name, "name") for name in LIST_FIELDS)
    acts = " | ".join(f'"\\"{act}\\""' for act in ACTS)
    slots = " | ".join(f'"\\"{slot}\\""' for slot in DROPPABLE)
    about = _list_field("about", "name")
    lark = f"""start: "{{\\"act\\": " act {lists} years? language? minutes? audience? {about} drop? "}}"
act: {acts}
name: "\\"" (SPAN | PLACE) "\\""
years: ", \\"years\\": " (range | "\\"recent\\"" | "\\"classic\\"")
range: "[" year ", " year "]"
year: YEAR | "null"
language: ", \\"language\\": \\"" LANGUAGE "\\""
minutes: ", \\"max_minutes\\": " MINUTES
audience: ", \\"audience\\": " ("\\"family\\"" | "\\"teen\\"" | "\\"adult\\"")
drop: ", \\"drop\\": [" dropped (", " dropped)? "]"
dropped: {slots} | "\\"" SPAN "\\""
PLACE: /#[1-9]/
YEAR: /(19|20)[0-9][0-9]/
LANGUAGE: /[a-z]{{3,12}}/
MINUTES: /[1-9][0-9]{{1,2}}/
SPAN: WORDS & NONEMPTY
WORDS: %regex {{ "substring_chunks": {json.dumps(_CHUNK.findall(text))} }}
NONEMPTY: /[^ ].{{0,60}}/
"""
    return Grammar(lark, json.dumps(_frame_schema()))


def _list_field(name: str, of: str) -> str:
    more = f'(", " {of})? ' * (MOST_NAMES - 1)
    return f'(", \\"{name}\\": [" {of} {more}"]")?'


def _frame_schema() -> dict[str, object]:
    """The JSON schema of a frame, for servers; that names stand in the message is checked afterwards."""
    names = {"type": "array", "items": {"type": "string"}, "maxItems": MOST_NAMES}
    year = {"type": ["integer", "null"]}
    years = {
        "anyOf": [
            {"type": "array", "items": year, "minItems": 2, "maxItems": 2},
            {"enum": ["recent", "classic"]},
        ]
    }
    return {
        "type": "object",
        "properties": {
            "act": {"enum": list(ACTS)},
            **dict.fromkeys(LIST_FIELDS, names),
            "years": years,
            "language": {"type": "string"},
            "max_minutes": {"type": "integer"},
            "audience": {"enum": ["family", "teen", "adult"]},
            "about": names,
            "drop": names,
        },
        "required": ["act"],
        "additionalProperties": False,
    }


def choice_grammar(values: Sequence[str], most: int) -> Grammar:
    """A comma-separated list of one to `most` of `values`."""
    options = " | ".join(_literal(value) for value in values)
    more = ' (", " value)?' * (most - 1)
    return Grammar(f"start: value{more}\nvalue: {options}\n")


def phrasing_grammar(parts: Sequence[Sequence[str]]) -> Grammar:
    """A text made of parts, each written in one of its alternative wordings."""
    rules = [f"p{i}: " + " | ".join(_literal(text) for text in texts) for i, texts in enumerate(parts)]
    start = "start: " + " ".join(f"p{i}" for i in range(len(parts)))
    return Grammar("\n".join([start, *rules]) + "\n")


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
