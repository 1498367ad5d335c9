"""What of a model's frame the message speaks for: a small model invents years, audiences and answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.reading.agreement import Checks, within
from agent.reading.cues import EXCEPTING, POSITIVE
from agent.reading.scene import Scene
from agent.reading.slots import spoken_languages
from agent.reading.years import DECADE_WORDS
from agent.types import Frame
from retrieval.types import Years

_AUDIENCE = {
    "family": r"kid|child|famil|\bsons?\b|daughter|niece|nephew|little|toddler|all ages|young|baby|year.old",
    "teen": r"teen|adolesc|\b1[0-9]\b|school|grader|students|pupils",
    "adult": r"adult|grown|mature|without (?:the )?kids|kids? (?:are |is )?(?:asleep|in bed|away|gone)",
}
_EXCEPT = re.compile(
    rf"\b(?:everything|every|all|anything|most)\b.{{1,40}}?\b(?:{EXCEPTING})\b(?! that)", re.I
)
_PRAISES = re.compile(
    rf"\b(?:{POSITIVE}|lovely|wonderful|nice|fun(?:ny)?|cool|beautiful|superb|stunning|gem|spot|work(?:s|ed)|moving"
    r"|adorable|solid|charming|better|treat|yes|glad|thrilled|hooked|tears|street|alley)\b",
    re.I,
)
_MIGHT = re.compile(r"(?:['’]d|would|might|could|may|will|['’]ll) (?:\w+ )?(?:like|love|enjoy)", re.I)
_LENGTH = re.compile(r"\d|hour|minute|short|long|quick|length|brief", re.I)
_REFERS = re.compile(
    r"\b(?:first|second|third|fourth|last|latter|former|both|either|all|any|neither|none|these|those|two|\d"
    r"|others?|together|same"
    r"|(?:this|that) one|1st|2nd|3rd)\b",
    re.I,
)
"""Words that point at an option without naming it."""


_TOO_LONG = re.compile(r"(?:too |that |very |so )?(?:long|lengthy)|(?:with )?subtitles?", re.I)
"""No topics: what is said of length is a limit in minutes, and of subtitles a language."""


def supported(model: Frame, rules: Frame, message: str, scene: Scene) -> Frame:
    """The frame without what nothing in the message speaks for: years where it names neither a number near
    them nor an age of film, a language or audience that it does not mention, an option nobody pointed at.
    """
    text = message.casefold()
    audience = model.audience
    if audience is not None and audience != rules.audience and not re.search(_AUDIENCE[audience], text):
        audience = rules.audience
    language = model.language
    if language is not None and (language in rules.avoid or language not in spoken_languages(text)):
        language = rules.language
    minutes = model.max_minutes
    if rules.max_minutes is not None or (minutes is not None and not _LENGTH.search(text)):
        minutes = rules.max_minutes
    model = replace(model, avoid=tuple(name for name in model.avoid if not _TOO_LONG.fullmatch(name)))
    want, avoid, drop = (
        tuple(name for name in names if _pointed(name, text, scene.options))
        for names in (model.want, model.avoid, model.drop)
    )
    years = model.years if rules.years is not None or _dated(model.years, text) else None
    return replace(
        model,
        want=want,
        avoid=avoid,
        drop=drop,
        years=years,
        audience=audience,
        language=language,
        max_minutes=minutes,
    )


def _pointed(name: str, text: str, options: Sequence[str]) -> bool:
    """Whether a wish stands in the message, or is an option that it may point at."""
    if name not in options or name.casefold() in text or _REFERS.search(text):
        return True
    return any(word[:5] in text for word in re.findall(r"\w{4,}", name.casefold()))


def _dated(years: Years | None, text: str) -> bool:
    """Whether a number or decade of the text lies within ten years of a bound."""
    if years is None:
        return True
    named = [int(number) for number in re.findall(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)", text)]
    for short in re.findall(r"(?<!\d)\d0(?=['’]?s)", text):
        named += [1900 + int(short), 2000 + int(short)]
    named += [decade for word, decade in DECADE_WORDS.items() if word in text]
    return any(abs(bound - year) <= 10 for bound in years if bound is not None for year in named)


def believed(model: Frame, rules: Frame, message: str, scene: Scene, checks: Checks) -> Frame:
    """The frame with the verdicts that the message bears out.

    Those of the rules stand where they cannot be misread: after "except", and where several items were seen
    and nothing is said of liking. What is on show and not named needs something that points at it, and a
    like a word of praise. A title that is hated and that the model dropped altogether is not lost.
    """
    if model.act == "chat" and rules.act == "ask_about" and rules.about:
        return rules
    excepts = _EXCEPT.search(message) is not None
    if excepts or (len(rules.seen) > 1 and not (rules.like or rules.dislike)):
        model = replace(model, like=rules.like, dislike=rules.dislike, seen=rules.seen)
        return replace(model, people=rules.people, avoid=rules.avoid) if excepts else model
    text = message.casefold()
    asks = model.act in ("ask_why", "ask_about")
    points = _REFERS.search(text) or re.search(r"\b(?:it|that|this|them)\b", text)
    praises = _PRAISES.search(_MIGHT.sub(" ", text))
    heard = [name.casefold() for key in _NAMING for name in getattr(model, key)]
    shown = [name for name in (*model.like, *model.dislike) if not _named(name, text, scene)]
    missed = [name for name in rules.like if checks.item(name) is not None and not within(name, heard)]
    if shown and missed:  # "Heat - loved it": not what is on show, but what is named
        return replace(model, like=rules.like, dislike=rules.dislike, seen=rules.seen)

    def kept(names: tuple[str, ...], missed: tuple[str, ...], praising: bool = False) -> tuple[str, ...]:
        pointed = bool(points and not asks and (praises or not praising))
        stand = [name for name in names if pointed or _named(name, text, scene)]
        return tuple(dict.fromkeys((*stand, *(name for name in missed if not within(name, heard)))))

    hated = tuple(
        name for name in rules.dislike if _is_hated(name, message) and checks.item(name) is not None
    )
    disliked = kept(model.dislike, hated)
    praised = tuple(name for name in model.like if not (asks and name in model.about))
    people = tuple(name for name in disliked if _is_person(name, checks))
    return replace(
        model,
        like=kept(praised, (), praising=True),
        dislike=tuple(name for name in disliked if name not in people),
        seen=kept(model.seen, ()),
        avoid=(*model.avoid, *people),
    )


_NAMING = ("like", "dislike", "seen", "want", "avoid", "people", "about")


def _named(name: str, text: str, scene: Scene) -> bool:
    return name not in scene.shown or name.casefold() in text


def _is_hated(name: str, message: str) -> bool:
    """Whether a word of hatred stands right before a name."""
    hates = (
        r"hate[ds]?|dislike[ds]?|despised?|can['’]?t stand|could ?n['’]?t stand|did ?n['’]?t (?:like|enjoy)"
    )
    return re.search(rf"\b(?:{hates})\s+{re.escape(name)}", message, re.I) is not None


def _is_person(name: str, checks: Checks) -> bool:
    return checks.item(name) is None and checks.vocabulary.person(name) is not None
