"""Why this, why not that: in words, with the real contributions behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.plan import to_query
from agent.policy import list_or
from agent.prompting import phrase
from agent.reasons import Grounds
from agent.types import DialogueState, Explanation
from agent.writing import capital, italic, with_italics
from retrieval.filters import satisfies
from retrieval.types import Constraints, Facet, Item, Query, facet_values

_COUNTS = ("no reason", "one reason", "two things", "three things", "four things")


def why(item: Item, state: DialogueState, grounds: Grounds) -> Explanation:
    """What speaks for `item`, given the state as it is now."""
    query = _asking_again(to_query(state, grounds.vocabulary), item.item_id)
    candidate = grounds.ranker.rank_of(query, item.item_id)
    if candidate is None:
        return why_not(item, state, grounds)
    reasons = grounds.reasons(item, candidate, state, query)[:3]
    texts = [
        with_italics(reason.text, grounds.catalogue[reason.item_id]) if reason.item_id else reason.text
        for reason in reasons
    ]
    lead = f"{italic(item)}, for {_COUNTS[len(texts)]}"
    text = phrase("why_lead", count_capital=lead, reasons="; ".join(texts))
    return Explanation(item.item_id, text, grounds.contributions(candidate, query))


def why_not(item: Item, state: DialogueState, grounds: Grounds) -> Explanation:
    """What keeps `item` out: a verdict, a rule, or its rank; with an offer to drop the rule."""
    title = italic(item)
    for slot, status in (("disliked", "said no to"), ("seen", "seen"), ("liked", "told me you like")):
        if any(p.item_id == item.item_id for p in getattr(state, slot)):
            return Explanation(item.item_id, phrase("why_not_seen", title=title, status=status))
    query = to_query(state, grounds.vocabulary)
    rules = broken(item, query.constraints)
    if rules:
        text = phrase("why_not_rule", title=title, rule=list_or(rules, "and"))
        return Explanation(item.item_id, text, options=("yes, drop it", "no, keep it"))
    if item.item_id in state.shown:
        return Explanation(item.item_id, phrase("why_not_shown", title=title))
    candidate = grounds.ranker.rank_of(query, item.item_id)
    if candidate is None:
        return Explanation(item.item_id, phrase("why_not_weak", title=title, rank="far down the list"))
    text = phrase("why_not_weak", title=title, rank=f"number {candidate.rank}")
    return Explanation(item.item_id, text, grounds.contributions(candidate, query))


def compared(items: Sequence[Item], grounds: Grounds) -> str:
    """Two items side by side; with a third, which of the first two comes closer to it."""
    first, second = items[0], items[1]
    if len(items) == 2:
        return f"{italic(first)}: {facts(first)}. {italic(second)}: {facts(second)}."
    anchor = items[2]
    query = Query(liked=(anchor.item_id,))
    places = [grounds.ranker.rank_of(query, item.item_id) for item in (first, second)]
    if places[0] is None or places[1] is None:
        return phrase("compared_unsure", first=italic(first), second=italic(second))
    best, near, far = places[0], first, second
    if places[1].rank < places[0].rank:
        best, near, far = places[1], second, first
    reasons = grounds.reasons(near, best, DialogueState(), query)
    return phrase(
        "compared", near=italic(near), far=italic(far), anchor=italic(anchor), reason=reasons[0].text
    )


def broken(item: Item, constraints: Constraints) -> list[str]:
    """The promises that `item` would break, in words: "you asked for comedy", "you ruled out horror"."""
    found = [
        f"you asked for {list_or(list(dict.fromkeys(f.value for f in group)))}"
        for group in constraints.require
        if not satisfies(item, Constraints(require=(group,)))
    ]
    found += [f"you ruled out {f.value}" for f in constraints.forbid if _has(item, f)]
    if constraints.years and not satisfies(item, Constraints(years=constraints.years)):
        found.append(f"it is from {item.year}" if item.year else "I don't know its year")
    if constraints.max_minutes and not satisfies(item, Constraints(max_minutes=constraints.max_minutes)):
        found.append(f"it runs {item.minutes} minutes" if item.minutes else "I don't know how long it runs")
    return found


def facts(item: Item) -> str:
    """What the catalogue knows of an item, in a sentence's worth of words."""
    known = []
    if item.genres:
        known.append(list_or(item.genres, "and"))
    if item.directors:
        known.append(f"directed by {list_or(item.directors, 'and')}")
    if item.cast:
        known.append(f"with {list_or(item.cast[:3], 'and')}")
    if item.minutes:
        known.append(f"{item.minutes} minutes")
    if item.themes:
        known.append(f"about {list_or(item.themes[:3], 'and')}")
    text = ", ".join(known) if known else "I know its title and year, nothing more"
    return f"{text}. {capital(item.description).rstrip('.')}" if item.description else text


def _has(item: Item, facet: Facet) -> bool:
    return facet.value.casefold() in (value.casefold() for value in facet_values(item, facet.field))


def _asking_again(query: Query, item_id: str) -> Query:
    """The query as if nothing had been said of `item_id` yet, so that it can be ranked once more."""
    return replace(
        query,
        exclude=query.exclude - {item_id},
        liked=tuple(other for other in query.liked if other != item_id),
        disliked=tuple(other for other in query.disliked if other != item_id),
        messages=tuple(
            replace(one, items=tuple(other for other in one.items if other != item_id))
            for one in query.messages
        ),
    )
