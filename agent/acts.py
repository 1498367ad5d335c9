"""What a message does in the conversation: undo, ask why, ask for more, greet, ..."""

from __future__ import annotations

import re

from agent.types import Act

_ORDINALS = {
    "first": 1,
    "1st": 1,
    "second": 2,
    "2nd": 2,
    "third": 3,
    "3rd": 3,
    "fourth": 4,
    "4th": 4,
    "fifth": 5,
    "5th": 5,
}
ORDINAL = re.compile(
    r"\b(?:the\s+)?(?:(?P<word>first|second|third|fourth|fifth|last|1st|2nd|3rd|4th|5th)(?:\s+(?:one|film|movie|option))?"
    r"|(?:number|no\.?|#|option)\s*(?P<digit>[1-9]))(?!\s+(?:time|half|part|part|thing|\d))(?![\w'])",
    re.I,
)

_PATTERNS: tuple[tuple[Act, str], ...] = (
    ("undo", r"^(?:please\s+)?(?:undo\b|go back\b|step back\b|take (?:that|it) back|scratch that|"
             r"forget (?:that|what i (?:just )?said)|(?:no,?\s+)?i take that back|revert\b)"),
    ("reset", r"\b(?:start (?:over|again|afresh|fresh)|reset|begin again|clear everything|forget everything|"
              r"from scratch|new search|empezar de nuevo|recommencer)\b"),
    ("ask_why", r"^(?:but\s+|and\s+|so\s+)?(?:why\b|how come\b|what makes you\b|explain\b|por qué|pourquoi)(?! don't we\b)"),
    ("ask_about", r"\b(?:tell me (?:more |something )?about|what(?:'s| is| are)\b.{0,60}\babout\b|who (?:directed|made|stars?|is in|plays)|"
                  r"more (?:info|details)|when (?:was|did)\b.{0,60}(?:made|released|come out)|how long is|what year (?:is|was)|"
                  r"do you (?:have|know)\b|have you got|is .{1,60} (?:any good|worth))"),
    ("more", r"^(?:ok(?:ay)?,?\s+|and\s+|please\s+)?(?:(?:show|give) me (?:some |a few )?(?:more|others|another|something else)|more\b(?:\s+(?:please|options|"
             r"like (?:these|this|those|that)|films|movies|of (?:these|those|the same)))?[.!?]*$|another(?: one)?[.!?]*$|any(?:thing|\s+others?| more)(?: else)?[.!?]*$|"
             r"(?:what|anything|something|who) else\b|others?[.!?]*$|next[.!?]*$|keep going|different ones|other (?:options|ideas|suggestions)|"
             r"surprise me|you (?:choose|pick|decide)|dealer'?s choice|whatever|(?:i )?(?:do not|don't) (?:care|mind)[.!?]*$|no preference|"
             r"any(?:thing)? (?:is fine|goes|will do)|(?:just )?(?:recommend|suggest) (?:me )?(?:something|anything|a (?:film|movie))[.!?]*$|más|encore)"),
    ("reject", r"^(?:no(?:pe|ne|pe,? thanks)?|nah|neither|none(?: of (?:these|those|them))?|not (?:these|those|any of)|pass|"
               r"i (?:do not|don't) (?:like|want) (?:any|these|those|them)|non)\b[\s.!,]*(?:of (?:these|those|them)|thanks|thank you|one)?[\s.!]*$"),
    ("accept", r"^(?:yes|yeah|yep|yup|sure|ok(?:ay)?|sounds (?:good|great|perfect)|perfect|great|deal|fine(?: by me)?|go ahead|please do|"
               r"i(?:'ll| will) (?:take|watch|try)|let'?s (?:watch|go with|do)|that(?:'s| is) (?:fine|it|perfect)|sí|oui|d'accord)\b"),
)  # fmt: skip
_COMPILED = tuple((act, re.compile(pattern, re.I)) for act, pattern in _PATTERNS)
_CRITIQUE = re.compile(
    r"\b(?:newer|older|less|more|too|shorter|longer|lighter|darker|funnier|scarier|another|instead|rather|"
    r"no,|not (?:so|that|as)|i (?:did not|didn't) (?:say|ask|mean))\b|^no[,\s]",
    re.I,
)


def read_act(text: str) -> Act | None:
    """The act that the wording alone shows; None when only its content can tell."""
    stripped = text.strip()
    for act, pattern in _COMPILED:
        if pattern.search(stripped):
            return act
    return None


def is_critique(text: str) -> bool:
    """Whether the wording compares with, or corrects, what went before."""
    return bool(_CRITIQUE.search(text))


def read_ordinals(text: str, count: int) -> tuple[tuple[int, int, int], ...]:
    """(start, end, position from 1) of "the second one", "number 3", "the last"; `count` items are on show."""
    found = []
    for match in ORDINAL.finditer(text):
        word = (match["word"] or "").lower()
        position = count if word == "last" else _ORDINALS.get(word) or int(match["digit"] or 0)
        if 1 <= position <= count:
            found.append((match.start(), match.end(), position))
    return tuple(found)
