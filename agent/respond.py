"""Items + state -> words. A reply is a row of parts; each part has several wordings of the same facts.

The model chooses among the wordings under a grammar; without a model a seed does. Either way every
sentence is filled from the catalogue and the state, so there is nothing it could invent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.model.language import Language
from agent.policy import list_or
from agent.prompting import phrase, phrasings, prompt
from agent.state import Reading, describe_value
from agent.types import DialogueState, Preference, Question, Speaker
from retrieval.catalogue import Catalogue
from retrieval.types import Item, Ranking, Recommendation

Parts = list[list[str]]
NAMED = 3
"""Items named in the words of a reply; further ones are on cards only."""


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a recommending reply is made of. `before` is the state the turn started from."""

    items: tuple[Recommendation, ...]
    ranking: Ranking
    before: DialogueState
    state: DialogueState
    reading: Reading
    question: Question | None = None


def italic(item: Item) -> str:
    """An item as replies write it: `*Heat* (1995)`; asterisks in a title would end the italics early."""
    title = item.title.replace("*", "∗")
    return f"*{title}* ({item.year})" if item.year is not None else f"*{title}*"


def with_italics(text: str, item: Item) -> str:
    """A reason's text with the title that it ends on set in italics."""
    return f"*{item.title.replace('*', '∗')}*".join(text.rsplit(item.title, 1))


def wanted_phrase(state: DialogueState) -> str:
    """What was asked for, as it follows "For ...": "comedy from 1990 to 1999"; "" if nothing."""
    topics = [p.value for p in state.wants]
    rest = [f"with {list_or([p.value for p in state.people], 'and')}"] if state.people else []
    for slot in ("audience", "language", "years", "max_minutes"):
        value = getattr(state, slot)
        if value is not None:
            rest.append(describe_value(slot, value))
    if not (topics or rest):
        return ""
    return " ".join([list_or(topics, "and") if topics else "something", *rest])


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def recommending(draft: Draft, catalogue: Catalogue) -> Parts:
    """The parts of a reply that recommends."""
    parts: Parts = [[text] for text in notes(draft.before, draft.state, draft.reading, catalogue)]
    if draft.ranking.relaxed:
        parts.append([phrase("relaxed", what="; ".join(draft.ranking.relaxed)) + " "])
    named = draft.items[:NAMED]
    first = italic(catalogue[named[0].item_id])
    said: set[str] = set()
    parts.append(_lead(draft, catalogue, first))
    parts.append(phrasings("why", reason=_reason(named[0], catalogue, said)))
    later = [(italic(catalogue[r.item_id]), _reason(r, catalogue, said)) for r in named[1:]]
    parts += _others(later, len(draft.items) - NAMED)
    if draft.question:
        parts.append([f" {draft.question.text}"])
    return parts


def _others(later: Sequence[tuple[str, str]], unnamed: int) -> Parts:
    """The part about the items after the first, (title, reason) each; `unnamed` more are on cards only."""
    titles = dict(zip(("second", "third"), (title for title, _ in later), strict=False))
    reasons = dict(zip(("reason2", "reason3"), (reason for _, reason in later), strict=False))
    if unnamed > 0:
        return [phrasings("others_many", count=unnamed, **titles)]
    if not later:
        return []
    return [phrasings("others_two" if len(later) == 2 else "others_one", **titles, **reasons)]


def notes(before: DialogueState, state: DialogueState, reading: Reading, catalogue: Catalogue) -> list[str]:
    """What this turn changed or could not place, one short sentence each, each ending in a space."""
    found = [
        phrase("guessed", title=italic(catalogue[link.item_id]))
        for link in reading.guessed
        if link.item_id is not None
    ]
    if reading.foreign:
        found.append(phrase("english"))
    found += [phrase("unknown_aside", name=plain_name(name)) for name in reading.unknown[:2]]
    avoided = [_refusal(p) for p in _new(before.avoids, state.avoids)]
    if avoided:
        found.append(phrase("noted_avoid", values=", ".join(avoided)))
    if reading.frame.act == "reject":
        found.append(phrase("rejected_next"))
    people = [p.value for p in _new(before.people, state.people)]
    if people and not (catalogue.values("directors") or catalogue.values("cast")):
        found.append(phrase("unknown_person", names=" and ".join(people)))
    refused = [italic(catalogue[p.item_id]) for p in _new(before.disliked, state.disliked) if p.item_id]
    if refused:
        found.append(
            phrase("noted_dislike", titles=" and ".join(refused), verb="are" if len(refused) > 1 else "is")
        )
    return [f"{text} " for text in found]


