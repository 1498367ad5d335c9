"""What film catalogues write into a title: its year, a moved article, other titles in parentheses."""

from __future__ import annotations

import re
from dataclasses import dataclass

_YEAR = re.compile(r"\s*\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)(?:\s*\((?:V|TV|VG)\))?$")
_ARTICLES = "The|A|An|Il|Lo|La|L'|Le|Les|Un|Une|El|Los|Las|Der|Die|Das|Den|Det|De|O|Os"
_MOVED = re.compile(rf"(.+), ({_ARTICLES})")
_OTHER = re.compile(r"(.+\S) \(([^()]+)\)")
_AKA = re.compile(r"a\.?k\.?a\.?:? +", re.IGNORECASE)
# What parentheses say about an edition or a part, rather than giving another title.
_EDITION = re.compile(
    r"\b(parts?|vol(ume)?|seasons?|episodes?|edition|version|cut|remaster(ed)?|unrated|uncut|live|tv|3d)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Title:
    """`text` as people say it, other spellings in `aliases`; `full` still has its parentheses."""

    text: str
    year: int | None
    aliases: tuple[str, ...]
    full: str


def parse_title(written: str, year: int | None) -> Title:
    """Read `Horseman on the Roof, The (Hussard sur le toit, Le) (1995)` and its like.

    `year` is what another column says, or None. A year in the title counts when there is no other or
    both agree, and is then taken off; another number in parentheses stays part of the title.
    """
    match = _YEAR.search(written)
    if match and match.start() > 0 and 1850 <= int(match[1]) <= 2100 and year in (None, int(match[1])):
        year, written = int(match[1]), written[: match.start()]
    others: list[str] = []
    text = written
    while (match := _OTHER.fullmatch(text)) and _is_title(match[1], match[2]):
        others.insert(0, _AKA.sub("", match[2], count=1) if _AKA.match(match[2]) else match[2])
        text = match[1]
    full = _unmoved(text) + written[len(text) :]
    names = [form for name in (text, *others) for form in (_unmoved(name), name)]
    return Title(names[0], year, tuple(dict.fromkeys(name for name in names[1:] if name != names[0])), full)


def _unmoved(title: str) -> str:
    """`Matrix, The` is said "The Matrix", `Enfer, L'` "L'Enfer"."""
    match = _MOVED.fullmatch(title)
    if match is None:
        return title
    return match[2] + ("" if match[2].endswith("'") else " ") + match[1]


def _is_title(before: str, inside: str) -> bool:
    if inside.isdigit():
        return False
    starts_well = inside[0].isupper() or inside[0].isdigit() or _AKA.match(inside) is not None
    joined = before.rsplit(" ", 1)[-1].lower() in ("or", "and", "of")
    return starts_well and len(inside) > 1 and not joined and _EDITION.search(inside) is None
