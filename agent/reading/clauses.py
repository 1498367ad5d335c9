"""What the clauses of a message say about the names and words in them.

A clause is read left to right. A negative cue turns what follows against, a positive cue turns it
back, unless nothing was named in between ("do not really like horror" stays negative). A clause
without a cue of its own keeps the polarity of the one it is joined to by a comma, "and" or "or".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.reading.cues import COMPARED, CUES, PANNED, SPLIT
from agent.reading.names import Named
from agent.reading.passing import is_remark, speaks_back
from agent.reading.vocabulary import Found, Vocabulary
from agent.reading.wishes import read_wish

_OR = re.compile(r"\s+(?:or|o|ou|oder)\s+(?:an?\s+)?", re.I)
_AFRESH = re.compile(
    r"\s*(?:with|starring|featuring|directed by|by|from|now|then(?! came)|make it|ideally|preferably"
    r"|(?:should|must) be|the [\w-]+ one\b|i (?:meant|mean|said|want)|an?(?=\s(?!.*\bor\b))"
    r"|[\w -]+ (?:maybe|instead|would be|(?:is|are) (?:great|good|fine|welcome))"
    r"|(?:it|they|that|these|this) (?:should|must|(?:has|have|needs?|ought) to))\b",
    re.I,
)
"""Opens a clause of its own: "nothing scary, with Tom Hanks" wants him; "no horror, a comedy", that."""
_NO = re.compile(r"\b(?:no|nope|nah)\W*$", re.I)
"""An answer by itself, which turns nothing that follows: "actually no, a thriller"."""
_LOOKS_ON = re.compile(r"(?:without|no|nothing|minus|sans|sin|senza|sem|ohne|kein\w*)$", re.I)
"""Negates only what follows: "a comedy without swearing" refuses no comedy, "horror I hate" does horror."""
_CUED = frozenset({"pos", "neg", "exc", "seen", "unseen"})
_JOINTS = frozenset({",", "and", "or", "y", "et"})


@dataclass
class Findings:
    """What was found so far. `verdicts`: name -> "like" | "dislike" | "seen", the latest one wins."""

    verdicts: dict[str, str] = field(default_factory=dict)
    want: list[str] = field(default_factory=list)
    avoid: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)

    def names(self, verdict: str) -> tuple[str, ...]:
        return tuple(name for name, given in self.verdicts.items() if given == verdict)

    def judge(self, name: str, verdict: str) -> None:
        self.verdicts.pop(name, None)
        self.verdicts[name] = verdict


@dataclass(frozen=True, slots=True)
class _Event:
    """Something in a clause that matters to its reading: a cue, a name, a term or a person."""

    start: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause with its events, in reading order, and the polarity it starts with. `goes_on`: it is joined to
    one that tells what was seen, and says no more of its own than names.
    """

    text: str
    events: tuple[_Event, ...]
    polarity: int
    goes_on: bool = False

    def has(self, kind: str) -> bool:
        return any(event.kind == kind for event in self.events)

    def says(self, word: str) -> bool:
        return any(event.text == word for event in self.events)


def read_clauses(text: str, named: Sequence[Named], vocabulary: Vocabulary) -> Findings:
    """Read a masked message clause by clause."""
    found = Findings()
    marks = {name.mark: name for name in named}
    polarity, joint, seen = 1, ".", False
    previous: list[str] = []
    for piece in SPLIT.split(text):
        if SPLIT.fullmatch(piece):
            joint = piece.strip().lower() or "."
        elif piece.strip():
            start = polarity if joint in _JOINTS and not _AFRESH.match(piece) else 1
            events = _events(piece, marks, vocabulary)
            seen = seen and joint in _JOINTS and not any(event.kind in _CUED for event in events)
            clause = _Clause(piece, events, start, seen)
            seen = seen or (clause.has("seen") and not clause.has("pos"))
            polarity, names = _read_clause(clause, previous, marks, vocabulary, found)
            previous = names or previous
            joint = ","
    for match in COMPARED.finditer(text):
        name = marks.get(match["a"] or match["b"])
        if name is not None and name.kind == "item":
            found.judge(name.text, "seen")
    return found


