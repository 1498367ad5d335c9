"""Short answers to the question before: an option, its place, "both", "neither", yes or no."""

from __future__ import annotations

import re

from agent.policy import SURPRISE
from agent.reading.acts import read_ordinals
from agent.reading.vocabulary import Vocabulary
from agent.types import Frame, Question

_HEDGE = re.compile(
    r"^(?:(?:maybe|perhaps|probably|rather|i think|i guess|i['’]d say|let['’]?s say|hm+|well)[,\s]+)+"
)
"""Before an answer, and no part of it: "maybe think"."""


def answer_to(message: str, question: Question, vocabulary: Vocabulary) -> Frame | None:
    """The frame of a direct answer to the pending question: an option, an ordinal, "both", "neither"."""
    said = _HEDGE.sub("", _normal(message))
    options = [option for option in question.options if option != SURPRISE]
    if said in (SURPRISE, "no preference"):
        return Frame(act="more")
    if question.attribute == "relax" or question.attribute.startswith("rule:"):
        return _yes_or_no(said)
    if question.attribute not in ("genres", "moods", "themes", "decade", "audience"):
        return None
    for option in options:
        if said in (_normal(option), f"the {_normal(option)}", f"{_normal(option)} please"):
            return _option_frame(question.attribute, option)
    if said in ("both", "all", "all of them", "either") and question.attribute in (
        "genres",
        "themes",
        "moods",
    ):
        joint = " or " if said == "either" else None
        return Frame(want=(joint.join(options[:2]),) if joint else tuple(options[:2]))
    if said in ("neither", "none", "none of them", "none of these", "none of those"):
        return Frame(act="reject")
    ordinals = read_ordinals(said, len(options))
    if ordinals and len(said.split()) <= 4:
        return _option_frame(question.attribute, options[ordinals[0][2] - 1])
    return None


def _yes_or_no(said: str) -> Frame | None:
    """An answer to "is that all right?"; anything longer is a message of its own."""
    if len(said.split()) > 5:
        return None
    if re.match(r"(?:yes|yeah|yep|sure|ok(?:ay)?|fine|please do|go ahead|all right|alright|drop it)\b", said):
        return Frame(act="accept")
    return Frame(act="reject") if re.match(r"(?:no|nope|nah|keep)\b", said) else None


def _option_frame(attribute: str, option: str) -> Frame:
    if attribute == "decade":
        years = re.findall(r"\d{4}", option)
        start = int(years[0])
        return Frame(years=(None, start - 1) if option.startswith("before") else (start, start + 9))
    return Frame(audience=option) if attribute == "audience" else Frame(want=(option,))


def _normal(text: str) -> str:
    return " ".join(text.lower().strip(" .!?").split())
