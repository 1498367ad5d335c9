"""Items + state -> words. A reply is a row of parts; each part has several wordings of what may be said.

The model chooses among the wordings under a grammar; without a model a seed does. Either way every
sentence is filled from the catalogue and the state, so there is nothing it could invent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.claims import Claim, claims
from agent.errors import ModelError
from agent.grounding import problems
from agent.model.language import Language
from agent.notes import notes
from agent.policy import question_slots, question_texts
from agent.prompting import phrase, prompt, templates
from agent.state import Reading
from agent.types import DialogueState, Question, Speaker
from agent.wanted import true_of, wanted_alone, wanted_phrase
from agent.writing import capital, italic
from retrieval.catalogue import Catalogue
from retrieval.types import Ranking, Recommendation

_REMEMBERED = 9
_TOLD = 3
NAMED = 3
"""Items named in the words of a reply; further ones are on cards only."""

_SLOT = re.compile(r"\{\w+\}")
_KINDS = {"moods": "lead_moods", "genres": "lead_genres", "themes": "lead_themes", "person": "lead_people"}


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to say a part. `pattern`: its words without what fills it; "" where that is not worth noting.

    `claim`: what it says for an item, if it does.
    """

    text: str
    pattern: str = ""
    claim: Claim | None = None


Parts = list[list[Wording]]


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a recommending reply is made of. `before` is the state the turn started from."""

    items: tuple[Recommendation, ...]
    ranking: Ranking
    before: DialogueState
    state: DialogueState
    reading: Reading
    question: Question | None = None


def wordings(name: str, /, claim: Claim | None = None, **values: object) -> list[Wording]:
    """Every wording of a phrase. KeyError for an unknown phrase or a missing slot."""
    return [Wording(text.format(**values), pattern(text), claim) for text in templates(name)]


def pattern(template: str) -> str:
    """A template without its slots, as the next prompt tells what was said: `If … worked for you, try`."""
    return _SLOT.sub("…", template).strip(" .,;:?…")


def recommending(draft: Draft, catalogue: Catalogue) -> Parts:
    """The parts of a reply that recommends."""
    parts = plain_parts(notes(draft.before, draft.state, draft.reading, catalogue))
    if draft.ranking.relaxed:
        again = "relaxed_again" if draft.ranking.relaxed == draft.before.relaxed else "relaxed"
        parts.append([Wording(phrase(again, what="; ".join(draft.ranking.relaxed)) + " ")])
    lead, likes = _lead(draft, catalogue)
    parts.append(lead)
    named = draft.items[:NAMED]
    best = claims(named[0], catalogue, draft.state, likes)
    parts.append([wording for claim in best[:2] for wording in _why(claim)])
    parts += _others(draft, catalogue, best[0].kind, likes)
    if draft.question:
        parts.append([replace(w, text=f" {w.text}") for w in asking(draft.question, None)])
    return parts


def plain_parts(texts: Sequence[str]) -> Parts:
    """Parts that can be said in one way only."""
    return [[Wording(text)] for text in texts]


def asking(question: Question, anchor: str | None) -> list[Wording]:
    """The wordings of a question; in those that speak of a liked item it is `anchor`, as replies write it."""
    if question.attribute == "relax":
        texts, slots = templates("relax_question"), {}
    else:
        texts, slots = question_texts(question, anchor), question_slots(question, anchor)
    return [Wording(text.format(**slots), pattern(text)) for text in texts]


def _why(claim: Claim) -> list[Wording]:
    said = [Wording(f", {clause}.", "", claim) for clause in claim.clauses]
    return said + [Wording(sentence, "", claim) for sentence in claim.sentences]


def _others(draft: Draft, catalogue: Catalogue, said: str, named: Sequence[str]) -> Parts:
    """The parts about the items after the first. `said`: the kind of claim made for that one."""
    later = draft.items[1:NAMED]
    titles = [italic(catalogue[r.item_id]) for r in later]
    unnamed = len(draft.items) - NAMED
    if unnamed > 0:
        return [wordings("others_many", count=unnamed, second=titles[0], third=titles[1])]
    parts: Parts = []
    for name, title, recommendation in zip(("second", "third"), titles, later, strict=False):
        found = claims(recommendation, catalogue, draft.state, named)
        claim = next((c for c in found if c.kind != said or c.kind == "story"), found[0])
        said = claim.kind
        told = [wordings(name, claim, reason=clause, **{name: title}) for clause in claim.clauses]
        parts.append([wording for same in told for wording in same])
    return [*parts, [Wording(".")]] if len(parts) == 1 else parts


def _lead(draft: Draft, catalogue: Catalogue) -> tuple[list[Wording], tuple[str, ...]]:
    """The wordings up to the first title, and the liked items that they name."""
    first = italic(catalogue[draft.items[0].item_id])
    if draft.reading.surprise and not draft.state.liked:
        return wordings("lead_surprise", first=first), ()
    if draft.reading.frame.act == "more" and draft.before.shown:
        return wordings("lead_more", first=first), ()
    if draft.ranking.relaxed:
        return wordings("lead_relaxed", first=first), ()
    state = true_of(draft.state, (catalogue[one.item_id] for one in draft.items))
    wanted = wanted_phrase(state)
    fresh = [p for p in draft.state.liked if p.turn == draft.state.turn and p.item_id]
    if fresh or not wanted:
        likes = fresh or [p for p in draft.state.liked if p.turn is not None and p.item_id]
        named = tuple(p.item_id for p in likes[-2:] if p.item_id)
        if named:
            liked = " and ".join(italic(catalogue[item_id]) for item_id in named)
            return wordings("lead_liked", liked=liked, first=first), named if len(named) == 1 else ()
    if wanted:
        return _wanted_lead(state, wanted, first), ()
    return wordings("lead_plain", first=first), ()


def _wanted_lead(state: DialogueState, wanted: str, first: str) -> list[Wording]:
    """Wordings for anything that is wanted, and those for its kind where only one is."""
    found = wordings("lead_wanted", wanted=wanted, wanted_capital=capital(wanted), first=first)
    alone = wanted_alone(state)
    if alone is None:
        return found
    kind, values = alone
    return found + wordings(_KINDS[kind], wanted=values, wanted_capital=capital(values), first=first)


def word(
    parts: Parts, language: Language | None, facts: dict[str, str], seed: int, hear: Callable[[str], None]
) -> tuple[list[Wording], Speaker, str]:
    """The chosen wording of each part, who chose, and what went wrong, if anything.

    `hear` gets the text as it comes. A text that fails the check is replaced by the templates', unheard.
    """
    if language is None or not language.constrained:
        used = by_seed(parts, seed)
        for piece in _pieces(joined(used)):
            hear(piece)
        return used, "template", ""
    text, failed = "", None
    try:
        for piece in language.phrase(prompt("respond", examples=False, **facts), texts_of(parts), seed):
            text += piece
            hear(piece)
    except ModelError as error:
        failed = str(error)[:160]
    wrong = failed or problems(text, texts_of(parts))
    if wrong is None:
        return chosen(text, parts), "model", ""
    return by_seed(parts, seed), "template", f"model's words refused: {wrong}"


def by_seed(parts: Parts, seed: int) -> list[Wording]:
    """A wording of each part, without a model: another for every seed."""
    return [part[(seed + i) % len(part)] for i, part in enumerate(parts)]


def joined(used: Sequence[Wording]) -> str:
    return "".join(wording.text for wording in used).strip()


def texts_of(parts: Parts) -> list[list[str]]:
    return [[wording.text for wording in part] for part in parts]


def chosen(text: str, parts: Parts) -> list[Wording]:
    """The wording of each part that `text` uses, white space aside; empty unless it is made of them."""
    rest, found = " ".join(text.split()), []
    for part in parts:
        fitting = [w for w in part if rest.startswith(" ".join(w.text.split()))]
        if not fitting:
            return []
        found.append(max(fitting, key=lambda wording: len(wording.text)))
        rest = rest[len(" ".join(found[-1].text.split())) :].lstrip()
    return [] if rest else found


def patterns(used: Sequence[Wording], before: Sequence[str] = ()) -> tuple[str, ...]:
    """What the next replies should not repeat, after `before`; the latest nine."""
    return (*before, *(wording.pattern for wording in used if wording.pattern))[-_REMEMBERED:]


def fresh(parts: Parts, said: Sequence[str]) -> Parts:
    """The parts without the wordings that were used lately, where that leaves any."""
    return [[wording for wording in part if wording.pattern not in said] or part for part in parts]


def prompt_facts(draft: Draft, catalogue: Catalogue) -> dict[str, str]:
    """The variables of the respond prompt: for each named item its two best claims."""
    facts, liked = [], [p.item_id for p in draft.state.liked if p.item_id]
    for recommendation in draft.items[:NAMED]:
        found = claims(recommendation, catalogue, draft.state, liked)[:2]
        facts.append(f"{recommendation.title}: {'; '.join(claim.clauses[0] for claim in found)}")
    return {**_known(draft.before, draft.state), "facts": "\n".join(facts)}


def question_facts(question: Question, before: DialogueState, state: DialogueState) -> dict[str, str]:
    """The variables of the respond prompt where a question is all there is to say."""
    return {**_known(before, state), "facts": f"Ask: {', '.join(question.options[:-1])}"}


def _known(before: DialogueState, state: DialogueState) -> dict[str, str]:
    return {
        "liked": ", ".join(p.value for p in state.liked[-2:]) or "not said",
        "wants": ", ".join(p.value[:40] for p in state.wants[-3:]) or "not said",
        "said": "; ".join(before.said[-_TOLD:]) or "nothing",
    }


def _pieces(text: str) -> list[str]:
    """The text word by word, so that it streams alike whoever words it."""
    return [f"{word} " if i < text.count(" ") else word for i, word in enumerate(text.split(" "))]
