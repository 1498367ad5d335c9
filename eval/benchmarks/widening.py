"""Does widening interests find more of what people like? Held-out users, three of their likes given.

Two catalogues: "rated", where the other users' ratings are known, and "cold", the same films without any
rating, where text, the knowledge graph and the catalogue's own popularity must do.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.expand import MOST, answers, expand
from agent.model.language import Language
from agent.plan import to_query
from agent.reading.vocabulary import Vocabulary
from agent.types import DialogueState, Preference
from finetune.verdicts import POSITIVE_ABOVE
from retrieval.catalogue import Catalogue
from retrieval.collaborative import CollaborativeRetriever
from retrieval.errors import InteractionsError
from retrieval.expected import Near
from retrieval.interactions import Interactions
from retrieval.interests import InterestRetriever
from retrieval.popularity import PopularityRetriever
from retrieval.ranker import Ranker
from retrieval.retriever import Retriever
from retrieval.types import Item
from retrieval.workspace import Workspace

GIVEN = 3
K = 50
RESAMPLES = 2000

Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """A held-out user: the items given, and those to be found."""

    user: str
    given: tuple[Item, ...]
    targets: frozenset[str]


@dataclass(frozen=True, slots=True)
class Results:
    """One way of widening over all people: recall@50 of each, and of each the theme entropy in bits."""

    recalls: tuple[float, ...]
    entropies: tuple[float, ...]

    @property
    def recall(self) -> float:
        """Mean over people of |found in the first 50 and liked| / |liked|."""
        return float(np.mean(self.recalls))

    @property
    def entropy(self) -> float:
        """Mean Shannon entropy (1948) of the themes of the 50 results: bits, higher is more varied."""
        return float(np.mean(self.entropies))


@dataclass(frozen=True, slots=True)
class Widening:
    """What widening gives in each catalogue ("rated", "cold"), by way.

    Ways: "none"; "chance" (four facets at random: what the source of interests gives without knowing the
    person); "rules"; and "model" where there is one. `seconds`: of each call of the model.
    """

    results: Mapping[str, Mapping[str, Results]]
    seconds: tuple[float, ...]

    def gain(self, catalogue: str, way: str, over: str = "none") -> float:
        """Relative gain in recall@50: 0.15 is 15 % more."""
        rows = self.results[catalogue]
        return rows[way].recall / rows[over].recall - 1

    def interval(self, catalogue: str, way: str, over: str = "none", seed: int = 0) -> tuple[float, float]:
        """95 % percentile bootstrap interval of the gain, people drawn in pairs (Efron & Tibshirani 1993)."""
        rows = self.results[catalogue]
        pairs = np.array([rows[way].recalls, rows[over].recalls])
        draws = np.random.default_rng(seed).integers(0, pairs.shape[1], (RESAMPLES, pairs.shape[1]))
        means = pairs[:, draws].mean(axis=2)
        low, high = np.percentile(means[0] / np.maximum(means[1], 1e-9) - 1, [2.5, 97.5])
        return float(low), float(high)


def measure_widening(
    workspace: Workspace, language: Language | None, users: Collection[str], seed: int
) -> Widening:
    """Rank for each of `users`, whose ratings no source knows, with and without further interests.

    Raises InteractionsError when the workspace has none, or no user among `users` likes four items.
    """
    interactions = workspace.interactions
    if interactions is None:
        raise InteractionsError("This workspace has no interactions to measure widening with.")
    people = list(people_of(workspace.catalogue, interactions, users, seed))
    if not people:
        raise InteractionsError(f"None of these {len(users)} users likes {GIVEN + 1} items.")
    vocabulary = Vocabulary(workspace.catalogue)
    with tempfile.TemporaryDirectory() as folder:
        rankers = {"rated": without_users(workspace, users, Path(folder)), "cold": _cold(workspace)}
        seconds: list[float] = []
        by_model: list[Texts] = []
        for person in people if language is not None else ():
            started = time.perf_counter()
            state, ranker = state_of(person), rankers["rated"]
            by_model.append(expand(state, workspace.catalogue, ranker, vocabulary, language).texts)
            seconds.append(time.perf_counter() - started)
        results = {
            name: _ways(workspace.catalogue, ranker, vocabulary, people, by_model, seed)
            for name, ranker in rankers.items()
        }
    return Widening(results, tuple(seconds))


def markdown(widening: Widening) -> str:
    """A table: recall@50, its gain with the 95 % interval, and the entropy of themes."""
    lines = ["| catalogue, widened by | recall@50 | gain | theme entropy |", "|---|--:|--:|--:|"]
    for catalogue, ways in widening.results.items():
        for way, results in ways.items():
            low, high = widening.interval(catalogue, way)
            gain = f"{widening.gain(catalogue, way):+.1%} [{low:+.1%}, {high:+.1%}]" if way != "none" else ""
            lines.append(f"| {catalogue}, {way} | {results.recall:.3f} | {gain} | {results.entropy:.2f} |")
    return "\n".join(lines)


def _ways(
    catalogue: Catalogue,
    ranker: Ranker,
    vocabulary: Vocabulary,
    people: Sequence[Person],
    by_model: Sequence[Texts],
    seed: int,
) -> dict[str, Results]:
    rng, themes = random.Random(f"chance:{seed}"), answers(catalogue, "theme")
    ways: dict[str, Sequence[Texts]] = {
        "none": [()] * len(people),
        "chance": [tuple(rng.sample(themes, min(MOST, len(themes)))) for _ in people],
        "rules": [expand(state_of(p), catalogue, ranker, vocabulary, None).texts for p in people],
    }
    if by_model:
        ways["model"] = by_model
    return {way: _results(catalogue, ranker, vocabulary, people, texts) for way, texts in ways.items()}


def _results(
    catalogue: Catalogue,
    ranker: Ranker,
    vocabulary: Vocabulary,
    people: Sequence[Person],
    expansions: Sequence[Texts],
) -> Results:
    recalls, entropies = [], []
    for person, texts in zip(people, expansions, strict=True):
        query = to_query(state_of(person), vocabulary, texts)
        found = [candidate.item_id for candidate in ranker.rank(query, K).candidates]
        recalls.append(len(person.targets.intersection(found)) / len(person.targets))
        entropies.append(theme_entropy([catalogue[item_id] for item_id in found]))
    return Results(tuple(recalls), tuple(entropies))


def theme_entropy(items: Sequence[Item]) -> float:
    """Shannon entropy in bits of the themes of some items, each theme of each item counting once."""
    counts = np.array(list(Counter(theme for item in items for theme in item.themes).values()), dtype=float)
    shares = counts / counts.sum() if counts.size else counts
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def people_of(
    catalogue: Catalogue, interactions: Interactions, users: Collection[str], seed: int
) -> Iterator[Person]:
    """Those of `users` who like more than three items, three of them given, the others to be found."""
    matrix = interactions.matrix.tocsr()
    for row, user in enumerate(interactions.users):
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        liked = sorted(catalogue.ids[i] for i in matrix.indices[span][matrix.data[span] > POSITIVE_ABOVE])
        if user in users and len(liked) > GIVEN:
            given = random.Random(f"given:{seed}:{user}").sample(liked, GIVEN)
            targets = frozenset(liked).difference(given)
            yield Person(user, tuple(catalogue[item_id] for item_id in given), targets)


def state_of(person: Person) -> DialogueState:
    """What a conversation knows once the person has named the given items."""
    return DialogueState(
        turn=1, liked=tuple(Preference("item", item.label, item.item_id, turn=1) for item in person.given)
    )


def _without(interactions: Interactions, users: Collection[str]) -> Interactions:
    rows: NDArray[np.intp] = np.flatnonzero([user not in users for user in interactions.users])
    kept = tuple(interactions.users[row] for row in rows)
    return Interactions(kept, interactions.matrix[rows], interactions.times[rows], interactions.explicit)


def without_users(
    workspace: Workspace, users: Collection[str], folder: Path, propensity_power: float = 0.0
) -> Ranker:
    """The workspace's ranker as it would be if these users' interactions had not been given.

    `propensity_power`: of the item-item model, as it is built. Raises InteractionsError when the workspace
    has none.
    """
    if workspace.interactions is None:
        raise InteractionsError("This workspace has no interactions to measure with.")
    catalogue, known = workspace.catalogue, _without(workspace.interactions, users)
    near = Near(workspace.dense.vectors, workspace.knowledge.matrix)
    CollaborativeRetriever.build(folder, catalogue, known, near, propensity_power=propensity_power)
    fitted: dict[str, Retriever] = {
        "collaborative": CollaborativeRetriever(folder, catalogue),
        "popularity": PopularityRetriever(catalogue, known),
        "interests": InterestRetriever(catalogue, known),
    }
    sources = workspace.ranker.sources
    scorer = workspace.ranker.scorer
    return Ranker(catalogue, [fitted.get(name, source) for name, source in sources.items()], scorer)


def _cold(workspace: Workspace) -> Ranker:
    catalogue = workspace.catalogue
    unrated: dict[str, Retriever] = {
        "popularity": PopularityRetriever(catalogue, None),
        "interests": InterestRetriever(catalogue, None),
    }
    sources = workspace.ranker.sources
    return Ranker(
        catalogue,
        [unrated.get(name, source) for name, source in sources.items() if name != "collaborative"],
    )
