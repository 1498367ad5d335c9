"""Small talk and what lies off the road: greetings, thanks, the weather, orders to break the rules."""

from __future__ import annotations

import re

_CHAT = (
    (
        "injection",
        r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:rules?|instructions?|prompts?"
        r"|previous|above)"
        r"|\b(?:system|hidden|your) prompt\b|\bjailbreak\b|\byou are now\b|\bact as\b|\bpretend (?:to be"
        r"|you)|^\W*system\b\s*:|\bfrom now on\b.{0,40}\b(?:recommend|say|answer|you)\b",
    ),
    ("weather", r"\b(?:weather|rain(?:ing|y)?|snow(?:ing)?|sunny|forecast|temperature outside)\b"),
    (
        "who",
        r"\b(?:who|what) are you\b|\bare you (?:a |an )?(?:bot|robot|human|ai|real)\b|\byour name\b"
        r"|\bwho made you\b",
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


def small_talk(message: str) -> str | None:
    """Which kind of small talk a message is, the name of its answer in phrases.yaml; None if none."""
    return next((name for name, pattern in _CHAT if re.search(pattern, message, re.I)), None)
