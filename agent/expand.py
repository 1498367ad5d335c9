"""State -> interests that were not named: facets that go with what is liked and wanted.

One of five templates asks for them, by what is known:

    person    somebody is asked for                  -> people
    mood      a mood is asked for                    -> moods
    contrast  something is disliked or avoided       -> facets that none of the liked items has
    path      two likes share a person               -> facets reached over that person's items
    theme     otherwise                              -> themes

With three likes and nothing else known, themes find most (recall@50 on training users of MovieLens, answers
by the rule that training follows: theme .355, person .353, mood .350, contrast .345, path .341, none .274),
so the others are asked only where the talk points their way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from string import Template
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from agent.errors import ModelError
from agent.model.language import Language
from agent.plan import to_query
from agent.prompting import prompt, spec
from agent.reading.vocabulary import INTERESTS, Vocabulary
from agent.types import DialogueState, Speaker
from retrieval.catalogue import Catalogue
from retrieval.ranker import Ranker
from retrieval.types import Facet, Item, Query, facet_values

Way = Literal["theme", "person", "mood", "contrast", "path"]
WAYS: tuple[Way, ...] = get_args(Way)

PEOPLE = ("directors", "cast")
FIELDS: dict[Way, tuple[str, ...]] = {
    "theme": ("themes",),
    "person": PEOPLE,
    "mood": ("moods",),
    "contrast": INTERESTS,
    "path": INTERESTS,
}
"""The facet fields that each template asks for."""

NEIGHBOURS = 40
LIKES = 4
"""Liked items that a prompt names, the most recent ones."""
MOST = 4
"""Interests that a tuned model names."""
FEW = 2
"""Interests that are taken from anybody else: of guesses, the first are the best."""
CANDIDATES = 12
SUPPORT = 3
"""Near items that must have a facet."""
ITEMS_OF_A_PERSON = 3
"""People of fewer items are no answer."""
ITEMS_OF_A_BRIDGE = 5
"""A theme or person of fewer items leads nowhere."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a model is asked: by which template, and what is known. `bridge`: what likes have in common."""

    way: Way
    liked: tuple[Item, ...]
    wants: tuple[str, ...]
    bridge: Facet | None = None


@dataclass(frozen=True, slots=True)
class Expansion:
    """Further interests as short texts, who named them, and in a few words how."""

    texts: tuple[str, ...]
    speaker: Speaker
    detail: str


def expand(
    state: DialogueState,
    catalogue: Catalogue,
    ranker: Ranker,
    vocabulary: Vocabulary,
    language: Language | None,
) -> Expansion:
    """Up to four interests, neither named nor refused. Without anything liked or wanted there are none.

    A tuned model chooses among all that the catalogue has, any other among facets of near items; the rules
    take the first two of these.
    """
    ask = what_to_ask(state, catalogue)
    if not (ask.liked or ask.wants):
        return Expansion((), "rules", "nothing to go on")
    tuned = language is not None and language.tuned
    never = said(ask) | {value for p in state.avoids for value in p.value.split(" or ")}
    near = () if tuned else _near(never, to_query(state, vocabulary), catalogue, ranker)
    options = [value for value in answers(catalogue, ask.way) if value not in never] if tuned else near
    detail = ""
    if language is not None and options:
        try:
            texts = language.choose(expand_prompt(ask, examples=not tuned), options, MOST if tuned else FEW)
            if texts:
                return Expansion(tuple(texts), "model", f"by {ask.way}: {', '.join(texts)}")
            detail = "model named nothing the catalogue has; "
        except ModelError as error:
            detail = f"model failed: {error}; "[:160]
    texts = list(near or _near(never, to_query(state, vocabulary), catalogue, ranker))[:FEW]
    return Expansion(tuple(texts), "rules", detail + (", ".join(texts) or "nothing goes with it"))


