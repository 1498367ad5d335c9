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
_LONGEST_QUOTE = 400


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
    """Frames whose names are word sequences of `message`."""
    text = quotable(message) or "-"
    fields = " ".join(f'(", \\"{name}\\": [" name (", " name)? (", " name)? "]")?' for name in LIST_FIELDS)
    acts = " | ".join(f'"\\"{act}\\""' for act in ACTS)
    lark = f"""start: "{{\\"act\\": " act {fields} years? "}}"
act: {acts}
name: "\\"" SPAN "\\""
years: ", \\"years\\": [" year ", " year "]"
year: YEAR | "null"
YEAR: /(19|20)[0-9][0-9]/
SPAN: WORDS & NONEMPTY
WORDS: %regex {{ "substring_words": {json.dumps(text)} }}
NONEMPTY: /[^ ].{{0,50}}/
"""
    names = {"type": "array", "items": {"type": "string"}, "maxItems": 3}
    year = {"type": ["integer", "null"]}
    schema = {
        "type": "object",
        "properties": {
            "act": {"enum": list(ACTS)},
            **dict.fromkeys(LIST_FIELDS, names),
            "years": {"type": "array", "items": year, "minItems": 2, "maxItems": 2},
        },
        "required": ["act"],
        "additionalProperties": False,
    }
    return Grammar(lark, json.dumps(schema))


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
