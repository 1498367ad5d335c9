"""Small talk and what lies off the road: distress, greetings, the weather, orders to break the rules."""

from __future__ import annotations

import re
from itertools import takewhile

from agent.reading.distress import in_distress

_QUOTED = re.compile(r"[\"“][^\"”]*[\"”]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_WEATHER_ASKED = re.compile(
    r"^\W*(?:(?:hey|hi|and|so|btw|by the way|oh)\W+)*(?:(?:is|will|does|did|was) it "
    r"(?:(?:going|supposed|likely) to |gonna |still |also |always |really |very ){0,3}"
    r"(?:rain|snow|sunny|storm|freez|cloudy|warm outside|cold outside)\w*"
    r"|(?:what|how)(?:['’]?s| is| was| will) the (?:weather|forecast|temperature)\b)",
    re.I,
)
_CHAT = (
    (
        "injection",
        r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,30}\b"
        r"(?:(?:your|all|any|the|these|system|previous|prior|above) (?:\w+ )?"
        r"(?:rules|instructions?|prompts?)\b(?! (?:of|about|for))"
        r"|(?:all|everything) (?:previous|above|before))"
        r"|\b(?:system|hidden|your) prompt\b|\bjailbreak\b|\byou are now\b|\bact as\b|\bpretend (?:to be"
        r"|you)|^\W*(?:system|assistant)\b\s*:|</?\s*(?:system|assistant|user)\b"
        r"|\bfrom now on\b.{0,40}\b(?:recommend|say|answer|you)\b",
    ),
    ("weather", r"\b(?:weather|rain(?:ing|y)?|snow(?:ing)?|sunny|forecast|temperature outside)\b"),
    (
        "who",
        r"\b(?:who|what) are you\b|\bare you (?:a |an )?(?:bot|robot|human|ai|real)\b|\byour name\b"
        r"|\bwho made you\b",
    ),
    (
        "sad",
        r"\b(?:feel(?:ing)?|am|i['’]?m|been) (?:so |really |very |a bit |kinda |pretty )?(?:down|sad|blue"
        r"|low|lonely|heartbroken|miserable|awful|stressed|overwhelmed|exhausted)\b"
        r"|\b(?:bad|rough|hard|terrible|awful|long) (?:day|week)\b"
        r"|\bbroke up\b|\bbreak[- ]?up\b|\b(?:got|been|was) (?:dumped|fired)\b",
    ),
    (
        "where_to_watch",
        r"\b(?:netflix|hulu|disney ?\+|disney plus|amazon prime|prime video|hbo|streaming|subtitles?|dubbed"
        r"|in theat(?:er|re)s)\b"
        r"|\bwhere (?:can|could|do) (?:i|we) (?:watch|see|find|stream)\b",
    ),
    (
        "skin",
        r"\b(?:no|not|without|less|fewer|hate|only) (?:\w+ )?(?:black|white|asian|brown|colou?red) "
        r"(?:people|persons?|actors?|actress(?:es)?|leads?|folks?|guys|men|women|cast)\b",
    ),
    (
        "profile",
        r"\bwhat (?:do|did|have) (?:you|u) (?:know|learn\w*|remember\w*|got|understood)\b.{0,20}"
        r"\b(?:about|of|on) me\b"
        r"|\bwhat(?:['’]s| is) (?:in )?my (?:taste|profile)\b"
        r"|\b(?:show|tell) (?:me )?(?:about )?my (?:taste|profile)\b"
        r"|\bwhat have i (?:told|said)\b",
    ),
    ("help", r"^(?:help|\?+)\W*$|\bwhat can (?:you|i)\b|\bhow (?:does this|do you|do i)\b"),
    ("thanks", r"\b(?:thanks?|thank you|thx|cheers|gracias|merci|danke|bye|goodbye|good night)\b"),
    (
        "greet",
        r"^\W*(?:hi|hello|hey|hiya|yo|good (?:morning|evening|afternoon)|hola|bonjour|hallo|ciao|salut)\b"
        r"|^\W*(?:anything new|i(?:['’]m| am) (?:back|bored)|recommend|suggest|help me (?:find|choose"
        r"|pick))\b"
        r"|\bwhat should (?:i|we)\b|\b(?:want|need|looking) (?:for |to watch )?(?:something|anything"
        r"|a (?:film|movie))\b",
    ),
)


_NO_WISH: dict[str | None, str] = {
    "profile": "asks what is known, and wishes for nothing",
    "skin": "people by their skin, which is no wish we serve",
}
"""Small talk that is answered whatever else the message says, and why."""


def small_talk(message: str) -> str | None:
    """Which kind of small talk a message is, the name of its answer in phrases.yaml; None if none."""
    if in_distress(_QUOTED.sub(" ", message)):
        return "distress"
    return next((name for name, pattern in _CHAT if re.search(pattern, message, re.I)), None)


def off_the_road(message: str) -> str | None:
    """Why a message is answered whatever else it says: somebody is in distress, or asks what is known of
    them, or for the weather ("is it raining in Paris" wishes for no film of that place); None where it may
    hold a wish."""
    if in_distress(_QUOTED.sub(" ", message)):
        return "distress, not a wish"
    if (kind := small_talk(message)) in _NO_WISH:
        return _NO_WISH[kind]
    return "the weather, not a wish" if _WEATHER_ASKED.match(message) else None


def before_orders(message: str) -> str:
    """The sentences before the first that orders the rules broken; what follows it belongs to the order.

    The message itself where there is no order in it, outside quotation marks."""
    if small_talk(_QUOTED.sub(" ", message)) != "injection":
        return message
    sentences = _SENTENCE.split(message)
    kept = list(takewhile(lambda one: small_talk(_QUOTED.sub(" ", one)) != "injection", sentences))
    return " ".join(kept) if len(kept) < len(sentences) else ""
