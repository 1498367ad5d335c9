"""Whether somebody says of themselves that they want to die or come to harm.

Films are full of killing and dying, and people say "I'm dying to see it" and "this kills me". So only the
first person counts, and figures of speech ("die laughing", "kill myself if I see another one") do not.
"""

from __future__ import annotations

import re

_FIGURE = (
    r"(?!\s+(?:laughing|with laughter|(?:of|from|out of) (?:laughter|laughing|boredom|embarrassment|cringe"
    r"|shame)|hard(?:er)?\b|another day|tomorrow never|trying|watching|for\b|over\b|to see\b|to watch\b"
    r"|if (?:i|we|you)\b|than\b))"
)
_HARM = r"(?:kill|killing|hurt|hurting|harm|harming|cut|cutting|unalive)\s+myself"
_END = r"(?:end|ending|take|taking)\s+my(?: own)? life"
_TO_BE = r"(?:am|['’]?m|have been|['’]?ve been|feel|been feeling|keep being)"
_DISTRESS = (
    rf"(?<!rather )(?<!could )(?<!almost )(?<!nearly )(?<!would )\b(?:{_HARM}|{_END})\b{_FIGURE}",
    rf"\bi\s+(?:\w+\s+){{0,2}}?(?:want(?:ed)? to|wanna|wish i could|hope i|would like to|need to)\s+"
    rf"(?:just\s+)?(?:die|be dead|kms)\b{_FIGURE}",
    r"\bi(?:\s+(?:just\s+|really\s+)?(?:want to|wanna|am going to|am gonna|will)|['’]?m (?:going to|gonna))"
    r"\s+(?:just\s+)?end it(?: all)?\b(?!\s+(?:on|with|there))",
    rf"\bi\s*{_TO_BE}\s+(?:\w+\s+){{0,2}}?suicidal\b|\b(?:having|have|my)\s+suicidal\s+(?:thoughts|feelings)",
    r"\bthinking (?:about|of) (?:suicide|dying)\b|\bi\b[^.!?]{0,30}\bself[- ]?harm(?:ing|ed)?\b",
    r"\bi wish i (?:was|were) (?:dead|never born)\b|\bbetter off without me\b"
    r"|\bi (?:would|['’]?d) be better off dead\b",
    r"\bi (?:do not|don['’]?t) want to (?:live|be alive|exist|wake up)\b(?!\s+(?:in|with|on|at|near))"
    r"|\bi (?:do not|don['’]?t) want to (?:be here|go on) any ?more\b",
    r"\b(?:nothing|no reason) (?:left )?to live for\b|\bno reason to live\b"
    r"|\b(?:my )?life (?:is not|isn['’]?t) worth living\b|\blife makes me (?:want to|wanna) die\b",
    r"\bich will (?:sterben|nicht mehr leben|mich umbringen)\b|\bquiero (?:morir|matarme|suicidarme)\b"
    r"|\bje veux (?:mourir|me tuer)\b|\bvoglio (?:morire|uccidermi)\b|\bquero (?:morrer|me matar)\b",
)
_THEIRS = re.compile(
    r"\b(?:films?|movies?|stor(?:y|ies)|characters?|scenes?|plots?|thrillers?|dramas?|about (?:a|an|someone"
    r"|somebody|people|how|suicide))\b[^.!?]{0,60}?\b(?:who|whose|where|called|titled|saying|says|about)\b",
    re.I,
)
"""Leads in what somebody in a film says: "a film where he says I want to die"."""
_COMPILED = re.compile("|".join(_DISTRESS), re.I)


def in_distress(message: str) -> bool:
    """Whether the writer speaks of wanting to die or of harming themselves."""
    return any(
        not _THEIRS.search(message[: match.start()][-120:]) for match in _COMPILED.finditer(message[:4000])
    )