def _lead(draft: Draft, catalogue: Catalogue, first: str) -> list[str]:
    if draft.reading.surprise and not draft.state.liked:
        return phrasings("lead_surprise", first=first)
    if draft.reading.frame.act == "more" and draft.before.shown:
        return phrasings("lead_more", first=first)
    if draft.ranking.relaxed:
        return phrasings("lead_relaxed", first=first)
    wanted = wanted_phrase(draft.state)
    fresh = [p for p in draft.state.liked if p.turn == draft.state.turn and p.item_id]
    if fresh or not wanted:
        likes = fresh or [p for p in draft.state.liked if p.turn is not None and p.item_id]
        if likes:
            liked = [italic(catalogue[p.item_id]) for p in likes[-2:] if p.item_id]
            return phrasings("lead_liked", liked=" and ".join(liked), first=first)
    if wanted:
        return phrasings("lead_wanted", wanted=wanted, wanted_capital=capital(wanted), first=first)
    return phrasings("lead_plain", first=first)


def _reason(recommendation: Recommendation, catalogue: Catalogue, said: set[str]) -> str:
    """The first reason of a kind this reply has not used yet; what was asked for is in its lead already."""
    told = [r for r in recommendation.reasons if r.kind not in ("wanted", "years")]
    reason = next((r for r in told if r.kind not in said or r.kind in ("genres", "themes")), told[-1])
    said.add(reason.kind)
    if reason.item_id is None:
        return reason.text
    return with_italics(reason.text, catalogue[reason.item_id])


def speak(
    parts: Parts, language: Language | None, seed: int, facts: dict[str, str]
) -> tuple[Speaker, Iterator[str]]:
    """Who words the reply, and its pieces as they come."""
    if language is not None and language.constrained:
        return "model", language.phrase(prompt("respond", **facts), parts, seed)
    chosen = "".join(texts[(seed + i) % len(texts)] for i, texts in enumerate(parts)).strip()
    return "template", iter(_pieces(chosen))


def prompt_facts(draft: Draft, catalogue: Catalogue) -> dict[str, str]:
    """The variables of the respond prompt."""
    facts = [
        f"{italic(catalogue[r.item_id])}: {'; '.join(reason.text for reason in r.reasons[:2])}"
        for r in draft.items[:NAMED]
    ]
    return {
        "liked": ", ".join(p.value for p in draft.state.liked[-3:]) or "not said",
        "wants": ", ".join(p.value for p in draft.state.wants[-3:]) or "not said",
        "facts": "\n".join(facts),
    }


def _pieces(text: str) -> list[str]:
    """The text word by word, so that it streams alike whoever words it."""
    return [f"{word} " if i < text.count(" ") else word for i, word in enumerate(text.split(" "))]


def _refusal(preference: Preference) -> str:
    """An avoided thing after "Noted": `no horror`, `nothing melancholic`, `nothing for the family`."""
    if preference.kind == "audience":
        return f"nothing {describe_value('audience', preference.value)}"
    return f"{'nothing' if preference.kind in ('text', 'moods') else 'no'} {preference.value}"


def _new(before: Sequence[Preference], after: Sequence[Preference]) -> list[Preference]:
    had = {(p.kind, p.value) for p in before}
    return [p for p in after if (p.kind, p.value) not in had]


def plain_name(name: str) -> str:
    """A name from the user's message as it may stand in a reply: short, one line, no markup."""
    return " ".join(name.replace("*", " ").split())[:60]
