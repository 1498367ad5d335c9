"""What a message says only in passing: remarks on films, and tastes that are told rather than asked for.

"It was so funny" asks for no comedy, and "I love horror, but today something calm" for no horror. Names
are expected to be masked, each by a character of its own (`agent.reading.names`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.reading.cues import PRONOUN, SPLIT
from agent.reading.names import Named
from agent.reading.vocabulary import Vocabulary
from retrieval.types import Facet

_Thing = Facet | str
"""A facet of the catalogue, or the name of a person in lower case."""
_MARK = "[\ue000-\uf8ff]"
_ASKS = re.compile(
    r"\b(?:want\w*|wanna|need\w*|look(?:ing)? (?:for|to)|on the lookout|search\w*|find|recommend\w*"
    r"|suggest\w*|give|show|something|anything|someone|mood|feel(?:ing)? like|fancy|craving|hoping|hope"
    r"|prefer\w*|ideally|please|pls|plz"
    r"|(?:would|['’]d|d) (?:really |also |rather )?(?:like|love|prefer|enjoy)"
    r"|(?:can|could|would|will) you|have you got|got any|do you (?:have|know)|you (?:know|have) (?:any|of)"
    r"|(?:what|how) about|thinking (?:of|about)|let['’]?s|make it|should|must|(?:has|have|got|needs?) to"
    r"|tonight|today|any|more(?! of an?\b)|another|only|what else|which|(?:is|are) there|i['’]?ll take|go for"
    r"|for me|(?:am|['’]m) after|help me)\b",
    re.I,
)
"""What asks for something, whatever else is said of it."""
_BARE = re.compile(
    r"\b(?:recommend\w*|suggest\w*|ideas?|looking for|help|something|anything|please"
    r"|what (?:do|would|else|can|should)|(?:give|show|find|tell) me|got any|have any"
    r"|any(?: good)? (?:movies?|films?|ones|others?))\b",
    re.I,
)
"""Asks for whatever the message speaks of."""
_TELLS = re.compile(
    r"\b(?:i|we|you|he|she|they|(?:my|our) \w+(?: and i)?|everyone|wife|husband|kids?|who|and|but|also)"
    r"['’]?(?:m|ve|re)?\s+(?:\w+\s+){0,2}?(?:lik(?:e[ds]?|ing)|lov(?:e[ds]?|ing)|enjoy(?:s|ed|ing)?"
    r"|ador(?:e[ds]?|ing)|dig|saw|seen|watch(?:ed)?|rewatched)\b"
    r"|^\W*(?:(?:oh|yes|yeah|well|really|also|just|always|absolutely|totally)\W+)*"
    r"(?:love[ds]?|liked?|enjoy(?:ed)?|adored?)\b"
    r"|\b(?:am|['’]m|are|['’]re|been|got|gotten|is|['’]s)\s+(?:\w+\s+){0,2}?into\b"
    r"|\bfans?\b|\bfavou?rites?\b|\baddict\w*|\bobsessed\b|\bbig on\b|\bpartial to\b|\bsoft spot\b"
    r"|\bcan (?:not|['’]?t) go wrong\b",
    re.I,
)
"""What tells of somebody's taste."""
_OPENING = (
    r"^\W*(?:(?:and|but|so|oh|ah|yes|yeah|yep|no|ok|okay|well|wow|ha\w*|lol|also|because|since|i|we|you|he|she"
    r"|they|think|thought|guess|believe|remember|know|heard|hear|found|find|mean|said|like|that|really|sure"
    r"|hmm|now|then)\W+){0,4}?"
)
_IS = (
    r"(?:was|were|is|are|['’]s|['’]re|isnt|wasnt|looks?|looked|sounds?|sounded|seems?|seemed|had|has"
    r"|came out)\b(?!\s+(?:to|for|got|gotta|been|my|our|what|fine|okay|ok"
    r"|time|enough|date|movie|family|game)\b)"
)
_FILM = (
    r"(?:(?:it|that|this|they|those|these|he|she|which|both|all of (?:them|those))(?: \w+)?"
    r"|(?:that|this|the \w+) (?:one|film|movie|flick|sequel|original)s?"
    rf"|{_MARK}(?:\s*(?:,|and|or|&)\s*{_MARK})*)"
)
_REMARK = re.compile(
    rf"{_OPENING}{_FILM}\s*{_IS}|{_OPENING}its\s+(?:an?|so|such|the|one|really|very|pretty)\b"
    rf"|^\W*(?:is|was|are|were)\s+(?:it|that|this|they|{_MARK})"
    r"|\b(?:i|we)(?:['’]?m|['’]re| am| are| live| come| was| were)\s+(?:originally )?"
    r"(?:from|in|living in|born in)\b|^\W*(?:what a|such an?|so(?! (?:an?|it|[\w-]+ it is)\b))\s",
    re.I,
)
"""Says how a film is or was, or asks that; "they should be funny" and "it has to be a comedy" ask for one."""
_AGAINST = re.compile(r"\b(?:not|no|never|too|nothing|hate\w*|less)\b|n['’]t\b", re.I)
_OTHERS = re.compile(
    r"\b(?:similar|same|ones?|(?:of|for) (?:that|it|this|these|those|them)"
    r"|(?:nothing|something|anything|films?|movies?|more|much|exactly) like"
    r" (?:that|it|this|these|those|them))\b",
    re.I,
)
"""Speaks of other films than the one that was named."""
_EXAMPLE = re.compile(
    rf"\b(?:classics?|recent|newer|older|modern|new|old|latest)\b[^.!?\ue000-\uf8ff]{{0,30}}?"
    rf"\b(?:like|such as|including|are|eg)\s+(?P<mark>{_MARK})",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Passing:
    """What a message names nowhere but in passing: `told` of the user's taste, `remarked` of some film.
    People are in lower case, and told of either way.
    """

    told: frozenset[Facet] = frozenset()
    people: frozenset[str] = frozenset()
    remarked: frozenset[Facet] = frozenset()


def is_remark(clause: str) -> bool:
    """Whether a masked clause says how a film is rather than what is wanted. What is held against a film
    is no mere remark: "that was too scary" wants less of it.
    """
    elsewhere = any(pattern.search(clause) for pattern in (_ASKS, _TELLS, _AGAINST))
    return _REMARK.search(clause) is not None and not elsewhere


def speaks_back(clause: str) -> bool:
    """Whether a clause says more of a film named before ("hated it") and asks for no other ("not that")."""
    return PRONOUN.search(clause) is not None and not (_ASKS.search(clause) or _OTHERS.search(clause))


def without_remarks(masked: str) -> str:
    """A masked message with its remarks blanked; offsets stay."""
    return "".join(" " * len(piece) if is_remark(piece) else piece for piece in _pieces(masked))


def examples_of_age(masked: str, named: Sequence[Named]) -> frozenset[str]:
    """Names given as examples of what is old or new: "classics like Alien"."""
    marks = {name.mark: name.text for name in named}
    return frozenset(marks[found["mark"]] for found in _EXAMPLE.finditer(masked) if found["mark"] in marks)


def in_passing(masked: str, named: Sequence[Named], vocabulary: Vocabulary) -> Passing:
    """What is named in clauses that tell, or remark, and in none that asks.

    A clause that does neither goes with the one it is joined to by a comma, and asks where it stands alone
    ("90s horror"). A request that names nothing ("... any ideas?") asks for the one thing that was told.
    """
    marks = {name.mark: name.text.lower() for name in named if name.kind == "person"}
    told, asked, remarked = set[_Thing](), set[_Thing](), set[_Thing]()
    telling = bare = False
    for piece, joined in _clauses(masked):
        things = _things(piece, marks, vocabulary)
        if is_remark(piece):
            remarked |= things
            continue
        asks = bool(_ASKS.search(piece))
        if not things and _BARE.search(piece) and not re.search(_MARK, piece):
            bare = True
        telling = not asks and (bool(_TELLS.search(piece)) or (telling and joined))
        (told if telling else asked).update(things)
    told -= asked
    if bare and len(told) == 1:
        told = set()
    remarked -= asked | told
    return Passing(
        frozenset(thing for thing in told if isinstance(thing, Facet)),
        frozenset(thing for thing in told | remarked if isinstance(thing, str)),
        frozenset(thing for thing in remarked if isinstance(thing, Facet)),
    )


def _things(piece: str, marks: dict[str, str], vocabulary: Vocabulary) -> set[_Thing]:
    facets = {facet for found in vocabulary.find(piece) for facet in found.term.facets}
    return {*facets, *(marks[char] for char in piece if char in marks)}


def _clauses(masked: str) -> Iterator[tuple[str, bool]]:
    """Each clause, and whether a comma or "and" joins it to the one before."""
    joined = False
    for piece in _pieces(masked):
        if SPLIT.fullmatch(piece):
            joined = piece.strip().lower() in (",", "and", "or")
        elif piece.strip():
            yield piece, joined
            joined = True


def _pieces(masked: str) -> list[str]:
    return [piece for piece in SPLIT.split(masked) if piece]
