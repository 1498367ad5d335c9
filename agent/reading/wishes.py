"""A wish in free words: what a request asks for that no facet of the catalogue has a name for."""

from __future__ import annotations

import re

from agent.reading.vocabulary import WORD, Vocabulary

_REQUEST = re.compile(
    r"\b(?:films?|movies?|flicks?|something|anything|stor(?:y|ies)|want|looking for|mood for|need"
    r"|recommend|suggest|"
    r"set (?:in|on|during|at)|about|involving|featuring|watch)\b",
    re.I,
)
LONGEST_WORD = 30
"""Characters; what is longer is no word, and would fill the reply that repeats it."""

_ABOUT = re.compile(
    r"\b(?:about|set (?:in|on|during|at)|involving|featuring|where|who|whose|in which)\s+(.+)$", re.I
)
_FILLER_WORDS = """
next suitable directed starring theme themes based built around carried told times teenager teenagers
a an the i i'm im i'd i've you your me my we our us it its it's that this these those them they he
she and or but so if as of to in on at by for from with without about into than then too very really
quite just some any all more most less least few lot lots bit kind kinds type types sort like liked
love loved enjoy enjoyed want wanted wants would could can should do does did don't be is are was
were been am have has had give show find recommend suggest recommendation recommendations suggestion
suggestions look looking see seen saw watch watched watching film films movie movies flick flicks
picture story stories something anything nothing one ones thing things stuff please thanks thank hi
hello hey mood feel feeling feels tonight today now good great nice best better new newer newest old
older recent classic classics latest favourite favorite favorites similar different other another
else ever maybe perhaps also only not no never what which who where when how why there here up out
off over after before between since until year years decade s t ll re ve m d need get got let go
think know little big pretty bored fancy craving ok okay yes set features involving minutes mins
hours hour long short shorter under film's movie's people person man woman weekend evening night lately
rainy lazy sunday monday tuesday wednesday thursday friday saturday afternoon morning weeknight
usually normally generally always often sometimes fan fans huge interested will down ending endings vibe vibes
storyline plot tone style yo sup dude half max tops above below that's
mixed tastes taste ideally rating ratings rated
were's unos una un de los las el la que para con quiero busco ver película peliculas películas je
une des les du le veux cherche pour avec dans ich einen eine den der die das möchte suche early mid
late kids family french spanish german italian japanese english popular famous entertaining
interesting enjoyable decent solid cool awesome amazing perfect fun whole entire instead plz pls
smth sumthing gimme w wife husband girlfriend boyfriend partner friend friends mum mom dad parents
date whats make makes twenties thirties forties fifties sixties seventies eighties nineties
grown-ups grownups adults
"""
FILLER = frozenset(_FILLER_WORDS.split())
"""Words that say nothing of what is wanted, lower case."""


def read_wish(clause: str, polarity: int, vocabulary: Vocabulary) -> str | None:
    """The free-text wish of a positive clause, two to six words or one rare one; None if it has none.

    Only words that a request cue introduces count, so that small talk never becomes a wish.
    """
    if polarity < 0 or not _REQUEST.search(clause):
        return None
    about = _ABOUT.search(clause)
    text = about[1] if about else clause
    taken = [(found.start, found.end) for found in vocabulary.find(text)]
    words = [
        match.group()
        for match in WORD.finditer(text)
        if match.group().lower() not in FILLER
        and len(match.group()) <= LONGEST_WORD
        and not any(char.isdigit() or 0xE000 <= ord(char) <= 0xF8FF for char in match.group())
        and not any(start <= match.start() < end for start, end in taken)
    ]
    return " ".join(words[:6]) if words else None


_TALK = re.compile(
    r"\b(?:i|i['’]\w+|me|my|mine|you|your|u|we|us|please|plz|pls|gimme|thanks?|hello|hi|hey|yes|no|not|ok|okay|lol|ignore|print|tell"
    r"|write)\b|^\W*(?:is|are|was|were|do|does|did|can|could|will|would|should|what|how|why|who|when|where)\b",
    re.I,
)


def read_description(message: str, vocabulary: Vocabulary) -> str | None:
    """A message that describes something without asking for it ("two hitmen and a briefcase"); None if not.

    At least three telling words that are no facets, and nothing of a conversation: no I or you, no question.
    """
    words = list(WORD.finditer(message))
    facets = [(found.start, found.end) for found in vocabulary.find(message)]
    telling = [
        word
        for word in words
        if word.group().lower() not in FILLER
        and not word.group().isdigit()
        and not any(start <= word.start() < end for start, end in facets)
    ]
    if len(telling) < 3 or len(words) > 40 or _TALK.search(message):
        return None
    return " ".join(message.split()).strip(" .!")
