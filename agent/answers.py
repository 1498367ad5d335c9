"""Turns that do not recommend: undo, start over, why, about, yes and no, small talk, off the road."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from agent import explain
from agent.details import detail, foremost, suited
from agent.plan import to_constraints
from agent.policy import MOOD_CHIPS, list_or
from agent.prompting import phrase
from agent.reading.rules import is_empty
from agent.reading.talk import small_talk
from agent.reasons import Grounds
from agent.state import Reading, forget
from agent.summary import summary
from agent.types import DialogueState, Explanation, Question
from agent.writing import capital, italic, plain_name
from retrieval.filters import describe, satisfies
from retrieval.types import Constraints, Item


@dataclass(frozen=True, slots=True)
class Answer:
    """What a turn without recommendations says, and the state after it."""

    text: str
    state: DialogueState
    question: Question | None = None
    options: tuple[str, ...] = ()


_RECOMMENDS = re.compile(r"\b(?:would you|should (?:i|we)|do you|(?:is|['’]s) your)\b", re.I)
"""Asks for our choice: "which of those would you pick?" """
Undo = Callable[[], DialogueState | None]


def needs_answer(reading: Reading, before: DialogueState) -> bool:
    """Whether the act itself is answered, rather than leading to a question or to recommendations."""
    act = reading.frame.act
    if act == "reset":
        return is_empty(reading.frame)
    if act in ("accept", "reject"):
        return _about_rule(before) or (act == "accept" and bool(before.last_shown))
    return act in ("undo", "ask_why", "ask_about", "chat")


def answer(
    message: str, reading: Reading, before: DialogueState, state: DialogueState, grounds: Grounds, undo: Undo
) -> Answer:
    """The answer to an act that `needs_answer`."""
    act = reading.frame.act
    if act == "undo":
        return _undo(before, state, undo)
    if act == "reset":
        return Answer(phrase("reset"), state, None, MOOD_CHIPS)
    if act == "ask_why":
        return _why(message, reading, before, state, grounds)
    if act == "ask_about":
        return _about(message, reading, before, state, grounds)
    if act == "accept":
        return _accept(reading, before, state, grounds)
    if act == "reject":
        return _reject(before, state, grounds)
    return _chat(message, state, grounds)


def _undo(before: DialogueState, state: DialogueState, undo: Undo) -> Answer:
    restored = undo()
    if restored is None:
        return Answer(phrase("undone_nothing"), state)
    restored = replace(restored, turn=state.turn, pending=None)
    return Answer(_undone(before, restored), restored, None, ("show me more",))


def _undone(before: DialogueState, after: DialogueState) -> str:
    """What an undo took back, in words."""

    def gone(*slots: str) -> list[str]:
        return [p.value for slot in slots for p in getattr(before, slot) if p not in getattr(after, slot)]

    back = gone("avoids", "disliked")
    if back:
        return phrase("undone_back", values=list_or(back, "and"), verb="are" if len(back) > 1 else "is")
    dropped = gone("wants", "liked", "people", "seen")
    return phrase("undone_dropped", values=list_or(dropped, "and")) if dropped else phrase("undone")


def _targets(reading: Reading, before: DialogueState, grounds: Grounds) -> list[Item]:
    """The items an act speaks of: those named, and those pointed at on show."""
    named = {link.name: link.item_id for link in reading.links}
    ids = [
        before.last_shown[int(name) - 1] if name.isdigit() and name not in named else named.get(name)
        for name in reading.frame.about
        if not name.isdigit() or name in named or int(name) <= len(before.last_shown)
    ]
    return [grounds.catalogue[item_id] for item_id in ids if item_id is not None]


def _why(
    message: str, reading: Reading, before: DialogueState, state: DialogueState, grounds: Grounds
) -> Answer:
    items = _targets(reading, before, grounds)
    item = items[0] if items else None
    if item is None:
        if reading.unknown:
            return Answer(phrase("about_unknown", name=f"*{plain_name(reading.unknown[0])}*"), state)
        return Answer(phrase("why_nothing"), state, None, MOOD_CHIPS)
    asked_not = re.search(r"\bnot\b|n['’]t\b", message, re.I)
    shown = item.item_id in before.shown and not asked_not
    told: Explanation = explain.why(item, state, grounds) if shown else explain.why_not(item, state, grounds)
    question = (
        Question("Shall I drop that rule?", f"rule:{item.item_id}", told.options) if told.options else None
    )
    return Answer(told.text, replace(state, pending=question), None, told.options or ("show me more",))


def _about(
    message: str, reading: Reading, before: DialogueState, state: DialogueState, grounds: Grounds
) -> Answer:
    if small_talk(message) == "where_to_watch":
        return Answer(phrase("where_to_watch"), state, None, ("show me more",))
    items = _targets(reading, before, grounds)
    text = _picked(message, reading, before, grounds)
    if text is None and len(items) > 1:
        text = explain.compared(items, grounds)
    if text is None and not items:
        if not reading.unknown:
            return _chat("?", state, grounds)
        return Answer(phrase("about_unknown", name=f"*{plain_name(reading.unknown[0])}*"), state)
    return Answer(text or _told_of(items[0], message, reading, grounds), state, None, ("show me more",))


def _picked(message: str, reading: Reading, before: DialogueState, grounds: Grounds) -> str | None:
    """Which of those on show, where that is asked and none of them is named."""
    named = any(link.item_id is not None for link in reading.links)
    if named or not re.search(r"\bwhich\b", message, re.I):
        return None
    shown = [grounds.catalogue[item_id] for item_id in before.last_shown]
    if shown and _RECOMMENDS.search(message):
        return explain.why(shown[0], before, grounds).text
    return foremost(shown, message) or suited(shown, message, grounds.vocabulary)


def _told_of(item: Item, message: str, reading: Reading, grounds: Grounds) -> str:
    """What was asked of one item, or all there is to tell; asks back where its name was a guess."""
    for link in reading.links:
        message = message.replace(link.name, " ")
    text = detail(item, message)
    if text is None and re.search(r"^\W*(?:\w+\W+)?(?:is|was|are)\b", message, re.I):
        text = suited([item], message, grounds.vocabulary)
    text = text or phrase("about", title=italic(item), facts=explain.facts(item))
    guessed = any(link.item_id == item.item_id for link in reading.guessed)
    return f"{phrase('guessed', title=italic(item))} {text}" if guessed else text


def _about_rule(state: DialogueState) -> bool:
    return state.pending is not None and (
        state.pending.attribute == "relax" or state.pending.attribute.startswith("rule:")
    )


def _accept(reading: Reading, before: DialogueState, state: DialogueState, grounds: Grounds) -> Answer:
    state = replace(state, pending=None)
    pending = before.pending
    if pending is not None and pending.attribute.startswith("rule:"):
        item = grounds.catalogue[pending.attribute.removeprefix("rule:")]
        rules = explain.broken(item, to_constraints(state, grounds.vocabulary))
        after = _without_rules(item, state, grounds)
        text = phrase("undone_back", values=italic(item), verb="is") if rules else phrase("undone")
        return Answer(text, after, None, ("show me more",))
    items = _targets(reading, before, grounds)
    if items:
        return Answer(phrase("enjoy", title=italic(items[0])), state, None, ("show me more",))
    return Answer(phrase("accepted"), state, None, ("show me more",))


def _reject(before: DialogueState, state: DialogueState, grounds: Grounds) -> Answer:
    pending, state = before.pending, replace(state, pending=None)
    if pending is not None and pending.attribute == "relax":
        options = tuple(f"forget {rule}" for rule in describe(to_constraints(state, grounds.vocabulary))[:4])
        return Answer(phrase("strict"), state, Question(phrase("strict"), "drop", options), options)
    if pending is not None and pending.attribute.startswith("rule:"):
        return Answer("Kept.", state, None, ("show me more",))
    text = phrase("rejected_plain")
    options = ("newer", "older", "something lighter", "something darker", "show me more")
    return Answer(text, state, Question(text, "change", options), options)


def _without_rules(item: Item, state: DialogueState, grounds: Grounds) -> DialogueState:
    """The state without the promises that `item` breaks."""
    constraints = to_constraints(state, grounds.vocabulary)
    for rule in explain.broken(item, constraints):
        for preference in (*state.wants, *state.avoids, *state.people):
            if any(value in rule for value in preference.value.split(" or ")):
                state = forget(state, preference.value)
    if constraints.years and not satisfies(item, Constraints(years=constraints.years)):
        state = forget(state, "years")
    if constraints.max_minutes and not satisfies(item, Constraints(max_minutes=constraints.max_minutes)):
        state = forget(state, "max_minutes")
    return state


def _chat(message: str, state: DialogueState, grounds: Grounds) -> Answer:
    kind = small_talk(message)
    chips = MOOD_CHIPS
    known = [p for p in state.liked if p.turn is None and p.item_id]
    if kind == "greet" and known and state.turn == 1:
        titles = " and ".join(italic(grounds.catalogue[p.item_id]) for p in known[-2:] if p.item_id)
        return _asking(phrase("last_time", titles=titles), state, ("more of that", *chips))
    if kind == "profile":
        return Answer(summary(state, grounds.catalogue), replace(state, pending=None), None, chips)
    if kind == "distress":
        return Answer(phrase("distress"), replace(state, pending=None))
    if kind in ("greet", "help", "who", "injection", "weather", "sad", "skin"):
        return _asking(phrase(kind), state, chips)
    if kind in ("thanks", "where_to_watch"):
        return Answer(phrase(kind), state)
    words = re.findall(r"[^\W\d_]{2,}", message)
    return _asking(phrase("off_topic" if len(words) >= 4 else "unclear"), state, chips)


def _asking(text: str, state: DialogueState, options: tuple[str, ...]) -> Answer:
    question = Question(capital(text.split(". ")[-1]), "moods", options)
    asked = tuple(dict.fromkeys((*state.asked, "moods")))
    return Answer(text, replace(state, pending=question, asked=asked), question, options)
