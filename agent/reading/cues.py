"""The small words that turn a clause for or against what it names."""

from __future__ import annotations

import re

CONTRACTIONS = (
    (re.compile(r"\b(?:can['’]?t|cannot)\b", re.I), "can not"),
    (re.compile(r"\b(?:won['’]?t)\b", re.I), "will not"),
    (
        re.compile(r"\b(do|does|did|is|was|are|were|has|have|had|could|would|should)n['’]?t\b", re.I),
        r"\1 not",
    ),
)
IDIOMS = re.compile(
    r"\b(?:not bad|not only|why not|no problem|no idea|not sure|no matter|never ?mind|no offen[cs]e"
    r"|nothing else|not (?:really )?(?:any|one|either) of (?:these|those|them)"
    r"|this (?:time|once|evening|week|weekend)"
    r"|(?:no|not|nothing) (?:longer|shorter|older|newer|earlier|later|more recent) than"
    r"|(?:would|do|does) not (?:really )?(?:mind|dislike|hate)"
    r"|not (?:necessarily|just|really against|against|opposed to)"
    r"|nothing (?:against|beats|i (?:love|like) more than)|can not decide|never (?:get )?tired of"
    r"|not (?:too |so |that |very |at all |the )?"
    r"(?:boring|stupid|lame|dull|bad|worst|meh|overrated|awful|terrible|trash)"
    r"|of all time|ever made"
    r"|no preference|do not mind|do not care|do not know|no clue|(?:do|does) not matter"
    r"|nothing (?:in particular|specific)"
    r"|if nothing (?:comes|springs) to mind|(?:not )?in (?:that|any)(?: particular)? order"
    r"|can not (?:get enough|wait|go wrong|beat)(?: of| for| with)?"
    r"|if not|as not|not (?:that )?long ago|could not stop|not to be missed|no doubt)\b",
    re.I,
)
"""Negative words that say nothing negative; taken out before a clause is read."""

UNSEEN = (
    r"(?:not|never|have not|yet to)\s+(?:yet\s+|ever\s+|even\s+|actually\s+)?(?:seen|watched|see|heard of)"
)
NEGATIVE = (
    r"not|no|nor|never|nothing|without|avoid\w*|less|fewer|neither|hate[ds]?|hating|dislik\w+|despise\w*"
    r"|tired of|sick of|enough|rather than|instead of|anything but|skip"
    r"|too(?=\s+\w)(?!\s+(?:and|but|or|please)\b)|minus|sans|odi[oa]|sin|senza|não|nao|pas|nada|kein\w*|ohne"
    r"|stand"
)
EXCEPTING = r"except(?: for)?|apart from|other than|save for"
POSITIVE = (
    r"lov(?:e|ed|es|ing)|luv|lik(?:e|ed|es)|enjoy\w*|ador\w+|want\w*|more|prefer\w*|into|fan"
    r"|favou?rites?|great"
    r"|amazing|brilliant|awesome|looking for|mood|need|give me|show me|suggest|recommend|find me|got any"
    r"|what about"
    r"|similar|such as|only|instead|different|exception|best|good|fantastic|excellent|perfect|please"
    r"|how about"
    r"|feel like|fancy|craving|something|quiero|busco|veux|cherche|gusta\w*|aime|mag|suche|masterpiece"
)
SEEN = r"seen|saw|watched|rewatched|already|watching"
CUES = re.compile(
    rf"\b(?P<unseen>{UNSEEN})\b|\b(?P<exc>{EXCEPTING})\b|\b(?P<neg>{NEGATIVE})\b|\b(?P<pos>{POSITIVE})\b"
    rf"|\b(?P<seen>{SEEN})\b",
    re.I,
)
PANNED = re.compile(
    r"\b(?:boring|bored|overrated|terrible|awful|suck(?:s|ed)?|disappoint\w*|meh|bad|worst|lame|dull"
    r"|stupid|trash"
    r"|garbage|annoying|not for me|nothing (?:for me|special)|no thanks|did not work|could not finish)\b",
    re.I,
)
PRONOUN = re.compile(r"\b(?:it|them|both|that|this|these|those|all|similar|the same|either|one)\b", re.I)
COMPARED = re.compile(
    r"\b(?:than(?:\s+like)?|over|(?:not|nothing) as \w+ as)\s+(?P<a>[\ue000-\uf8ff])"
    r"|\bprefer\w*\s+[\ue000-\uf8ff]\s+to\s+(?P<b>[\ue000-\uf8ff])",
    re.I,
)
"""The lesser side of a comparison: known to the person, but neither liked nor disliked for it."""

SPLIT = re.compile(
    r"([.!?;\n]+(?:\s|$)|,|\s[-–—]\s|(?<!anything )\bbut\b|\bthough\b|\balthough\b|\bhowever\b"
    r"|\bpero\b|\bmais\b"
    r"|\b(?:and|y|et)\b(?=\s+(?:i|not|no|nothing|never|without|please|anything|something|hate|loved?|liked?"
    r"|avoid|want|would|maybe|preferably|more|less|(?:did|do|does|could|can|was|is) not)\b))",
    re.I,
)
