"""Years, running time, language and audience out of a message: the slots that hold one value."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from retrieval.types import Years

_NUMBER_WORDS = {
    "one": 1, "two": 2, "three": 3, "an": 1, "a": 1, "une": 1, "una": 1, "eine": 1, "uma": 1,
    "deux": 2, "dos": 2, "due": 2, "zwei": 2, "duas": 2, "trois": 3, "tres": 3, "tre": 3, "drei": 3,
    "três": 3,
}  # fmt: skip
DECADE_WORDS = {
    "twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950,
    "sixties": 1960, "seventies": 1970, "eighties": 1980, "nineties": 1990,
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

_YOUNG = re.compile(
    r"\bwhen i was (?:a |still )?(?:kid|child|young|little|growing up|(?P<teen>teen\w*|in high school))", re.I
)
_AGE = re.compile(r"\bi(?:['’]?m| am| just turned| turned) (?P<age>[1-9]\d)\b(?!\s*(?:min|hour|%))", re.I)

YEAR = r"(?:1[89]\d\d|20\d\d)"
_DECADE = re.compile(
    r"\b(?P<part>early|mid|late)?[\s-]*(?:the\s+)?"
    r"(?:(?P<full>1[89]\d0|20\d0)['’]?s|['’]?(?P<short>[2-9]0|[01]0)['’]?s"
    r"|(?:(?:los|les|años|ann[ée]es|anni|anos|den|der)\s+)+(?P<bare>[2-9]0)(?:er)?n?"
    r"|(?P<word>" + "|".join(DECADE_WORDS) + r"))\b",
    re.I,
)
_BETWEEN = re.compile(
    rf"\b(?:between|from)?\s*({YEAR})\s*(?:-|–|to|and|until|through|till)\s*({YEAR})\b", re.I
)
_BOUND = re.compile(
    r"\b(?P<neg>no(?:t|thing)?\s+(?:\w+\s+)?)?"
    r"(?P<word>after|post|since|from|newer than|later than|more recent than|starting|"
    r"before|b4|pre|prior to|older than|earlier than|until|up to|by)[\s-]*(?:the\s+)?(?:year\s+)?"
    rf"(?P<year>{YEAR}|(?:(?:1[89]|20)\d0|[2-9]0)s)\b(?P<on>\s*(?:on|onwards?|or (?:later|newer)"
    rf"|and (?:later|up))\b)?",
    re.I,
)
_SINGLE = re.compile(rf"(?<![\w(])({YEAR})(?![\w)])\s*(\+|or (?:later|newer)|onwards?)?", re.I)
_LATE = {"after", "post", "since", "from", "newer than", "later than", "more recent than", "starting"}
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
    ("family", r"(?:for|with)\s+(?:the\s+|my\s+|our\s+)?(?:whole\s+|little\s+|young\s+|small\s+)?"
               r"(?:kids?|kiddos?|children|family|daughter|son|nephew|niece|grandkids|toddlers?|little ones?)"
               r"|family[- ]friendly|all ages|kid[- ]friendly|(?:kids?|children'?s|family) (?:film|movie"
               r"|flick|night)s?"
               r"|\d{1,2}[- ]?(?:year|yr)s?[- ]?olds?|para (?:niños|toda la familia)"
               r"|pour (?:les )?enfants|en famille"),
    ("teen", r"(?:for|with)\s+(?:my\s+|our\s+|a\s+)?(?:teen(?:ager)?s?|adolescents?)"),
    ("adult", r"(?:for|only)\s+(?:us\s+)?(?:adults?|grown[- ]?ups)"),
)  # fmt: skip
_LOOKALIKES = str.maketrans("ſıİ", "siI")
"""Letters that count as s and i where case is ignored, but do not become them in lower case."""
_NOT = re.compile(
    r"\b(?:no|not|nothing|without|isn['’]t|never|avoid|hate)\s+(?:(?:for|from|in|of|made|any|an?|the"
    r"|another|more)\s+){0,2}$",
    re.I,
)


_SET_IN = re.compile(r"\bset (?:in|during)(?: the)?\s*$", re.I)
"""Before a decade: when the story takes place, whenever it was made."""


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
    text = text.translate(_LOOKALIKES)
    audience, refused = _audience(text)
    return Slots(
        years=read_years(text, latest),
        language=_language(text, languages),
        max_minutes=_max_minutes(text),
        audience=audience,
        not_audience=refused,
        not_language=_refused_language(text, languages),
    )


def read_years(text: str, latest: int | None = None) -> Years | None:
    """The range of years that `text` asks for, inclusive; None when it names none."""
    between = _BETWEEN.search(text)
    if between:
        low, high = sorted((int(between[1]), int(between[2])))
        return (low, high)
    bound = _bounds(text)
    if bound:
        return bound
    decades = [
        _decade_range(match)
        for match in _DECADE.finditer(text)
        if not _NOT.search(f"{text[: match.start()]} ") and not _SET_IN.search(text[: match.start()])
    ]
    if decades:
        return (min(low for low, _ in decades), max(high for _, high in decades))
    single = _SINGLE.search(text)
    if single and not _NOT.search(text[: single.start()]):
        return (int(single[1]), None if single[2] else int(single[1]))
    return _relative(text, latest)


def _bounds(text: str) -> Years | None:
    low: int | None = None
    high: int | None = None
    for match in _BOUND.finditer(text):
        word = match["word"].lower()
        decade = match["year"].lower().endswith("s")
        year = int(match["year"].rstrip("sS"))
        year += 0 if year > 99 else 1900
        late = word in _LATE
        if word == "from" and not match["on"]:
            continue  # "from 1995" is that year, not a lower bound
        inclusive = word in {"since", "from", "starting", "until", "up to", "by"}
        if match["neg"]:
            late, inclusive = not late, not inclusive
        last = year + 9 if decade else year
        if late:
            low = year if inclusive else last + 1
        else:
            high = last if inclusive else year - 1
    return (low, high) if low is not None or high is not None else None


def _decade_range(match: re.Match[str]) -> tuple[int, int]:
    if match["full"]:
        start = int(match["full"])
    elif match["word"]:
        start = DECADE_WORDS[match["word"].lower()]
    else:
        short = int(match["short"] or match["bare"])
        start = 2000 + short if short < 20 else 1900 + short
    part = (match["part"] or "").lower()
    if part == "early":
        return (start, start + 3)
    if part == "mid":
        return (start + 3, start + 7)
    return (start + 6, start + 9) if part == "late" else (start, start + 9)


def _relative(text: str, latest: int | None) -> Years | None:
    """ "recent" counts from the newest year there is: a fixed year might promise nothing at all. So does the
    age of somebody who speaks of when they were young.
    """
    young, age = _YOUNG.search(text), _AGE.search(text)
    if latest is not None and young and age:
        start = latest - int(age["age"]) + (12 if young["teen"] else 5)
        return (start, min(start + 9, latest))
    if re.search(r"\b(?:this|the (?:21st|present)) century\b", text, re.I):
        return (2001, None)
    if latest is not None and re.search(
        r"(?<!not )(?<!nothing )\b(?:recent|new releases?|latest|modern|something new|new (?:film"
        r"|movie)s?)\b",
        text,
        re.I,
    ):
        return (latest - 4, None)
    if re.search(
        r"\b(?:(?<!cult )(?<!modern )(?<!instant )(?<!new )classics?"
        r"|oldies|vintage|golden age|(?:something|anything) old(?:er)?(?! than)|"
        r"old(?:er)? (?:film|movie|one|hollywood)s?)\b",
        text,
        re.I,
    ):
        return (
            None
            if _NOT.search(text) or re.search(r"\bnot(?:hing)? (?:too )?old", text, re.I)
            else (None, 1979)
        )
    return None


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
    names = "|".join(map(re.escape, (*_LANGUAGES, *sorted(languages))))
    match = re.search(
        rf"\b(?:in|auf|en) ({names})\b|\b({names})[- ](?:language|speaking|film|movie|cinema|comed|thriller"
        rf"|drama|horror|romance|love|stor|documentar|western|musical|animat|classic|myster|fantas|crime|war|one)",
        text,
        re.I,
    )
    if not match or _NOT.search(text[: match.start()]):
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
            refused = bool(_NOT.search(text[: match.start()]))
            return (None, audience) if refused else (audience, None)
    return None, None
