"""Years out of a message: ranges, decades, bounds, and what counts from the newest there is."""

from __future__ import annotations

import re

from retrieval.types import Years

DECADE_WORDS = {
    "twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950,
    "sixties": 1960, "seventies": 1970, "eighties": 1980, "nineties": 1990,
}  # fmt: skip
_COUNTS = {"two": 2, "three": 3, "five": 5, "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30}
_LAST_YEARS = re.compile(
    r"\b(?:last|past) (?:(?P<n>\d{1,2}|few|couple of|"
    + "|".join(_COUNTS)
    + r") (?:years|(?P<decades>decades))"
    r"|(?P<decade>decade))\b",
    re.I,
)
_RECENT = re.compile(r"\b(?:recent|new releases?|latest|modern|something new|new (?:film|movie)s?)\b", re.I)
_OLD = re.compile(
    r"\b(?:(?<!cult )(?<!modern )(?<!instant )(?<!new )classics?|oldies|vintage|golden age"
    r"|(?:something|anything) old(?:er)?(?! than)|old(?:er)? (?:film|movie|one|hollywood)s?)\b",
    re.I,
)
_NOT_OLD = re.compile(r"\bnot(?:hing)? (?:too )?old", re.I)
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
NOT = re.compile(
    r"\b(?:no|not|nothing|without|isn['’]t|never|avoid|hate|except(?: for)?|(?:sick|tired) of)\s+"
    r"(?:(?:for|from|in|of|made|any|an?|the|another|more|like|want|need|have|to|be|show|watch|me|anything|something"
    r"|films?|movies?|that|is|are)\s+){0,5}$",
    re.I,
)
_SET_IN = re.compile(r"\bset (?:in|during)(?: the)?\s*$", re.I)
"""Before a decade: when the story takes place, whenever it was made."""


LOOKALIKES = str.maketrans("ſıİ", "siI")
"""Letters that count as s and i where case is ignored, but do not become them in lower case."""


def read_years(text: str, latest: int | None = None) -> Years | None:
    """The range of years that `text` asks for, inclusive; None when it names none."""
    text = text.translate(LOOKALIKES)
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
        if not NOT.search(f"{text[: match.start()]} ") and not _SET_IN.search(text[: match.start()])
    ]
    if decades:
        return (min(low for low, _ in decades), max(high for _, high in decades))
    single = _SINGLE.search(text)
    if single and not NOT.search(text[: single.start()]):
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
        if match["neg"] or NOT.search(text[: match.start()]):
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
    lately = _LAST_YEARS.search(text)
    if latest is not None and lately:
        word = (lately["n"] or "").lower()
        years = 10 if lately["decade"] else int(word) if word.isdigit() else _COUNTS.get(word, 5)
        return (latest - years * (10 if lately["decades"] else 1), None)
    young, age = _YOUNG.search(text), _AGE.search(text)
    if latest is not None and young and age:
        start = latest - int(age["age"]) + (12 if young["teen"] else 5)
        return (start, min(start + 9, latest))
    if re.search(r"\b(?:this|the (?:21st|present)) century\b", text, re.I):
        return (2001, None)
    recent = _RECENT.search(text)
    if latest is not None and recent and not NOT.search(text[: recent.start()]):
        return (latest - 4, None)
    old = _OLD.search(text)
    if old and not _NOT_OLD.search(text) and not NOT.search(text[: old.start()]):
        return (None, 1979)
    return None