def what_to_ask(state: DialogueState, catalogue: Catalogue) -> Ask:
    """The template for a state, by the first of the rules above that applies."""
    items = [catalogue[p.item_id] for p in state.liked if p.item_id is not None][-LIKES:]
    wants = tuple(dict.fromkeys(value for p in state.wants for value in p.value.split(" or ")))[-LIKES:]
    bridge = find_bridge(items, catalogue)
    way: Way = "theme"
    if state.people:
        way = "person"
    elif any(p.kind == "moods" for p in state.wants):
        way = "mood"
    elif items and (state.disliked or state.avoids):
        way = "contrast"
    elif bridge is not None and bridge.field in PEOPLE:
        way = "path"
    return Ask(way, tuple(items), wants, bridge if way == "path" else None)


def _near(never: Collection[str], query: Query, catalogue: Catalogue, ranker: Ranker) -> tuple[str, ...]:
    """Facets of any kind that near items have more often than the catalogue, by lift x support."""
    near = [catalogue[candidate.item_id] for candidate in ranker.rank(query, NEIGHBOURS).candidates]
    base = frequencies(catalogue, "path")
    scores = {
        value: count * (count / len(near)) / (base[value] / len(catalogue))
        for value, count in _counts(near, "path").items()
        if value not in never and count >= SUPPORT
    }
    return tuple(sorted(scores, key=lambda value: (-scores[value], value))[:CANDIDATES])


def expand_prompt(ask: Ask, examples: bool) -> list[dict[str, str]]:
    """The chat: each liked title with a genre and a theme, the wants, and the question of the template."""
    question = Template(spec("expand")["templates"][ask.way])
    return prompt(
        "expand",
        examples=examples,
        liked="; ".join(_described(item) for item in ask.liked) or "not said",
        wants=", ".join(ask.wants) or "anything",
        question=question.substitute(bridge=ask.bridge.value if ask.bridge else ""),
    )


def shown(item: Item) -> tuple[str, ...]:
    """The facets that stand beside a title in the prompt: its first genre and theme."""
    return (*item.genres[:1], *item.themes[:1])


def said(ask: Ask) -> frozenset[str]:
    """What is no answer: what the prompt itself says, and for a contrast all that the liked items are."""
    values = {*ask.wants, *(value for item in ask.liked for value in shown(item))}
    if ask.bridge is not None:
        values.add(ask.bridge.value)
    if ask.way == "contrast":
        values.update(v for item in ask.liked for field in INTERESTS for v in facet_values(item, field))
    return frozenset(values)


def find_bridge(items: Sequence[Item], catalogue: Catalogue) -> Facet | None:
    """The rarest theme or person that two of the items share; None where they share none."""
    common = {facet for a, b in combinations(items, 2) for facet in _links(a) & _links(b)}
    counts = {facet: int(having(catalogue, facet).sum()) for facet in common}
    leading = [facet for facet in common if counts[facet] >= ITEMS_OF_A_BRIDGE]
    return min(leading, key=lambda facet: (counts[facet], facet), default=None)


def having(catalogue: Catalogue, facet: Facet) -> NDArray[np.bool_]:
    """Bool [n_items]: which items have a facet; a person counts in any role."""
    fields = PEOPLE if facet.field in PEOPLE else (facet.field,)
    return np.logical_or.reduce([catalogue.mask(Facet(field, facet.value)) for field in fields])


@lru_cache(maxsize=16)
def frequencies(catalogue: Catalogue, way: Way) -> Counter[str]:
    """How many items have what a template asks for, by value; do not change it."""
    return _counts(catalogue, way)


@lru_cache(maxsize=16)
def answers(catalogue: Catalogue, way: Way) -> tuple[str, ...]:
    """All that a template may be answered with: the catalogue's values of its fields, most frequent first."""
    least = ITEMS_OF_A_PERSON if way == "person" else 1
    return tuple(value for value, count in frequencies(catalogue, way).most_common() if count >= least)


def _counts(items: Iterable[Item], way: Way) -> Counter[str]:
    return Counter(
        value
        for item in items
        for value in {value for field in FIELDS[way] for value in facet_values(item, field)}
    )


def _described(item: Item) -> str:
    words = ", ".join(shown(item))
    return f"{item.title} ({words})" if words else item.title


def _links(item: Item) -> set[Facet]:
    return {Facet(field, value) for field in ("themes", *PEOPLE) for value in facet_values(item, field)}
