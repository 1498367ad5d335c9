"""Message -> Frame without a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.reading.acts import is_critique, read_act, read_drops, read_ordinals
from agent.reading.clauses import read_clauses
from agent.reading.cues import CONTRACTIONS, CUES, IDIOMS
from agent.reading.link import Linker
from agent.reading.names import Named, find_names
from agent.reading.passing import without_remarks
from agent.reading.slots import Slots, language_of, read_slots
from agent.reading.vocabulary import Vocabulary
from agent.reading.years import read_years
from agent.types import Act, Frame

_ABOUT = re.compile(
    r"\b(?:tell me (?:more |something )?about|do you (?:have|know)|have you (?:got|seen|heard of)"
    r"|did you (?:see|watch)"
    r"|who (?:directed|made|stars? in|is in|plays in)"
    r"|how long is|what year (?:is|was)|when (?:was|did)|what(?:['’]s| is| are)|is|why not"
    r"|why did you (?:not )?recommend|why)\s+"
    r"(?!(?:it|that|this|these|those|the (?:first|second|third|last))\b)"
    r"(?P<name>[^?.!,]{2,60}?)(?=\s+(?:about|any good|worth|made|released|come out|there|in (?:your"
    r"|the) catalogue)\b|[?.!,]|$)",
    re.I,
)
_WANTS_SOMETHING = re.compile(
    r"\b(?:good|great|nice|any|some|a|which|what|find|recommend|suggest)\b.{0,20}\b(?:films?|movies?|flicks?)\b",
    re.I,
)
_TAKEN = re.compile(
    r"\b(?:i['’]ll|i will|let['’]?s|going to|gonna)\s+(?:take|watch|try|go with|do)\b"
    r"|\b(?:sounds|looks|seems) (?:good|great|perfect|fun|nice|cool)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Context:
    """What a message is read against.

    `latest`: newest year of the catalogue. `shown`: labels of the items on show, in order. `begun`:
    whether something was said before.
    """

    linker: Linker
    vocabulary: Vocabulary
    latest: int | None = None
    shown: tuple[str, ...] = ()
    begun: bool = False


def masked_message(message: str, context: Context) -> tuple[str, list[Named]]:
    """The message with a character for each name and its contractions spelt out, and the names."""
    masked, named = find_names(message, context.linker, context.vocabulary, context.shown)
    for pattern, replacement in CONTRACTIONS:
        masked = pattern.sub(replacement, masked)
    return masked, named


def read_message(message: str, context: Context) -> Frame:
    """Read `message` into a Frame by rules alone. Never raises on any text."""
    return read_masked(message, *masked_message(message, context), context)


def read_masked(message: str, masked: str, named: Sequence[Named], context: Context) -> Frame:
    """`read_message`, of a message that `masked_message` has masked already."""
    act = read_act(masked)
    about = _about(act, masked, named, context)
    masked, drops = _without_drops(masked, named)
    slots = read_slots(masked, context.latest, context.vocabulary.languages)
    asked = act == "ask_why" or bool(about)
    told = _before_why(masked) if asked else masked
    found = read_clauses(IDIOMS.sub(" ", told), named, context.vocabulary)
    refused = tuple(value for value in (slots.not_audience, slots.not_language) if value is not None)
    frame = Frame(
        like=found.names("like"),
        dislike=found.names("dislike"),
        seen=(*found.names("seen"), *_all_seen(masked, context)),
        want=tuple(dict.fromkeys(phrase for phrase in found.want if not _is_language(phrase, slots))),
        avoid=tuple(dict.fromkeys((*found.avoid, *refused))),
        people=tuple(dict.fromkeys(found.people)),
        years=None if asked else read_years(without_remarks(masked), context.latest),
        language=slots.language,
        max_minutes=slots.max_minutes,
        audience=slots.audience,
        about=about,
        drop=drops,
    )
    if act is None and is_empty(frame) and context.vocabulary.answer(message):
        frame = replace(frame, want=(message.strip(" .!?"),))  # "think" says nothing inside a sentence
    return replace(frame, act=_act(frame, act, masked, context))


def _before_why(masked: str) -> str:
    """What stands before a question that asks why: "seen the first one. why the second?" """
    why = re.search(r"[.!?,]\s+(?:and |but )?why\b", masked, re.I)
    before = masked[: why.start()] if why else ""
    return before if CUES.search(before) else ""


def is_empty(frame: Frame) -> bool:
    """Whether the frame says nothing about taste or constraints."""
    return frame == Frame(act=frame.act, about=frame.about)


def _is_language(phrase: str, slots: Slots) -> bool:
    """Whether a wish is no more than the language that was heard as such already ("something in Korean")."""
    return slots.language is not None and slots.language in (language_of(phrase), phrase.lower())


def _act(frame: Frame, act: Act | None, masked: str, context: Context) -> Act:
    if act in ("undo", "reset", "ask_why", "more") or (frame.about and act is not None):
        return act
    if is_empty(frame):
        return act or ("inform" if _WANTS_SOMETHING.search(masked) else "chat")
    changes = bool(frame.avoid or frame.dislike or frame.drop) or is_critique(masked)
    return "critique" if context.begun and changes else "inform"


def _about(act: Act | None, masked: str, named: Sequence[Named], context: Context) -> tuple[str, ...]:
    """What an act speaks of: the names in it, a place among what is on show, or a name nobody knows."""
    if act not in ("ask_why", "ask_about") and not (act == "accept" and _TAKEN.search(masked)):
        return ()
    before = _before_why(masked) if act == "ask_why" else ""
    items = tuple(name.text for name in named if name.kind == "item" and name.mark not in before)
    if items:
        return items
    ordinals = read_ordinals(masked, len(context.shown))
    if ordinals:
        return tuple(str(position) for _, _, position in ordinals)
    match = _ABOUT.search(masked)
    if match and (match["name"][:1].isupper() or _is_title(match["name"], context.linker)):
        return (match["name"].strip(),)
    pointing = act == "ask_why" or (act == "ask_about" and re.search(r"\b(?:it|that|this)\b", masked, re.I))
    return ("1",) if context.shown and pointing else ()


def _is_title(name: str, linker: Linker) -> bool:
    link = linker.link(name.strip())
    return link is not None and link.exact


def _all_seen(masked: str, context: Context) -> tuple[str, ...]:
    """What is on show, when the message says that all or both of it is known."""
    match = re.search(r"\b(?:seen|watched|know)\s+(?P<what>all|both|them|those|these|every)\b", masked, re.I)
    if not match or re.search(r"\b(?:not|never)\b", masked[: match.start()], re.I):
        return ()
    return context.shown[:2] if match["what"].lower() == "both" else context.shown


def _without_drops(masked: str, named: Sequence[Named]) -> tuple[str, tuple[str, ...]]:
    """The text without the promises it takes back, and these."""
    texts = {name.mark: name.text for name in named}
    drops = []
    for start, end, what in reversed(read_drops(masked)):
        drops.append("".join(texts.get(char, char) for char in what).strip())
        masked = masked[:start] + masked[end:]
    return masked, tuple(reversed(drops))
