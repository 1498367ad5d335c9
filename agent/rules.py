"""Message -> Frame without a model: titles, words and people, each with the polarity of its clause.

A clause is read left to right. A negative cue turns what follows against, a positive cue turns it
back, unless nothing was named in between ("do not really like horror" stays negative). A clause
without a cue of its own keeps the polarity of the one it is joined to by a comma, "and" or "or".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agent.acts import is_critique, read_act, read_ordinals
from agent.names import Named, find_names
from agent.slots import read_slots
from agent.types import Act, Frame
from agent.vocabulary import Vocabulary
from agent.wishes import read_wish

_SPLIT = re.compile(
    r"([.!?;\n]+(?:\s|$)|,|\s[-–—]\s|\bbut\b|\bthough\b|\balthough\b|\bhowever\b|\bpero\b|\bmais\b|"
    r"\b(?:and|y|et)\b(?=\s+(?:i|not|no|nothing|never|without|please|anything|something|hate|loved?|liked?|"
    r"avoid|want|would|maybe|preferably)\b))",
    re.I,
)
_CONTRACTIONS = (
    (re.compile(r"\b(?:can['’]?t|cannot)\b", re.I), "can not"),
    (re.compile(r"\b(?:won['’]?t)\b", re.I), "will not"),
    (
        re.compile(r"\b(do|does|did|is|was|are|were|has|have|had|could|would|should)n['’]?t\b", re.I),
        r"\1 not",
    ),
)
_IDIOMS = re.compile(
    r"\b(?:not bad|not only|why not|no problem|no idea|not sure|no matter|never ?mind|no offen[cs]e|nothing else|"
    r"no preference|do not mind|do not care|do not know|no clue|can not (?:get enough|wait|go wrong|beat)(?: of| for| with)?|"
    r"if not|as not|not (?:that )?long ago|could not stop|not to be missed|no doubt)\b",
    re.I,
)  # fmt: skip
_CUES = re.compile(
    r"\b(?P<unseen>(?:not|never|have not|yet to)\s+(?:yet\s+|ever\s+|even\s+|actually\s+)?(?:seen|watched|see|heard of))\b"
    r"|\b(?P<neg>not|no|nor|never|nothing|without|avoid\w*|less|fewer|except|hate[ds]?|hating|dislik\w+|despise\w*|"
    r"tired of|sick of|enough|rather than|instead of|other than|anything but|skip|too|minus|sans|odi[oa]|sin|pas|nada|"
    r"kein\w*|ohne|apart from|stand)\b"
    r"|\b(?P<pos>lov(?:e|ed|es|ing)|lik(?:e|ed|es)|enjoy\w*|ador\w+|want\w*|more|prefer\w*|into|fan|favou?rites?|great|"
    r"amazing|brilliant|awesome|looking for|mood|need|give me|show me|similar|such as|only|instead|different|exception|best|good|"
    r"fantastic|excellent|perfect|please|how about|feel like|fancy|craving|something|quiero|busco|veux|cherche|"
    r"gusta\w*|aime|mag|suche|masterpiece)\b"
    r"|\b(?P<seen>seen|saw|watched|rewatched|already|watching)\b",
    re.I,
)  # fmt: skip
_PANNED = re.compile(
    r"\b(?:boring|bored|overrated|terrible|awful|suck(?:s|ed)?|disappoint\w*|meh|bad|worst|lame|dull|stupid|trash|"
    r"garbage|annoying|not for me|no thanks|did not work|could not finish)\b",
    re.I,
)
_PRONOUN = re.compile(
    r"\b(?:it|them|both|that|this|that one|these|those|all|similar|the same|either|one)\b", re.I
)
_REFUSED_AUDIENCE = {"family": "family", "teen": "teen", "adult": "adult"}


@dataclass(frozen=True, slots=True)
class Context:
    """What a message is read against. `shown`: labels of the items on show, in order."""

    names: object  # Linker
    vocabulary: Vocabulary
    latest: int | None = None
    shown: tuple[str, ...] = ()


@dataclass
class _Findings:
    """What was found so far; order of discovery is kept, the latest verdict on a name wins."""

    verdicts: dict[str, str] = field(default_factory=dict)
    want: list[str] = field(default_factory=list)
    avoid: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)

    def names(self, verdict: str) -> tuple[str, ...]:
        return tuple(name for name, given in self.verdicts.items() if given == verdict)


@dataclass(frozen=True, slots=True)
class _Event:
    """Something in a clause that matters to its reading: a cue, a name, a term or a person."""

    start: int
    kind: str
    text: str


def read_message(message: str, context: Context) -> Frame:
    """Read `message` into a Frame by rules alone. Never raises on any text."""
    masked, named = find_names(message, context.names, context.vocabulary, context.shown)  # type: ignore[arg-type]
    for pattern, replacement in _CONTRACTIONS:
        masked = pattern.sub(replacement, masked)
    act = read_act(masked)
    slots = read_slots(masked, context.latest)
    neutral = _IDIOMS.sub(" ", masked)
    found = _read_clauses(neutral, named, context.vocabulary)
    if slots.not_audience:
        found.avoid.append(slots.not_audience)
    target = _target(act, masked, named, context.shown)
    if target is not None or act in ("ask_why", "ask_about"):
        found = _Findings()
    frame = Frame(
        like=found.names("like"),
        dislike=found.names("dislike"),
        seen=found.names("seen"),
        want=tuple(dict.fromkeys(found.want)),
        avoid=tuple(dict.fromkeys(found.avoid)),
        people=tuple(dict.fromkeys(found.people)),
        years=slots.years,
        language=slots.language,
        max_minutes=slots.max_minutes,
        audience=slots.audience,
        target=target,
    )
    return _with_act(frame, act, masked, bool(context.shown))


def is_empty(frame: Frame) -> bool:
    """Whether the frame says nothing about taste or constraints."""
    return not any(
        (frame.like, frame.dislike, frame.seen, frame.want, frame.avoid, frame.people, frame.years)
    ) and not any((frame.language, frame.max_minutes, frame.audience))


def _with_act(frame: Frame, act: Act | None, masked: str, shown: bool) -> Frame:
    from dataclasses import replace

    if act in ("undo", "reset", "ask_why", "ask_about"):
        return replace(frame, act=act)
    if is_empty(frame):
        return replace(frame, act=act or "chat")
    if act == "more":
        return replace(frame, act="more")
    critique = shown and (is_critique(masked) or bool(frame.avoid or frame.dislike))
    return replace(frame, act="critique" if critique else "inform")


def _target(act: Act | None, masked: str, named: list[Named], shown: tuple[str, ...]) -> str | None:
    if act not in ("ask_why", "ask_about", "accept"):
        return None
    if named:
        return named[0].text
    ordinals = read_ordinals(masked, len(shown))
    if ordinals:
        return str(ordinals[0][2])
    # "why that one?" speaks of the only item on show, or of the first.
    return "1" if shown and act != "accept" else None


def _read_clauses(text: str, named: list[Named], vocabulary: Vocabulary) -> _Findings:
    found = _Findings()
    polarity, joint = 1, "."
    previous: list[str] = []
    for piece in _SPLIT.split(text):
        if _SPLIT.fullmatch(piece):
            joint = piece.strip().lower() or "."
            continue
        if not piece.strip():
            continue
        inherits = joint in {",", "and", "or", "y", "et"}
        polarity, names = _read_clause(piece, polarity if inherits else 1, previous, named, vocabulary, found)
        previous = names or previous
        joint = ","
    return found


def _events(clause: str, named: list[Named], vocabulary: Vocabulary) -> list[_Event]:
    events: list[_Event] = []
    taken: list[tuple[int, int]] = []
    for index, name in enumerate(named):
        position = clause.find(name.mark)
        if position >= 0:
            events.append(_Event(position, name.kind, str(index)))
            taken.append((position, position + 1))
    for term in _joined(vocabulary.find(clause), clause):
        events.append(_Event(term[0], "term", clause[term[0] : term[1]]))
        taken.append(term)
    for cue in _CUES.finditer(clause):
        if not any(start < cue.end() and cue.start() < end for start, end in taken):
            events.append(_Event(cue.start(), str(cue.lastgroup), cue.group().lower()))
    return sorted(events, key=lambda event: event.start)


def _joined(found: list, clause: str) -> list[tuple[int, int]]:  # type: ignore[type-arg]
    """Spans of terms; two joined by "or" become one span, a wish with alternatives."""
    spans: list[tuple[int, int]] = []
    for item in found:
        if spans and re.fullmatch(
            r"\s+(?:or|o|ou|oder)\s+(?:an?\s+)?", clause[spans[-1][1] : item.start], re.I
        ):
            spans[-1] = (spans[-1][0], item.end)
        else:
            spans.append((item.start, item.end))
    return spans


def _read_clause(
    clause: str,
    polarity: int,
    previous: list[str],
    named: list[Named],
    vocabulary: Vocabulary,
    found: _Findings,
) -> tuple[int, list[str]]:
    """Add what one clause says to `found`; answers its final polarity and the names in it."""
    events = _events(clause, named, vocabulary)
    targets: list[tuple[_Event, int]] = []
    since_negative = len(events)
    cued = seen = unseen = False
    for event in events:
        if event.kind == "unseen":
            unseen = True
        elif event.kind == "seen":
            seen = True
        elif event.kind == "neg":
            polarity, since_negative = -1, len(targets)
            cued = True
        elif event.kind == "pos":
            if not (polarity < 0 and since_negative == len(targets) and cued):
                polarity = 1
            cued = True
        else:
            targets.append((event, polarity))
    if targets and cued and polarity < 0 and since_negative == len(targets) and not _positive(events):
        targets = [(event, -1) for event, _ in targets]  # "horror I can not stand"
    if _PANNED.search(clause):
        polarity = -1
        targets = [(event, -1) for event, _ in targets]
    names = [named[int(event.text)].text for event, _ in targets if event.kind == "item"]
    if not names and previous and (cued or _PANNED.search(clause)) and _PRONOUN.search(clause):
        for name in previous:
            found.verdicts[name] = "like" if polarity > 0 else "dislike"
    only_seen = seen and not _positive(events)
    for event, sign in targets:
        _note(event, sign, only_seen, unseen, named, found)
    wish = read_wish(clause, polarity, vocabulary)
    if wish:
        found.want.append(wish)
    return polarity if targets or cued else 1, names


def _positive(events: list[_Event]) -> bool:
    return any(event.kind == "pos" for event in events)


def _note(
    event: _Event, sign: int, only_seen: bool, unseen: bool, named: list[Named], found: _Findings
) -> None:
    if event.kind == "item":
        name = named[int(event.text)].text
        if unseen and sign > 0:
            return  # "I have not seen Heat" says nothing about taste
        verdict = "dislike" if sign < 0 else "seen" if only_seen else "like"
        found.verdicts.pop(name, None)
        found.verdicts[name] = verdict
    elif event.kind == "person":
        name = named[int(event.text)].text
        (found.people if sign > 0 else found.avoid).append(name)
    else:
        (found.want if sign > 0 else found.avoid).append(event.text)
