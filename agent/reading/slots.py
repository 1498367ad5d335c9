"""Years, running time, language and audience out of a message: the slots that hold one value."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from agent.reading.years import LOOKALIKES, NOT, read_years
from retrieval.types import Years

_NUMBER_WORDS = {
    "one": 1, "two": 2, "three": 3, "an": 1, "a": 1, "une": 1, "una": 1, "eine": 1, "uma": 1,
    "deux": 2, "dos": 2, "due": 2, "zwei": 2, "duas": 2, "trois": 3, "tres": 3, "tre": 3, "drei": 3,
    "três": 3,
}  # fmt: skip
_LANGUAGES = {
    "french": "french", "français": "french", "spanish": "spanish", "español": "spanish", "german": "german",
    "deutsch": "german", "französisch": "french", "italiano": "italian", "português": "portuguese",
    "italian": "italian", "japanese": "japanese", "korean": "korean", "chinese": "chinese",
    "mandarin": "chinese",
    "cantonese": "cantonese", "hindi": "hindi", "russian": "russian", "portuguese": "portuguese",
    "swedish": "swedish", "danish": "danish", "norwegian": "norwegian", "dutch": "dutch", "polish": "polish",
    "arabic": "arabic", "persian": "persian", "turkish": "turkish", "english": "english", "czech": "czech",
    "finnish": "finnish", "greek": "greek", "hungarian": "hungarian",
}  # fmt: skip

_NO_SUBTITLES = re.compile(
    r"\b(?:no|not|nothing with|without|hate|dislike|can['’]?t stand|(?:want|like|read))"
    r" (?:any |reading )?subtitles\b",
    re.I,
)

_MINUTES = re.compile(
    r"\b(?:under|less than|below|shorter than|at most|max(?:imum)?(?: of)?|up to|no(?:t|thing)? (?:more"
    r"|longer) than|"
    r"within|no(?:t|thing)? over|nothing (?:above|beyond)|no more than|in under|höchstens|maximal|unter"
    r"|moins de|menos de|meno di)\s+(?P<n>\d{1,3}(?:\.\d)?|" + "|".join(_NUMBER_WORDS) + r")\s*"
    r"(?P<unit>hours?|hrs?|stunden?|heures?|horas?|ore|h|minut(?:es?|en|os|i)|mins?|m)\b"
    r"(?P<half>\s+and a half)?",
    re.I,
)
_AT_MOST = re.compile(
    r"\b(?P<n>\d{1,3}(?:\.\d)?|" + "|".join(_NUMBER_WORDS) + r")\s*"
    r"(?P<unit>hours?|hrs?|h|minutes?|mins?)\b(?P<half>\s+and a half)?"
    r"\s+(?:max\w*|tops|at (?:the )?most|or (?:less|under|shorter)|limit)\b",
    re.I,
)
"""The limit after the number: "an hour and a half max"."""
_AUDIENCES = (
    ("family", r"(?:for\s+(?:(?:the|my|our|your|some)\s+)?|with\s+(?:the|my|our|her|his|their)\s+"
               r"|(?:watch|see)\s+with\s+)"
               r"(?:whole\s+|little\s+|young\s+|small\s+)?"
               r"(?:kids?|kiddos?|children|family|daughter|son|nephew|niece|grandkids|toddlers?"
               r"|little ones?)\b"
               r"(?!\s+(?:secrets?|drama|business|feud|values|tragedy|man|members?|issues|in\s))"
               r"|family[- ]friendly|all ages|kid[- ]friendly|(?<!mafia )(?<!crime )"
               r"(?:kids?|children'?s|family) (?:film|movie|flick|night)s?"
               r"|(?:[1-9]|1[0-2])[- ]?(?:y/?o|(?:year|yr)s?[- ]?olds?)|para (?:niños|toda la familia)"
               r"|pour (?:les )?enfants|en famille"),
    ("teen", r"(?:for|with)\s+(?:my\s+|our\s+|a\s+)?(?:teen(?:ager)?s?|adolescents?)"
             r"|1[3-7][- ]?(?:y/?o|(?:year|yr)s?[- ]?olds?)"),
    ("adult", r"(?:for|only)\s+(?:us\s+)?(?:adults?|grown[- ]?ups)"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slots:
    """The single-valued slots of one message; None = not said. `not_audience`, `not_language`: those it
    refused.
    """

    years: Years | None = None
    language: str | None = None
    max_minutes: int | None = None
    audience: str | None = None
    not_audience: str | None = None
    not_language: str | None = None


def language_names() -> frozenset[str]:
    """The languages that a frame can name, as catalogues spell them."""
    return frozenset(_LANGUAGES.values())


def spoken_languages(text: str) -> frozenset[str]:
    """The languages that a text names, as catalogues spell them."""
    return frozenset(name for word, name in _LANGUAGES.items() if re.search(rf"\b{word}\b", text, re.I))


def language_of(word: str) -> str | None:
    """The language that a word names, as catalogues spell it; None for any other word."""
    return _LANGUAGES.get(word.lower())


def read_slots(text: str, latest: int | None = None, languages: Collection[str] = ()) -> Slots:
    """Read the slots of `text` (titles already masked). `latest`: newest year, for "recent".

    `languages`: those of the catalogue, which are understood besides the most frequent ones.
    """
    spelled, text = text, text.translate(LOOKALIKES)
    audience, refused = _audience(text)
    return Slots(
        years=read_years(text, latest),
        language=_language(text, languages),
        max_minutes=_max_minutes(text),
        audience=audience,
        not_audience=refused,
        not_language=_refused_language(spelled, languages),
    )


def _max_minutes(text: str) -> int | None:
    match = _MINUTES.search(text) or _AT_MOST.search(text)
    if not match:
        if re.search(
            r"\b(?:something|anything|a) short(?:er)?\b|\bshort (?:film|movie|one)s?\b"
            r"|\bnot(?:hing)? (?:too|that|very) long\b",
            text,
            re.I,
        ):
            return 100
        return None
    number = match["n"].lower()
    amount = float(_NUMBER_WORDS.get(number, 0) or number)
    if match["half"]:
        amount += 0.5
    return round(amount * 60) if match["unit"].lower()[0] in "hso" else round(amount)


def _language(text: str, languages: Collection[str]) -> str | None:
    if _NO_SUBTITLES.search(text):
        return "english"
    names = "|".join(map(re.escape, (*_LANGUAGES, *sorted(languages))))
    match = re.search(
        rf"\b(?:in|auf|en) ({names})\b|\b({names})[- ](?:language|speaking|film|movie|cinema|comed|thriller"
        rf"|drama|horror|romance|love|stor|documentar|western|musical|animat|classic|myster|fantas|crime|war|one)",
        text,
        re.I,
    )
    if not match or NOT.search(text[: match.start()]):
        return None
    name = (match[1] or match[2]).lower()
    return _LANGUAGES.get(name, name)


def _refused_language(text: str, languages: Collection[str]) -> str | None:
    """The language that the text wants nothing in: "not in Korean", "no French films", "but not Korean"."""
    names = "|".join(map(re.escape, (*_LANGUAGES, *sorted(languages))))
    match = re.search(
        rf"\b(?:no(?:t|thing)?|without|avoid|except(?: for)?|anything but)\s+(?:(?:in|any|more)\s+){{0,2}}"
        rf"({names})\b(?!\s+(?!films?|movies?|cinema|ones?|language|please|this|either|and|or|but)\w)",
        text,
        re.I,
    )
    return None if match is None else _LANGUAGES.get(match[1].lower(), match[1].lower())


def _audience(text: str) -> tuple[str | None, str | None]:
    for audience, pattern in _AUDIENCES:
        match = re.search(rf"\b(?:{pattern})\b", text, re.I)
        if match:
            refused = bool(NOT.search(text[: match.start()]))
            return (None, audience) if refused else (audience, None)
    return None, None
