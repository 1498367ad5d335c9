"""State -> interests that were not named: facets that go with what is liked and wanted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from agent.errors import ModelError
from agent.model.language import Language
from agent.plan import to_query
from agent.prompting import prompt
from agent.reading.vocabulary import INTERESTS, Vocabulary
from agent.types import DialogueState, Speaker
from retrieval.catalogue import Catalogue
from retrieval.ranker import Ranker
from retrieval.types import facet_values

NEIGHBOURS = 40
MOST = 2


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
    """Up to two interests. The model chooses among facets of near items, neither named nor refused."""
    options = candidates(state, catalogue, ranker, vocabulary)
    if not options:
        return Expansion((), "rules", "nothing to go on")
    if language is not None:
        try:
            messages = prompt(
                "expand",
                liked=", ".join(p.value for p in state.liked[-4:]) or "not said",
                wants=", ".join(p.value for p in state.wants[-4:]) or "nothing yet",
            )
            chosen = language.choose(messages, options, MOST)
            if chosen:
                return Expansion(tuple(chosen), "model", ", ".join(chosen))
            detail = "model named nothing the catalogue has; "
        except ModelError as error:
            detail = f"model failed: {error}; "[:160]
    else:
        detail = ""
    texts = tuple(options[:MOST])
    return Expansion(texts, "rules", detail + ", ".join(texts))


def candidates(
    state: DialogueState, catalogue: Catalogue, ranker: Ranker, vocabulary: Vocabulary
) -> list[str]:
    """Facet values that are more frequent among the nearest items than in the catalogue, by lift x support.

    Without anything liked or wanted there is nothing to widen: empty.
    """
    query = to_query(state, vocabulary)
    if not (query.liked or query.text):
        return []
    said = {v for p in (*state.wants, *state.avoids) for v in p.value.split(" or ")}
    near = ranker.rank(query, NEIGHBOURS).candidates
    counts = Counter(
        value
        for candidate in near
        for field in INTERESTS
        for value in facet_values(catalogue[candidate.item_id], field)
    )
    base = vocabulary.frequencies
    scores = {
        value: count * (count / len(near)) / (base[value] / len(catalogue))
        for value, count in counts.items()
        if value not in said and count >= 3
    }
    return sorted(scores, key=lambda value: (-scores[value], value))[:12]