def _events(clause: str, marks: dict[str, Named], vocabulary: Vocabulary) -> tuple[_Event, ...]:
    events = [_Event(i, marks[char].kind, char) for i, char in enumerate(clause) if char in marks]
    terms = [] if is_remark(clause) else _joined(vocabulary.find(clause), clause)
    events += [_Event(start, "term", clause[start:end]) for start, end in terms]
    for cue in CUES.finditer(clause):
        if not any(start < cue.end() and cue.start() < end for start, end in terms):
            events.append(_Event(cue.start(), str(cue.lastgroup), cue.group().lower()))
    return tuple(sorted(events, key=lambda event: event.start))


def _joined(found: Sequence[Found], clause: str) -> list[tuple[int, int]]:
    """Spans of terms; two joined by "or" become one span, a wish with alternatives."""
    spans: list[tuple[int, int]] = []
    for item in found:
        if spans and _OR.fullmatch(clause[spans[-1][1] : item.start]):
            spans[-1] = (spans[-1][0], item.end)
        else:
            spans.append((item.start, item.end))
    return spans


def _read_clause(
    clause: _Clause, previous: list[str], marks: dict[str, Named], vocabulary: Vocabulary, found: Findings
) -> tuple[int, list[str]]:
    """Add what one clause says to `found`; answers its final polarity and the items in it."""
    targets, polarity = _judged(clause)
    cued = clause.has("neg") or clause.has("pos") or clause.has("exc")
    panned = bool(PANNED.search(clause.text))
    if panned:
        polarity = -1
        targets = [(event, -1) for event, _ in targets]
    names = [marks[event.text].text for event, _ in targets if event.kind == "item"]
    if not names and previous and (cued or panned) and speaks_back(clause.text):
        for name in previous:  # "watched Heat, loved it"
            found.judge(name, "like" if polarity > 0 else "dislike")
    for event, sign in targets:
        _note(event, sign, clause, marks, found)
    wish = None if is_remark(clause.text) else read_wish(clause.text, polarity, vocabulary)
    if wish:
        found.want.append(wish)
    carried = targets or (cued and not _NO.search(clause.text))
    return (polarity if carried else 1), names


def _judged(clause: _Clause) -> tuple[list[tuple[_Event, int]], int]:
    """The clause's targets with their polarity, and the polarity it ends with."""
    targets: list[tuple[_Event, int]] = []
    polarity, negated_at = clause.polarity, -1
    for event in clause.events:
        if event.kind == "neg":
            polarity, negated_at = -1, len(targets)
        elif event.kind == "exc":
            polarity, negated_at = -polarity, len(targets)
        elif event.kind == "pos":
            if negated_at != len(targets):
                polarity = 1
        elif event.kind not in ("seen", "unseen"):
            targets.append((event, polarity))
    last = next((event for event in reversed(clause.events) if event.kind in ("neg", "exc")), None)
    looks_on = last is not None and _LOOKS_ON.match(last.text)
    if targets and negated_at == len(targets) and not clause.has("pos") and not looks_on:
        targets = [(event, -1) for event, _ in targets]  # "horror I can not stand"
    return targets, polarity


def _note(event: _Event, sign: int, clause: _Clause, marks: dict[str, Named], found: Findings) -> None:
    if event.kind == "term":
        (found.want if sign > 0 else found.avoid).append(event.text)
        return
    name = marks[event.text].text
    if event.kind == "person":
        (found.people if sign > 0 else found.avoid).append(name)
    elif sign > 0 and (clause.has("unseen") or (clause.says("too") and not clause.has("pos"))):
        return  # "I have not seen Heat" and "Heat was too long" are no praise
    else:
        only_seen = clause.goes_on or (clause.has("seen") and not clause.has("pos"))
        found.judge(name, "dislike" if sign < 0 else "seen" if only_seen else "like")
