"""What a message does in the conversation: undo, ask why, ask for more, greet, ..."""

from __future__ import annotations

import re

from agent.types import Act

_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_ORDINALS |= {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5}
ORDINAL = re.compile(
    r"\b(?:the\s+)?(?:(?P<word>first|second|third|fourth|fifth|last|1st|2nd|3rd|4th|5th)(?:\s+(?:one"
    r"|film|movie|option))?"
    r"|(?:number|no\.?|#|option)\s*(?P<digit>[1-9]))(?!\s+(?:time|half|part|thing|night|week\w*|month|year|evening|\d))(?![\w'])",
    re.I,
)

_PATTERNS: tuple[tuple[Act, tuple[str, ...]], ...] = (
    (
        "undo",
        (
            r"^(?:(?:please|hm+|no|oops|sorry|wait|ok(?:ay)?|and)[,\s]+)*(?:undo|go back|step back"
            r"|(?:take|put) (?:that|it) back|scratch that|revert)\b",
            r"^(?:no,?\s+)?(?:forget (?:that|what i (?:just )?said)|i take that back)\b",
        ),
    ),
    (
        "reset",
        (
            r"\b(?:start (?:over|again|afresh|fresh)|reset|begin again|clear everything|forget everything)\b",
            r"\b(?:from scratch|new search|empezar de nuevo|recommencer|von vorne)\b",
        ),
    ),
    (
        "ask_why",
        (
            r"^(?:(?:but|and|so|ok(?:ay)?|hm+)[,\s]+)*(?:why|how come|what makes you|explain|por qué"
            r"|pourquoi)\b",
            r"\bwhat makes you (?:think|say|recommend|suggest)\b",
            r"\bwhy (?:did you|do you|would you|are you|is it|was it|that one|this one|those|these)\b",
            r"[.!?,]\s+(?:and |but )?why (?:(?:the|this|that|not)\b|[\ue000-\uf8ff])",
        ),
    ),
    (
        "ask_about",
        (
            r"\btell me (?:more |something )?about\b|\bwhat(?:['’]s| is| are)\b.{0,60}\babout\b",
            r"\bwho (?:directed|made|stars?|is in|plays)\b|\bmore (?:info|details)\b",
            r"\bwhen (?:was|did)\b.{0,60}\b(?:made|released|come out)\b|\bhow long is\b"
            r"|\bwhat year (?:is|was)\b",
            r"(?<!what )\b(?:do you (?:have|know)|have you (?:got|seen|heard of)|did you (?:see|watch))\b",
            r"(?:^|[,.!?]\s+)(?:(?:and|but|so|ok(?:ay)?|hm+|wait)[,\s]+)*(?:is|was|are)"
            r" (?:it|that|this|they|[\ue000-\uf8ff])\s[^?]{1,40}\?",
            r"\bis .{1,60} (?:any good|worth)\b"
            r"|^(?:and )?is .{1,80} or .{1,80} (?:better|longer|shorter|older|newer|scarier|funnier)\b",
            r"\bwhich (?:one |of (?:these|those|them) )?(?:is|was|has|runs|came|of|would|should)"
            r"\b.{0,60}\?|\bcompare\b",
        ),
    ),
    (
        "more",
        (
            r"^(?:(?:ok(?:ay)?|and|please|yes)[,\s]+)*(?:show|give) me (?:some |a few )?"
            r"(?:more|others|another|something else)[.!?]*$",
            r"^(?:(?:ok(?:ay)?|and|please|yes)[,\s]+)*(?:(?:some|any|one) )?more"
            r"(?: please| options| ideas| films| movies| of (?:these|those|that|the same)"
            r"| like (?:these|this|those|that))?[.!?]*$",
            r"^(?:another(?: one)?|any others?|any more|anything else|others?|next|keep going"
            r"|different ones)[.!?]*$",
            r"\b(?:what|anything) else[.!?]*$|\bidc\b",
            r"\bwhat (?:would|can|do) you (?:recommend|suggest|have)\b|^show me (?:what(?:ever)?|everything"
            r"|all)(?: that)? you(?:['’]ve)? (?:have|got)\b",
            r"^(?:and )?(?:what|anything|something|who) else\b|^other (?:options|ideas|suggestions)\b",
            r"\b(?:surprise (?:me|us)|you (?:choose|pick|decide)"
            r"|(?:just )?pick (?:something|smth|sth|one|anything)"
            r"|dealer['’]?s choice)\b",
            r"^(?:whatever|no preference)\b",
            r"\b(?:best|greatest|top|most popular|highest rated|most loved)(?: rated)? (?:\d+ )?"
            r"(?:movies?|films?)(?: of all time| ever(?: made)?)?[.?!]*$",
            r"^(?:i )?do not (?:care|mind)[.!?]*$|^any(?:thing)?(?: is fine| goes| will do)?[.!?]*$",
            r"^(?:just )?(?:recommend|suggest) (?:me )?(?:something|anything|a (?:film|movie))[.!?]*$"
            r"|^(?:más|encore)\b",
        ),
    ),
    (
        "reject",
        (
            r"^(?:no(?:pe)?|nah|none|neither|pass|non|not (?:these|those|any))"
            r"(?:[\s,]+(?:of (?:these|those|them)|thanks|thank you|one))*[\s.!]*$",
            r"^i do not (?:like|want) (?:any|these|those|them)(?: of (?:these|those|them))?[\s.!]*$",
        ),
    ),
    (
        "accept",
        (
            r"^(?:yes|yeah|yep|yup|sure|ok(?:ay)?|sounds (?:good|great|perfect)|perfect|great|deal"
            r"|go ahead)\b",
            r"^(?:fine(?: by me)?|please do|i['’]ll (?:take|watch|try)|i will (?:take|watch|try)|sí|oui"
            r"|d['’]accord)\b",
            r"^let['’]?s (?:watch|go with|do)\b|^that(?:['’]s| is) (?:fine|it|perfect)\b",
        ),
    ),
)
_COMPILED = tuple((act, re.compile("|".join(patterns), re.I)) for act, patterns in _PATTERNS)
_CRITIQUE = re.compile(
    r"\b(?:newer|older|less|too|shorter|longer|lighter|darker|funnier|scarier|instead|rather|"
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


def spelt_out(text: str) -> str:
    """The text with "y" as "why" where it opens a question: a model reads "y the 2nd one??" as consent."""
    return re.sub(r"^\s*y(?=\s+(?:the|this|that|these|those|did|do|not|is|are|u)\b)", "why", text, flags=re.I)


def is_critique(text: str) -> bool:
    """Whether the wording compares with, or corrects, what went before."""
    return bool(_CRITIQUE.search(text))


def read_ordinals(text: str, count: int) -> tuple[tuple[int, int, int], ...]:
    """(start, end, position from 1) of "the second one", "number 3", "the last", of `count` on show."""
    found = []
    for match in ORDINAL.finditer(text):
        word = (match["word"] or "").lower()
        position = count if word == "last" else _ORDINALS.get(word) or int(match["digit"] or 0)
        if 1 <= position <= count:
            found.append((match.start(), match.end(), position))
    return tuple(found)


_DROPS = re.compile(
    r"\b(?:never ?mind|forget(?: about)?|drop|lift|i do not care about|regardless of)\s+"
    r"(?:(?:the|my|any)\s+)?"
    r"(?P<what>[^.,;!?]{1,60}?)(?=\s+(?:limit|rule|thing|but|and|now|please)\b|[.,;!?]|$)"
    r"|\b(?:another|a different|some other) (?P<other>director|filmmaker|actor|actress)\b"
    r"|\bany (?P<any>year|length|language|age|decade|era|genre)\b"
    r"|\b(?:no|without(?: an?y?)?|senza|sin|sans|ohne|sem) (?:limits?|limiti|l[íi]mites?|limites?)"
    r" (?:on|of|for|to|di|de|do|du) (?:the )?(?P<free>\w+)|\b(?:no|without(?: an?y?)?) (?P<un>\w+) limits?"
    r"|\b(?:it )?(?:do|does|did) not (?:have|need) to be (?:an? |the )?"
    r"(?P<needless>[^.,;!?\ue000-\uf8ff]{1,40})"
    r"|\b(?P<idle>\w{1,30}(?: time)?)\s+(?:does not matter|is not important|is no issue)\b"
    r"|(?:^|[.,;!?]\s*)(?:(?:ok(?:ay)?|well|fine|yeah|yes|and|but|all right)[,\s]+)*"
    r"(?!\s*(?:it|that|this|these|those|all|both|either|any|anything|everything|everyone|which|what|who|there)\b)"
    r"(?P<back>[^.,;!?\ue000-\uf8ff]{1,60}?)\s+(?:is|are|would be)\s+(?:also |totally |perfectly |just )?"
    r"(?:fine|ok(?:ay)?|optional|allowed|all right|alright|no problem|not necessary)\b"
    r"(?:\s+(?:after all|again|now|too))?",
    re.I,
)
_SLOT_WORDS = {
    "years": "year years decade era age old older new newer date anno anni año años année années jahr "
    "jahre ano anos",
    "max_minutes": "length minutes runtime hour hours long longer duration time durata duración durée "
    "duração tempo",
    "language": "language languages lingua lengua idioma langue sprache língua",
    "audience": "audience kids children family",
    "people": "director filmmaker actor actress actors people",
}


def read_drops(text: str) -> tuple[tuple[int, int, str], ...]:
    """(start, end, what) of promises that `text` takes back: a slot's name or a value in its words."""
    found = []
    for match in _DROPS.finditer(text):
        what = next(text for text in match.groups() if text).strip().lower()
        words = set(what.replace("running time", "runtime").split())
        slot = next((name for name, known in _SLOT_WORDS.items() if words & set(known.split())), None)
        found.append((match.start(), match.end(), slot or what))
    return tuple(found)


def without_reset(text: str) -> str:
    """The text without "start over" and the like."""
    reset = dict(_COMPILED)["reset"]
    return reset.sub(" ", text, count=1).lstrip(" .,!-")
